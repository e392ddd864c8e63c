"""Extra processes of the local stack: from which image, when, and how they are replaced."""

from __future__ import annotations

import pytest
from support.building import IMAGE, MIGRATE, NAME, local_stack
from support.recorder import CONTAINER, Recording, Secret

from flaskstack import FlaskApp, Process
from flaskstack.local.container import Limits
from flaskstack.local.processes import limited

APP = FlaskApp(
    migrate=MIGRATE,
    secrets=("API_KEY",),
    processes={
        "worker": Process(command=("rq", "worker"), replicas=2, probe=("rq", "info", "--raw"), stop_grace=60),
        "clock": Process(command=("python", "clock.py"), singleton=True, memory_mib=128, cpus=0.25),
    },
)


@pytest.fixture(scope="module")
def stack() -> Recording:
    return local_stack(APP, secrets={"API_KEY": "canary"})


def test_each_process_is_as_many_containers_as_asked_for(stack: Recording) -> None:
    names = {part.name for part in stack.of(CONTAINER)}
    assert {f"{NAME}-worker-0", f"{NAME}-worker-1", f"{NAME}-clock-0"} <= names
    assert f"{NAME}-clock-1" not in names


@pytest.mark.parametrize(("role", "command"), [("worker-0", ["rq", "worker"]), ("clock-0", ["python", "clock.py"])])
def test_a_process_is_the_web_container_with_another_command(stack: Recording, role: str, command: list[str]) -> None:
    process, web = stack.container(role), stack.container("web-0")
    assert process.plain["image"] == IMAGE
    assert process.plain["command"] == command
    assert process.environment() == web.environment()
    assert process.environment()["API_KEY"] == Secret("canary")
    for field in ("user", "capabilities", "readOnly", "securityOpts", "tmpfs", "ulimits", "restart"):
        assert process.plain[field] == web.plain[field], field
    assert "ports" not in process.plain


def test_make_logs_finds_it_by_its_name(stack: Recording) -> None:
    labels = {label["label"]: label["value"] for label in stack.container("clock-0").plain["labels"]}
    assert labels["dev.flaskstack.role"] == "clock"


def test_it_starts_once_the_migration_has_succeeded(stack: Recording) -> None:
    assert {f"{NAME}-migration", f"{NAME}-prepare"} <= stack.after(stack.container("worker-0"))


def test_only_a_singleton_has_ended_before_its_successor_starts(stack: Recording) -> None:
    assert stack.container("clock-0").options.deleteBeforeReplace
    assert not stack.container("worker-0").options.deleteBeforeReplace


def test_a_release_waits_for_those_with_a_probe(stack: Recording) -> None:
    waited = stack.one("released").plain["environment"]["WAIT_FOR"].split()
    assert waited == [f"{NAME}-{role}-id" for role in ("web-0", "web-1", "worker-0", "worker-1")]
    assert stack.container("worker-0").plain["healthcheck"]["tests"] == ["CMD-SHELL", "rq info --raw"]
    assert "healthcheck" not in stack.container("clock-0").plain


def test_nginx_sends_it_nothing(stack: Recording) -> None:
    assert f"{NAME}-worker" not in str(stack.container("release").plain)


def test_it_gets_its_own_time_to_stop(stack: Recording) -> None:
    worker = stack.container("worker-0").plain
    assert (worker["stopSignal"], worker["stopTimeout"], worker["destroyGraceSeconds"]) == ("SIGTERM", 60, 60)


def test_its_own_limits_bound_what_is_reserved_for_it() -> None:
    found = limited(APP.processes["clock"], Limits())
    assert (found.cpus, found.reserved_cpus, found.memory_mib, found.reserved_memory_mib) == (0.25, 0.25, 128, 128)
    assert limited(APP.processes["worker"], Limits()) == Limits()
