"""What the state keeps of an object: the live object, and beside it the inputs that it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plugins.kubernetes.objects import DASHED, READ_ONLY_METADATA, UNDERSCORED, pluck, rename_keys
from plugins.kubernetes.values import Object, Secret, mark_secrets, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

INPUTS = "__inputs"
INITIAL_API_VERSION = "__initialApiVersion"
FIELD_MANAGER = "__fieldManager"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
REVISION = "deployment.kubernetes.io/revision"


def manifest(given: Mapping[str, Any]) -> Object:
    """Turn inputs or state into a plain manifest."""
    return rename_keys(plain(dict(given)), DASHED)  # type: ignore[no-any-return]


def write(inputs: Object, live: Object, marked: Object, api_version: str, manager: str) -> Object:
    """Make the outputs of a resource, secret where its inputs are and in all data of a Secret."""
    outputs = mark_secrets(rename_keys(live, UNDERSCORED), marked)
    if live.get("kind") == "Secret":
        if (
            isinstance(marked.get("stringData"), Secret)
            and "data" in outputs
            and not isinstance(outputs["data"], Secret)
        ):
            outputs["data"] = Secret(outputs["data"])
        _hide_last_applied(outputs)
    outputs[INPUTS] = mark_secrets(rename_keys(inputs, UNDERSCORED), marked)
    outputs[INITIAL_API_VERSION] = api_version
    outputs[FIELD_MANAGER] = manager
    return outputs


def _hide_last_applied(outputs: Object) -> None:
    """Kubectl leaves a whole Secret in an annotation."""
    annotations = pluck(outputs, "metadata", "annotations")
    if isinstance(annotations, dict) and LAST_APPLIED in annotations:
        hidden = {**annotations, LAST_APPLIED: Secret(plain(annotations[LAST_APPLIED]))}
        outputs["metadata"] = {**outputs["metadata"], "annotations": hidden}


def split(state: Mapping[str, Any]) -> tuple[Object, Object]:
    """Take a state apart into the former inputs and the live object, both plain."""
    live = manifest(state)
    inputs = live.pop(INPUTS, {})
    live.pop(INITIAL_API_VERSION, None)
    live.pop(FIELD_MANAGER, None)
    return inputs if isinstance(inputs, dict) else {}, live


def imported_inputs(live: Object) -> Object:
    """Make inputs of an object that no program has described yet: all but its status and the cluster's own marks."""
    inputs = {key: value for key, value in live.items() if key != "status"}
    kept = {key: value for key, value in (inputs.get("metadata") or {}).items() if key not in READ_ONLY_METADATA}
    annotations = {
        key: value for key, value in (kept.get("annotations") or {}).items() if key not in (LAST_APPLIED, REVISION)
    }
    kept.pop("annotations", None)
    inputs["metadata"] = {**kept, "annotations": annotations} if annotations else kept
    return inputs
