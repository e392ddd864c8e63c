"""What the worker does, and how it is asked to."""

from __future__ import annotations

import os
import socket

from redis import Redis
from rq import Queue, Worker

from words import database

QUEUE = "words"


def _redis() -> Redis:
    return Redis.from_url(os.environ["REDIS_URL"])


def enqueue(number: int, text: str) -> None:
    """Leave a text to the worker."""
    Queue(QUEUE, connection=_redis()).enqueue(count, number, text)


def count(number: int, text: str) -> None:
    """Count the words of a text. Runs in the worker."""
    database.store(number, len(text.split()), socket.gethostname())


def work() -> None:
    """Do jobs until SIGTERM, after which the one under way is still finished."""
    Worker([QUEUE], connection=_redis()).work()


def has_worker() -> bool:
    """Say whether a worker of this container is there for jobs."""
    return any(worker.hostname == socket.gethostname() for worker in Worker.all(_redis()))
