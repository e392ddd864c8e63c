"""The one table, in PostgreSQL."""

from __future__ import annotations

import os

import psycopg

TABLE = """
CREATE TABLE IF NOT EXISTS texts (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, words integer, by text)
"""


def _connect() -> psycopg.Connection[tuple[int, str]]:
    return psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=3)


def migrate() -> None:
    """Make the table, once."""
    with _connect() as connection:
        connection.execute(TABLE)


def ping() -> None:
    """Raise an error unless the database answers."""
    with _connect() as connection:
        connection.execute("SELECT 1")


def add() -> int:
    """Return the number of a new text, whose words are not counted yet."""
    with _connect() as connection:
        row = connection.execute("INSERT INTO texts DEFAULT VALUES RETURNING id").fetchone()
    assert row is not None  # noqa: S101  # an INSERT that returns always has a row
    return row[0]


def store(number: int, words: int, by: str) -> None:
    """Keep what was counted, and by whom."""
    with _connect() as connection:
        connection.execute("UPDATE texts SET words = %s, by = %s WHERE id = %s", (words, by, number))


def find(number: int) -> tuple[int | None, str | None] | None:
    """Return the number of words and who counted them, None and None before that, or None for no such text."""
    with _connect() as connection:
        return connection.execute("SELECT words, by FROM texts WHERE id = %s", (number,)).fetchone()
