"""The script that waits for health and runs a one-shot, with a Docker CLI that says what a test wants."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.building import local_stack
from support.recorder import COMMAND

from flaskstack.local import job

# Answers from files: `health` (exit status of the check), `status`, `restarts`, `start` (exit status of the job).
FAKE = """#!/bin/sh
echo "$*" >>"$STATE/calls"
case "$1 $2" in
"inspect --format")
    case "$3" in
    *Healthcheck*) echo "check me" ;;
    *Labels*) echo web ;;
    *State.Status*) cat "$STATE/status" ;;
    *RestartCount*) cat "$STATE/restarts" ;;
    esac ;;
exec*) exit "$(cat "$STATE/health")" ;;
logs*) echo "its last words" ;;
"start --attach") echo "the job speaks"; exit "$(cat "$STATE/start")" ;;
esac
"""


@dataclass
class Engine:
    state: Path

    def says(self, **answers: object) -> None:
        for name, answer in answers.items():
            (self.state / name).write_text(f"{answer}\n")

    def run(
        self, wait_for: str = "one two", container: str = "job", timeout: int = 5
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.state}:{os.environ['PATH']}",
            "STATE": str(self.state),
            "WAIT_FOR": wait_for,
            "JOBS": container,
            "TIMEOUT": str(timeout),
        }
        command = ["/bin/sh", "-c", job._SCRIPT]  # noqa: SLF001  # the script is what is tested
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)

    @property
    def calls(self) -> str:
        return (self.state / "calls").read_text()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    (tmp_path / "docker").write_text(FAKE)
    (tmp_path / "docker").chmod(0o755)
    found = Engine(tmp_path)
    found.says(health=0, status="running", restarts=0, start=0)
    return found


def test_a_job_runs_once_all_are_healthy(engine: Engine) -> None:
    done = engine.run()
    assert done.returncode == 0, done.stderr
    assert engine.calls.index("exec two sh -c check me") < engine.calls.index("start --attach job")
    assert "the job speaks" in done.stdout


def test_there_may_be_nothing_to_wait_for(engine: Engine) -> None:
    assert engine.run(wait_for="").returncode == 0
    assert "start --attach job" in engine.calls


def test_there_may_be_no_job(engine: Engine) -> None:
    assert engine.run(container="").returncode == 0
    assert "start" not in engine.calls


@pytest.mark.parametrize("status", [1, 3, 137])
def test_a_job_that_fails_fails_the_step_with_its_own_status(engine: Engine, status: int) -> None:
    engine.says(start=status)
    done = engine.run()
    assert done.returncode == status
    assert f"web failed with status {status}" in done.stderr
    assert "the job speaks" in done.stdout


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"status": "exited"}, "web stopped before it was healthy"),
        ({"status": "dead"}, "web stopped before it was healthy"),
        ({"restarts": 3}, "web crashes at every start"),
    ],
)
def test_a_container_that_cannot_get_healthy_is_given_up_at_once_with_its_last_words(
    engine: Engine, answers: dict[str, object], reason: str
) -> None:
    engine.says(health=1, **answers)
    began = time.monotonic()
    done = engine.run(timeout=20)
    assert done.returncode != 0
    assert time.monotonic() - began < 10
    assert reason in done.stderr
    assert "    its last words" in done.stderr
    assert "start --attach" not in engine.calls


def test_a_container_that_never_gets_healthy_is_given_up_in_time(engine: Engine) -> None:
    engine.says(health=1)
    done = engine.run(timeout=1)
    assert done.returncode != 0
    assert "web was not healthy within 1 s" in done.stderr


def test_a_step_has_its_script_and_its_values_in_the_environment() -> None:
    for step in local_stack().of(COMMAND):
        assert step.plain["interpreter"] == ["/bin/sh", "-c"]
        assert "docker start" not in step.plain["create"], "a failure would print it all"
        assert step.plain["environment"]["WAIT_THEN_RUN"] == job._SCRIPT  # noqa: SLF001
        assert set(step.plain["environment"]) == {"WAIT_THEN_RUN", "WAIT_FOR", "JOBS", "TIMEOUT"}
        assert step.plain["environment"]["TIMEOUT"] == "120"
        assert "delete" not in step.plain
