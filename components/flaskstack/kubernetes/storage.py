"""The volume of an application's data folder.

It can be attached to one node at a time, and a file of data has one writer: so there is one web pod, the old one ends
before the new one starts, and whatever else mounts it, migration and processes, runs on the same node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi_kubernetes.core.v1 import (
    AffinityArgs,
    PersistentVolumeClaim,
    PersistentVolumeClaimSpecArgs,
    PersistentVolumeClaimVolumeSourceArgs,
    PodAffinityArgs,
    PodAffinityTermArgs,
    VolumeArgs,
    VolumeResourceRequirementsArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs

from flaskstack.kubernetes import identity

if TYPE_CHECKING:
    from flaskstack.kubernetes.plan import Plan


def claim(plan: Plan, parent: pulumi.Resource) -> pulumi.Output[str] | None:
    """Return the name of the data folder's claim, None when the application has none.

    The name is fixed, so that a stack that comes back finds its data again.
    """
    if plan.app.data is None:
        return None
    wanted = plan.storage
    made = PersistentVolumeClaim(
        f"{plan.name}-data",
        metadata=identity.metadata(
            plan,
            f"{plan.app.name}-data",
            # Many classes bind a claim when its first pod comes, and the pods wait for this: their readiness tells.
            annotations={"pulumi.com/skipAwait": "true"},
        ),
        spec=PersistentVolumeClaimSpecArgs(
            access_modes=["ReadWriteOnce"],
            resources=VolumeResourceRequirementsArgs(requests={"storage": wanted.size}),
            storage_class_name=wanted.storage_class,
        ),
        opts=pulumi.ResourceOptions(parent=parent, provider=plan.storage_provider, retain_on_delete=wanted.keep),
    )
    return made.metadata.apply(lambda found: str(found.name))


def volumes(claim_name: pulumi.Input[str] | None) -> list[VolumeArgs]:
    """Return the pod's volume of the claim, none without one."""
    if claim_name is None:
        return []
    source = PersistentVolumeClaimVolumeSourceArgs(claim_name=claim_name)
    return [VolumeArgs(name="data", persistent_volume_claim=source)]


def together(plan: Plan) -> PodAffinityArgs | None:
    """Return what keeps all pods of the application on the node that its volume is attached to.

    The first pod of all may go anywhere: it matches its own rule.
    """
    if plan.app.data is None:
        return None
    everything = LabelSelectorArgs(match_labels=identity.selector(plan))
    return PodAffinityArgs(
        required_during_scheduling_ignored_during_execution=[
            PodAffinityTermArgs(topology_key=identity.HOST, label_selector=everything)
        ]
    )


def affinity(plan: Plan) -> AffinityArgs | None:
    """Return the same as the affinity of a pod that has no other, None when it may go anywhere."""
    near = together(plan)
    return AffinityArgs(pod_affinity=near) if near else None
