"""How an application declares its dependencies, and the commands that install them.

Deliberately not here: resolving anything. Each kind of lock is read by the tool that wrote it, in the image's build.
"""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flaskstack.errors import Problem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flaskstack.app import FlaskApp

MANIFESTS: Final = ("requirements.txt", "uv.lock", "poetry.lock", "Pipfile.lock", "pyproject.toml")
"""Ways to declare dependencies, the first found wins. requirements.txt is first: it is usually the locked one."""
_BESIDE: Final = {"uv.lock": "pyproject.toml", "poetry.lock": "pyproject.toml", "Pipfile.lock": "Pipfile"}
"""Lock -> the file that its tool wants beside it."""
_TOOLS: Final = {
    "uv.lock": (
        "uv",
        "/opt/tool/bin/uv export --frozen --no-dev --no-emit-project --output-file $all >/dev/null",
    ),
    "poetry.lock": (
        "'poetry>=2,<3' 'poetry-plugin-export>=1.9,<2'",
        "/opt/tool/bin/poetry export --only main --output $all",
    ),
    "Pipfile.lock": ("pipenv", "/opt/tool/bin/pipenv requirements --hash > $all"),
}
"""Lock -> requirements of the tool that wrote it, and the command that has it write a list for pip."""
PIP: Final = "pip --python /opt/venv/bin/python install --no-compile"
_INCLUDE: Final = re.compile(r"\s*(?:-[rc]\s*|--(?:requirement|constraint)[=\s]\s*)([^\s#]+)")
_LOCAL: Final = re.compile(
    r"\s*(?:(?:-e|--editable)[=\s]\s*(?!git\+|hg\+|svn\+|bzr\+)|\.{0,2}/|\.\s*$|\.\[|file:|.*@\s*file:)"
)
_NAME: Final = re.compile(r"\s*([A-Za-z0-9][\w.-]*)")
_PLAIN: Final = re.compile(r"[\w.-]+(/[\w.-]+)*")


@dataclass(frozen=True)
class Dependencies:
    """What an application declares."""

    files: tuple[str, ...]
    """Files that say so, relative to its folder: all that the installation needs."""
    install: str
    """Shell commands that install them into /opt/venv, run where the files are."""
    names: frozenset[str]
    tools: str = ""
    """Requirements of the lock's own tool, which is installed before, into /opt/tool. Empty for what pip reads."""
    """Names of distributions that it declares, normalised."""


def find(app: FlaskApp) -> Dependencies:
    """Return how `app` declares its dependencies. Raises `SettingsError` when no way is found that can be followed."""
    source = app.source
    manifest = app.dependencies or next((name for name in MANIFESTS if (source / name).is_file()), None)
    if manifest is None:
        reason = f"has no Dockerfile and none of {', '.join(MANIFESTS)}"
        fix = "lock it: pipenv lock" if (source / "Pipfile").is_file() else "list its dependencies in requirements.txt"
        raise SettingsError([Problem("app.path", app.path, reason, fix)])
    if not (source / manifest).is_file():
        reason = f"no such file in {app.path}"
        raise SettingsError([Problem("app.dependencies", manifest, reason, f"name one of {', '.join(MANIFESTS)}")])
    try:
        return _read(source, manifest)
    except ValueError as error:  # of a JSON or TOML file too
        reason, _, fix = str(error).partition("; fix: ")
        raise SettingsError([Problem("app.dependencies", manifest, reason, fix or f"mend {manifest}")]) from None


def normalised(name: str) -> str:
    """Return a distribution's name as the package index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _read(source: Path, manifest: str) -> Dependencies:
    folder, _, name = manifest.rpartition("/")
    text = (source / manifest).read_text()
    beside = [posixpath.join(folder, _BESIDE[name])] if name in _BESIDE else []
    files = (*(each for each in beside if (source / each).is_file()), manifest)
    match name:
        case "uv.lock" | "poetry.lock":
            if len(files) == 1:
                raise ValueError(f"{beside[0]} is not beside it")
            names = [str(each["name"]) for each in tomllib.loads(text).get("package", [])]
            tools, export = _TOOLS[name]
        case "Pipfile.lock":
            names = list(json.loads(text).get("default", {}))
            tools, export = _TOOLS[name]
        case "pyproject.toml":
            names = list(_of_project(tomllib.loads(text)))
            # Without a lock, the project's own list is all there is. The code itself comes later, in its own layer.
            project = "tomllib.load(open('pyproject.toml','rb'))['project']"
            read = f"import tomllib; print('\\n'.join({project}.get('dependencies',[])))"
            tools, export = "", f'python3 -c "{read}" > $all'
        case _:
            read_files = dict(_requirements(source, manifest))
            names = [found[1] for each in read_files.values() for line in each if (found := _NAME.match(line))]
            return Dependencies(
                tuple(read_files), f"{PIP} --requirement {manifest}", frozenset(normalised(each) for each in names)
            )
    enter = f"cd {folder}; " if folder else ""
    install = f"all=/tmp/all.txt; {enter}{export}; {PIP} --requirement $all"
    return Dependencies(files, install, frozenset(map(normalised, names)), tools)


def _of_project(table: dict[str, Any]) -> Iterator[str]:
    """Yield the names that a pyproject.toml lists. Raises `ValueError` where they stand elsewhere."""
    project = table.get("project")
    if project is None:
        locked = "; fix: lock it: poetry lock" if "poetry" in table.get("tool", {}) else ""
        raise ValueError(f"has no table [project]{locked or '; fix: list the dependencies in requirements.txt'}")
    if "dependencies" in project.get("dynamic", []):
        raise ValueError("its dependencies are dynamic; fix: name the file that lists them in app.dependencies")
    for each in project.get("dependencies", []):
        if found := _NAME.match(each):
            yield found[1]


def _requirements(source: Path, name: str, seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, list[str]]]:
    """Yield a requirements file and all that it includes, each with its lines, options and comments left out."""
    lines = re.sub(r"\\\n", " ", (source / name).read_text()).splitlines()
    yield name, [line for line in lines if not re.match(r"\s*(#|-|$)", line)]
    for line in lines:
        if _LOCAL.match(line):
            raise ValueError(
                f"{name} has the line {line.strip()!r}, which needs the code, but dependencies come before it; "
                "fix: leave it out (the code is in the image as it is), or write a Dockerfile"
            )
        found = _INCLUDE.match(line)
        if found is None or "://" in found[1]:
            continue
        included = posixpath.normpath(posixpath.join(posixpath.dirname(name), found[1]))
        if included.startswith(("..", "/")) or not _PLAIN.fullmatch(included):
            raise ValueError(f"{name} includes {found[1]}, which is outside the folder; fix: put it into the folder")
        if not (source / included).is_file():
            raise ValueError(f"{name} includes {found[1]}, which is not there; fix: add it, or remove the line")
        if included not in seen | {name}:
            yield from _requirements(source, included, seen | {name})
