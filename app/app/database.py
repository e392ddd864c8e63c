"""The connection to PostgreSQL: opened after the fork, checked before use, bounded in time."""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask_migrate import Migrate  # type: ignore[import-untyped]
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import ArgumentError

from app.models import Base

if TYPE_CHECKING:
    from flask import Flask

CONNECT_SECONDS: Final = 3
STATEMENT_SECONDS: Final = 30
"""A query's limit. Gunicorn's is a heartbeat: with threads it ends no query."""
QUEUE_SECONDS: Final = 10
"""A request's wait for a connection. With threads there is one for each; gevent takes in far more requests."""
KEPT: Final = 2
"""Connections that a process keeps. Further ones are opened under load and closed after it."""
SPARE: Final = 2
"""Connections above the requests at once: for readiness checks that were given up but still wait."""

db = SQLAlchemy(metadata=Base.metadata)
migrate = Migrate()
_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


def _forget_inherited_connections() -> None:
    """Leave the parent's connections to the parent: a socket used by two processes mixes up their answers."""
    for engine in _engines:
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_forget_inherited_connections)


def init_app(app: Flask) -> None:
    """Set up the engine, which connects at its first use, and the `flask db` commands."""
    given = app.config["SQLALCHEMY_ENGINE_OPTIONS"]
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        **engine_options(app.config["SQLALCHEMY_DATABASE_URI"], app.config["REQUESTS_AT_ONCE"]),
        **given,
    }
    db.init_app(app)
    migrate.init_app(app, db, directory=str(migrations_folder(app)))
    with app.app_context():
        _engines.add(db.engine)


def database_words(error: Exception) -> str:
    """Return what the database itself said, without SQLAlchemy's additions."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def migrations_folder(app: Flask) -> Path:
    """Return the folder of the migrations, beside the package."""
    return Path(app.root_path).parent / "migrations"


def engine_options(url: str, requests_at_once: int) -> dict[str, Any]:
    """Return SQLAlchemy's options for the database at `url`, for a process that serves so many requests at once."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return {}
    if parsed.get_backend_name() != "postgresql":
        return {}
    arguments: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "options": f"-c statement_timeout={STATEMENT_SECONDS * 1000}",
        "application_name": "guestbook",
        # A host that vanished answers no more: noticed within seconds, where the kernel's own patience is hours.
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }
    return {
        "pool_pre_ping": True,
        "pool_recycle": 1800,
        "pool_size": KEPT,
        "max_overflow": max(requests_at_once - KEPT, 0) + SPARE,
        "pool_timeout": QUEUE_SECONDS,
        # What the URL says itself (`?connect_timeout=1`) comes first.
        "connect_args": {name: value for name, value in arguments.items() if name not in parsed.query},
    }
