"""A small client of the Docker engine's HTTP interface.

The PyPI library takes longer to import than a whole preview takes; this is loaded only once something has to be done.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from plugins.resource import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT_HOST: Final = "unix:///var/run/docker.sock"
_API: Final = (1, 44)  # the newest that anything here needs; Docker 20.10, the oldest looked after, has 1.41
_CONNECT_SECONDS: Final = 10


class EngineError(PluginError):
    """What the engine answered when it refused."""

    def __init__(self, message: str, status: int) -> None:
        """Keep the HTTP status."""
        super().__init__(message)
        self.status = status


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("docker")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


class Engine:
    """The engine at `host`, a `unix://`, `tcp://` or `http(s)://` address."""

    def __init__(self, host: str, certificates: str = "") -> None:
        """Remember the address. Nothing is asked yet."""
        self.host = host
        self._certificates = certificates
        self._version = ""

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.host)
        if parts.scheme == "unix":
            return _UnixConnection(parts.path)
        if parts.scheme not in ("tcp", "http", "https") or not parts.hostname:
            raise PluginError(f"the fallback plugin of docker reaches unix:// and tcp:// engines, not {self.host!r}")
        if self._certificates or parts.scheme == "https":
            import ssl  # noqa: PLC0415  # seldom needed

            folder = self._certificates
            trust = ssl.create_default_context(cafile=f"{folder}/ca.pem" if folder else None)
            if folder and os.path.exists(f"{folder}/cert.pem"):  # noqa: PTH110  # a text joined above
                trust.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
            return http.client.HTTPSConnection(parts.hostname, parts.port or 2376, context=trust)
        return http.client.HTTPConnection(parts.hostname, parts.port or 2375)

    @property
    def api(self) -> tuple[int, int]:
        """Return the version of the interface that is spoken, which both sides know."""
        if not self._version:
            connection = self._connection()
            try:
                connection.request("GET", "/version")
                found = json.loads(connection.getresponse().read())
            except OSError as error:
                raise PluginError(f"Cannot connect to the Docker daemon at {self.host}: {error}") from error
            finally:
                connection.close()
            spoken = min(max(_API, _pair(found["MinAPIVersion"])), _pair(found["ApiVersion"]))
            self._version = f"{spoken[0]}.{spoken[1]}"
        return _pair(self._version)

    def stream(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[bytes]:
        """Ask, and yield the answer's bytes as they come. Raises EngineError with the engine's own message."""
        major, minor = self.api
        target = f"/v{major}.{minor}{quote(path)}" + (f"?{urlencode(query)}" if query else "")
        sent = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        connection = self._connection()
        try:
            connection.request(method, target, body=body, headers=sent)
            answer = connection.getresponse()
            if answer.status >= http.client.BAD_REQUEST:
                raise EngineError(_message(answer.read()), answer.status)
            while chunk := answer.read1(65536):
                yield chunk
        except OSError as error:
            raise PluginError(f"Cannot connect to the Docker daemon at {self.host}: {error}") from error
        finally:
            connection.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Ask, and return the answer's JSON, None for an empty one."""
        text = b"".join(self.stream(method, path, query=query, body=body, headers=headers))
        return json.loads(text) if text.strip() else None

    def find(self, path: str) -> Any:
        """Return what is at `path`, None when there is nothing."""
        try:
            return self.ask("GET", path)
        except EngineError as error:
            if error.status == http.client.NOT_FOUND:
                return None
            raise


def _pair(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace").strip()
