"""Where pods stand in the kinds of workloads, and what runs in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flaskstack.policy.resource import Opaque, Resource, dig, items

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEMPLATE: Final = ("spec", "template", "spec")
PODS: Final = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "Deployment": _TEMPLATE,
    "StatefulSet": _TEMPLATE,
    "DaemonSet": _TEMPLATE,
    "ReplicaSet": _TEMPLATE,
    "ReplicationController": _TEMPLATE,
    "Job": _TEMPLATE,
    "CronJob": ("spec", "jobTemplate", *_TEMPLATE),
}
"""Kind of workload -> path of its pods' spec."""
KINDS: Final = ("initContainers", "containers", "ephemeralContainers")
"""Lists of containers in a pod's spec."""


@dataclass(frozen=True)
class Part:
    """A part of a resource, with its path."""

    where: str
    spec: Any

    def at(self, *path: str) -> Any:  # noqa: ANN401  # whatever stands there
        """Return what is at `path`."""
        return dig(self.spec, *path)

    def hidden(self, *path: str) -> bool:
        """Whether what is at `path` cannot be seen."""
        return isinstance(self.at(*path), Opaque)


def pod(resource: Resource) -> Part | None:
    """Return the spec of the pods that a resource runs, None when it runs none or they cannot be seen."""
    path = PODS.get(resource.kubernetes)
    spec = dig(resource.inputs, *path) if path else None
    return Part(".".join(path), spec) if path and isinstance(spec, dict) else None


def containers(resource: Resource) -> Iterator[Part]:
    """Yield each container of a workload: init containers and ephemeral ones too."""
    found = pod(resource)
    if found is None:
        return
    for kind in KINDS:
        for number, spec in enumerate(items(found.spec, kind)):
            if isinstance(spec, dict):
                yield Part(f"{found.where}.{kind}[{spec.get('name', number)}]", spec)
