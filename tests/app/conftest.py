"""The application on SQLite, migrated as in production, one database a test."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, Any

import flask_migrate
import pytest
from flask.testing import FlaskClient

# Read once, when Prometheus' client is imported: what the shell that runs the tests has set must not matter.
os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)

from app import create_app
from app.database import db

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask

SECRET_KEY = "0123456789abcdef" * 4
VARIABLES = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "DATABASE_URL",
    "REDIS_URL",
    "PROXY_HOPS",
    "TRUSTED_HOSTS",
    "FLASK_DEBUG",
    "FLASK_SESSION_COOKIE_SECURE",
    "APP_VERSION",
    "GUNICORN_THREADS",
    "PROMETHEUS_MULTIPROC_DIR",
)


class BufferedClient(FlaskClient):
    """Reads each answer to its end, as a server does, so that the file behind it is closed."""

    def open(self, *arguments: Any, **options: Any) -> Any:
        return super().open(*arguments, buffered=True, **options)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shell that runs the tests has set must not matter."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database file with all tables and no rows."""
    file = tmp_path_factory.mktemp("database") / "migrated.sqlite"
    with pytest.MonkeyPatch.context() as patch:
        for variable in VARIABLES:
            patch.delenv(variable, raising=False)
        app = create_app({"SECRET_KEY": SECRET_KEY, "DATABASE_URL": f"sqlite:///{file}"})
    with app.app_context():
        flask_migrate.upgrade()
        db.engine.dispose()
    return file


@pytest.fixture
def database_url(tmp_path: Path, migrated: Path) -> str:
    """Return the URL of a database of the test's own."""
    return f"sqlite:///{shutil.copy(migrated, tmp_path / 'guestbook.sqlite')}"


@pytest.fixture
def make_app(database_url: str) -> Iterator[Callable[..., Flask]]:
    """Return a maker of applications that share the test's database, with configuration as keywords."""
    made: list[Flask] = []

    def make(**overrides: Any) -> Flask:
        app = create_app({"SECRET_KEY": SECRET_KEY, "DATABASE_URL": database_url, **overrides})
        app.test_client_class = BufferedClient
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """Return the application as in production, but for plain HTTP."""
    return make_app(SESSION_COOKIE_SECURE=False)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def sign() -> Callable[..., Any]:
    """Return what fills in and sends the form of the page, as a browser does."""

    def fill_in(client: FlaskClient, **fields: str) -> Any:
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/").text)
        assert token
        return client.post("/", data={"csrf_token": token[1], **fields})

    return fill_in
