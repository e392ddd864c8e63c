"""Finds why a workload does not get ready: its pods, their events, and the last lines of those that crashed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugins.kubernetes.api import ApiError, Unreachable
from plugins.kubernetes.discovery import NoMatch
from plugins.kubernetes.enginelog import hide_passwords
from plugins.kubernetes.objects import Gvk, gvk_of, metadata, name_of, namespace_of, pluck
from plugins.kubernetes.waits import pods, workloads

if TYPE_CHECKING:
    from plugins.kubernetes.cluster import Cluster
    from plugins.kubernetes.enginelog import Log
    from plugins.kubernetes.values import Object

WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicationController", "Job", "Pod"})
SHOWN_PODS: Final = 3
LOG_LINES: Final = 10
REPLICA_SET: Final = Gvk("apps", "v1", "ReplicaSet")


class Explainer:
    """Explains one workload; of what is no workload it says nothing."""

    def __init__(self, cluster: Cluster, live: Object) -> None:
        """Look at nothing yet."""
        self._cluster = cluster
        self._live = live
        self._kind = gvk_of(live).kind

    def reasons(self) -> list[str]:
        """Say what keeps the workload's pods; trouble in finding that out is no reason."""
        if self._kind not in WORKLOADS:
            return []
        try:
            owner = self._owner()
            unready = [pod for pod in self._pods(owner) if not pods.is_ready(pod)]
            tell = pods.job_pod_reasons if self._kind == "Job" else pods.reasons
            found = [text for pod in unready[:SHOWN_PODS] for text in tell(pod, self._events(pod))]
            if len(unready) > SHOWN_PODS:
                found.append(f"{len(unready) - SHOWN_PODS} more Pods are not ready")
            if not unready and owner is not None and self._kind != "Pod":
                found += [f"[{item.get('reason')}] {item.get('message')}" for item in self._events(owner)[-SHOWN_PODS:]]
        except (ApiError, Unreachable, NoMatch):
            return []
        return [hide_passwords(text) for text in found]

    def show_logs(self, log: Log) -> None:
        """Write the last lines of crashed containers beside the resource: shown, but not kept in the state."""
        if self._kind not in WORKLOADS:
            return
        try:
            for pod in self._pods(self._owner()):
                for container, previous in [] if pods.is_ready(pod) else pods.crashed_containers(pod):
                    tail = self._tail(pod, container, previous=previous)
                    if tail:
                        log.line("warning", f'last lines of container "{container}" of Pod {pods.label(pod)}:\n{tail}')
                        return  # one tells; the others say the same
        except (ApiError, Unreachable, NoMatch):
            return

    def _tail(self, pod: Object, container: str, *, previous: bool) -> str:
        path = f"{self._cluster.discovery.path(_as_pod(pod))}/log"
        query = {"container": container, "tailLines": str(LOG_LINES)} | ({"previous": "true"} if previous else {})
        try:
            return hide_passwords(self._cluster.api.text(path, **query).strip())
        except ApiError:
            return ""  # rotated away, or the node does not answer

    def _owner(self) -> Object | None:
        if self._kind != "Deployment":
            return self._live
        live = self._cluster.read(self._live)
        return workloads.new_replica_set(live, self._list(REPLICA_SET, self._selector(live)))

    def _pods(self, owner: Object | None) -> list[Object]:
        if self._kind == "Pod":
            return [self._cluster.read(self._live)]
        if owner is None:
            return []
        found = self._list(Gvk("", "v1", "Pod"), self._selector(self._live))
        return [pod for pod in found if workloads.owned_by(pod, owner)]

    def _events(self, obj: Object) -> list[Object]:
        selector = f"involvedObject.uid={metadata(obj).get('uid')},type=Warning"
        path = self._cluster.discovery.collection(Gvk("", "v1", "Event"), namespace_of(obj))
        found = self._cluster.api.get(path, fieldSelector=selector).get("items") or []
        newest: dict[str, Object] = {}
        for event in sorted(found, key=lambda item: str(item.get("lastTimestamp") or item.get("eventTime") or "")):
            newest[str(event.get("reason"))] = event
        return list(newest.values())

    def _selector(self, live: Object) -> str:
        labels = pluck(live, "spec", "selector", "matchLabels")
        return ",".join(f"{key}={value}" for key, value in labels.items()) if isinstance(labels, dict) else ""

    def _list(self, gvk: Gvk, selector: str) -> list[Object]:
        path = self._cluster.discovery.collection(gvk, namespace_of(self._live))
        found = self._cluster.api.get(path, **({"labelSelector": selector} if selector else {})).get("items")
        return found if isinstance(found, list) else []


def _as_pod(pod: Object) -> Object:
    """Name an item of a list, which does not say its own kind."""
    kept = {"name": name_of(pod), "namespace": namespace_of(pod)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": kept}
