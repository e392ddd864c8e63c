from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
import yaml
from support.cli import flaskstack
from support.program import Program

from flaskstack import FlaskApp, Process, SettingsError
from flaskstack.app import Server
from flaskstack.cli import main, scaffold

WRITTEN = ["Pulumi.dev.yaml", "Pulumi.prod.yaml", "Pulumi.yaml", "__main__.py", "requirements.txt", ".gitignore"]
APP = "from flask import Flask\napp = Flask(__name__)\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return the folder of an application that needs PostgreSQL."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "shop.py").write_text(APP)
    (folder / "requirements.txt").write_text("flask\npsycopg\n")
    return folder


def content(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_the_project_comes_into_a_folder_of_the_application(shop: Path) -> None:
    done = flaskstack("init", folder=shop)
    assert {file.name for file in (shop / "deploy").iterdir()} == set(WRITTEN)
    assert "entry: shop:app (shop.py)" in done.stdout
    assert "wrote deploy/__main__.py" in done.stderr
    assert "cd deploy" in done.stdout


def test_the_project_is_kept_out_of_the_image(shop: Path) -> None:
    flaskstack("init", folder=shop)
    assert "deploy" in (shop / ".dockerignore").read_text().split()


def test_a_dockerignore_that_is_there_stays_and_is_spoken_of(shop: Path) -> None:
    (shop / ".dockerignore").write_text("*.md\n")
    assert "Add the line `deploy` to .dockerignore" in flaskstack("init", folder=shop).stdout
    assert (shop / ".dockerignore").read_text() == "*.md\n"


def test_every_file_in_the_way_is_named_and_nothing_is_written(shop: Path) -> None:
    (shop / "deploy").mkdir()
    (shop / "deploy" / "Pulumi.yaml").write_text("mine\n")
    (shop / "deploy" / "__main__.py").write_text("mine\n")
    before = content(shop)
    done = flaskstack("init", folder=shop, ok=False)
    assert done.returncode == 2
    assert "deploy/Pulumi.yaml = exists" in done.stderr
    assert "deploy/__main__.py = exists" in done.stderr
    assert content(shop) == before


def test_a_dry_run_prints_all_and_writes_nothing(shop: Path) -> None:
    before = content(shop)
    done = flaskstack("init", "--dry-run", folder=shop)
    assert content(shop) == before
    assert all(f"--- deploy/{name}" in done.stdout for name in WRITTEN)
    assert 'entry="shop:app"' in done.stdout


def test_another_folder_may_be_named(shop: Path) -> None:
    flaskstack("init", "shop", "--output", "infrastructure", folder=shop.parent)
    assert 'path="../shop"' in (shop.parent / "infrastructure" / "__main__.py").read_text()


def test_what_cannot_be_guessed_is_an_error_without_a_terminal(shop: Path) -> None:
    (shop / "other.py").write_text(APP)
    done = flaskstack("init", folder=shop, ok=False)
    assert "there are several entries: other:app (other.py), shop:app (shop.py)" in done.stderr
    assert not (shop / "deploy").exists()


def test_a_person_at_a_terminal_is_asked(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    (shop / "other.py").write_text(APP)
    monkeypatch.setattr("sys.stdin", Terminal("other:app\n"))
    assert main(["init", str(shop)]) == 0
    assert 'entry="other:app"' in (shop / "deploy" / "__main__.py").read_text()


def test_the_program_says_what_differs_from_the_defaults_and_no_more(tmp_path: Path) -> None:
    app = FlaskApp(
        name="shop",
        path="..",
        entry="shop:app",
        redis=False,
        server=Server(worker_class="gevent"),
        processes={"worker": Process(command=("rq", "worker"))},
    )
    program = scaffold.program(app)
    _, _, arguments = program.partition("app = FlaskApp(\n")
    assert arguments.partition("\n)")[0].split("\n") == [
        '    name="shop",',
        '    path="..",',
        '    entry="shop:app",',
        '    processes={"worker": Process(command=("rq", "worker"))},',
        "    redis=False,",
        '    server=Server(worker_class="gevent"),',
    ]
    (tmp_path / "__main__.py").write_text(program)
    unused = ["ruff", "check", "--isolated", "--select", "F", str(tmp_path)]
    assert subprocess.run(unused, capture_output=True, check=False, timeout=60).returncode == 0


def test_the_requirement_is_where_flaskstack_is_from() -> None:
    assert scaffold.requirement().startswith("flaskstack")
    assert "components" in scaffold.requirement(), "the tests run on an installation from a folder"


def test_every_setting_of_production_is_in_its_file(shop: Path) -> None:
    flaskstack("init", folder=shop)
    text = (shop / "deploy" / "Pulumi.prod.yaml").read_text()
    assert yaml.safe_load(text) == {"config": {"shop:target": "kubernetes"}}
    for key in ("context", "host", "repository", "secretKey", "databaseUrl"):
        assert key in text


def test_a_data_folder_inside_the_code_is_made_for_development_to_mount_it(shop: Path) -> None:
    (shop / "requirements.txt").write_text("flask\n")
    (shop / "shop.py").write_text(f"{APP}app.config['SQLALCHEMY_DATABASE_URI'] = 'sqlite:///shop.db'\n")
    flaskstack("init", folder=shop)
    assert (shop / "instance").is_dir()
    assert "instance" in (shop / ".dockerignore").read_text().split()
    assert 'data="/app/instance"' in (shop / "deploy" / "__main__.py").read_text()


@pytest.fixture
def project(shop: Path) -> Program:
    """Return the written project of the shop, driven by the real CLI, with a state of its own."""
    flaskstack("init", folder=shop)
    return Program(shop / "deploy")


@pytest.mark.engine
def test_what_was_written_previews_at_once(project: Program) -> None:
    shown = project.run("preview")
    assert "shop-dev-web-0" in shown
    assert "shop-dev-postgres" in shown
    assert "shop-dev-redis" not in shown


@pytest.mark.engine
def test_production_asks_for_all_that_is_missing_and_then_previews(project: Program) -> None:
    project.run("stack", "init", "prod")
    missing = project.run("preview", ok=False)
    for key in ("context", "host", "repository", "secretKey", "databaseUrl"):
        assert f"shop:{key} = not set" in missing
    for key in ("context", "host", "repository"):
        project.run("config", "set", key, "shop.example")
    project.run("config", "set", "secretKey", "canary")
    project.run("config", "set", "--secret", "databaseUrl", "postgresql://shop:canary@db.example/shop")
    refused = project.run("preview", ok=False)
    assert "shop:secretKey = [secret]: stands in plain text" in refused
    assert "shop:secretKey = [secret]: too weak" in refused
    assert "canary" not in refused
    project.run("config", "set", "--secret", "secretKey", "canary-" + "0123456789abcdef" * 4)
    shown = project.run("preview")
    assert "kubernetes:apps/v1:Deployment" in shown
    assert "canary" not in shown


def test_the_module_refuses_an_unknown_command_with_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["nonsense"])
    assert caught.value.code == 2
    assert "manifests" in capsys.readouterr().err


def test_an_error_of_settings_is_raised_by_commands_and_said_by_main(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from flaskstack.cli import detect  # noqa: PLC0415  # beside what it is compared with

    with pytest.raises(SettingsError):
        detect.guess(tmp_path / "absent")
    assert main(["dockerfile", str(tmp_path / "absent")]) == 2
    assert "no such folder" in capsys.readouterr().err
