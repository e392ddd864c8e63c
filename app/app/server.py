"""Who served a page: the process, and what it runs on."""

from __future__ import annotations

import os
import platform
import socket
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True)
class Server:
    """One process, as it shows itself."""

    host: str
    worker: int
    python: str
    flask: str
    gunicorn: str | None

    @classmethod
    def here(cls) -> Server:
        """Return this process. The host's name is the container's id or the pod's name."""
        return cls(socket.gethostname(), os.getpid(), platform.python_version(), _version("flask") or "", _gunicorn())


@cache
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _gunicorn() -> str | None:
    """Return Gunicorn's version, if it is what serves: being installed is not serving."""
    return _version("gunicorn") if "gunicorn.arbiter" in sys.modules else None
