"""A load of real requests in the background of a test, and every one that failed, with its reason."""

from __future__ import annotations

import collections
import http.client
import itertools
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence
    from urllib.parse import SplitResult

STALE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


FRESH = 4
"""One client in this many opens a connection for each request."""


class Tls(http.client.HTTPSConnection):
    """A connection to an address that asks for, and checks, the certificate of the URL's host."""

    def __init__(self, address: str, parts: SplitResult, context: ssl.SSLContext) -> None:
        """Prepare it; nothing is sent yet."""
        # Without a context it would read all of the machine's authorities anew, 25 ms of CPU a connection.
        super().__init__(parts.hostname or "", parts.port, timeout=60, context=context)
        self.address = address
        self.checks = context

    def connect(self) -> None:
        """Connect, and shake hands."""
        plain = socket.create_connection((self.address, self.port), self.timeout)
        self.sock = self.checks.wrap_socket(plain, server_hostname=self.host)


class Load:
    """Clients that send requests until the `with` block ends.

    Most keep their connection, as browsers do; one in four opens one a request, as `curl` does: a handshake costs more
    than all else. Clients wait `pause` seconds between two requests: the load is there to meet every moment of a
    change, not to saturate two shared cores. A kept connection that the server closed before a byte of a GET's answer
    came is opened again once, as RFC 9112 section 9.3.1 has every client do; anything else that is not an answer with
    200 or 201 is a failure.
    """

    def __init__(  # noqa: PLR0913  # keyword arguments, each with its name at the call
        self,
        url: str,
        *,
        paths: Sequence[str] = ("/",),
        post: str | None = None,
        clients: int = 8,
        pause: float = 0.1,
        headers: dict[str, str] | None = None,
        context: ssl.SSLContext | None = None,
        address: str | None = None,
    ) -> None:
        """Prepare clients for `paths` of `url` and JSON to `post`; `address`: where to connect, whatever the URL."""
        self.parts = urlsplit(url)
        self.paths = paths
        self.post = post
        self.clients = clients
        self.pause = pause
        self.headers = headers or {}
        self.context = context
        self.address = address
        self.answered = 0
        self.reopened = 0
        self.failures: collections.Counter[str] = collections.Counter()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._client, args=(number,), daemon=True) for number in range(clients)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=90)
        assert not any(thread.is_alive() for thread in self._threads), "a client hangs"

    def _client(self, number: int) -> None:
        keep = number % FRESH != 0
        connection = self._open()
        for turn in itertools.count(number):
            if self._stop.is_set():
                break
            if self.post and turn % 5 == 0:
                method, path, body = "POST", self.post, json.dumps({"author": "load", "text": f"{number}-{turn}"})
            else:
                method, path, body = "GET", self.paths[turn % len(self.paths)], None
            connection = self._request(connection, method, path, body, keep=keep)
            time.sleep(self.pause)
        connection.close()

    def _open(self) -> http.client.HTTPConnection:
        host = self.address or self.parts.hostname or ""
        if self.context:
            return Tls(host, self.parts, self.context)
        return http.client.HTTPConnection(host, self.parts.port, timeout=60)

    def _request(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: str | None, *, keep: bool
    ) -> http.client.HTTPConnection:
        headers = {"Host": self.parts.netloc, "Connection": "keep-alive" if keep else "close", **self.headers}
        if body:
            headers["Content-Type"] = "application/json"
        reused = connection.sock is not None
        for attempt in (1, 2):
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                connection = self._open()
                if attempt == 1 and reused and method == "GET" and isinstance(error, STALE):
                    with self._lock:
                        self.reopened += 1
                    continue
                self._count(f"{method} {path}: {type(error).__name__}: {error}")
            else:
                good = (200, 201)
                self._count(None if answer.status in good else f"{method} {path}: {answer.status} {content[:120]!r}")
            break
        if not keep:
            connection.close()
            connection = self._open()
        return connection

    def _count(self, failure: str | None) -> None:
        with self._lock:
            if failure:
                self.failures[failure] += 1
            else:
                self.answered += 1
