"""The project's Python environment, `.venv`, and those of the fallback plugins."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from lib import engine, places
from lib.progress import StepError, run, say

if TYPE_CHECKING:
    from pathlib import Path

SUPPORTED: Final = ((3, 11), (3, 13))
LOCK: Final = places.ROOT / "requirements-dev.txt"
_STAMP: Final = places.VENV / "flaskstack-stamp"
_INPUTS: Final = (LOCK, places.ROOT / "components" / "pyproject.toml")
_UV: Final = places.VENV / "bin" / "uv"


def stamp() -> str:
    """Return what the environment was made from, as one line."""
    digest = hashlib.sha256()
    for path in _INPUTS:
        digest.update(path.read_bytes())
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
    if importlib.util.find_spec("ensurepip") is None and engine.may_install():
        engine.apt("python3-venv")
    if not _works(places.VENV):
        environment("Python environment", places.VENV)
    (uv,) = (line for line in LOCK.read_text().splitlines() if line.startswith("uv=="))
    _pip("uv", places.VENV, uv)
    install("Python packages", places.VENV, LOCK)
    _STAMP.write_text(stamp())


def environment(title: str, folder: Path) -> None:
    """Make an empty environment, with pip."""
    run(title, [sys.executable, "-m", "venv", "--clear", folder])


def install(title: str, folder: Path, requirements: Path) -> None:
    """Install what a file names: by uv, in a tenth of pip's time, or by pip, which knows this machine's indexes."""
    # Pulumi's SDKs are large, and little of them is used: Python compiles what it imports.
    command = [_UV, "pip", "install", "--python", folder / "bin" / "python", "--requirement", requirements]
    try:
        run(title, command, cwd=places.ROOT, env={"UV_NO_PROGRESS": "1"})
    except StepError as error:
        say(f"  {str(error).splitlines()[0]}; pip has other settings, and may")
        _pip(title, folder, "--requirement", requirements)


def _pip(title: str, folder: Path, *what: str | Path) -> None:
    command = [folder / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar=off"]
    run(title, [*command, *what], cwd=places.ROOT)


def _works(folder: Path) -> bool:
    python = folder / "bin" / "python"
    if not python.exists():
        return False
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
