"""When workloads are ready: Deployment, StatefulSet, DaemonSet, ReplicationController, Job, Pod."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.kubernetes.objects import annotation, metadata, name_of, pluck
from plugins.kubernetes.waits.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plugins.kubernetes.values import Object, Value

REVISION = "deployment.kubernetes.io/revision"


def condition(obj: Object, kind: str) -> Object:
    """Find a condition of an object's status by its type, empty if it is not there."""
    for item in pluck(obj, "status", "conditions") or []:
        if isinstance(item, dict) and item.get("type") == kind:
            return item
    return {}


def holds(obj: Object, kind: str) -> bool:
    """Tell whether a condition is True."""
    return bool(condition(obj, kind).get("status") == "True")


def owned_by(obj: Object, owner: Object) -> bool:
    """Tell whether an object belongs to another, by the owner's unique id."""
    wanted = metadata(owner).get("uid")
    return any(reference.get("uid") == wanted for reference in metadata(obj).get("ownerReferences") or [])


def observed(obj: Object) -> bool:
    """Tell whether the controller has seen the last change."""
    return bool(pluck(obj, "status", "observedGeneration") == metadata(obj).get("generation"))


def _count(obj: Object, *path: str, default: int = 0) -> int:
    found: Value = pluck(obj, *path)
    return found if isinstance(found, int) else default


def _complaint(found: Object) -> tuple[str, ...]:
    if found and found.get("status") != "True" and found.get("reason") and found.get("message"):
        return (f"[{found['reason']}] {found['message']}",)
    return ()


def new_replica_set(live: Object, replica_sets: Iterable[Object]) -> Object | None:
    """Find the ReplicaSet of a Deployment's current revision."""
    revision = annotation(live, REVISION)
    for candidate in replica_sets:
        if revision and annotation(candidate, REVISION) == revision and owned_by(candidate, live):
            return candidate
    return None


def deployment(live: Object, replica_sets: Iterable[Object], claims: Iterable[Object] = ()) -> Verdict:
    """Judge a Deployment: seen by its controller, available, and all replicas of its newest revision ready."""
    if not observed(live):
        return Verdict(
            ready=False,
            status="Waiting for the Deployment controller",
            reasons=("The Deployment controller did not act",),
        )
    available, progressing = condition(live, "Available"), condition(live, "Progressing")
    first = annotation(live, REVISION) == "1"
    rolled_out = first or (holds(live, "Progressing") and progressing.get("reason") == "NewReplicaSetAvailable")
    replica_set = new_replica_set(live, replica_sets)
    wanted = _count(replica_set or {}, "spec", "replicas", default=1)
    ready = _count(replica_set or {}, "status", "readyReplicas")
    # Replicas and template may change at once: the controller then scales the former ReplicaSet before it makes the new
    # one, which is the newest for that moment. None of its pods counts as updated.
    updated = _count(live, "status", "updatedReplicas") >= _count(live, "spec", "replicas", default=1)
    complete = replica_set is not None and ready >= wanted and updated
    unbound = [name_of(claim) for claim in claims if pluck(claim, "status", "phase") != "Bound"]
    reasons = [*_complaint(progressing), *_complaint(available)]
    if holds(live, "ReplicaFailure"):  # no Pod could even be made: a quota, or a policy that refuses it
        reasons.append(
            f"[{condition(live, 'ReplicaFailure').get('reason')}] {condition(live, 'ReplicaFailure').get('message')}"
        )
    if unbound:
        reasons.append(f"Failed to bind PersistentVolumeClaim(s): {', '.join(unbound)}")
    if not holds(live, "Available"):
        reasons.append("Minimum number of live Pods was not attained")
    elif not (rolled_out and complete):
        reasons.append(
            f"Minimum number of Pods to consider the application live was not attained ({ready}/{wanted} ready)"
        )
    return Verdict(
        ready=holds(live, "Available") and rolled_out and complete and not unbound,
        status=f"Waiting for app ReplicaSet to be available ({ready}/{wanted} Pods available)",
        reasons=tuple(reasons),
    )


