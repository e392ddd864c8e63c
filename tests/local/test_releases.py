"""Releases under load: what changes, what stays, and that no request is lost."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from support.load import Load
from support.stack import Stack, docker, fetch

if TYPE_CHECKING:
    from collections.abc import Callable

UNCHANGED = ("--expect-no-changes",)


def test_a_second_up_changes_nothing(stack: Stack) -> None:
    stack.up(*UNCHANGED).expect()


def test_a_refresh_finds_nothing_changed_and_neither_does_the_up_after_it(stack: Stack) -> None:
    stack.refresh(*UNCHANGED).expect()
    stack.up(*UNCHANGED).expect()


def test_a_preview_builds_nothing_and_sees_a_code_edit(stack: Stack) -> None:
    stack.preview(*UNCHANGED).expect()
    image = docker("images", "--quiet", "--no-trunc", f"flaskstack-{stack.name}-app")
    edit(stack)
    preview = stack.preview("--diff").expect()
    assert "web-0" in preview.output
    assert docker("images", "--quiet", "--no-trunc", f"flaskstack-{stack.name}-app") == image


def test_a_file_that_is_not_in_the_context_does_not_rebuild(stack: Stack) -> None:
    stack.up().expect()
    (stack.app / "README.md").write_text(secrets.token_hex())
    stack.preview(*UNCHANGED).expect()


def edit(stack: Stack) -> str:
    """Edit the code as a developer does: the image gets another content."""
    mark = secrets.token_hex(8)
    factory = stack.app / "app" / "__init__.py"
    factory.write_text(f"{factory.read_text()}\n# {mark}\n")
    return mark


def test_a_code_edit_rebuilds_only_the_last_layers(stack: Stack) -> None:
    def layers() -> list[str]:
        return docker("inspect", "--format", "{{join .RootFS.Layers \" \"}}", stack.outputs()["image"]).split()

    before = layers()
    edit(stack)
    stack.up().expect()
    after = layers()
    assert before != after
    assert before[:-2] == after[:-2], "only the code and its bytecode differ"


def release(stack: Stack) -> None:
    edit(stack)


def rotate_secret_key(stack: Stack) -> None:
    stack.secret("secretKey", secrets.token_hex(32))


def rotate_database_password(stack: Stack) -> None:
    stack.secret("databaseUrl", f"postgresql://guest:{secrets.token_hex(16)}@postgres:5432/guestbook")


def scale_up(stack: Stack) -> None:
    stack.set(local={"replicas": 3})


def scale_down(stack: Stack) -> None:
    stack.set(local={"replicas": 1})


def change_edge(stack: Stack) -> None:
    stack.set(edge={"gzipLevel": 1})


@pytest.mark.parametrize("change", [release, rotate_secret_key, scale_up, scale_down, change_edge], ids=lambda change: change.__name__)
def test_no_request_is_lost_by(stack: Stack, change: Callable[[Stack], None]) -> None:
    nginx = stack.containers("nginx")
    former = set(stack.containers("web"))
    change(stack)
    with Load(stack.url, paths=["/", "/health", "/api/notes"], post="/api/notes") as load:
        stack.up().expect()
    assert load.failures == {}
    assert load.answered > 500
    assert stack.containers("nginx") == nginx, "what holds the port was not replaced"
    assert set(stack.containers("web")) != former or change is change_edge


def test_former_sessions_survive_a_rotation_with_the_former_key_as_a_fallback(stack: Stack) -> None:
    former = secrets.token_hex(32)
    stack.secret("secretKey", former)
    stack.up().expect()
    cookie = session(stack)
    stack.secret("secretKey", secrets.token_hex(32))
    stack.pulumi("config", "set", "--secret", "--path", "flaskstack:secretKeyFallbacks[0]", text=former).expect()
    stack.up().expect()
    assert remembered(stack, cookie)


def session(stack: Stack) -> str:
    raise NotImplementedError


def remembered(stack: Stack, cookie: str) -> bool:
    raise NotImplementedError


def test_a_rotated_database_password_is_set_in_the_data_that_exists(stack: Stack) -> None:
    rotate_database_password(stack)
    stack.up().expect()
    assert fetch(f"{stack.url}/ready").status == 200
    assert fetch(f"{stack.url}/api/notes").status == 200
