"""What flaskstack must know of an application that it has never seen, guessed from its folder.

Deliberately not here: running or importing any of it. What cannot be guessed is asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flaskstack import dependencies, model, probe
from flaskstack.app import CODE, FlaskApp
from flaskstack.cli import declared, source
from flaskstack.errors import Problem, SettingsError
from flaskstack.process import RESERVED, Process

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

LIVENESS: Final = ("/health", "/healthz", "/livez", "/live", "/ping", "/_health", "/api/health")
"""Paths that answer while the process does, the likeliest first."""
READINESS: Final = ("/ready", "/readyz", "/readiness", "/api/ready")
"""Paths that answer while the application can serve, the likeliest first."""
POSTGRES: Final = ("psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary", "pg8000", "asyncpg")
"""Distributions that only an application with PostgreSQL requires."""
REDIS: Final = ("redis", "rq", "celery", "flask-redis", "hiredis", "flask-sse")
"""Likewise with Redis. Celery has other brokers too; Redis is the one that the targets can run."""


@dataclass(frozen=True)
class Guess:
    """An application, and where each part of what is known of it is from."""

    app: FlaskApp
    notes: tuple[str, ...]
    """One line a part: what was guessed, and from what."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every command that looks at an application."""
    parser.add_argument("path", metavar="PATH", nargs="?", default=".", help="folder of the application; default: here")
    parser.add_argument("--entry", help="WSGI entry, as Gunicorn takes it: package.module:app or package:create_app()")
    parser.add_argument("--name", help="short name; default: the folder's")


def guess(path: str | Path, *, entry: str | None = None, name: str | None = None) -> Guess:
    """Return the application in the folder `path`. `entry` and `name` are taken as given.

    Raises `SettingsError` for what can neither be guessed nor is given, and says how to give it.
    """
    folder = Path(path).resolve()
    if not folder.is_dir():
        raise SettingsError([Problem("PATH", str(path), "no such folder", "give the folder of the application")])
    code, needed = source.read(folder), _dependencies(folder)
    commands = declared.processes(folder)
    notes: list[str] = []
    values: dict[str, Any] = {"path": str(folder), "name": name or _name(folder.name)}

    def know(key: str, value: object, shown: str, where: str) -> None:
        values[key] = value
        notes.append(f"{key}: {shown} ({where})")

    if entry:
        know("entry", entry, entry, "given")
    else:
        found = _entry(folder, code, commands)
        know("entry", found.value, found.value, found.where)
    _probes(code, know)
    _static(code, know)
    if migrate := _migration(folder, values["entry"], needed, commands):
        know("migrate", tuple(migrate[0]), " ".join(migrate[0]), migrate[1])
    for key, names in (("postgres", POSTGRES), ("redis", REDIS)):
        required = next((each for each in names if each in needed), None)
        know(key, required is not None, "yes" if required else "no", _because(required, needed))
    if code.sqlite and not values["postgres"]:
        home = f"{CODE}/src" if code.sqlite.where.startswith("src/") else CODE
        know("data", f"{home}/instance", f"{home}/instance", f"SQLite in {code.sqlite.where}: Flask's instance folder")
    if extra := _processes(code, needed, commands):
        values["processes"] = {each: Process(command=tuple(command)) for each, (command, _) in extra.items()}
        notes += [f"process {each}: {' '.join(command)} ({where})" for each, (command, where) in extra.items()]
    return Guess(model.parse(FlaskApp, values), tuple(notes))


def _dependencies(folder: Path) -> dict[str, str]:
    """Return distribution -> file that declares it. With a Dockerfile of its own, how is the application's business."""
    try:
        found = dependencies.find(FlaskApp(path=str(folder)))
    except SettingsError:
        if (folder / "Dockerfile").is_file():
            return {}
        raise
    return dict.fromkeys(found.names, found.files[-1])


def _because(required: str | None, needed: dict[str, str]) -> str:
    return f"{required} in {needed[required]}" if required else "no distribution that needs it"


