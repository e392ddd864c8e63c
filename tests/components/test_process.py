"""Extra processes of an application: what they are, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from flaskstack import FlaskApp, Process, SettingsError
from flaskstack.model import parse

WORKER = {"command": ["rq", "worker"]}


def refused(**values: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(FlaskApp, values)
    return str(caught.value)


def test_a_process_needs_a_command_and_nothing_else() -> None:
    process = parse(FlaskApp, {"processes": {"worker": WORKER}}).processes["worker"]
    assert process == Process(command=("rq", "worker"))
    assert (process.replicas, process.singleton, process.probe, process.stop_grace) == (1, False, (), 30)
    assert "required" in refused(processes={"worker": {}})
    assert "at least 1 item" in refused(processes={"worker": {"command": []}})


def test_a_process_is_written_in_a_stack_file_as_everything_else_is() -> None:
    app = parse(FlaskApp, {"processes": {"worker": {**WORKER, "stopGrace": 60, "memoryMib": 128}}})
    assert (app.processes["worker"].stop_grace, app.processes["worker"].memory_mib) == (60, 128)


def test_a_singleton_cannot_have_replicas() -> None:
    message = refused(processes={"scheduler": {**WORKER, "singleton": True, "replicas": 2}})
    assert "processes.scheduler.replicas = 2: a singleton runs once" in message


@pytest.mark.parametrize("name", ["web", "migration", "nginx", "postgres", "redis", "release", "data"])
def test_a_name_of_the_targets_own_is_refused(name: str) -> None:
    assert f"{name} is a part of the targets' own" in refused(processes={name: WORKER})


@pytest.mark.parametrize("name", ["", "A", "1a", "a_b", "a-", "a" * 21])
def test_a_name_that_no_object_could_have_is_refused(name: str) -> None:
    refused(processes={name: WORKER})
