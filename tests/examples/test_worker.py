"""`examples/worker`: a job goes through Redis to the worker, and its result through PostgreSQL back."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.example import Example
from support.stack import docker, fetch, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60
TOKEN = f"canary{secrets.token_hex(16)}"


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Return the running example."""
    made = Example(tmp_path_factory.mktemp("worker"), "worker")
    try:
        made.set(port=free_port())
        made.secret("apiToken", TOKEN)
        made.up().expect()
        yield made
    finally:
        made.remove()


def counted(words: Example, text: str) -> dict[str, Any]:
    """Return what became of a text, once the worker has counted it."""
    url, headers = words.output("url"), {"Authorization": f"Bearer {TOKEN}"}
    accepted = fetch(f"{url}/texts", method="POST", body=text.encode(), headers=headers)
    assert accepted.status == 202
    deadline = time.monotonic() + SECONDS
    while (answer := fetch(f"{url}/texts/{accepted.json()['id']}")).status == 202:
        assert time.monotonic() < deadline, docker("logs", *words.containers("worker"), errors=True)
        time.sleep(0.1)
    assert answer.status == 200
    return dict(answer.json())


def test_a_job_is_done_by_the_worker_and_its_result_read_back(words: Example) -> None:
    (worker,) = words.containers("worker")
    result = counted(words, "three small words")
    assert (result["words"], result["by"]) == (3, worker[:12])


def test_the_result_is_in_postgresql(words: Example) -> None:
    number = counted(words, "in the database")["id"]
    (postgres,) = words.containers("postgres")
    query = f"SELECT words FROM texts WHERE id = {number}"  # noqa: S608  # a number of ours
    shell = f'psql --username "$POSTGRES_USER" --tuples-only --no-align --command "{query}" "$POSTGRES_DB"'
    assert docker("exec", postgres, "sh", "-c", shell) == "3"


def test_nobody_leaves_a_job_without_the_token(words: Example) -> None:
    assert fetch(f"{words.output('url')}/texts", method="POST", body=b"two words").status == 401


def test_the_token_is_in_no_state_and_no_file_of_settings(words: Example) -> None:
    assert TOKEN not in words.pulumi("stack", "export").expect().output
    assert TOKEN not in words.settings.read_text()


def test_a_second_up_changes_nothing(words: Example) -> None:
    words.up("--expect-no-changes").expect()
