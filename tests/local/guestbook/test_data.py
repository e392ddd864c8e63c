"""Data outlives the stack, unless asked otherwise; what is not the stack's is not touched."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.stack import ROOT, Stack, docker, fetch

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def bystander() -> Iterator[dict[str, str]]:
    """Return things of somebody else's on the same engine."""
    volume = docker("volume", "create")
    network = docker("network", "create", f"bystander-{volume[:8]}")
    container = docker("run", "--detach", "--volume", f"{volume}:/data", "--network", network, "redis:8")
    yield {"container": container, "volume": volume, "network": network}
    docker("rm", "--force", container)
    docker("network", "rm", network)
    docker("volume", "rm", volume)


def post(stack: Stack, text: str) -> None:
    body = json.dumps({"author": "test", "text": text}).encode()
    assert (
        fetch(f"{stack.url}/api/notes", method="POST", headers={"Content-Type": "application/json"}, body=body).status
        == 201
    )


def test_a_row_outlives_destroy_and_up(stack: Stack, bystander: dict[str, str]) -> None:
    post(stack, "written before destroy")
    names = set(stack.outputs()["volumes"])
    stack.destroy().expect()
    assert stack.containers(stopped=True) == []
    assert set(stack.volumes()) == names, "the data volumes are all that is left"
    assert docker("network", "ls", "--quiet", *stack.filters()) == ""
    assert docker("inspect", "--format", "{{.State.Running}}", bystander["container"]) == "true"

    stack.up().expect()
    assert "written before destroy" in fetch(f"{stack.url}/api/notes").body.decode()


def test_a_dump_brings_back_what_was_deleted(stack: Stack) -> None:
    post(stack, "written before the dump")
    (postgres,) = stack.containers("postgres")
    made = make(stack, "backup")
    dump = ROOT / made.splitlines()[-1]
    try:
        docker("exec", postgres, "sh", "-c", 'psql -U "$POSTGRES_USER" "$POSTGRES_DB" -c "DELETE FROM notes"')
        assert "written before the dump" not in fetch(f"{stack.url}/api/notes").body.decode()
        make(stack, "restore", f"FILE={dump}")
        assert "written before the dump" in fetch(f"{stack.url}/api/notes").body.decode()
    finally:
        dump.unlink()


def make(stack: Stack, *arguments: str) -> str:
    done = subprocess.run(
        ["make", "--silent", "--directory", str(ROOT), *arguments, f"STACK={stack.name}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_destroy_with_the_data_leaves_nothing(stack: Stack, bystander: dict[str, str]) -> None:
    stack.set(local={"keepData": False})
    try:
        stack.up().expect()
        stack.destroy().expect()
        assert stack.containers(stopped=True) == []
        assert stack.volumes() == []
        assert docker("network", "ls", "--quiet", *stack.filters()) == ""
        for kind, name in bystander.items():
            docker(kind, "inspect", name)
    finally:
        stack.set(local={"keepData": ...})
        stack.up().expect()
