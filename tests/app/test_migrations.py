"""Migrations make what the models say, and leave the former release working."""

from __future__ import annotations

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from app.database import db
from app.models import Base


def test_migrations_and_models_say_the_same(app):
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_former_release_goes_on_writing_after_the_migration(app):
    with app.app_context():
        db.session.execute(text("INSERT INTO notes (author, text) VALUES ('Ada', 'written by the former release')"))
        db.session.commit()
    notes = app.test_client().get("/api/notes").json["notes"]
    assert [(note["text"], note["place"]) for note in notes] == [("written by the former release", None)]


def test_each_migration_can_be_taken_back_and_made_again(app):
    with app.app_context():
        flask_migrate.downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        flask_migrate.upgrade()
        assert "notes" in inspect(db.engine).get_table_names()


def test_migrating_twice_changes_nothing(app, client):
    client.post("/api/notes", json={"author": "Ada", "text": "kept"})
    with app.app_context():
        flask_migrate.upgrade()
    assert len(client.get("/api/notes").json["notes"]) == 1


def test_a_migration_that_the_database_refuses_fails_with_the_database_s_own_words(app, caplog):
    with app.app_context():
        db.session.execute(text("DELETE FROM alembic_version"))
        db.session.commit()
        with pytest.raises(SystemExit) as failed:
            flask_migrate.upgrade()
    assert failed.value.code == 1
    assert "table notes already exists" in caplog.text
    assert "Traceback" not in caplog.text
