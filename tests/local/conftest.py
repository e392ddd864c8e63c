"""Stacks on the real Docker engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.stack import docker


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need the engines. The hook is shown the tests of all folders."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session", autouse=True)
def _engines() -> None:
    """Fail with one clear sentence, instead of a hundred times, where the engines are not there."""
    docker("version")
