"""Which file of several holds the stack's context."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import yaml

from flaskstack.kubernetes import kubeconfig

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """KUBECONFIG with three files: one that is missing, one with `blue`, one with `blue` and `green`."""
    found = [str(tmp_path / name) for name in ("missing", "first", "second")]
    for name, contexts in zip(found[1:], (["blue"], ["blue", "green"]), strict=True):
        (tmp_path / name).write_text(yaml.safe_dump({"contexts": [{"name": each, "context": {}} for each in contexts]}))
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(found))
    return found


def test_it_is_the_first_that_defines_the_context(files: list[str]) -> None:
    assert kubeconfig.holding("blue") == files[1]
    assert kubeconfig.holding("green") == files[2]


def test_nobody_guesses_a_file_for_an_unknown_context() -> None:
    assert kubeconfig.holding("red") is None


def test_one_file_is_left_to_the_plugin(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", files[1])
    assert kubeconfig.holding("blue") is None


def test_what_is_no_kubeconfig_is_passed_over(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "first").write_text("[")
    assert kubeconfig.holding("blue") == files[2]
