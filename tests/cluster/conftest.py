"""One stack on the real cluster for all tests of this folder: each changes it, and leaves it serving."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.cluster import ClusterStack

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need a cluster. The hook is shown the tests of all folders."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session")
def canary() -> str:
    """Return text that stands nowhere but where a secret may."""
    return f"canary{secrets.token_hex(32)}"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, canary: str) -> Iterator[ClusterStack]:
    """Return a running stack with production settings and three replicas."""
    made = ClusterStack(tmp_path_factory.mktemp("cluster") / "stack", canary)
    try:
        made.up().expect()
        yield made
    finally:
        made.remove()
