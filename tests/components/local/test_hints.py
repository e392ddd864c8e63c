"""What is said beside an error of the engine that a setting can mend."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from flaskstack import Limits
from flaskstack.local import hints


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(pulumi.runtime.settings, "get_monitor", object)
    monkeypatch.setattr(pulumi, "ErrorHook", lambda name, callback: SimpleNamespace(name=name, callback=callback))
    monkeypatch.setattr(pulumi.log, "error", found.append)
    return found


def callback(**limits: int) -> Any:
    binding = hints.explain("x", port=8080, limits=Limits.model_validate(limits))
    assert binding.on_error is not None
    (hook,) = binding.on_error
    return hook.callback


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (
            "OCI runtime create failed: error setting rlimit type 7: operation not permitted",
            "local.limits.nofile 16384",
        ),
        ("Bind for 127.0.0.1:8080 failed: port is already allocated", "local.port 8081"),
        ("listen tcp4 127.0.0.1:8080: bind: address already in use", "local.port 8081"),
    ],
)
def test_an_error_that_a_setting_mends_is_told_with_the_command(said: list[str], error: str, fix: str) -> None:
    assert callback(nofile=65_535)(SimpleNamespace(errors=["first", error])) is False, "it retries nothing"
    (text,) = said
    assert f"pulumi config set --path flaskstack:{fix}" in text


def test_another_error_stays_as_it_is(said: list[str]) -> None:
    assert callback()(SimpleNamespace(errors=["no such image"])) is False
    assert said == []


def test_a_hint_is_given_once_though_many_containers_fail(said: list[str]) -> None:
    hook = callback()
    for _ in range(3):
        hook(SimpleNamespace(errors=["error setting rlimit type 7"]))
    assert len(said) == 1


def test_the_hint_names_the_figure_that_was_asked_for(said: list[str]) -> None:
    callback(nofile=50_000)(SimpleNamespace(errors=["error setting rlimit type 7"]))
    assert "50000 open files" in said[0]
