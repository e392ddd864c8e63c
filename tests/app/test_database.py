"""How PostgreSQL is connected to: bounded in time and number, and never through an inherited connection."""

from __future__ import annotations

import os

from sqlalchemy import text

from app.database import db, engine_options

URL = "postgresql+psycopg://guest:x@db/guestbook"


def test_no_query_and_no_connection_attempt_takes_for_ever():
    arguments = engine_options(URL, 8)["connect_args"]
    assert arguments["connect_timeout"] == 3
    assert arguments["options"] == "-c statement_timeout=30000"


def test_what_the_url_says_itself_comes_first():
    arguments = engine_options(f"{URL}?connect_timeout=1", 8)["connect_args"]
    assert "connect_timeout" not in arguments


def test_no_request_waits_for_another_s_connection():
    for threads in (1, 8, 40):
        options = engine_options(URL, threads)
        assert options["pool_size"] + options["max_overflow"] >= threads + 1
        assert options["pool_pre_ping"] is True


def test_options_can_be_set_from_outside(monkeypatch, make_app):
    monkeypatch.setenv("FLASK_SQLALCHEMY_ENGINE_OPTIONS__pool_size", "1")
    app = make_app(DATABASE_URL="postgresql://guest:x@db/guestbook")
    with app.app_context():
        assert db.engine.pool.size() == 1


def test_a_forked_worker_opens_connections_of_its_own(app):
    with app.app_context():
        with db.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        assert db.engine.pool.checkedin() == 1
        reader, writer = os.pipe()
        if (child := os.fork()) == 0:
            os.write(writer, b"%d" % db.engine.pool.checkedin())
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(reader, 10) == b"0"
        os.close(reader)
        os.close(writer)
        assert db.engine.pool.checkedin() == 1
