"""Configuration: what is missing is said at once, what is given wins, secrets are not repeated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app import create_app
from app.config import ConfigurationError
from app.database import db

APP = Path(__file__).parents[2] / "app"
GUNICORN = APP.parent / "components" / "flaskstack" / "server" / "gunicorn.conf.py"


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=APP,
        env={**kept, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_production_names_everything_that_is_missing_at_once(monkeypatch):
    monkeypatch.setenv("PROXY_HOPS", "two")
    with pytest.raises(ConfigurationError) as refused:
        create_app()
    for name in ("SECRET_KEY is not set", "DATABASE_URL is not set", "PROXY_HOPS is 'two'"):
        assert name in str(refused.value)


@pytest.mark.parametrize("value", ["0", "", "off", "2"])
def test_anything_but_a_plain_yes_to_debug_is_production(monkeypatch, value):
    monkeypatch.setenv("FLASK_DEBUG", value)
    with pytest.raises(ConfigurationError, match="SECRET_KEY is not set"):
        create_app()


@pytest.mark.parametrize(
    "command",
    [
        ("flask", "--app", "app:create_app", "db", "upgrade"),
        ("gunicorn", "--config", str(GUNICORN), "app:create_app()"),
    ],
    ids=["flask", "gunicorn"],
)
def test_the_refusal_is_a_message_and_no_traceback(command):
    done = run(*command)
    assert done.returncode != 0
    assert "DATABASE_URL is not set" in done.stderr
    assert "SECRET_KEY is not set" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("url", ["mysql://guest:hidden@db/guestbook", "hidden", "postgresql://guest:hidden@db:port/x"])
def test_a_wrong_database_url_is_refused_without_being_repeated(url):
    with pytest.raises(ConfigurationError, match="DATABASE_URL") as refused:
        create_app({"SECRET_KEY": "x" * 64, "DATABASE_URL": url})
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_is_spoken_to_with_psycopg_3(scheme):
    app = create_app({"SECRET_KEY": "x" * 64, "DATABASE_URL": f"{scheme}://guest:p%40ss@db:5433/guestbook"})
    with app.app_context():
        assert db.engine.dialect.driver == "psycopg"
        assert db.engine.url.password == "p@ss"
        assert db.engine.url.port == 5433


def test_development_starts_with_nothing_set_and_says_what_it_made_up(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    monkeypatch.setattr("flask.Flask.auto_find_instance_path", lambda _: str(tmp_path / "instance"))
    first, second = create_app(), create_app()
    assert first.debug
    assert first.config["SECRET_KEY"] != second.config["SECRET_KEY"]
    assert first.config["DATABASE_URL"] == f"sqlite:///{tmp_path}/instance/guestbook.sqlite"
    assert "SECRET_KEY is not set" in caplog.text
    assert "DATABASE_URL is not set" in caplog.text


def test_the_environment_is_read_and_overrides_win(monkeypatch, database_url):
    monkeypatch.setenv("SECRET_KEY", "from the environment")
    monkeypatch.setenv("SECRET_KEY_FALLBACKS", "newer, older")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("TRUSTED_HOSTS", "localhost,.example.org")
    monkeypatch.setenv("FLASK_SESSION_COOKIE_SECURE", "false")
    app = create_app({"APP_VERSION": "overridden"})
    assert app.config["SECRET_KEY"] == "from the environment"
    assert app.config["SECRET_KEY_FALLBACKS"] == ["newer", "older"]
    assert app.config["TRUSTED_HOSTS"] == ["localhost", ".example.org"]
    assert app.config["SESSION_COOKIE_SECURE"] is False
    assert app.config["APP_VERSION"] == "overridden"


def test_production_is_not_debugging_and_its_cookies_are_guarded(make_app):
    config = make_app().config
    assert not config["DEBUG"]
    assert config["SESSION_COOKIE_SECURE"]
    assert config["SESSION_COOKIE_HTTPONLY"]
    assert config["SESSION_COOKIE_SAMESITE"] == "Lax"


@pytest.mark.parametrize("command", ["routes", "db heads"])
def test_the_flask_command_works_and_prints_nothing_else(command, database_url):
    done = run("flask", "--app", "app:create_app", *command.split(), SECRET_KEY="x" * 64, DATABASE_URL=database_url)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.split()[0] == ("7c41e90ab3d5" if command == "db heads" else "Endpoint")


def test_the_flask_shell_finds_the_application(database_url):
    program = "import json; from flask import current_app; print(json.dumps(current_app.config['APP_VERSION']))"
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app:create_app", "shell"],
        cwd=APP,
        env={"PATH": os.environ["PATH"], "SECRET_KEY": "x" * 64, "DATABASE_URL": database_url, "APP_VERSION": "1.2.3"},
        input=program,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.dumps("1.2.3") in done.stdout
