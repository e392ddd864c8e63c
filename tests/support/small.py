"""Small applications that this project has never seen, as stacks of their own."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from support.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

NO_HEALTH_ROUTE = {"liveness": "tcp", "readiness": "tcp"}
NO_SERVICES = {"postgres": False, "redis": False}

NOTES = """\
import os
import sqlite3

from flask import Flask, request

app = Flask(__name__)


@app.route("/notes", methods=["GET", "POST"])
def notes():
    with sqlite3.connect(os.environ["NOTES"]) as database:
        database.execute("CREATE TABLE IF NOT EXISTS notes (text)")
        if request.method == "POST":
            database.execute("INSERT INTO notes VALUES (?)", [request.get_data(as_text=True)])
        return [text for (text,) in database.execute("SELECT text FROM notes")]
"""
"""An application with an SQLite database, no health route, and nothing at /."""

JOBS = """\
import os

from flask import Flask
from redis import Redis
from rq import Queue
from rq.job import Job

import tasks

app = Flask(__name__)
redis = Redis.from_url(os.environ["REDIS_URL"])


@app.post("/jobs/<int:number>")
def enqueue(number):
    return Queue(connection=redis).enqueue(tasks.double, number).id


@app.get("/jobs/<job>")
def result(job):
    return {"result": Job.fetch(job, connection=redis).return_value()}


@app.get("/peak")
def peak():
    return {"started": int(redis.get("started") or 0), "peak": int(redis.get("peak") or 0)}
"""
TASKS = """\
import os
import socket


def double(number):
    return [2 * number, socket.gethostname(), "API_KEY" in os.environ]
"""
WORKER = """\
import os

from redis import Redis
from rq import Worker

Worker(["default"], connection=Redis.from_url(os.environ["REDIS_URL"])).work()
"""
PROBE = """\
import os

from redis import Redis
from rq import Worker

raise SystemExit(not Worker.all(Redis.from_url(os.environ["REDIS_URL"])))
"""
CLOCK = """\
import os
import signal
import time

from redis import Redis

redis = Redis.from_url(os.environ["REDIS_URL"])


def stop(*_):
    redis.decr("running")
    raise SystemExit


signal.signal(signal.SIGTERM, stop)
redis.set("peak", max(redis.incr("running"), int(redis.get("peak") or 0)))
redis.incr("started")
while True:
    time.sleep(0.1)
"""
"""A process that must never run twice, and says how many of it ever did at the same time."""


def small(folder: Path, files: dict[str, str], **app: Any) -> Stack:
    """Return a stack with production's settings for an application of these files, not yet up."""
    source = folder / "app"
    source.mkdir(parents=True)
    for name, text in files.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(text)
    made = Stack(folder, {"mode": "prod", "app": {"name": "small", "entry": "app:app", "migrate": [], **app}})
    made.secret("secretKey", secrets.token_hex(32))
    return made
