"""How migrations run: in one transaction, one process at a time, and never in the way of those who are being served."""

# ruff: noqa: INP001  # Alembic runs these files, nobody imports them
from __future__ import annotations

from alembic import context
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.models import Base

LOCK = 5_021_977
"""Number of the advisory lock. Any will do, as long as it stays."""
LOCK_TIMEOUT = "5s"
"""How long a table's lock is waited for: all queries on the table queue up behind the one that waits."""


def offline() -> None:
    """Print the SQL (`flask db upgrade --sql`)."""
    url = current_app.config["SQLALCHEMY_DATABASE_URI"]
    context.configure(url=url, target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def online() -> None:
    """Migrate the database."""
    arguments = {"compare_type": True, "render_as_batch": False, **current_app.extensions["migrate"].configure_args}
    with current_app.extensions["sqlalchemy"].engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, **arguments)
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                # A request's limit is none for a migration.
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
                connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
            context.run_migrations()


if context.is_offline_mode():
    offline()
else:
    try:
        online()
    except DBAPIError as error:
        # The database's own words in one line of the log, instead of a traceback through Alembic.
        raise CommandError(str(error)) from error
