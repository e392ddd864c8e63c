"""Canaries: a secret stands in its own process's environment and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

from support.stack import Stack, docker


def test_no_output_of_the_cli_shows_a_secret(stack: Stack, canary: str) -> None:
    factory = stack.app / "app" / "__init__.py"
    factory.write_text(f"{factory.read_text()}\n# edited\n")
    for run in (
        stack.preview("--diff", "-v=9"),
        stack.up("--diff", "-v=9"),
        stack.preview("--json"),
    ):
        assert canary not in run.expect().output


def test_no_file_of_the_state_shows_a_secret(stack: Stack, canary: str) -> None:
    files = [path for path in (stack.folder / "state").rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert canary.encode() not in path.read_bytes(), path
    assert canary not in stack.state()
    assert canary not in stack.config_file.read_text()


def test_no_layer_and_no_history_of_the_image_shows_a_secret(stack: Stack, canary: str, tmp_path: Path) -> None:
    image = stack.outputs()["image"]
    assert canary not in docker("history", "--no-trunc", image)
    assert canary not in docker("inspect", image)
    archive = tmp_path / "image.tar"
    docker("save", "--output", str(archive), image)
    assert canary.encode() not in archive.read_bytes()


def test_only_the_containers_that_need_a_secret_hold_it(stack: Stack, canary: str) -> None:
    holders: dict[str, set[str]] = {}
    for container in stack.containers(stopped=True):
        inspected = json.loads(docker("inspect", container))[0]
        role = inspected["Config"]["Labels"]["dev.flaskstack.role"]
        if canary in json.dumps(inspected):
            holders.setdefault(role, set()).update(
                variable.partition("=")[0] for variable in inspected["Config"]["Env"] if canary in variable
            )
            inspected["Config"]["Env"] = []
            assert canary not in json.dumps(inspected), f"{role} shows a secret elsewhere than in its environment"
    assert holders == {
        "web": {"SECRET_KEY", "DATABASE_URL"},
        "migration": {"SECRET_KEY", "DATABASE_URL"},
        "postgres": {"POSTGRES_PASSWORD"},
    }


def test_no_command_line_and_no_log_shows_a_secret(stack: Stack, canary: str) -> None:
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert lines
    assert not [line for line in lines if canary.encode() in line]
    for container in stack.containers(stopped=True):
        assert canary not in docker("logs", container)
        assert quote(canary) not in docker("logs", container)
