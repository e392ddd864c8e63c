"""`examples/minimal`: httpbin from PyPI, which knows nothing of this project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.example import EXAMPLES, Example
from support.stack import fetch, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def httpbin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Return the running example."""
    made = Example(tmp_path_factory.mktemp("minimal"), "minimal")
    try:
        made.set(port=free_port())
        made.up().expect()
        yield made
    finally:
        made.remove()


def test_the_program_is_about_ten_lines() -> None:
    lines = (EXAMPLES / "minimal" / "__main__.py").read_text().splitlines()
    assert len([line for line in lines if line and not line.startswith(("#", '"""'))]) <= 12


def test_the_application_is_not_modified(httpbin: Example) -> None:
    assert [file.name for file in (httpbin.folder / "httpbin").iterdir()] == ["requirements.txt"]


def test_it_answers_as_httpbin_does(httpbin: Example) -> None:
    url = httpbin.output("url")
    assert fetch(f"{url}/get?a=1").json()["args"] == {"a": "1"}
    posted = fetch(f"{url}/post", method="POST", body=b'{"b": 2}', headers={"Content-Type": "application/json"})
    assert posted.json()["json"] == {"b": 2}
    teapot = fetch(f"{url}/status/418")
    assert teapot.status == 418
    assert b"teapot" in teapot.body


def test_it_is_served_by_nginx_as_any_application_is(httpbin: Example) -> None:
    answer = fetch(f"{httpbin.output('url')}/get?show_env=1")
    assert answer.headers["Server"] == "nginx"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.json()["headers"]["X-Forwarded-Proto"] == "http"


def test_a_second_up_changes_nothing(httpbin: Example) -> None:
    httpbin.up("--expect-no-changes").expect()