def _name(folder: str) -> str:
    """Return a folder's name as the name of an application."""
    plain = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")
    return (plain if plain[:1].isalpha() else f"app-{plain}".strip("-"))[:40].rstrip("-")


def _entry(folder: Path, code: source.Source, commands: dict[str, list[str]]) -> source.Found:
    """Return the WSGI entry: the one that the owner says, else the only one that the code has."""
    served = " ".join(commands.get("web", []))
    if "gunicorn" in served and (stated := re.search(r"(?<![\w.])([A-Za-z_][\w.]*:[A-Za-z_][\w.]*(?:\(\))?)", served)):
        return source.Found(stated[1], "Procfile")
    if ":" in (stated_app := declared.flask_app(folder)):
        factory = stated_app.rpartition(":")[2] in source.FACTORIES
        return source.Found(f"{stated_app}()" if factory else stated_app, ".flaskenv")
    # wsgi.py has no other use. A module at the top is made to be started; packages are what it is made of.
    made = [found for found in code.objects if found.where == "wsgi.py"]
    for candidates in (made, code.objects, code.factories):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            names = ", ".join(f"{found.value} ({found.where})" for found in candidates)
            reason = f"there are several entries: {names}"
            raise SettingsError([Problem("entry", "not given", reason, f"--entry '{candidates[0].value}'")])
    reason = "no Flask application is found: neither an object made of Flask(...) nor a create_app() without arguments"
    fix = "--entry package.module:app or --entry 'package:create_app()'; PATH is the folder that it is imported from"
    raise SettingsError([Problem("entry", "not given", reason, fix)])


def _probes(code: source.Source, know: Any) -> None:  # noqa: ANN401  # a local function
    alive = next((path for path in LIVENESS if path in code.routes), None)
    ready = next((path for path in READINESS if path in code.routes), None)
    for key, path in (("liveness", alive or ready), ("readiness", ready or alive)):
        if path:
            know(key, path, path, f"route in {code.routes[path]}")
        else:
            know(key, probe.TCP, "the port takes a connection", f"no route such as {LIVENESS[0]}")


def _static(code: source.Source, know: Any) -> None:  # noqa: ANN401
    if code.static_url:
        url = f"/{code.static_url.value.strip('/')}/"
        know("static_url", url, url, code.static_url.where)
    elif not code.static_folder:
        know("static_url", None, "none", "no folder static")


def _processes(
    code: source.Source, needed: dict[str, str], commands: dict[str, list[str]]
) -> dict[str, tuple[list[str], str]]:
    """Return the extra processes: name -> command, and where it is from. A Procfile says all that there are."""
    if commands:
        names = {re.sub(r"[^a-z0-9]+", "-", name.lower())[:20].strip("-"): name for name in commands}
        left_out = {"web", "release"} | RESERVED
        return {name: (commands[said], "Procfile") for name, said in names.items() if name not in left_out}
    if code.celery:
        app = code.celery[0]
        return {"worker": (["celery", "--app", app.value, "worker", "--loglevel", "info"], app.where)}
    if "rq" in needed:
        # In its environment: an argument would show the URL, and its password, to all who can list processes.
        return {"worker": (["sh", "-c", 'RQ_REDIS_URL="$REDIS_URL" exec rq worker'], f"rq in {needed['rq']}")}
    return {}


def _migration(
    folder: Path, entry: str, needed: dict[str, str], commands: dict[str, list[str]]
) -> tuple[Sequence[str], str] | None:
    """Return the command that migrates the database, and where it is from."""
    if "release" in commands:
        return commands["release"], "release of the Procfile"
    if (folder / "migrations" / "env.py").is_file() and "flask-migrate" in needed:
        return ["flask", "--app", entry.removesuffix("()"), "db", "upgrade"], "Flask-Migrate with migrations/"
    if (folder / "alembic.ini").is_file() and "alembic" in needed:
        return ["alembic", "upgrade", "head"], "alembic.ini"
    return None
