"""Names and labels that find what a stack made, and nothing else."""

from __future__ import annotations

import pytest
from support.recorder import record

from flaskstack import naming


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shop-dev", "shop-dev-postgres"),
        ("shop-dev-blue", "shop-dev-blue-postgres"),
        ("stack", "shop-dev-stack-postgres"),
        ("dev", "shop-dev-dev-postgres"),
    ],
)
def test_a_unique_name_has_project_and_stack_once(name: str, expected: str) -> None:
    found: list[str] = []
    record(lambda: found.append(naming.unique(name, "postgres")), project="shop", stack="dev")
    assert found == [expected]


def test_two_stacks_never_share_a_name() -> None:
    found: list[str] = []
    for stack in ("dev", "prod"):
        record(lambda: found.append(naming.unique("app", "redis")), project="shop", stack=stack)
    assert len(set(found)) == 2


def test_labels_say_project_stack_and_role() -> None:
    found: list[dict[str, str]] = []
    record(lambda: found.append(naming.labels("web")), project="shop", stack="dev")
    assert found == [{"dev.flaskstack.project": "shop", "dev.flaskstack.stack": "dev", "dev.flaskstack.role": "web"}]
