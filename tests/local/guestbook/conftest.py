"""One stack of the guestbook for all tests of this folder: each changes it, and leaves it serving, as two replicas."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from support.stack import Stack, production

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def canary() -> str:
    """Return text that stands nowhere but where a secret may."""
    return f"canary{secrets.token_hex(32)}"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, canary: str) -> Iterator[Stack]:
    """Return a running stack with production settings and two replicas."""
    made = production(tmp_path_factory.mktemp("stack"), canary)
    try:
        made.up().expect()
        yield made
    finally:
        made.remove()
