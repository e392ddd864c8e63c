"""Configuration from the environment, checked as a whole before anything starts.

| variable | meaning |
|---|---|
| `SECRET_KEY` | signs sessions; required in production |
| `SECRET_KEY_FALLBACKS` | former keys whose sessions still count, comma-separated |
| `DATABASE_URL` | `postgresql://...`; required in production, SQLite in the instance folder in development |
| `REDIS_URL` | where visits are counted; optional |
| `PROXY_HOPS` | number of proxies in front, whose forwarded headers count; default 0 |
| `TRUSTED_HOSTS` | host names that are answered, comma-separated; default all |
| `FLASK_DEBUG` | 1 for development; anything else is production |
| `APP_VERSION` | what the page says that runs |
| `FLASK_*` | any other key of Flask's configuration, as JSON where that parses |
"""

from __future__ import annotations

import logging
import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from flask import Config
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

_log = logging.getLogger(__name__)

DEBUG_VALUES: Final = ("1", "true", "yes")
REQUIRED: Final = {
    "SECRET_KEY": 'signs the sessions; make one with: python -c "import secrets; print(secrets.token_hex())"',
    "DATABASE_URL": "where the notes are kept: postgresql://USER:PASSWORD@HOST:5432/DATABASE",
}


class ConfigurationError(click.ClickException, RuntimeError):
    """The environment does not do, and here is why.

    Both Gunicorn (a RuntimeError) and the `flask` command (a ClickException) print it without a traceback.
    """

    def __init__(self, problems: list[str]) -> None:
        """Take every problem found, to be mended in one go."""
        super().__init__("the application cannot start:\n" + "\n".join(f"  {problem}" for problem in problems))


def load(instance_path: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return Flask's configuration: defaults, then the environment, then `overrides`."""
    environment = os.environ
    problems: list[str] = []
    debug = bool(overrides.get("DEBUG", environment.get("FLASK_DEBUG", "").strip().lower() in DEBUG_VALUES))
    values = Config(instance_path)
    values.update(_defaults(debug=debug))
    values.from_prefixed_env()
    values.update(
        DEBUG=debug,
        SECRET_KEY=environment.get("SECRET_KEY") or None,
        SECRET_KEY_FALLBACKS=_listed(environment.get("SECRET_KEY_FALLBACKS")),
        DATABASE_URL=environment.get("DATABASE_URL") or None,
        REDIS_URL=environment.get("REDIS_URL") or None,
        PROXY_HOPS=_hops(environment.get("PROXY_HOPS") or "0", problems),
        TRUSTED_HOSTS=_listed(environment.get("TRUSTED_HOSTS")) or None,
        APP_VERSION=environment.get("APP_VERSION") or "development",
        REQUESTS_AT_ONCE=_threads(environment.get("GUNICORN_THREADS") or "8"),
    )
    values.update(overrides)
    if debug:
        _fill_in_for_development(values, instance_path)
    problems += [f"{name} is not set: {purpose}" for name, purpose in REQUIRED.items() if not values[name]]
    if values["DATABASE_URL"]:
        values["SQLALCHEMY_DATABASE_URI"] = _database(values["DATABASE_URL"], problems)
    if problems:
        raise ConfigurationError(problems)
    # CSRF tokens rotate as sessions do: signed with the newest key, which itsdangerous wants last, read with any.
    values["WTF_CSRF_SECRET_KEY"] = [*reversed(values["SECRET_KEY_FALLBACKS"]), values["SECRET_KEY"]]
    return dict(values)


def _defaults(*, debug: bool) -> dict[str, Any]:
    return {
        "SESSION_COOKIE_SECURE": not debug,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
        # A page may stay open for days and still be answered: the token lives as long as its session.
        "WTF_CSRF_TIME_LIMIT": None,
        # A note is short. The edge has a limit of its own, for the whole site.
        "MAX_CONTENT_LENGTH": 64 * 1024,
        # More than one process has to find the same tables, so migrations make them, and nothing else does.
        "SQLALCHEMY_TRACK_MODIFICATIONS": False,
        "SQLALCHEMY_ENGINE_OPTIONS": {},
    }


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _hops(text: str, problems: list[str]) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    problems.append(f"PROXY_HOPS is {text!r}: give the number of proxies in front, 0 for none")
    return 0


def _threads(text: str) -> int:
    return max(int(text), 1) if text.isascii() and text.isdigit() else 8


def _fill_in_for_development(values: Config, instance_path: str) -> None:
    if not values["SECRET_KEY"]:
        _log.warning("SECRET_KEY is not set: using a random one, so sessions end with this process")
        values["SECRET_KEY"] = secrets.token_hex()
    if not values["DATABASE_URL"]:
        Path(instance_path).mkdir(parents=True, exist_ok=True)
        values["DATABASE_URL"] = f"sqlite:///{Path(instance_path) / 'guestbook.sqlite'}"
        _log.warning("DATABASE_URL is not set: using SQLite in the instance folder")


def _database(text: str, problems: list[str]) -> str | None:
    """Return `text` as SQLAlchemy takes it: with psycopg 3 as the driver of PostgreSQL. Never repeats it: a secret."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        problems.append("DATABASE_URL is not a URL: give postgresql://USER:PASSWORD@HOST:5432/DATABASE")
        return None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("postgresql+psycopg", "sqlite"):
        problems.append(f"DATABASE_URL has the scheme {url.drivername}: this application takes postgresql")
        return None
    return url.render_as_string(hide_password=False)
