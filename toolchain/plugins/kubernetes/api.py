"""The Kubernetes API over HTTP: no client library, since loading one takes longer than a whole preview."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugins.kubernetes.kubeconfig import Access
    from plugins.kubernetes.values import Object

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
JSON = "application/json"
USER_AGENT = "flaskstack-kubernetes-plugin"
TIMEOUT_SECONDS = 60.0


class Unreachable(Exception):  # noqa: N818 - it says what is the case
    """The API server did not answer."""


class ApiError(Exception):
    """The API server said no."""

    def __init__(self, status: int, body: Object) -> None:
        """Keep the HTTP status and the API server's own words."""
        self.status = status
        self.reason = str(body.get("reason") or "")
        self.message = str(body.get("message") or f"HTTP status {status}")
        super().__init__(self.message)

    @property
    def not_found(self) -> bool:
        """The object, or its whole kind, is not there."""
        return self.status == http.client.NOT_FOUND

    @property
    def already_exists(self) -> bool:
        """An object of that name is there."""
        return self.reason == "AlreadyExists"

    @property
    def conflict(self) -> bool:
        """Somebody else manages a field, or changed the object in between."""
        return self.status == http.client.CONFLICT and not self.already_exists

    @property
    def forbidden(self) -> bool:
        """The user may not do this."""
        return self.status == http.client.FORBIDDEN

    @property
    def invalid(self) -> bool:
        """The object is not valid."""
        return self.status == http.client.UNPROCESSABLE_ENTITY


class Sent(NamedTuple):
    """What a request's body is, and where the API server's warnings about it go."""

    content_type: str = JSON
    warn: Callable[[str], None] | None = None


class Api:
    """Requests to one API server, each thread on a connection of its own that stays open."""

    def __init__(self, access: Access, timeout: float = TIMEOUT_SECONDS) -> None:
        """Prepare for requests; nothing is sent yet."""
        self._access = access
        self._timeout = timeout
        self._local = threading.local()
        self._open: list[http.client.HTTPConnection] = []
        parts = urlsplit(access.server)
        self._host, self._port, self._prefix = parts.hostname or "", parts.port, parts.path.rstrip("/")
        self._tls = _tls_context(access) if parts.scheme == "https" else None

    def get(self, path: str, **query: str) -> Object:
        """Read an object or a list."""
        return self.request("GET", path, query)

    def text(self, path: str, **query: str) -> str:
        """Read plain text, such as a container's log."""
        status, _, body = self._exchange("GET", self._target(path, query), None, {"Accept": "*/*"})
        if status >= http.client.BAD_REQUEST:
            raise ApiError(status, _parsed(body))
        return body.decode("utf-8", "replace")

    def request(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: object = None,
        sent: Sent | None = None,
    ) -> Object:
        """Send a request and read the answer."""
        sent = sent or Sent()
        payload = None if body is None else json.dumps(body).encode()
        headers = {"Accept": JSON} | ({} if payload is None else {"Content-Type": sent.content_type})
        status, warnings, answer = self._exchange(method, self._target(path, query or {}), payload, headers)
        if status >= http.client.BAD_REQUEST:
            raise ApiError(status, _parsed(answer))
        if sent.warn is not None:
            for warning in warnings:
                sent.warn(warning)
        return _parsed(answer)

    def _target(self, path: str, query: dict[str, str]) -> str:
        return self._prefix + quote(path) + (f"?{urlencode(query)}" if query else "")

    def _exchange(
        self,
        method: str,
        target: str,
        payload: bytes | None,
        headers: dict[str, str],
    ) -> tuple[int, list[str], bytes]:
        headers = {"User-Agent": USER_AGENT, **self._access.headers, **headers}
        reused = getattr(self._local, "connection", None) is not None
        for attempt in range(2):
            connection = self._connection()
            try:
                connection.request(method, target, payload, headers)
                response = connection.getresponse()
                return (
                    response.status,
                    [_warning(item) for item in response.headers.get_all("Warning", [])],
                    response.read(),
                )
            except (http.client.HTTPException, OSError) as error:
                connection.close()
                self._local.connection = None
                # A kept connection that the server has closed meanwhile is no failure: nothing was read from it.
                stale = isinstance(error, http.client.RemoteDisconnected | ConnectionResetError | BrokenPipeError)
                if attempt == 0 and reused and stale:
                    continue
                raise Unreachable(f"{self._access.server}: {_said(error)}") from None
        raise AssertionError  # the loop returns or raises

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if found is not None:
            return found
        if self._tls is None:
            made = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        else:
            made = _NamedConnection(self._host, self._port, self._timeout, self._tls, self._access.server_name)
        self._local.connection = made
        self._open.append(made)
        return made

    def close(self) -> None:
        """Close the connections of all threads; a further request would open one anew."""
        for connection in self._open:
            connection.close()


class _NamedConnection(http.client.HTTPSConnection):
    """TLS to a host whose certificate may be for another name (`tls-server-name`)."""

    def __init__(self, host: str, port: int | None, timeout: float, tls: ssl.SSLContext, name: str | None) -> None:
        super().__init__(host, port, timeout=timeout, context=tls)
        self._tls, self._name = tls, name

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name or self.host)


def _tls_context(access: Access) -> ssl.SSLContext:
    authority = access.authority.decode() if access.authority else None
    context = ssl.create_default_context(cadata=authority)
    if not access.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if access.certificate and access.key:
        # The ssl module reads keys from files only: a file that nobody else can read, gone before the first request.
        descriptor, name = tempfile.mkstemp()
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(access.certificate + b"\n" + access.key)
            context.load_cert_chain(name)
        finally:
            Path(name).unlink()
    return context


def _parsed(body: bytes) -> Object:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {"message": body.decode("utf-8", "replace").strip()[:500]}
    return parsed if isinstance(parsed, dict) else {}


def _warning(header: str) -> str:
    """Read the text of a Warning header: `299 - "text"`."""
    return header.partition('"')[2].rpartition('"')[0].replace('\\"', '"') or header


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
