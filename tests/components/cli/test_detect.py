from __future__ import annotations

from pathlib import Path

import pytest

from flaskstack import SettingsError
from flaskstack.cli.detect import guess

OBJECT = "from flask import Flask\napp = Flask(__name__)\n"
FACTORY = "def create_app(config=None):\n    return None\n"


def application(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these files, and Flask among its dependencies."""
    for name, content in {"requirements.txt": "flask\n", **files}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return folder


def problem(folder: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        guess(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("files", "entry"),
    [
        ({"app.py": OBJECT}, "app:app"),
        ({"hello.py": OBJECT}, "hello:app"),
        ({"site.py": "import flask\nsite = flask.Flask(__name__)\n"}, "site:site"),
        ({"app.py": "from flask import Flask\napp: Flask = Flask(__name__)\n"}, "app:app"),
        ({"app.py": FACTORY}, "app:create_app()"),
        ({"shop/__init__.py": FACTORY}, "shop:create_app()"),
        ({"shop/__init__.py": OBJECT}, "shop:app"),
        ({"src/shop/__init__.py": FACTORY}, "shop:create_app()"),
        ({"shop/__init__.py": "", "shop/factory.py": FACTORY}, "shop.factory:create_app()"),
        ({"shop/__init__.py": FACTORY, "run.py": "from shop import create_app\napp = create_app()\n"}, "run:app"),
        ({"shop/__init__.py": FACTORY, "wsgi.py": "from shop import application\n"}, "wsgi:application"),
        ({"app.py": OBJECT, "wsgi.py": "from app import app\n"}, "wsgi:app"),
        ({"app.py": OBJECT, "tests/app.py": OBJECT, "venv/pyvenv.cfg": "", "venv/x.py": OBJECT}, "app:app"),
        ({"app.py": OBJECT, "main.py": OBJECT, ".flaskenv": "FLASK_APP=main:app\n"}, "main:app"),
        ({"a.py": OBJECT, "b.py": OBJECT, "Procfile": "web: gunicorn -w 2 b:app --log-file -\n"}, "b:app"),
    ],
    ids=lambda value: value if isinstance(value, str) else ", ".join(value),
)
def test_the_entry_is_found(tmp_path: Path, files: dict[str, str], entry: str) -> None:
    assert guess(application(tmp_path, files)).app.entry == entry


def test_no_code_of_the_application_is_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    application(
        tmp_path, {"app.py": f"open({str(ran)!r}, 'w')\n{OBJECT}", "other.py": "raise SystemExit('imported')\n"}
    )
    assert guess(tmp_path).app.entry == "app:app"
    assert not ran.exists()


def test_code_that_is_no_python_says_nothing(tmp_path: Path) -> None:
    application(tmp_path, {"app.py": OBJECT, "old.py": "print 'two'\n", "bytes.py": "\0"})
    assert guess(tmp_path).app.entry == "app:app"


def test_several_entries_are_all_named_with_how_to_choose(tmp_path: Path) -> None:
    said = problem(application(tmp_path, {"one.py": OBJECT, "two.py": OBJECT}))
    assert "one:app (one.py)" in said
    assert "two:app (two.py)" in said
    assert "--entry 'one:app'" in said


@pytest.mark.parametrize("code", ["", "def create_app(config):\n    return None\n", "def create_app(*, config): ...\n"])
def test_what_cannot_be_found_is_asked_for(tmp_path: Path, code: str) -> None:
    said = problem(application(tmp_path, {"app.py": code}))
    assert "no Flask application is found" in said
    assert "--entry" in said


def test_what_is_given_is_taken(tmp_path: Path) -> None:
    found = guess(application(tmp_path, {"one.py": OBJECT, "two.py": OBJECT}), entry="two:app", name="shop")
    assert (found.app.entry, found.app.name) == ("two:app", "shop")


def test_an_entry_that_gunicorn_would_not_take_is_refused_with_its_value(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nonsense"):
        guess(application(tmp_path, {}), entry="nonsense")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert "no such folder" in problem(tmp_path / "absent")


@pytest.mark.parametrize(
    ("folder", "name"), [("Shop", "shop"), ("my_shop.v2", "my-shop-v2"), ("2024", "app-2024"), ("a" * 60, "a" * 40)]
)
def test_the_name_is_the_folders(tmp_path: Path, folder: str, name: str) -> None:
    (tmp_path / folder).mkdir()
    assert guess(application(tmp_path / folder, {"app.py": OBJECT})).app.name == name


@pytest.mark.parametrize(
    ("route", "liveness", "readiness"),
    [
        ("@app.route('/healthz')", "/healthz", "/healthz"),
        ("@app.get('/health')\n@app.get('/ready')", "/health", "/ready"),
        ("@app.route('/readyz', methods=['GET'])\n@app.route('/livez')", "/livez", "/readyz"),
    ],
)
def test_health_routes_are_found(tmp_path: Path, route: str, liveness: str, readiness: str) -> None:
    application(tmp_path, {"app.py": f"{OBJECT}{route}\ndef health():\n    return 'ok'\n"})
    app = guess(tmp_path).app
    assert (app.liveness, app.readiness) == (liveness, readiness)


def test_an_application_without_a_health_route_is_asked_by_a_connection(tmp_path: Path) -> None:
    app = guess(application(tmp_path, {"app.py": OBJECT})).app
    assert (app.liveness, app.readiness) == ("tcp", "tcp")


def test_a_health_route_stands_below_its_blueprints_prefix(tmp_path: Path) -> None:
    health = "api = Blueprint('api', __name__, url_prefix='/api')\n@api.route('/health')\ndef health(): ...\n"
    application(tmp_path, {"app.py": OBJECT, "shop/__init__.py": "", "shop/health.py": health})
    assert guess(tmp_path).app.liveness == "/api/health"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("requirements.txt", "flask\nPsycopg[binary]>=3\nredis==5\n"),
        ("requirements.txt", "-r requirements/base.txt\n"),
        ("pyproject.toml", '[project]\ndependencies = ["flask", "psycopg2-binary~=2.9", "redis"]\n'),
    ],
    ids=["requirements.txt", "included", "pyproject.toml"],
)
def test_services_are_known_from_the_dependencies(tmp_path: Path, file: str, content: str) -> None:
    base = {"requirements/base.txt": "psycopg\nredis\n"}
    application(tmp_path, {"app.py": OBJECT, **base, file: content})
    if file != "requirements.txt":
        (tmp_path / "requirements.txt").unlink()
    found = guess(tmp_path)
    assert (found.app.postgres, found.app.redis) == (True, True)
    assert any(note.startswith("postgres: yes (psycopg") for note in found.notes)


def test_an_application_without_services_gets_none(tmp_path: Path) -> None:
    app = guess(application(tmp_path, {"app.py": OBJECT})).app
    assert (app.postgres, app.redis, app.migrate) == (False, False, ())


def test_a_broken_declaration_is_said_with_its_file(tmp_path: Path) -> None:
    assert "absent.txt" in problem(application(tmp_path, {"app.py": OBJECT, "requirements.txt": "-r absent.txt\n"}))


def test_an_application_with_a_dockerfile_may_declare_nothing(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(OBJECT)
    assert "requirements.txt" in problem(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert guess(tmp_path).app.entry == "app:app"


@pytest.mark.parametrize(
    ("files", "command"),
    [
        (
            {"requirements.txt": "Flask-Migrate\n", "migrations/env.py": ""},
            ("flask", "--app", "app:app", "db", "upgrade"),
        ),
        ({"requirements.txt": "alembic\n", "alembic.ini": ""}, ("alembic", "upgrade", "head")),
        ({"Procfile": "release: ./migrate.sh --now\n"}, ("./migrate.sh", "--now")),
        ({"Procfile": "release: a && b $X\n"}, ("sh", "-c", "a && b $X")),
        ({"migrations/env.py": ""}, ()),
    ],
    ids=["Flask-Migrate", "Alembic", "Procfile", "Procfile with a shell's syntax", "a folder of something else"],
)
def test_the_migration_is_found(tmp_path: Path, files: dict[str, str], command: tuple[str, ...]) -> None:
    assert guess(application(tmp_path, {"app.py": OBJECT, **files})).app.migrate == command


def test_the_url_of_static_files_is_found(tmp_path: Path) -> None:
    application(tmp_path, {"app.py": "from flask import Flask\napp = Flask(__name__, static_url_path='/assets')\n"})
    assert guess(tmp_path).app.static_url == "/assets/"


def test_without_static_files_no_url_is_theirs(tmp_path: Path) -> None:
    assert guess(application(tmp_path, {"app.py": OBJECT})).app.static_url is None
    (tmp_path / "static").mkdir()
    assert guess(tmp_path).app.static_url == "/static/"


def test_a_file_of_sqlite_is_kept_unless_the_database_is_postgresql(tmp_path: Path) -> None:
    code = f"{OBJECT}app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite:///shop.db'\n"
    assert guess(application(tmp_path, {"app.py": code})).app.data == "/app/instance"
    assert guess(application(tmp_path, {"app.py": code, "requirements.txt": "psycopg\n"})).app.data is None


@pytest.mark.parametrize(
    ("files", "name", "command"),
    [
        (
            {"tasks.py": "from celery import Celery\nqueue = Celery('shop')\n"},
            "worker",
            ("celery", "--app", "tasks:queue", "worker", "--loglevel", "info"),
        ),
        ({"requirements.txt": "rq\n"}, "worker", ("sh", "-c", 'RQ_REDIS_URL="$REDIS_URL" exec rq worker')),
        ({"Procfile": "web: gunicorn app:app\nMail_Queue: rq worker mail\n"}, "mail-queue", ("rq", "worker", "mail")),
        (
            {"Procfile": "beat: celery --app tasks beat $MORE\n"},
            "beat",
            ("sh", "-c", "exec celery --app tasks beat $MORE"),
        ),
    ],
    ids=["Celery", "RQ", "Procfile", "Procfile with a variable"],
)
def test_a_worker_is_a_process(tmp_path: Path, files: dict[str, str], name: str, command: tuple[str, ...]) -> None:
    processes = guess(application(tmp_path, {"app.py": OBJECT, **files})).app.processes
    assert {each: process.command for each, process in processes.items()} == {name: command}


def test_each_part_is_said_with_what_it_is_from(tmp_path: Path) -> None:
    notes = guess(application(tmp_path, {"app.py": f"{OBJECT}@app.get('/health')\ndef health(): ...\n"})).notes
    assert "entry: app:app (app.py)" in notes
    assert "liveness: /health (route in app.py)" in notes
    assert "redis: no (no distribution that needs it)" in notes
