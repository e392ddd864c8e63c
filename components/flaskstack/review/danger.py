"""How dangerous a change is: whether data or the way to the application would be lost.

Danger is what cannot be taken back, or what takes the application away: it changes the exit status. A warning is what
one should know before merging.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flaskstack.naming import LABEL
from flaskstack.policy.data import holds_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flaskstack.policy.resource import Resource
    from flaskstack.review.changes import Change

DATABASES: Final = frozenset({"postgres", "redis"})
"""Roles of containers that hold a volume."""
WAYS: Final = frozenset({"Service", "Ingress", "IngressRoute", "Gateway", "HTTPRoute"})
"""Kinds of Kubernetes objects that lead to the application."""
ELSEWHERE: Final = re.compile(r"(Database|DbInstance|DBInstance|DbCluster|DBCluster|Bucket|BucketV2|Disk|FileSystem)$")
"""Kinds of other providers' resources that hold data, by what their names end in."""


@dataclass(frozen=True)
class Danger:
    """What is dangerous about a change."""

    change: Change
    reason: str
    """What would happen, in a sentence."""
    accepted: bool = False
    """Whether it was said to be intended."""


def dangers(changes: Iterable[Change], accepted: Iterable[str] = ()) -> list[Danger]:
    """Return what is dangerous. `accepted` names the resources at which it is intended."""
    intended = set(accepted)
    return [Danger(change, reason, change.name in intended) for change in changes for reason in _danger(change)]


def warnings(changes: Iterable[Change]) -> list[Danger]:
    """Return what one should know, and what is not dangerous."""
    return [Danger(change, reason) for change in changes for reason in _warning(change)]


def _danger(change: Change) -> Iterator[str]:
    resource = change.old or change.resource
    replaced = change.kind == "replace"
    if change.kind not in ("replace", "delete"):
        return
    if _stateful(resource):
        if replaced:
            yield "a new, empty one takes its place: the data does not come along"
        elif not resource.retained:
            yield "it is deleted with the data in it"
    elif resource.kubernetes == "StatefulSet":
        yield "its pods stop before new ones start" if replaced else "its pods stop for good"
    elif resource.kubernetes in WAYS or resource.kind in WAYS:
        yield "requests do not get through until the new one works" if replaced else "requests do not get through"
    elif resource.kubernetes == "Deployment":
        yield "all its pods stop before new ones start" if replaced else "all its pods stop for good"


def _warning(change: Change) -> Iterator[str]:
    resource = change.old or change.resource
    replaced = change.kind == "replace"
    if change.kind not in ("replace", "delete"):
        return
    role = resource.tags.get(f"{LABEL}.role", "") if resource.docker == "Container" else ""
    if _stateful(resource) and resource.retained and not replaced:
        yield "it leaves the stack, and stays with its data"
    elif role in DATABASES:
        yield f"{role} stops" + (" until its successor runs; its data is in a volume" if replaced else "")
    elif role == "nginx":
        yield "the edge stops" + (" until its successor runs" if replaced else "")
    elif resource.type == "random:index/randomPassword:RandomPassword" and replaced:
        yield "another secret is made: what knows the former one no longer gets in"


def _stateful(resource: Resource) -> bool:
    # A plugin of another provider: its kinds are known by their names.
    own = resource.type.startswith(("docker:", "kubernetes:"))
    return holds_data(resource) if own else bool(ELSEWHERE.search(resource.kind))
