"""When volumes, claims, quotas and token secrets are ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.kubernetes.objects import pluck
from plugins.kubernetes.waits.verdict import Verdict

if TYPE_CHECKING:
    from plugins.kubernetes.values import Object


def volume(live: Object) -> Verdict:
    """Judge a PersistentVolume: available or bound."""
    phase = pluck(live, "status", "phase")
    return Verdict(
        ready=phase in ("Available", "Bound"), status="Waiting for the volume", reasons=(f"phase is {phase}",)
    )


def claim(live: Object, storage_class: Object) -> Verdict:
    """Judge a PersistentVolumeClaim: bound; pending is enough where binding waits for the first pod that uses it."""
    phase = pluck(live, "status", "phase")
    lazy = storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"
    return Verdict(
        ready=phase == "Bound" or (lazy and phase == "Pending"),
        status="Waiting for the claim to be bound",
        reasons=(f"PersistentVolumeClaim is not bound: phase is {phase}",),
    )


def resource_quota(live: Object) -> Verdict:
    """Judge a ResourceQuota: the controller has taken over its limits."""
    wanted, seen = pluck(live, "spec", "hard"), pluck(live, "status", "hard")
    return Verdict(ready=wanted == seen, reasons=("the quota is not in force yet",))


def token_secret(live: Object) -> Verdict:
    """Judge a Secret: there; one for a ServiceAccount's token has it."""
    awaited = live.get("type") == "kubernetes.io/service-account-token"
    return Verdict(ready=not awaited or bool(live.get("data")), reasons=("the token was not made",))
