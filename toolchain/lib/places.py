"""Where things are: outside the tree, by the usual environment variables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
VENV: Final = ROOT / ".venv"
PULUMI_VERSION: Final = "3.250.0"


def _folder(own: str, base: str, default: str) -> Path:
    if chosen := os.environ.get(own):
        return Path(chosen)
    return Path(os.environ.get(base) or Path.home() / default) / "flaskstack"


def cache() -> Path:
    """Return the folder of what can be made again."""
    return _folder("FLASKSTACK_CACHE", "XDG_CACHE_HOME", ".cache")


def state() -> Path:
    """Return the folder of what must not be lost: the stacks' state and their passphrase."""
    return _folder("FLASKSTACK_STATE", "XDG_STATE_HOME", ".local/state")


def tools() -> Path:
    """Return the folder of programs that this project made or chose. First on PATH."""
    return cache() / "bin"


def pulumi_home() -> Path:
    """Return Pulumi's home of this project's own, for fallback plugins that must not shadow a person's official ones."""
    return cache() / "pulumi-home"


def user_pulumi_home() -> Path:
    """Return the person's own Pulumi home."""
    return Path(os.environ.get("FLASKSTACK_USER_PULUMI_HOME") or os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
