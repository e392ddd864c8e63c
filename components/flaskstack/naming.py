"""Names and labels of what is made, in one place, so that commands find it again and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pulumi

if TYPE_CHECKING:
    from collections.abc import Mapping

LABEL: Final = "dev.flaskstack"
"""Prefix of the labels on everything that flaskstack makes in a Docker engine."""

FORMER_ROLES: Final[dict[str, Mapping[str, str]]] = {}
"""Component -> role -> the role's former name, for children that were renamed within a major version.

A child's role is what its name has after the component's, but for a number. An entry keeps the resources of stacks that
a former release made; it goes with the next major version. docs/versioning.md has the promise.
"""


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


def known_as(component: str, name: str, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions | None:
    """Return the options of a component `name` with which its renamed children find the resources they had before."""
    former = FORMER_ROLES.get(component, {})
    if not former:
        return opts

    def alias(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        for role, before in former.items():
            if found := re.fullmatch(rf"{re.escape(f'{name}-{role}')}(-\d+)?", args.name):
                aliases = [pulumi.Alias(name=f"{name}-{before}{found[1] or ''}")]
                renamed = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(aliases=aliases))
                return pulumi.ResourceTransformationResult(args.props, renamed)
        return None

    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(transformations=[alias]))
