"""Where things are: outside the tree, by the usual environment variables.

All that `toolchain/env` asks is here, with next to no imports: it runs at each start of a shell.
"""

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
    """Return Pulumi's home of this project's own: its fallback plugins must not shadow a person's official ones."""
    return cache() / "pulumi-home"


def user_pulumi_home() -> Path:
    """Return the person's own Pulumi home."""
    chosen = os.environ.get("FLASKSTACK_USER_PULUMI_HOME") or os.environ.get("PULUMI_HOME")
    return Path(chosen) if chosen else Path.home() / ".pulumi"


def fallback_plugins() -> bool:
    """Return whether this project's own plugins are in use."""
    return (pulumi_home() / "plugins").is_dir()


def pulumi_made_here() -> Path:
    """Return the folder of a Pulumi CLI that this project made."""
    return cache() / f"pulumi-{PULUMI_VERSION}"


def pulumi() -> Path | None:
    """Return the Pulumi CLI to use: the person's own, else the one made here."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        candidate = Path(folder) / "pulumi"
        if folder and candidate.is_file() and cache() not in candidate.parents:
            return candidate
    own = pulumi_made_here() / "pulumi"
    return own if own.is_file() else None
