"""An API that counts words: a request leaves a job in Redis, a worker does it, PostgreSQL keeps the result."""

from __future__ import annotations

import hmac
import os
from typing import TYPE_CHECKING

from flask import Flask, abort, request

from words import commands, database, jobs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


def create_app() -> Flask:
    """Return the application. SECRET_KEY, API_TOKEN, DATABASE_URL and REDIS_URL come from the environment."""
    app = Flask(__name__)
    app.config.from_mapping(SECRET_KEY=os.environ["SECRET_KEY"], API_TOKEN=os.environ["API_TOKEN"])
    app.cli.add_command(commands.migrate)
    app.cli.add_command(commands.work)
    app.cli.add_command(commands.has_worker)

    @app.get("/health")
    def health() -> ResponseReturnValue:
        return {"status": "ok"}

    @app.get("/ready")
    def ready() -> ResponseReturnValue:
        database.ping()
        return {"status": "ok"}

    @app.post("/texts")
    def add() -> ResponseReturnValue:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {app.config['API_TOKEN']}".encode()):
            abort(401)
        text = request.get_data(as_text=True)
        if not text:
            abort(400, "the body is the text to count")
        number = database.add()
        jobs.enqueue(number, text)
        return {"id": number}, 202

    @app.get("/texts/<int:number>")
    def counted(number: int) -> ResponseReturnValue:
        row = database.find(number)
        if row is None:
            abort(404)
        words, by = row
        return {"id": number, "words": words, "by": by}, 202 if words is None else 200

    return app
