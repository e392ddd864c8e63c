"""Parts that stop and come back."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from support.stack import Stack, docker, fetch

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 60


def eventually(check: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not check():
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {what}"
        time.sleep(0.2)


def status(stack: Stack, path: str) -> int:
    try:
        return fetch(stack.url + path, timeout=8).status
    except OSError:
        return 0


def test_readiness_says_why_while_postgresql_is_away_and_liveness_does_not_care(stack: Stack) -> None:
    docker("stop", *stack.containers("postgres"))
    try:
        eventually(lambda: status(stack, "/ready") == 503, "readiness 503")
        reason = fetch(f"{stack.url}/ready").body
        assert b"postgres" in reason.lower() or b"database" in reason.lower()
        assert status(stack, "/health") == 200
    finally:
        docker("start", *stack.containers("postgres", stopped=True))
    eventually(lambda: status(stack, "/ready") == 200, "ready again")
    assert status(stack, "/api/notes") == 200


def test_the_page_is_served_while_redis_is_away(stack: Stack) -> None:
    docker("stop", *stack.containers("redis"))
    try:
        assert status(stack, "/") == 200
        assert status(stack, "/ready") == 200
    finally:
        docker("start", *stack.containers("redis", stopped=True))
    eventually(lambda: status(stack, "/") == 200, "served with Redis")


def test_a_killed_worker_is_replaced_and_the_container_goes_on(stack: Stack) -> None:
    web = stack.containers("web")[0]
    children = "open('/proc/1/task/1/children').read().split()"
    docker("exec", web, "python", "-c", f"import os; [os.kill(int(child), 9) for child in {children}]")
    eventually(lambda: all(status(stack, "/ready") == 200 for _ in range(10)), "all requests answered")
    assert json.loads(docker("inspect", web))[0]["RestartCount"] == 0


def test_a_killed_container_comes_back_and_nginx_finds_its_new_address(stack: Stack) -> None:
    web = stack.containers("web")[0]
    before = json.loads(docker("inspect", web))[0]["State"]["StartedAt"]
    # As a crash, not as `docker kill`, which counts as stopped by hand: the process kills itself.
    docker("exec", web, "python", "-c", "import os, signal; os.kill(1, signal.SIGQUIT)")
    assert all(status(stack, "/health") == 200 for _ in range(20)), "the other replica serves meanwhile"
    eventually(lambda: json.loads(docker("inspect", web))[0]["State"]["StartedAt"] != before, "restarted")

    def serves() -> bool:
        return any(web[:12].encode() in fetch(stack.url).body for _ in range(10))

    eventually(serves, "the restarted replica takes requests again")
