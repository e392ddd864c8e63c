"""Names and the `pulumi.com/` annotations that steer this provider."""

from __future__ import annotations

import hashlib
import secrets

from plugins.kubernetes.objects import TRUE, annotation, metadata, name_of
from plugins.kubernetes.values import UNKNOWN, Object

AUTONAMED = "pulumi.com/autonamed"
SKIP_AWAIT = "pulumi.com/skipAwait"
WAIT_FOR = "pulumi.com/waitFor"
TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds"
REPLACE_UNREADY = "pulumi.com/replaceUnready"
PATCH_FORCE = "pulumi.com/patchForce"
PATCH_FIELD_MANAGER = "pulumi.com/patchFieldManager"
DELETION_PROPAGATION = "pulumi.com/deletionPropagationPolicy"
MANAGED_BY = "app.kubernetes.io/managed-by"
SUFFIX_LENGTH = 8


def is_true(obj: Object, key: str) -> bool:
    """Tell whether an annotation is set to "true"."""
    return annotation(obj, key) == TRUE


def unique_name(prefix: str, seed: bytes = b"") -> str:
    """Make a name with eight hexadecimal digits, the same for the same seed (the engine's, one a resource and run)."""
    digits = hashlib.sha256(seed).hexdigest()[:SUFFIX_LENGTH] if seed else secrets.token_hex(SUFFIX_LENGTH // 2)
    return f"{prefix}{digits}"


def is_named(inputs: Object) -> bool:
    """Tell whether the program named the object, with a known or unknown value."""
    return bool(name_of(inputs)) or metadata(inputs).get("name") is UNKNOWN


def is_generate_name(inputs: Object) -> bool:
    """Tell whether the API server shall make up the name (`metadata.generateName`)."""
    return not is_named(inputs) and bool(metadata(inputs).get("generateName"))


def set_autoname(inputs: Object, name: str) -> None:
    """Name an object and mark the name as made here, so that a replacement may get another one."""
    found = inputs.setdefault("metadata", {})
    if not isinstance(found, dict):
        return  # unknown metadata: named when it is known
    found["name"] = name
    annotations = found.setdefault("annotations", {})
    if isinstance(annotations, dict):
        annotations[AUTONAMED] = TRUE


def adopt_autoname(inputs: Object, old_inputs: Object) -> None:
    """Keep the name that was made for the object before, if the program still gives none."""
    if not is_named(inputs) and is_true(old_inputs, AUTONAMED):
        set_autoname(inputs, name_of(old_inputs))


def timeout_seconds(custom: float, inputs: Object, default: float) -> float:
    """Decide how long to wait: customTimeouts, the annotation, or the kind's default."""
    if custom:
        return custom
    try:
        return float(int(annotation(inputs, TIMEOUT_SECONDS)))
    except ValueError:
        return default
