"""Whether the process lives, and whether it can serve: two questions, two answers.

Liveness touches nothing: a restart mends neither PostgreSQL nor Redis. Readiness, per dependency:

- PostgreSQL counts. Without it no page can be shown, and an answer from here would be an error.
- Its migrations count while they are *behind* this code. A database that is ahead belongs to the next release, whose
  migrations only expand: this one serves on beside it, else a rollout would take all of it away at once.
- Redis does not count. Only the number of visits needs it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from alembic.script import ScriptDirectory
from flask import Blueprint, current_app, jsonify
from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from app.database import database_words, db, migrations_folder
from app.deadline import LateError, within
from app.visits import visits

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from sqlalchemy import Engine

SECONDS: Final = 1.5
"""How long a check takes at most: less than the 2 s that a probe waits, so that the reason arrives."""

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
@blueprint.get("/healthz")
def health() -> ResponseReturnValue:
    """Answer: the process lives."""
    return jsonify(status="ok")


@blueprint.get("/ready")
def ready() -> ResponseReturnValue:
    """Answer whether requests can be served, and if not, why."""
    # Taken here: the check runs in a thread of its own, which has no application context.
    engine, folder = db.engine, str(migrations_folder(current_app))
    try:
        reason = within(SECONDS, lambda: pending(engine, folder))
    except SQLAlchemyError as error:
        current_app.logger.warning("not ready: %s", database_words(error))
        reason = "the database does not answer"
    except LateError as late:
        reason = f"the database does not answer: {late}"
    redis = visits()
    checks = {
        "database": reason or "ok",
        "redis": ("ok" if redis.answers() else "away, does not count") if redis.configured else "not configured",
    }
    if reason:
        return jsonify(status="not ready", reason=reason, checks=checks), 503
    return jsonify(status="ready", checks=checks)


def pending(engine: Engine, folder: str) -> str | None:
    """Return why the database at `engine` cannot be used yet, None when it can."""
    heads, known = _revisions(folder)
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return "the database has no tables: run `flask db upgrade`"
        found = set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
    if not found or (found & known) - heads:
        has, wants = (", ".join(sorted(revisions)) or "none" for revisions in (found, heads))
        return f"the database is at revision {has}, this release needs {wants}: run `flask db upgrade`"
    return None


@cache
def _revisions(folder: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the newest revisions and all revisions of this release. They are part of the code: read once."""
    scripts = ScriptDirectory(folder)
    return frozenset(scripts.get_heads()), frozenset(script.revision for script in scripts.walk_revisions())
