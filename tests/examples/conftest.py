"""The examples are brought up as they are, but for ports, names and secrets."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need the engines. The hook is shown the tests of all folders."""
    for item in items:
        if Path(__file__).parent in item.path.parents and not item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.engine)
