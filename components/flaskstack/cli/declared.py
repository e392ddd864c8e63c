"""What the files beside an application's code declare: its dependencies, the processes of a Procfile, a .flaskenv."""

from __future__ import annotations

import re
import shlex
import tomllib
from typing import TYPE_CHECKING, Any

from flaskstack.errors import Problem, SettingsError

if TYPE_CHECKING:
    from pathlib import Path


def dependencies(folder: Path) -> dict[str, str]:
    """Return the distributions that the application requires, their names normalized -> file that names them."""
    found: dict[str, str] = {}
    for name, read in (("requirements.txt", _requirements), ("pyproject.toml", _pyproject), ("Pipfile", _pipfile)):
        if (folder / name).is_file():
            for each in read(folder / name):
                found.setdefault(normalized(each), name)
    return found


def normalized(requirement: str) -> str:
    """Return the name in a requirement, as package indexes compare it: `Flask_SQLAlchemy[x]>=3` -> flask-sqlalchemy."""
    named = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
    return re.sub(r"[-_.]+", "-", named[0]).lower() if named else ""


def processes(folder: Path) -> dict[str, list[str]]:
    """Return the processes of a Procfile: name -> command. What needs a shell is given one."""
    found = {}
    for line in _lines(folder / "Procfile"):
        matched = re.match(r"([A-Za-z0-9_-]+):\s*(.+)", line)
        if matched:
            shell = re.search(r"[$;&|<>`*]", matched[2])
            found[matched[1]] = ["sh", "-c", f"exec {matched[2]}"] if shell else shlex.split(matched[2])
    return found


def flask_app(folder: Path) -> str:
    """Return FLASK_APP of .flaskenv, empty when it says none."""
    for line in _lines(folder / ".flaskenv"):
        if matched := re.match(r"(?:export\s+)?FLASK_APP\s*=\s*[\"']?([^\"'\s]+)", line):
            return matched[1]
    return ""


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.is_file() else []


def _requirements(file: Path) -> list[str]:
    """Return the requirements of a file, and of those that it includes."""
    found = []
    for line in _lines(file):
        if matched := re.match(r"(?:-r|--requirement)[\s=]+(\S+)", line.strip()):
            found += _requirements(file.parent / matched[1]) if matched[1] != file.name else []
        elif re.match(r"[A-Za-z0-9]", line):
            found.append(line)
    return found


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([Problem("PATH", str(file), f"is no TOML: {error}", "mend that line")]) from None


def _pyproject(file: Path) -> list[str]:
    content = _toml(file)
    poetry = content.get("tool", {}).get("poetry", {}).get("dependencies", {})
    return [*content.get("project", {}).get("dependencies", []), *poetry]


def _pipfile(file: Path) -> list[str]:
    return list(_toml(file).get("packages", {}))