def claim_names(live: Object) -> set[str]:
    """Name the volume claims that a workload's pods mount."""
    volumes = pluck(live, "spec", "template", "spec", "volumes") or []
    return {
        str(pluck(volume, "persistentVolumeClaim", "claimName"))
        for volume in volumes
        if "persistentVolumeClaim" in volume
    }


def stateful_set(live: Object) -> Verdict:
    """Judge a StatefulSet: all replicas ready and, unless updates wait for deletion, of the newest revision."""
    wanted = _count(live, "spec", "replicas", default=1)
    replicas, ready, current = (_count(live, "status", f"{name}eplicas") for name in ("r", "readyR", "currentR"))
    now, target = pluck(live, "status", "currentRevision"), pluck(live, "status", "updateRevision")
    by_hand = pluck(live, "spec", "updateStrategy", "type") == "OnDelete" and _count(live, "metadata", "generation") > 1
    all_ready = observed(live) and wanted == replicas == ready and (by_hand or current == wanted)
    advanced = by_hand or (bool(now) and now == target)
    updated = ready if advanced else min(ready, _count(live, "status", "updatedReplicas"))
    reasons = []
    if not all_ready:
        reasons.append(f"{updated} out of {wanted} replicas succeeded readiness checks")
    if not advanced:
        reasons.append(f"StatefulSet controller failed to advance from revision {now!r} to revision {target!r}")
    return Verdict(
        ready=all_ready and advanced,
        status=f"Waiting for StatefulSet to roll out ({updated}/{wanted} Pods ready)",
        reasons=tuple(reasons),
    )


def daemon_set(live: Object) -> Verdict:
    """Judge a DaemonSet: an available pod of the newest revision on every node that shall run one."""
    wanted, ready = _count(live, "status", "desiredNumberScheduled"), _count(live, "status", "numberAvailable")
    by_hand = pluck(live, "spec", "updateStrategy", "type") == "OnDelete"
    updated = wanted if by_hand else _count(live, "status", "updatedNumberScheduled")
    return Verdict(
        ready=observed(live) and ready >= wanted and updated >= wanted,
        status=f"Waiting for DaemonSet to be available ({min(ready, updated)}/{wanted} Pods available)",
        reasons=(f"{min(ready, updated)} out of {wanted} nodes run an available Pod",),
    )


def replication_controller(live: Object) -> Verdict:
    """Judge a ReplicationController: as many available replicas as wanted."""
    wanted, available = _count(live, "spec", "replicas", default=1), _count(live, "status", "availableReplicas")
    return Verdict(ready=wanted == available, reasons=(f"{available} out of {wanted} replicas are available",))


def job(live: Object) -> Verdict:
    """Judge a Job: complete; one that failed stays failed."""
    failure = condition(live, "Failed")
    if failure.get("status") == "True":
        return Verdict(ready=False, failed=True, reasons=(f"[{failure.get('reason')}] {failure.get('message')}",))
    active, done = _count(live, "status", "active"), _count(live, "status", "succeeded")
    return Verdict(
        ready=holds(live, "Complete"),
        status=f"Waiting for Job to complete ({done} succeeded, {active} active)",
        reasons=("Job is not complete",),
    )


def pod(live: Object) -> Verdict:
    """Judge a Pod: ready, or finished with success."""
    phase = pluck(live, "status", "phase")
    for kind, what in (("PodScheduled", "scheduled"), ("Initialized", "initialized"), ("Ready", "ready")):
        if phase != "Succeeded" and not holds(live, kind):
            return Verdict(
                ready=False,
                failed=phase == "Failed",
                status=f"Waiting for Pod to be {what}",
                reasons=(f"Pod is not {what}",),
            )
    return Verdict(ready=True)
