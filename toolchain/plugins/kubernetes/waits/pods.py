"""Why a pod is not ready: what it, its events and its log say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.kubernetes.objects import name_of, namespace_of, pluck
from plugins.kubernetes.waits.workloads import condition, holds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plugins.kubernetes.values import Object

# Events that say why a pod that runs, or cannot start, is not ready; the rest is noise or in the pod's status.
TELLING_EVENTS = frozenset(
    {"Unhealthy", "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedScheduling"}
)
QUIET_WAITS = frozenset({"", "ContainerCreating", "PodInitializing"})


def label(pod: Object) -> str:
    """Name a pod for a message; its namespace only where that is not the default one."""
    namespace = namespace_of(pod)
    return name_of(pod) if namespace in ("", "default") else f"{namespace}/{name_of(pod)}"


def is_ready(pod: Object) -> bool:
    """Tell whether a pod serves, or has finished with success."""
    return holds(pod, "Ready") or pluck(pod, "status", "phase") == "Succeeded"


def reasons(pod: Object, events: Iterable[Object] = ()) -> list[str]:
    """Say why a pod is not ready, empty for one that is."""
    if is_ready(pod):
        return []
    found: list[str] = []
    for kind in ("PodScheduled", "Initialized", "Ready"):
        message = condition(pod, kind).get("message")
        if not holds(pod, kind) and message:
            found.append(str(message))
            break
    for status in container_statuses(pod):
        found.extend(_container_reasons(status))
    for event in events:
        if event.get("reason") in TELLING_EVENTS and pluck(event, "involvedObject", "name") == name_of(pod):
            text = f"[{event['reason']}] {str(event.get('message', '')).strip()}"
            if text not in found and not any(str(event.get("message")) in other for other in found):
                found.append(text)
    if pluck(pod, "status", "phase") == "Failed" and pluck(pod, "status", "reason"):
        found.append(f"[{pluck(pod, 'status', 'reason')}] {pluck(pod, 'status', 'message') or ''}".strip())
    return [f"[Pod {label(pod)}]: {text}" for text in found]


def container_statuses(pod: Object) -> list[Object]:
    """List the statuses of a pod's containers, those that run first in front."""
    return [*(pluck(pod, "status", "initContainerStatuses") or []), *(pluck(pod, "status", "containerStatuses") or [])]


def _container_reasons(status: Object) -> list[str]:
    if status.get("ready"):
        return []
    name, found = status.get("name"), []
    waiting = pluck(status, "state", "waiting") or {}
    if waiting.get("reason", "") not in QUIET_WAITS:
        found.append(f'[{waiting["reason"]}] container "{name}": {waiting.get("message", "")}'.rstrip(": "))
    for ended in (pluck(status, "state", "terminated"), pluck(status, "lastState", "terminated")):
        if ended and (ended.get("exitCode") or ended.get("reason") != "Completed"):
            found.append(f'container "{name}" terminated ({ended.get("reason")}: exit code {ended.get("exitCode")})')
            if ended.get("message"):
                found.append(str(ended["message"]).strip())
            break
    return found


def crashed_containers(pod: Object) -> list[tuple[str, bool]]:
    """List the containers whose log tells why they ended, and whether it is the log of the run before."""
    found = []
    for status in container_statuses(pod):
        now, before = pluck(status, "state", "terminated"), pluck(status, "lastState", "terminated")
        if now and now.get("exitCode"):
            found.append((str(status["name"]), False))
        elif before and before.get("exitCode"):
            found.append((str(status["name"]), True))
    return found


def job_pod_reasons(pod: Object, events: Iterable[Object] = ()) -> list[str]:
    """Say why a Job's pod failed or does not run; one that runs needs not be ready."""
    return [text for text in reasons(pod, events) if "containers with unready status" not in text]
