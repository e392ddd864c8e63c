"""What lies in the folder of an application and does not belong into its image.

BuildKit and the plugin read `.dockerignore` in the folder, and no ignore file can be given beside a generated
Dockerfile: so what is not ignored is sent, is part of the hash that decides about a rebuild, and is copied.
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Final

from flaskstack.errors import Problem

if TYPE_CHECKING:
    from pathlib import Path

CLUTTER: Final = (".git", ".venv", "venv", "node_modules")
"""Never a part of what runs. A generated Dockerfile leaves it out of the image even when it was sent."""
_WARNED: Final = (*CLUTTER, "instance")
_HARMLESS: Final = (".example", ".sample", ".template", ".dist")


def secrets_in(source: Path, path: str, ignore: Path | None = None) -> list[Problem]:
    """Return a problem for each file of secrets that would end in a layer. `path`: the folder as its owner wrote it."""
    found = sorted(each.name for each in source.glob(".env*") if each.is_file() and each.suffix not in _HARMLESS)
    return [
        Problem(
            "app.path",
            path,
            f"{name} lies in it, and no .dockerignore leaves it out: its secrets would be in the image",
            f"echo '{name}' >> {path}/.dockerignore",
        )
        for name in _not_ignored(source, found, ignore)
    ]


def clutter_in(source: Path, ignore: Path | None = None) -> list[str]:
    """Return the names of what makes a build slow and rebuilds it for nothing."""
    return _not_ignored(source, [name for name in _WARNED if (source / name).exists()], ignore)


def _not_ignored(source: Path, names: list[str], ignore: Path | None) -> list[str]:
    """Return which of `names`, which lie directly in `source`, are not ignored. `ignore`: a Dockerfile's own file."""
    place = next((each for each in (ignore, source / ".dockerignore") if each and each.is_file()), None)
    lines = place.read_text().splitlines() if place else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [name for name in names if not _ignored(name, patterns)]


def _ignored(name: str, patterns: list[str]) -> bool:
    """Say whether the last pattern that matches the name of something at the top leaves it out."""
    ignored = False
    for pattern in patterns:
        inverted = pattern.startswith("!")
        wanted = pattern.removeprefix("!").strip().removeprefix("./").strip("/")
        wanted = wanted.removeprefix("**/").removesuffix("/**").removesuffix("/*")
        if fnmatch.fnmatchcase(name, wanted):
            ignored = not inverted
    return ignored
