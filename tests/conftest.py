"""What can run beside what: tests of a file share a stack, those of some folders share one across files."""

from __future__ import annotations

import functools
import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from collections.abc import Generator

    from xdist.remote import Producer

HERE = Path(__file__).parent
KUBE = HERE.parent / "toolchain" / "kube"
CHAINS = {
    "rollouts": ("tests/cluster/test_rollouts.py", "tests/cluster/test_state.py"),
    "guestbook": ("tests/local/guestbook/",),
    "cluster": ("tests/cluster/",),
}
"""Tests that share a stack, one behind the other: name -> how their paths start, the first that fits."""
FIRST = ("rollouts", "guestbook", "local", "cluster", "toolchain")
"""Chains and folders with the longest tests, none of which may be left to the end."""
WAS_UP = pytest.StashKey[bool]()
MINUTES = 30
"""How long a test on the cluster may take: the first one waits until Kubernetes is built."""

# Pulumi's CLI is started some hundred times. A third of a start is Go's garbage collector, for a few megabytes.
os.environ.setdefault("GOGC", "400")


class Groups(LoadScopeScheduling):
    """What pytest-xdist sends to one process: the tests of a file, and all that share a stack."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return _chain(file) or file


def _chain(file: str) -> str | None:
    return next((name for name, starts in CHAINS.items() if file.startswith(starts)), None)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups:
    """Have the tests sent in groups."""
    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first, and give the first test on the cluster the time to wait for it."""
    for item in items:
        if item.path.relative_to(HERE).parts[0] == "cluster" or item.get_closest_marker("cluster"):
            item.add_marker(pytest.mark.timeout(60 * MINUTES))
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    """Return when a test is started. One process may wait for the cluster, the others have enough to do meanwhile."""
    chain, folder = _chain(item.nodeid.partition("::")[0]), item.path.relative_to(HERE).parts[0]
    if chain is None and item.get_closest_marker("cluster"):
        return len(FIRST) + 1
    where = chain or folder
    return FIRST.index(where) if where in FIRST else len(FIRST)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remember whether the cluster is somebody's already."""
    if _leads(session.config):
        session.config.stash[WAS_UP] = _is_up()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the cluster if the tests have started it."""
    if _leads(session.config) and not session.config.stash.get(WAS_UP, True) and _is_up():
        subprocess.run([KUBE, "down"], capture_output=True, check=False)


def _leads(config: pytest.Config) -> bool:
    """Return whether this is the process that started the others, or the only one."""
    return not hasattr(config, "workerinput")


def _is_up() -> bool:
    return subprocess.run([KUBE, "status"], capture_output=True, check=False).returncode == 0


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Have the cluster, where a test needs it, before its fixtures do."""
    if item.get_closest_marker("cluster") and (problem := _cluster()):
        pytest.fail(problem)


@functools.cache
def _cluster() -> str | None:
    """Bring the project's own cluster up, and into the environment. Return why that failed, None when it did not."""
    up = subprocess.run([KUBE, "up"], capture_output=True, text=True, check=False)
    if up.returncode:
        return f"no cluster (toolchain/kube up):\n{up.stderr[-2000:]}"
    for line in subprocess.run([KUBE, "env"], capture_output=True, text=True, check=True).stdout.splitlines():
        name, _, value = shlex.split(line)[1].partition("=")
        os.environ[name] = value
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make what a test has logged fit for the way to pytest-xdist's controller, which half a character is not."""
    report = yield
    report.sections = [(title, text.encode(errors="backslashreplace").decode()) for title, text in report.sections]
    return report
