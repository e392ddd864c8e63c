"""Names and labels of what is made, in one place, so that commands find it again and nothing else."""

from __future__ import annotations

from typing import Final

import pulumi

LABEL: Final = "dev.flaskstack"
"""Prefix of the labels on everything that flaskstack makes in a Docker engine."""


def unique(name: str, role: str) -> str:
    """Return a name for something of which an engine holds only one: project, stack, component and role.

    The component's name usually starts with project and stack already; it does not repeat them then.
    """
    owner = f"{pulumi.get_project()}-{pulumi.get_stack()}"
    return f"{name}-{role}" if name.startswith(owner) else f"{owner}-{name}-{role}"


def labels(role: str) -> dict[str, str]:
    """Return the labels of something that plays `role` in this stack."""
    return {
        f"{LABEL}.project": pulumi.get_project(),
        f"{LABEL}.stack": pulumi.get_stack(),
        f"{LABEL}.role": role,
    }
