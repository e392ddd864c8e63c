"""Who manages which field of an object (server-side apply), and how fields change hands."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from plugins.kubernetes.diff import Path, parse_path
from plugins.kubernetes.objects import metadata, pluck

if TYPE_CHECKING:
    from plugins.kubernetes.values import Object, Value

CLIENT_SIDE_NAME = "pulumi-kubernetes"
# Managers, by the start of their names, whose plain updates become ours: kubectl's, so that an `up` mends what was
# edited by hand, and this provider's own, which creates without applying.
_UPDATERS = ("kubectl", "before-first-apply", CLIENT_SIDE_NAME, "pulumi-resource-kubernetes")
_APPLIERS = ("kubectl",)


def _is_adoptable(entry: Object, manager: str) -> bool:
    if entry.get("subresource"):
        return False
    name = str(entry.get("manager"))
    if entry.get("operation") == "Update":
        return name == manager or name.startswith(_UPDATERS)
    return name != manager and name.startswith(_APPLIERS)


def has_adoptable(live: Object, manager: str) -> bool:
    """Tell whether others' fields will become ours before an apply, which a dry run would conflict with."""
    return any(_is_adoptable(entry, manager) for entry in metadata(live).get("managedFields") or [])


def adoption_patch(live: Object, manager: str) -> list[Object] | None:
    """Write the JSON patch that hands created fields over to the applying manager, None if there are none."""
    entries: list[Object] = metadata(live).get("managedFields") or []
    adopted = [entry for entry in entries if _is_adoptable(entry, manager)]
    if not adopted:
        return None
    own = [entry for entry in entries if entry.get("operation") == "Apply" and entry.get("manager") == manager]
    merged = copy.deepcopy(own[0] if own else adopted[0])
    merged.update(manager=manager, operation="Apply")
    for entry in [*own[1:], *adopted]:
        merged["fieldsV1"] = _union(merged.get("fieldsV1") or {}, entry.get("fieldsV1") or {})
    rest = [entry for entry in entries if entry not in adopted and entry not in own]
    return [
        {"op": "replace", "path": "/metadata/managedFields", "value": [merged, *rest]},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata(live).get("resourceVersion")},
    ]


def _union(first: Object, second: Object) -> Object:
    merged = dict(first)
    for key, item in second.items():
        merged[key] = _union(merged[key], item) if isinstance(merged.get(key), dict) else item
    return merged


def without_ignored(inputs: Object, live: Object, ignore_changes: tuple[str, ...], manager: str) -> Object:
    """Take ignored fields out of what is applied: others' are left out, ours stay as they are in the cluster."""
    result = copy.deepcopy(inputs)
    ours: Object = {}
    theirs: Object = {}
    for entry in metadata(live).get("managedFields") or []:
        if entry.get("manager") == manager:
            ours = _union(ours, entry.get("fieldsV1") or {})
        else:
            theirs = _union(theirs, entry.get("fieldsV1") or {})
    for text in ignore_changes:
        path = parse_path(text)
        if not all(isinstance(step, str) and step != "*" for step in path):
            continue  # as in the official plugin, elements of lists are left to the engine
        if _manages(theirs, path) and not _manages(ours, path):
            _remove(result, path)
            continue
        value = pluck(live, *(str(step) for step in path))
        if value is not None:
            _set(result, path, copy.deepcopy(value))
    return result


def _manages(fields: Object, path: Path) -> bool:
    for step in path:
        found = fields.get(f"f:{step}")
        if not isinstance(found, dict):
            return False
        fields = found
    return True


def _remove(obj: Object, path: Path) -> None:
    parent = pluck(obj, *(str(step) for step in path[:-1]))
    if isinstance(parent, dict):
        parent.pop(str(path[-1]), None)


def _set(obj: Object, path: Path, value: Value) -> None:
    for step in path[:-1]:
        obj = obj.setdefault(str(step), {})
        if not isinstance(obj, dict):
            return
    obj[str(path[-1])] = value
