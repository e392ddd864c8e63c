"""What the engine shows beside a resource: lines that stay, and a status that the next one takes the place of."""

from __future__ import annotations

import contextlib
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from plugins.proto import grpc

if TYPE_CHECKING:
    from collections.abc import Callable

_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@\s]+@")


def hide_passwords(text: str) -> str:
    """Blank out the passwords of addresses, which applications are prone to log when they cannot connect."""
    return _PASSWORD.sub(r"\1***@", text)


class Log(Protocol):
    """Where an operation says what it does."""

    def line(self, level: str, text: str) -> None:
        """Write a line: debug, info, warning or error."""

    def status(self, text: str, level: str = "info") -> None:
        """Show the progress."""


class Engine:
    """The engine's end of the logging protocol."""

    def __init__(self, address: str) -> None:
        """Connect when there is something to say."""
        self.address = address
        self._lock = threading.Lock()
        self._send: Callable[..., object] | None = None

    def log(self, urn: str, level: str, text: str, *, ephemeral: bool) -> None:
        """Send a line; an engine that has gone hears nothing."""
        if not self.address:
            return
        from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc  # noqa: PLC0415 - seldom needed, slow to load

        with self._lock:
            if self._send is None:
                stub: Any = engine_pb2_grpc.EngineStub(grpc.insecure_channel(self.address))
                self._send = stub.Log
        request = engine_pb2.LogRequest(
            severity=engine_pb2.LogSeverity.Value(level.upper()), message=text, urn=urn, ephemeral=ephemeral
        )
        with contextlib.suppress(grpc.RpcError):
            self._send(request, timeout=10)


@dataclass
class ResourceLog:
    """The engine's display of one resource; the same text is not sent twice in a row."""

    engine: Engine
    urn: str
    _last: str = field(default="", init=False)
    _lines: set[str] = field(default_factory=set, init=False)

    def line(self, level: str, text: str) -> None:
        """Write a line that stays."""
        if text not in self._lines:
            self._lines.add(text)
            self.engine.log(self.urn, level, text, ephemeral=False)

    def status(self, text: str, level: str = "info") -> None:
        """Show the progress."""
        if text != self._last:
            self._last = text
            self.engine.log(self.urn, level, text, ephemeral=True)
