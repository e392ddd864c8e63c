"""What holds data outlives a slip of the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flaskstack.naming import LABEL
from flaskstack.policy.model import Finding, Level, Rule
from flaskstack.policy.resource import dig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flaskstack.policy.resource import Resource

FIX: Final = "ResourceOptions(retain_on_delete=True), or protect=True"
SCRATCH: Final = "-config"
"""How the role of a volume ends that holds only what a release writes again."""


def holds_data(resource: Resource) -> bool:
    """Whether deleting it deletes data, or what lives in it."""
    if resource.docker == "Volume":
        return not resource.tags.get(f"{LABEL}.role", "").endswith(SCRATCH)
    return resource.kubernetes in ("PersistentVolumeClaim", "PersistentVolume", "Namespace")


def _check(resource: Resource) -> Iterator[Finding]:
    if holds_data(resource) and not resource.protect and not resource.retained:
        what = "all that lives in it" if resource.kubernetes == "Namespace" else "the data"
        if resource.retained is None:
            # A policy pack is shown `protect`, and not `retain_on_delete`: a review of the preview sees both.
            reason = f"unless it is retained on delete, which a policy pack cannot see, deleting it deletes {what}"
            yield Finding("options.protect", "false", reason, FIX, Level.ADVISORY)
        else:
            yield Finding("options", "neither protect nor retain_on_delete", f"deleting it deletes {what}", FIX)
    if resource.kubernetes == "StatefulSet":
        policy = dig(resource.inputs, "spec", "persistentVolumeClaimRetentionPolicy")
        for name in ("whenDeleted", "whenScaled"):
            if dig(policy, name) == "Delete":
                where = f"spec.persistentVolumeClaimRetentionPolicy.{name}"
                yield Finding(where, "Delete", "the claims' data would go along", "Retain, the default")


RULE: Final = Rule("data-protected", "What holds data is protected or retained on delete.", Level.MANDATORY, _check)
