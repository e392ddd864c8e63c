"""An application without services, health route or Dockerfile: an SQLite database in a folder that lasts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.small import NO_HEALTH_ROUTE, NO_SERVICES, NOTES, small
from support.stack import Stack, docker, fetch

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return the running stack of an application that keeps notes in an SQLite database."""
    made = small(
        tmp_path_factory.mktemp("notes"),
        {"app.py": NOTES, "requirements.txt": "flask\n", "frontend/notes.css": "body { margin: 0 }"},
        staticFolder="frontend",
        data="/data",
        environment={"NOTES": "/data/notes.db"},
        **NO_SERVICES,
        **NO_HEALTH_ROUTE,
    )
    try:
        made.up().expect()
        yield made
    finally:
        made.remove()


def write(notes: Stack, text: str) -> None:
    assert fetch(f"{notes.url}/notes", method="POST", body=text.encode()).status == 200


def read(notes: Stack) -> list[str]:
    return list(fetch(f"{notes.url}/notes").json())


def test_it_answers_without_services_and_keeps_what_is_written(notes: Stack) -> None:
    write(notes, "first")
    assert read(notes) == ["first"]
    assert fetch(notes.url).status == 404, "nothing is at /, and the release did not mind"
    assert [notes.containers(role) for role in ("postgres", "redis")] == [[], []]
    assert len(notes.volumes()) == 3, "data, and the two of configuration"


def test_static_files_that_it_knows_nothing_of_are_served_beside_it(notes: Stack) -> None:
    answer = fetch(f"{notes.url}/static/notes.css")
    assert (answer.status, answer.body) == (200, b"body { margin: 0 }")
    assert answer.headers["Cache-Control"] == f"public, max-age={30 * 86_400}"
    assert fetch(f"{notes.url}/static/app.py").status == 404


def test_its_health_is_asked_by_a_connection(notes: Stack) -> None:
    (web,) = notes.containers("web")
    (found,) = json.loads(docker("inspect", web))
    check = found["Config"]["Healthcheck"]["Test"][1]
    assert "create_connection" in check
    assert docker("exec", web, "sh", "-c", check) == ""


def test_a_second_up_changes_nothing(notes: Stack) -> None:
    notes.up("--expect-no-changes").expect()


@pytest.mark.parametrize("kind", ["gevent", "sync"])
def test_data_outlives_a_release_with_another_kind_of_worker(notes: Stack, kind: str) -> None:
    (former,) = notes.containers("web")
    write(notes, kind)
    notes.set(app={"server": {"workerClass": kind}})
    notes.up().expect()
    (web,) = notes.containers("web")
    assert web != former
    assert f" {kind} workers" in docker("logs", web, errors=True)
    assert kind in read(notes)
    write(notes, f"after {kind}")


def test_data_outlives_destroy_and_up(notes: Stack) -> None:
    before = read(notes)
    notes.destroy().expect()
    assert len(notes.volumes()) == 1
    notes.up().expect()
    assert read(notes) == before
