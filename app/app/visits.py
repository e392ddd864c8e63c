"""A count of visits in Redis. The page works without it; an outage costs a fraction of a second, now and then."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from flask import current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.deadline import LateError, within

if TYPE_CHECKING:
    from flask import Flask

_log = logging.getLogger(__name__)

KEY: Final = "guestbook:visits"
SECONDS: Final = 0.3
"""How long a page waits for Redis."""
PAUSE: Final = 5.0
"""How long after a failure Redis is left alone, so that an outage does not slow down every page."""


class Visits:
    """The counter. Without an address it counts nothing."""

    def __init__(self, url: str | None) -> None:
        """Connect to `url` at the first visit, not now."""
        self._paused_until = 0.0
        self._client: Redis | None = url and Redis.from_url(  # type: ignore[assignment]
            url,
            socket_connect_timeout=SECONDS,
            socket_timeout=SECONDS,
            health_check_interval=30,
            # A retry would take longer than the page may wait; the next visit is the retry.
            retry=Retry(NoBackoff(), 0),
        )

    @property
    def configured(self) -> bool:
        """Whether there is a Redis to count in."""
        return self._client is not None

    def count(self) -> int | None:
        """Count a visit and return how many there were, None if that is not known now."""
        client = self._client
        if client is None or time.monotonic() < self._paused_until:
            return None
        try:
            return within(SECONDS * 2, lambda: int(str(client.incr(KEY))))
        except (RedisError, LateError, OSError) as error:
            self._paused_until = time.monotonic() + PAUSE
            _log.warning("visits are not counted for %g s: Redis: %s", PAUSE, error)
            return None

    def answers(self) -> bool:
        """Return whether Redis answers now."""
        client = self._client
        try:
            return client is not None and within(SECONDS, client.ping)
        except (RedisError, LateError, OSError):
            return False


def init_app(app: Flask) -> None:
    """Give `app` its counter."""
    app.extensions["visits"] = Visits(app.config["REDIS_URL"])


def visits() -> Visits:
    """Return the current application's counter."""
    counter: Visits = current_app.extensions["visits"]
    return counter
