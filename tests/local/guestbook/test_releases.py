"""Releases under load: what changes, what stays, and that no request is lost."""

from __future__ import annotations

import contextlib
import http.client
import re
import secrets
from urllib.parse import urlencode

import pytest
from support.load import Load
from support.stack import Stack, docker, fetch

UNCHANGED = ("--expect-no-changes",)


def test_a_refresh_finds_nothing_changed_and_neither_does_the_up_after_it(stack: Stack) -> None:
    stack.refresh(*UNCHANGED).expect()
    stack.up(*UNCHANGED).expect()


def edit(stack: Stack) -> None:
    """Edit the code as a developer does: the image gets another content."""
    factory = stack.app / "app" / "__init__.py"
    factory.write_text(f"{factory.read_text()}\n# {secrets.token_hex(8)}\n")


def key(stack: Stack) -> str:
    """Return another secret key, as easily found where it must not be."""
    return f"{stack.canary}-{secrets.token_hex(8)}"


def up_under_load(stack: Stack) -> None:
    """Bring the stack up to date while clients send requests, and lose none of them."""
    nginx = stack.containers("nginx")
    paths = ["/health", "/", "/health", "/api/notes"]
    with Load(stack.url, paths=paths, post="/api/notes", clients=4) as load:
        stack.up().expect()
    assert load.failures == {}
    assert load.answered > 200
    assert stack.containers("nginx") == nginx, "what holds the port was not replaced"


def test_a_preview_sees_a_code_edit_and_builds_nothing(stack: Stack) -> None:
    image = docker("images", "--quiet", "--no-trunc", f"flaskstack-{stack.name}-app")
    edit(stack)
    preview = stack.preview("--diff").expect()
    assert "web-0" in preview.output
    assert docker("images", "--quiet", "--no-trunc", f"flaskstack-{stack.name}-app") == image


def test_a_code_edit_rebuilds_only_the_last_layers_and_loses_no_request(stack: Stack) -> None:
    def layers() -> list[str]:
        return docker("inspect", "--format", '{{join .RootFS.Layers " "}}', stack.outputs()["image"]).split()

    before, web = layers(), set(stack.containers("web"))
    edit(stack)
    up_under_load(stack)
    after = layers()
    assert before != after
    assert before[:-2] == after[:-2], "only the code and its bytecode differ"
    assert not web & set(stack.containers("web"))


def test_a_file_that_is_not_in_the_context_does_not_rebuild(stack: Stack) -> None:
    stack.up().expect()
    (stack.app / "README.md").write_text(secrets.token_hex())
    stack.preview(*UNCHANGED).expect()


def test_a_rotated_secret_key_loses_no_request_and_with_the_former_as_a_fallback_no_login(stack: Stack) -> None:
    former = key(stack)
    stack.secret("secretKey", former)
    up_under_load(stack)
    cookie = session(stack)
    stack.secret("secretKey", key(stack))
    stack.pulumi("config", "set", "--secret", "--path", "flaskstack:secretKeyFallbacks[0]", text=former).expect()
    up_under_load(stack)
    assert remembered(stack, cookie)
    assert not remembered(stack, cookie[:-4] + "AAAA"), "a cookie that no key signed is not believed"
    stack.pulumi("config", "rm", "flaskstack:secretKeyFallbacks").expect()


@pytest.mark.parametrize(
    "change",
    [{"local": {"replicas": 3}}, {"local": {"replicas": 2}}, {"edge": {"gzipLevel": 1}}],
    ids=["up", "down", "edge"],
)
def test_scaling_and_another_edge_lose_no_request(stack: Stack, change: dict[str, dict[str, int]]) -> None:
    former = len(stack.containers("web"))
    stack.set(**change)
    up_under_load(stack)
    assert len(stack.containers("web")) == change.get("local", {}).get("replicas", former)


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
    stack.secret("databaseUrl", f"postgresql://guest:{key(stack)}@postgres:5432/guestbook")
    stack.up().expect()
    assert fetch(f"{stack.url}/ready").status == 200
    assert fetch(f"{stack.url}/api/notes").status == 200
