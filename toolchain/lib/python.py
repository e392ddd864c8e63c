"""The project's Python environment, `.venv`."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
from typing import Final

from lib import engine, places
from lib.progress import StepError, run

SUPPORTED: Final = ((3, 11), (3, 13))
_STAMP: Final = places.VENV / "flaskstack-stamp"
_INPUTS: Final = ("requirements-dev.txt", "components/pyproject.toml")


def stamp() -> str:
    """Return what the environment was made from, as one line."""
    digest = hashlib.sha256()
    for name in _INPUTS:
        digest.update((places.ROOT / name).read_bytes())
    return f"{sys.version_info[0]}.{sys.version_info[1]} {digest.hexdigest()}"


def ready() -> bool:
    """Return whether the environment is there and made from the present requirements."""
    return _STAMP.is_file() and _STAMP.read_text() == stamp()


def make() -> None:
    """Make the environment, or bring it up to date."""
    if ready():
        return
    if not SUPPORTED[0] <= sys.version_info[:2] <= SUPPORTED[1]:
        found = sys.version.split()[0]
        message = f"this is Python {found}; 3.11 to 3.13 are supported: put one of them first on PATH as python3"
        raise StepError(message)
    python = places.VENV / "bin" / "python"
    if importlib.util.find_spec("ensurepip") is None and engine.may_install():
        engine.apt("python3-venv")
    if not python.exists() or not _works(python):
        run("Python environment", [sys.executable, "-m", "venv", "--clear", places.VENV])
    run(
        "Python packages",
        [
            python,
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--progress-bar=off",
            "--requirement",
            "requirements-dev.txt",
        ],
        cwd=places.ROOT,
    )
    _STAMP.write_text(stamp())


def _works(python: object) -> bool:
    return subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
