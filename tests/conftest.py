"""What can run beside what: tests of a file share a stack; those on the cluster share one across files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

HERE = Path(__file__).parent
LONGEST = ("cluster", "local", "toolchain")
"""Folders whose tests are started first, so that no long one is left to the end."""


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the marks in its own hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell pytest-xdist, by the groups of `--dist loadgroup`."""
    for item in items:
        file = item.path.relative_to(HERE)
        item.add_marker(pytest.mark.xdist_group("cluster" if file.parts[0] == "cluster" else str(file)))
    items.sort(key=lambda item: _rank(item.path.relative_to(HERE).parts[0]))


def _rank(folder: str) -> int:
    return LONGEST.index(folder) if folder in LONGEST else len(LONGEST)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make what a test has logged fit for the way to pytest-xdist's controller, which half a character is not."""
    report = yield
    report.sections = [(title, text.encode(errors="backslashreplace").decode()) for title, text in report.sections]
    return report
