"""Local stacks that many tests look at, recorded once: a recording does not change."""

from __future__ import annotations

import pytest
from support.building import local_stack
from support.recorder import Recording


@pytest.fixture(scope="session")
def prod() -> Recording:
    """Return a local stack with production's defaults."""
    return local_stack()


@pytest.fixture(scope="session")
def dev() -> Recording:
    """Return a local stack for development."""
    return local_stack(dev=True)
