"""What the files beside an application's code say of how it is started: a Procfile, a .flaskenv."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def processes(folder: Path) -> dict[str, list[str]]:
    """Return the processes of a Procfile: name -> command. What needs a shell is given one."""
    found = {}
    for line in _lines(folder / "Procfile"):
        matched = re.match(r"([A-Za-z0-9_-]+):\s*(.+)", line)
        if matched:
            shell = re.search(r"[$;&|<>`*]", matched[2])
            # One command takes the shell's place, so that signals reach it.
            several = re.search(r"[;&|]", matched[2])
            words = ["sh", "-c", matched[2] if several else f"exec {matched[2]}"]
            found[matched[1]] = words if shell else shlex.split(matched[2])
    return found


def flask_app(folder: Path) -> str:
    """Return FLASK_APP of .flaskenv, empty when it says none."""
    for line in _lines(folder / ".flaskenv"):
        if matched := re.match(r"(?:export\s+)?FLASK_APP\s*=\s*[\"']?([^\"'\s]+)", line):
            return matched[1]
    return ""


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.is_file() else []
