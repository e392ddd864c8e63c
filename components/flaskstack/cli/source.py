"""What the code of a Flask application says of itself, read with `ast`: nothing of it is imported or run.

Deliberately not here: what to make of it. That is `detect.py`.
"""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FACTORIES: Final = ("create_app", "make_app")
"""Names of application factories. Flask's own command knows these two."""
OBJECTS: Final = ("app", "application")
"""Names of application objects. Flask's own command knows these two."""
_FLASK: Final = frozenset({"Flask", "APIFlask", *FACTORIES})
"""What is called to make an application object."""
_ENTRIES: Final = ("wsgi", "app", "application", "main", "run", "server")
"""Modules that an entry is looked for in, in a package too; at the top every other module comes after them."""
_NO_SOURCE: Final = frozenset(
    {"build", "deploy", "dist", "docs", "env", "examples", "migrations", "node_modules", "test", "tests", "venv"}
)
"""Folders that are no part of the application that runs."""
_DECORATORS: Final = frozenset({"route", "get"})
"""Decorators of a function that answers GET."""


@dataclass(frozen=True)
class Found:
    """Something that the code says, and where."""

    value: str
    where: str
    """File of it, relative to the application's folder."""


@dataclass
class Source:
    """What was found in a folder, in the order in which it counts."""

    objects: list[Found] = field(default_factory=list)
    """Application objects of modules at the top: `module:app`."""
    factories: list[Found] = field(default_factory=list)
    """Factories that need no argument, and what packages have: `package:create_app()`."""
    routes: dict[str, str] = field(default_factory=dict)
    """URL paths of routes -> file."""
    celery: list[Found] = field(default_factory=list)
    """Celery applications: `module:name`."""
    sqlite: Found | None = None
    """That it keeps an SQLite database."""
    static_folder: bool = False
    """Whether a module or package has a folder `static` beside it."""
    static_url: Found | None = None
    """URL path of static files, where it is not Flask's own."""


def read(folder: Path) -> Source:
    """Return what the Python files in `folder` say. A file that is no Python of this version says nothing."""
    source = Source()
    trees = {file: tree for file in sorted(_files(folder), key=_rank(folder)) if (tree := _parsed(file)) is not None}
    for file, tree in trees.items():
        where = file.relative_to(folder)
        source.static_folder |= (file.parent / "static").is_dir()
        _routes(tree, str(where), source)
        inside = where.relative_to("src") if where.parts[0] == "src" and len(where.parts) > 1 else where
        module = ".".join(inside.with_suffix("").parts).removesuffix(".__init__")
        if not all(part.isidentifier() for part in module.split(".")):
            continue
        source.celery += [Found(f"{module}:{name}", str(where)) for name in _assigned(tree, frozenset({"Celery"}))]
        depth = len(inside.parts)
        if depth == 1 or (depth == 2 and (where.stem in (*_ENTRIES, "factory", "__init__"))):  # noqa: PLR2004  # a module, or one of a package
            _entries(tree, module, str(where), source, top=depth == 1)
    return source


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        inside = Path(parent)
        folders[:] = [
            name for name in folders if name not in _NO_SOURCE and not name.startswith(".")
            and not (inside / name / "pyvenv.cfg").exists()
        ]  # fmt: skip
        yield from (inside / name for name in files if name.endswith(".py"))


def _rank(folder: Path) -> Callable[[Path], tuple[int, int, str]]:
    def rank(file: Path) -> tuple[int, int, str]:
        where = file.relative_to(folder)
        known = _ENTRIES.index(where.stem) if where.stem in _ENTRIES else len(_ENTRIES)
        return (len(where.parts), -1 if where.stem == "__init__" else known, str(where))

    return rank


def _parsed(file: Path) -> ast.Module | None:
    try:
        return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def _entries(tree: ast.Module, module: str, where: str, source: Source, *, top: bool) -> None:
    objects = [name for name in _assigned(tree, _FLASK) if name in OBJECTS or not top]
    if not objects and module == "wsgi":
        # `from shop import app`: this file has no other use than to be the entry.
        imported = [name for node in tree.body if isinstance(node, ast.ImportFrom) for name in node.names]
        objects = [name.asname or name.name for name in imported if (name.asname or name.name) in OBJECTS]
    objects = objects or (_assigned(tree, _FLASK) if top else [])
    found = [Found(f"{module}:{name}", where) for name in objects[:1]]
    if top and found:
        source.objects += found
        return
    callables = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name in FACTORIES and _needs_nothing(node)
    ]
    source.factories += [Found(f"{module}:{name}()", where) for name in callables[:1]] or found


def _needs_nothing(function: ast.FunctionDef) -> bool:
    taken = function.args
    positional = len(taken.posonlyargs) + len(taken.args) - len(taken.defaults)
    return positional == 0 and all(default is not None for default in taken.kw_defaults)


def _assigned(tree: ast.Module, makers: frozenset[str]) -> list[str]:
    """Return the names that the module assigns what one of `makers` returns to."""
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            made = _called(node.value) in makers
            names += [target.id for target in targets if made and isinstance(target, ast.Name)]
    return names


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _routes(tree: ast.Module, where: str, source: Source) -> None:
    """Add the literal paths of routes, below their blueprint's own prefix, and the URL of static files."""
    prefixes: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _called(node.value) == "Blueprint":
            prefix = _keyword(node.value, "url_prefix")
            prefixes |= {target.id: prefix for target in node.targets if isinstance(target, ast.Name) and prefix}
    asked = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            calls = [each for each in node.decorator_list if isinstance(each, ast.Call)]
            asked += [call for call in calls if _called(call) in _DECORATORS]
        elif isinstance(node, ast.Constant) and str(node.value).startswith("sqlite:"):
            source.sqlite = source.sqlite or Found("sqlite:", where)
        elif isinstance(node, ast.Call) and _called(node) == "add_url_rule":
            asked.append(node)
        elif isinstance(node, ast.Call) and _called(node) == "Flask" and (url := _keyword(node, "static_url_path")):
            source.static_url = source.static_url or Found(url, where)
    for call in asked:
        first = call.args[0] if call.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.startswith("/"):
            owner = getattr(call.func, "value", None)
            prefix = prefixes.get(owner.id, "") if isinstance(owner, ast.Name) else ""
            source.routes.setdefault(prefix.rstrip("/") + first.value, where)


def _keyword(call: ast.Call, name: str) -> str:
    for keyword in call.keywords:
        if keyword.arg == name and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str):
            return keyword.value.value
    return ""
