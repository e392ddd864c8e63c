"""Programs in other languages use the components through the plugin: real engine, real protocol, real containers."""

from __future__ import annotations

import importlib.metadata
import json
import secrets
import subprocess
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from support import go
from support.stack import docker, free_port, remove_labelled

from flaskstack.plugin import schema
from flaskstack.plugin.provider import SIGNATURES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

CODE = """
import os
from flask import Flask

def create_app():
    app = Flask(__name__)
    for path in ("/", "/health", "/ready"):
        app.add_url_rule(path, path, lambda: "served " + os.environ["GREETING"])
    return app
"""


class Local(go.Program):
    """A program with an application beside it, in an image and a stack of the Docker engine."""

    def __init__(self, binary: Path, folder: Path) -> None:
        super().__init__(binary, folder)
        self.port = free_port()
        self.app: dict[str, Any] = {
            "name": "shop",
            "path": "shop",
            "entry": "shop:create_app()",
            "postgres": False,
            "redis": False,
            "environment": {"GREETING": "a Go program"},
        }
        self.local: dict[str, Any] = {
            "port": self.port,
            "replicas": 1,
            "edge": {"https": False},
            "limits": {"nofile": 16384},
        }
        (folder / "shop").mkdir()
        (folder / "shop" / "shop.py").write_text(CODE)
        (folder / "shop" / "requirements.txt").write_text("flask\n")

    def settings(self) -> dict[str, Any]:
        return {"app": self.app, "image": {}, "local": self.local}

    def remove(self) -> None:
        self.run("destroy")
        remove_labelled("shop", self.stack)
        docker("rmi", "--force", f"{self.stack}:latest", check=False)


@pytest.fixture(scope="session")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go.built(tmp_path_factory.mktemp("go") / "program")


@pytest.fixture
def program(binary: Path, tmp_path: Path) -> Iterator[Local]:
    made = Local(binary, tmp_path)
    try:
        yield made
    finally:
        made.remove()


def without_nothing(part: Any) -> Any:
    """The engine leaves out what is empty."""
    if isinstance(part, dict):
        return {key: without_nothing(value) for key, value in part.items() if value not in ([], {})}
    return part


def test_the_engine_gets_the_schema_from_the_plugins_folder(tmp_path: Path) -> None:
    (tmp_path / "plugin").symlink_to(go.PLUGIN)
    done = subprocess.run(
        ["pulumi", "package", "get-schema", "./plugin"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,  # the official CLI makes the plugin's environment first
    )
    assert done.returncode == 0, done.stderr
    about = importlib.metadata.metadata("flaskstack")
    published = schema.package(SIGNATURES, version=about["Version"], description=about["Summary"])
    got = json.loads(done.stdout)
    assert got["version"] == about["Version"]
    assert without_nothing(got["resources"]) == without_nothing(published["resources"])
    assert without_nothing(got["types"]) == without_nothing(published["types"])


def test_pulumi_finds_nothing_wrong_with_the_schema(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(schema.package(SIGNATURES, version="1.2.3", description="What it is.")))
    done = subprocess.run(
        ["pulumi", "schema", "check", str(file)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_a_program_in_go_builds_and_runs_an_application(program: Local) -> None:
    """From the preview of nothing to the answer on the wire, and then nothing more to do."""
    assert program.result("preview")["create"] > 10
    outputs = program.result("up")
    assert outputs["url"] == f"http://127.0.0.1:{program.port}"
    assert outputs["image"] == outputs["ref"]
    assert outputs["ref"].startswith("sha256:")
    with urllib.request.urlopen(f"http://127.0.0.1:{program.port}/", timeout=10) as answer:
        assert answer.read() == b"served a Go program"
    preview = program.result("preview")
    assert preview["same"] > 10
    assert preview["create"] == 0


def test_a_program_in_go_hears_of_all_its_wrong_arguments_in_its_own_words(program: Local) -> None:
    program.local = {"port": "many", "replica": 2, "limits": {"nofile": 0}}
    done = program.run("preview")
    assert done.returncode != 0
    said = done.stderr
    assert "3 settings are wrong" in said
    assert 'port = "many"' in said
    assert "rename it to replicas" in said
    assert "limits.nofile = 0" in said
    assert "Traceback" not in said


def test_a_secret_of_a_program_in_go_is_encrypted_in_the_state_and_shown_nowhere(program: Local) -> None:
    canary = f"canary{secrets.token_hex(16)}"
    program.local["secretKey"] = {"secret": canary}
    done = program.run("up")
    assert done.returncode == 0, done.stderr
    assert canary not in done.stderr + done.stdout
    assert canary not in program.state()
    assert "dev.flaskstack" in program.state()
