"""Stacks on the real Docker engine, shared by the tests of a module where a fresh one would only cost time."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.stack import Stack, docker, production

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need the engines. The hook is shown the tests of all folders."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session", autouse=True)
def _engines() -> None:
    """Fail with one clear sentence, instead of a hundred times, where the engines are not there."""
    docker("version")


@pytest.fixture(scope="module")
def canary() -> str:
    """Return text that stands nowhere but where a secret may."""
    return f"canary{secrets.token_hex(32)}"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, canary: str) -> Iterator[Stack]:
    """Return a running stack with production settings and two replicas."""
    made = production(tmp_path_factory.mktemp("stack"), canary)
    try:
        made.up().expect()
        yield made
    finally:
        made.remove()
