"""Releases under load: what changes, what stays, and that no request is lost."""

from __future__ import annotations

import contextlib
import http.client
import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from support.load import Load
from support.stack import Stack, docker, fetch

if TYPE_CHECKING:
    from collections.abc import Callable

UNCHANGED = ("--expect-no-changes",)


def test_a_refresh_finds_nothing_changed_and_neither_does_the_up_after_it(stack: Stack) -> None:
    stack.refresh(*UNCHANGED).expect()
    stack.up(*UNCHANGED).expect()


def test_a_preview_builds_nothing_and_sees_a_code_edit(stack: Stack) -> None:
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
        return docker("inspect", "--format", '{{join .RootFS.Layers " "}}', stack.outputs()["image"]).split()

    before = layers()
    edit(stack)
    stack.up().expect()
    after = layers()
    assert before != after
    assert before[:-2] == after[:-2], "only the code and its bytecode differ"


def release(stack: Stack) -> None:
    edit(stack)


def rotate_secret_key(stack: Stack) -> None:
    stack.secret("secretKey", key(stack))


def key(stack: Stack) -> str:
    """Return another secret key, as easily found where it must not be."""
    return f"{stack.canary}-{secrets.token_hex(8)}"


def rotate_database_password(stack: Stack) -> None:
    stack.secret("databaseUrl", f"postgresql://guest:{key(stack)}@postgres:5432/guestbook")


def scale_up(stack: Stack) -> None:
    stack.set(local={"replicas": 3})


def scale_down(stack: Stack) -> None:
    stack.set(local={"replicas": 2})


def change_edge(stack: Stack) -> None:
    stack.set(edge={"gzipLevel": 1})


@pytest.mark.parametrize(
    "change", [release, rotate_secret_key, scale_up, scale_down, change_edge], ids=lambda change: change.__name__
)
def test_no_request_is_lost_by(stack: Stack, change: Callable[[Stack], None]) -> None:
    nginx = stack.containers("nginx")
    former = set(stack.containers("web"))
    change(stack)
    with Load(stack.url, paths=["/", "/health", "/api/notes"], post="/api/notes", clients=4) as load:
        stack.up().expect()
    assert load.failures == {}
    assert load.answered > 200
    assert stack.containers("nginx") == nginx, "what holds the port was not replaced"
    assert set(stack.containers("web")) != former or change is change_edge


def test_former_sessions_survive_a_rotation_with_the_former_key_as_a_fallback(stack: Stack) -> None:
    former = key(stack)
    stack.secret("secretKey", former)
    stack.up().expect()
    cookie = session(stack)
    rotate_secret_key(stack)
    stack.pulumi("config", "set", "--secret", "--path", "flaskstack:secretKeyFallbacks[0]", text=former).expect()
    stack.up().expect()
    assert remembered(stack, cookie)
    assert not remembered(stack, cookie[:-4] + "AAAA"), "a cookie that no key signed is not believed"
    stack.pulumi("config", "rm", "flaskstack:secretKeyFallbacks").expect()


def session(stack: Stack) -> str:
    """Sign the guestbook as a browser does, and return the cookie that remembers the name."""
    page = fetch(stack.url)
    token = re.search(rb'name="csrf_token" value="([^"]+)"', page.body)
    assert token
    form = urlencode({"csrf_token": token[1].decode(), "author": "Ada", "text": "remember me"}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": page.headers["Set-Cookie"].partition(";")[0],
    }
    with contextlib.closing(connection):
        connection.request("POST", "/", form, headers)
        answer = connection.getresponse()
        assert answer.status == 303, answer.read()
        return str(answer.headers["Set-Cookie"].partition(";")[0])


def remembered(stack: Stack, cookie: str) -> bool:
    return b"Welcome back, <strong>Ada" in fetch(stack.url, headers={"Cookie": cookie}).body


def test_a_rotated_database_password_is_set_in_the_data_that_exists(stack: Stack) -> None:
    rotate_database_password(stack)
    stack.up().expect()
    assert fetch(f"{stack.url}/ready").status == 200
    assert fetch(f"{stack.url}/api/notes").status == 200
