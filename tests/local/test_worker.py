"""An application with a worker that does its jobs, and a clock that must never run twice."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.small import CLOCK, JOBS, NO_HEALTH_ROUTE, PROBE, TASKS, WORKER, small
from support.stack import ROOT, Stack, docker, fetch

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return the running stack of an application with jobs, a worker and a clock."""
    made = small(
        tmp_path_factory.mktemp("jobs"),
        {
            "app.py": JOBS,
            "tasks.py": TASKS,
            "worker.py": WORKER,
            "clock.py": CLOCK,
            "probe.py": PROBE,
            "requirements.txt": "-r base.txt\nrq\n",
            "base.txt": "flask\n",
        },
        postgres=False,
        secrets=["API_KEY"],
        processes={
            "worker": {
                "command": ["python", "worker.py"],
                "probe": ["python", "probe.py"],
            },
            "clock": {"command": ["python", "clock.py"], "singleton": True, "stopGrace": 5},
        },
        **NO_HEALTH_ROUTE,
    )
    made.pulumi("config", "set", "--secret", "--path", "flaskstack:secrets.API_KEY", text="canary-api").expect()
    try:
        made.up().expect()
        yield made
    finally:
        made.remove()


def done(jobs: Stack, number: int) -> list[Any]:
    """Return what the worker made of a job."""
    job = fetch(f"{jobs.url}/jobs/{number}", method="POST").body.decode()
    deadline = time.monotonic() + SECONDS
    while (result := fetch(f"{jobs.url}/jobs/{job}").json()["result"]) is None:
        assert time.monotonic() < deadline, docker("logs", *jobs.containers("worker"), errors=True)
        time.sleep(0.1)
    return list(result)


def test_a_job_is_done_by_the_worker_with_the_applications_secrets(jobs: Stack) -> None:
    (worker,) = jobs.containers("worker")
    assert done(jobs, 21) == [42, worker[:12], True]
    assert "canary-api" not in jobs.state()


def test_make_logs_follows_a_process(jobs: Stack) -> None:
    command = [
        "timeout",
        "10",
        "make",
        "--silent",
        "--directory",
        str(ROOT),
        "logs",
        f"STACK={jobs.name}",
        "ROLE=worker",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "tasks.double(21)" in said.stdout + said.stderr


def test_a_release_replaces_both_and_the_clock_never_runs_twice(jobs: Stack) -> None:
    former = {role: jobs.containers(role) for role in ("web", "worker", "clock")}
    tasks = jobs.app / "tasks.py"
    tasks.write_text(tasks.read_text().replace("2 * number", "3 * number"))
    jobs.up().expect()
    for role, containers in former.items():
        (now,) = jobs.containers(role) if role != "web" else jobs.containers(role)[:1]
        assert now not in containers, role
    assert done(jobs, 21)[0] == 63
    assert fetch(f"{jobs.url}/peak").json() == {"started": 2, "peak": 1}


def test_a_worker_that_cannot_start_takes_no_release_into_traffic(jobs: Stack) -> None:
    served = jobs.containers("web")
    (jobs.app / "worker.py").write_text("raise SystemExit('no broker here')\n")
    failed = jobs.up()
    assert not failed.ok
    assert "no broker here" in failed.output
    assert set(served) <= set(jobs.containers("web")), "the former replicas still run"
    assert fetch(f"{jobs.url}/peak").status == 200
