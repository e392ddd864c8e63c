"""What containers have in common: figures as the engine writes them, and limits that make sense."""

from __future__ import annotations

import pulumi
import pydantic
import pytest
from support.recorder import record

from flaskstack.errors import SettingsError
from flaskstack.local.container import Health, Limits, _go_duration, environment, hardened
from flaskstack.model import parse


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "1s"), (30, "30s"), (60, "1m0s"), (90, "1m30s"), (3600, "1h0m0s"), (3661, "1h1m1s"), (86_399, "23h59m59s")],
)
def test_a_duration_is_written_as_the_engine_reports_it(seconds: int, text: str) -> None:
    assert _go_duration(seconds) == text


@pytest.mark.parametrize(("cpus", "text"), [(2, "2.0"), (2.0, "2.0"), (0.5, "0.5"), (1.25, "1.25")])
def test_cpus_are_written_as_the_engine_reports_them(cpus: float, text: str) -> None:
    limits = Limits(cpus=cpus, reserved_cpus=0.25)
    result: dict[str, object] = {}
    record(lambda: result.update(hardened("web", limits, None)))
    assert result["cpus"] == text


def test_a_container_without_a_network_of_the_stack_is_attached_to_none() -> None:
    result: dict[str, object] = {}
    record(lambda: result.update(hardened("web", Limits(), None)))
    assert result["networks_advanced"] == []


def test_variables_keep_their_order_whatever_order_they_are_said_in() -> None:
    assert environment({"B": "2", "A": "1"}) == environment({"A": "1", "B": "2"}) == ["A=1", "B=2"]


def test_a_secret_variable_is_secret_as_a_whole_line() -> None:
    recording = record(lambda: pulumi.Output.all(*environment({"KEY": pulumi.Output.secret("x")})))
    assert recording.value == ["KEY=x"]


def test_a_variable_may_hold_an_equals_sign() -> None:
    assert environment({"A": "b=c"}) == ["A=b=c"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"memory_mib": 128, "reserved_memory_mib": 256}, "reservedMemoryMib 256 is more than memoryMib 128"),
        ({"cpus": 0.25}, "reservedCpus 0.5 is more than cpus 0.25"),
        ({"cpus": 0}, "greater than 0"),
        ({"nofile": 0}, "greater than or equal to 1"),
        ({"memory_mib": 15, "reserved_memory_mib": 15}, "greater than or equal to 16"),
        ({"log_files": "many"}, "valid integer"),
    ],
)
def test_limits_that_contradict_themselves_are_refused(values: dict[str, object], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        parse(Limits, values)


def test_the_defaults_are_those_of_the_contract() -> None:
    limits, health = Limits(), Health()
    assert (limits.cpus, limits.memory_mib, limits.reserved_cpus, limits.reserved_memory_mib) == (2, 1024, 0.5, 256)
    assert (limits.nofile, limits.nproc, limits.tmp_mib) == (65_535, 65_535, 100)
    assert (health.interval_s, health.timeout_s, health.start_period_s, health.retries) == (30, 5, 15, 3)


def test_limits_cannot_change_once_made() -> None:
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        Limits().nofile = 1  # type: ignore[misc]
