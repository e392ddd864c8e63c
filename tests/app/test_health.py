"""Liveness touches nothing; readiness says per dependency why it fails."""

from __future__ import annotations

import socket
import time

import pytest
from sqlalchemy import text

from app.database import db


@pytest.fixture
def nowhere(tmp_path):
    return f"sqlite:///{tmp_path}/no/such/folder/x.sqlite"


@pytest.fixture
def silent():
    """Return the port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def revision(app, value):
    with app.app_context():
        db.session.execute(text("DELETE FROM alembic_version"))
        if value:
            db.session.execute(text("INSERT INTO alembic_version VALUES (:value)"), {"value": value})
        db.session.commit()


@pytest.mark.parametrize("path", ["/health", "/healthz"])
def test_liveness_does_not_care_for_the_database(make_app, nowhere, path):
    answer = make_app(DATABASE_URL=nowhere).test_client().get(path)
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_a_migrated_database_is_ready(client):
    answer = client.get("/ready")
    assert answer.status_code == 200
    assert answer.json == {"status": "ready", "checks": {"database": "ok", "redis": "not configured"}}


def test_a_database_that_does_not_answer_is_the_reason(make_app, nowhere):
    answer = make_app(DATABASE_URL=nowhere).test_client().get("/ready")
    assert answer.status_code == 503
    assert answer.json["reason"] == "the database does not answer"


def test_a_database_that_keeps_silent_is_the_reason_before_the_probe_gives_up(make_app, silent):
    client = make_app(DATABASE_URL=f"postgresql://guest:hidden@127.0.0.1:{silent}/guestbook").test_client()
    started = time.monotonic()
    answer = client.get("/ready")
    assert time.monotonic() - started < 2
    assert answer.status_code == 503
    assert answer.json["reason"] == "the database does not answer: no answer within 1.5 s"


def test_a_refused_connection_says_nothing_of_the_password(make_app, caplog):
    client = make_app(DATABASE_URL="postgresql://guest:hidden@127.0.0.1:1/guestbook").test_client()
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.json["reason"] == "the database does not answer"
    assert "hidden" not in answer.text + caplog.text


def test_a_database_without_tables_is_not_ready(make_app, tmp_path):
    answer = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite").test_client().get("/ready")
    assert answer.status_code == 503
    assert "run `flask db upgrade`" in answer.json["reason"]


@pytest.mark.parametrize("behind", ["20bb6a52d7c1", None])
def test_a_database_behind_this_release_is_not_ready_and_both_revisions_are_named(app, client, behind):
    revision(app, behind)
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert f"at revision {behind or 'none'}, this release needs 7c41e90ab3d5" in answer.json["reason"]


def test_a_database_that_the_next_release_has_migrated_is_ready(app, client):
    revision(app, "ffffffffffff")
    assert client.get("/ready").status_code == 200


@pytest.mark.parametrize("listens", [True, False])
def test_redis_does_not_count(make_app, silent, listens):
    url = f"redis://127.0.0.1:{silent if listens else 1}/0"
    answer = make_app(REDIS_URL=url).test_client().get("/ready")
    assert answer.status_code == 200
    assert answer.json["checks"]["redis"] == "away, does not count"
