"""Commands of `flask --app words`: the migration, the worker and its probe."""

from __future__ import annotations

import click

from words import database, jobs


@click.command("migrate")
def migrate() -> None:
    """Bring the database up to date."""
    database.migrate()


@click.command("work")
def work() -> None:
    """Do the jobs."""
    jobs.work()


@click.command("has-worker")
def has_worker() -> None:
    """Fail unless this container's worker is there."""
    if not jobs.has_worker():
        raise click.ClickException("no worker of this container is there")
