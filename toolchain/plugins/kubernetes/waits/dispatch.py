"""Which wait an object of which kind gets, with the objects around it that the wait has to look at."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from plugins.kubernetes.api import ApiError, Unreachable
from plugins.kubernetes.discovery import NoMatch
from plugins.kubernetes.naming import SKIP_AWAIT, WAIT_FOR, is_true, timeout_seconds
from plugins.kubernetes.objects import Gvk, annotation, gvk_of, name_of, namespace_of, pluck
from plugins.kubernetes.waits import custom, network, storage, workloads
from plugins.kubernetes.waits.explain import Explainer
from plugins.kubernetes.waits.verdict import Verdict, Waiter, WaitError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from plugins.kubernetes.cluster import Cluster
    from plugins.kubernetes.enginelog import Log
    from plugins.kubernetes.values import Object

MINUTE: Final = 60.0
SETTLED_SECONDS: Final = 10.0
DEFAULTS: Final = {
    "PersistentVolume": 5 * MINUTE,
    "PersistentVolumeClaim": 5 * MINUTE,
    "ResourceQuota": MINUTE,
    "Secret": 5.0,
}
LONG_DELETIONS: Final = frozenset({"Deployment", "StatefulSet", "ReplicationController", "DaemonSet"})
# Kinds that the official plugin does not wait for the removal of, if told not to wait.
UNAWAITED_DELETIONS: Final = frozenset(
    {"Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"},
)
# Kinds whose state a refresh looks at too.
READ: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "Pod", "Service", "Ingress"})
GROUPS: Final = frozenset({"", "apps", "batch", "networking.k8s.io"})
SIMPLE: Final[dict[str, Callable[[Object], Verdict]]] = {
    "StatefulSet": workloads.stateful_set,
    "DaemonSet": workloads.daemon_set,
    "ReplicationController": workloads.replication_controller,
    "Job": workloads.job,
    "Pod": workloads.pod,
    "PersistentVolume": storage.volume,
    "ResourceQuota": storage.resource_quota,
    "Secret": storage.token_secret,
}


class Waits:
    """Waits for the objects of one cluster."""

    def __init__(self, cluster: Cluster, cancelled: threading.Event) -> None:
        """Look at nothing yet."""
        self._cluster = cluster
        self._cancelled = cancelled

    def until_ready(self, live: Object, inputs: Object, custom_seconds: float, log: Log) -> None:
        """Wait for what was made or changed; raises `WaitError` with the reasons."""
        judge = self._judge(live, inputs)
        if judge is None:
            return
        seconds = timeout_seconds(custom_seconds, inputs, DEFAULTS.get(gvk_of(live).kind, 10 * MINUTE))
        explainer = Explainer(self._cluster, live)
        waiter = Waiter(log, self._cancelled, seconds, name_of(live), explainer.reasons)
        try:
            waiter.until(lambda: self._look(live, judge))
        except WaitError:
            explainer.show_logs(log)
            raise

    def check(self, live: Object, inputs: Object) -> None:
        """Look once, for a refresh; raises `WaitError` with the reasons."""
        judge = self._judge(live, inputs) if gvk_of(live).kind in READ else None
        if judge is None:
            return
        verdict = judge(live)
        if not verdict.ready:
            found = Explainer(self._cluster, live).reasons()
            raise WaitError(f"{name_of(live)!r} is not ready", (*verdict.reasons, *found))

    def until_gone(self, obj: Object, name: str, inputs: Object, custom_seconds: float, log: Log) -> None:
        """Wait for an object's end; raises `WaitError` with what may hold it."""
        kind = gvk_of(obj).kind
        if is_true(inputs, SKIP_AWAIT) and kind in UNAWAITED_DELETIONS:
            return
        uid = pluck(obj, "metadata", "uid")

        def look() -> Verdict:
            try:
                found = self._cluster.read(obj, name)
            except ApiError as error:
                if error.not_found:
                    return Verdict(ready=True)
                raise
            except NoMatch:
                return Verdict(ready=True)  # its kind went first
            except Unreachable as error:
                return Verdict(ready=False, status="The API server does not answer", reasons=(str(error),))
            if uid and pluck(found, "metadata", "uid") != uid:
                return Verdict(ready=True)  # a new object of the same name
            finalizers = pluck(found, "metadata", "finalizers") or []
            spec_finalizers = pluck(found, "spec", "finalizers") or []
            held = ", ".join(map(str, [*finalizers, *spec_finalizers]))
            reason = f"{kind} {name!r} still exists" + (
                f"; finalizers might be preventing deletion ({held})" if held else ""
            )
            complaints = [
                str(item.get("message")) for item in pluck(found, "status", "conditions") or [] if kind == "Namespace"
            ]
            return Verdict(ready=False, status=f"Waiting for {kind} {name!r} to be gone", reasons=(reason, *complaints))

        seconds = timeout_seconds(custom_seconds, inputs, (10 if kind in LONG_DELETIONS else 5) * MINUTE)
        Waiter(log, self._cancelled, seconds, name).until(look, "for deletion")

    def _look(self, live: Object, judge: Callable[[Object], Verdict]) -> Verdict:
        try:
            return judge(self._cluster.read(live))
        except Unreachable as error:  # a moment's absence of the API server ends no rollout
            return Verdict(ready=False, status="The API server does not answer", reasons=(str(error),))
        except ApiError as error:
            if error.not_found:
                return Verdict(ready=False, failed=True, reasons=("it was deleted by somebody else meanwhile",))
            raise

    def _judge(self, live: Object, inputs: Object) -> Callable[[Object], Verdict] | None:
        if is_true(inputs, SKIP_AWAIT):
            return None
        if annotation(inputs, WAIT_FOR):
            wanted = custom.expressions(annotation(inputs, WAIT_FOR))
            return lambda found: custom.verdict(found, wanted)
        gvk = gvk_of(live)
        if gvk.group in GROUPS:
            around = {
                "Deployment": self._deployment,
                "Service": self._service,
                "Ingress": self._ingress(),
                "PersistentVolumeClaim": self._claim,
            }
            judge = SIMPLE.get(gvk.kind) or around.get(gvk.kind)
            if judge is not None:
                return judge
        return custom.generic if os.environ.get("PULUMI_K8S_AWAIT_ALL") == "true" else None

    def _list(self, gvk: Gvk, namespace: str, **query: str) -> list[Object]:
        found = self._cluster.api.get(self._cluster.discovery.collection(gvk, namespace), **query).get("items")
        return found if isinstance(found, list) else []

    def _slices(self, live: Object, **query: str) -> list[Object]:
        return self._list(Gvk("discovery.k8s.io", "v1", "EndpointSlice"), namespace_of(live), **query)

    def _deployment(self, live: Object) -> Verdict:
        labels = pluck(live, "spec", "selector", "matchLabels") or {}
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        replica_sets = self._list(Gvk("apps", "v1", "ReplicaSet"), namespace_of(live), labelSelector=selector)
        names = workloads.claim_names(live)
        claims = self._list(Gvk("", "v1", "PersistentVolumeClaim"), namespace_of(live)) if names else []
        return workloads.deployment(live, replica_sets, [claim for claim in claims if name_of(claim) in names])

    def _service(self, live: Object) -> Verdict:
        return network.service(live, self._slices(live, labelSelector=f"{network.SERVICE_NAME}={name_of(live)}"))

    def _ingress(self) -> Callable[[Object], Verdict]:
        last: tuple[float, frozenset[str]] | None = None

        def judge(live: Object) -> Verdict:
            nonlocal last
            slices = self._slices(live)
            names = frozenset(name_of(item) for item in slices)
            now = time.monotonic()
            if last is None or last[1] != names:
                last = (now, names)
            services = self._list(Gvk("", "v1", "Service"), namespace_of(live))
            return network.ingress(live, services, slices, settled=now - last[0] >= SETTLED_SECONDS)

        return judge

    def _claim(self, live: Object) -> Verdict:
        name = pluck(live, "spec", "storageClassName")
        storage_class: Object = {}
        if name:
            try:
                collection = self._cluster.discovery.collection(Gvk("storage.k8s.io", "v1", "StorageClass"))
                storage_class = self._cluster.api.get(f"{collection}/{name}")
            except ApiError:
                storage_class = {}  # the claim's own phase decides
        return storage.claim(live, storage_class)
