"""Values of Pulumi's protocol as Python objects, and which of them are secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from plugins.values import UNKNOWN, Secret, decode, encode, has_secret, has_unknown, plain

if TYPE_CHECKING:
    from plugins.proto import struct_pb2

__all__ = [
    "UNKNOWN",
    "Object",
    "Secret",
    "Value",
    "encode",
    "has_secret",
    "has_unknown",
    "mark_secrets",
    "plain",
    "read",
]

Value: TypeAlias = Any
"""A JSON value whose leaves and branches may be `Secret` or `UNKNOWN`."""
Object: TypeAlias = dict[str, Any]
"""A JSON object of such values."""


def read(message: struct_pb2.Struct) -> Object:
    """Read a message; nulls are left out, as the official plugin does."""
    return _without_nulls(decode(message))  # type: ignore[no-any-return]


def _without_nulls(value: Value) -> Value:
    if isinstance(value, Secret):
        return Secret(_without_nulls(value.value))
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def mark_secrets(outputs: Object, inputs: Object) -> Object:
    """Mark in a plain object what its inputs had marked, and all data of every Kubernetes Secret.

    Objects are compared key by key, so that one secret does not hide a whole Deployment; a list that holds a secret is
    marked whole, since its order may differ from the inputs'.
    """
    marked = dict(outputs)
    if marked.get("kind") == "Secret":
        for field in ("data", "stringData"):
            if field in marked and not isinstance(marked[field], Secret):
                marked[field] = Secret(marked[field])
    for key, given in inputs.items():
        if key not in marked or isinstance(marked[key], Secret):
            continue
        if isinstance(marked[key], dict) and isinstance(given, dict):
            marked[key] = mark_secrets(marked[key], given)
        elif has_secret(given):
            marked[key] = Secret(marked[key])
    return marked
