"""A stand-in for a Docker engine that answers whether it is there, and nothing else.

The docker plugin asks that before anything, even when all it has to do is preview. A review on a machine without Docker
hands it this one: previews compare with the state, and need no more. Whatever else is asked is refused, by name.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import socket
import threading
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SOCKET: Final = "unix:///var/run/docker.sock"
SECONDS: Final = 2
"""How long an engine may take to answer. A local one takes milliseconds."""
API: Final = "1.41"
"""Version of the engine's API that is pretended: that of Docker 20.10, which every client still speaks."""


def answers(host: str) -> bool:
    """Return whether something listens at a Docker host; one that cannot be tried, as ssh://, is taken to."""
    parts = urlsplit(host)
    try:
        if parts.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(SECONDS)
                connection.connect(parts.path)
        elif parts.scheme in ("tcp", "http", "https"):
            socket.create_connection((parts.hostname, parts.port or 2375), SECONDS).close()
    except (OSError, ValueError):
        return False
    return True


@contextlib.contextmanager
def available(present: Mapping[str, str] = os.environ) -> Iterator[dict[str, str]]:
    """Yield the environment of a process that needs an engine for a preview: the present one, or the stand-in's."""
    environment = dict(present)
    if answers(environment.get("DOCKER_HOST") or SOCKET):
        yield environment
        return
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for name in ("DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
            environment.pop(name, None)
        yield {**environment, "DOCKER_HOST": f"tcp://127.0.0.1:{server.server_port}"}
    finally:
        server.shutdown()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    def _answer(self) -> None:
        path = urlsplit(self.path).path
        if path.endswith("/_ping"):
            self._send(200, b"OK", "text/plain")
        elif path.endswith("/version"):
            self._send(200, json.dumps({"ApiVersion": API, "Os": "linux", "Version": "0.0.0"}).encode())
        else:
            message = f"there is no Docker engine here, only a preview: {self.command} {path} needs one"
            self._send(501, json.dumps({"message": message}).encode())

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815  # the names that http.server looks for

    def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        for name, value in (
            ("Api-Version", API),
            ("Ostype", "linux"),
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
        ):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Say nothing."""
