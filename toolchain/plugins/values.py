"""Values on the wire: Python's own, with `Secret` around what is secret and `UNKNOWN` for what is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plugins.proto import struct_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # the protocol's mark of a secret
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_ASSETS: Final = {
    "c44067f5952c0a294b673a41bacd8c17": "an asset",
    "0def7320c3a5731c473e5ecbe6d01bc7": "an archive",
    "5cf8f73096256a8f31e491e813e4eb8e": "a resource reference",
}
# One for each type of value; plugins may send the first for any.
_UNKNOWN_MARKS: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
_UNKNOWN_MARK: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """A value that a preview does not know yet. `UNKNOWN` is the only one."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return what messages show."""
        return "(not known yet)"

    def __deepcopy__(self, memo: dict[int, Any]) -> Unknown:
        """Return itself: there is only one, and it is told by its identity."""
        return self


UNKNOWN: Final = Unknown()


class Secret:
    """A value that must not be shown or stored in plain text."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        """Wrap `value`."""
        self.value = value


class UnsupportedValueError(ValueError):
    """A kind of value that these plugins do not take."""


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Return the values of a message."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def _decode(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _decode_object(value.struct_value)
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWN_MARKS else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def _decode_object(struct: struct_pb2.Struct) -> Any:
    if _SIGNATURE not in struct.fields:
        return decode(struct)
    mark = struct.fields[_SIGNATURE].string_value
    if mark == _SECRET:
        return Secret(_decode(struct.fields["value"]))
    if mark == _OUTPUT:
        inner = _decode(struct.fields["value"]) if "value" in struct.fields else UNKNOWN
        return Secret(inner) if struct.fields["secret"].bool_value else inner
    raise UnsupportedValueError(f"this fallback plugin does not take {_ASSETS.get(mark, 'such a value')}")


def encode(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Return the message of `values`."""
    return struct_pb2.Struct(fields={key: _encode(value) for key, value in values.items() if value is not None})


def _encode(value: Any) -> struct_pb2.Value:  # noqa: PLR0911  # one return for each kind of value
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=_UNKNOWN_MARK)
    if isinstance(value, Secret):
        marked = {_SIGNATURE: struct_pb2.Value(string_value=_SECRET), "value": _encode(value.value)}
        return struct_pb2.Value(struct_value=struct_pb2.Struct(fields=marked))
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, dict):
        return struct_pb2.Value(struct_value=encode(value))
    return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_encode(item) for item in value]))


def plain(value: Any) -> Any:
    """Return `value` without its marks of secrecy."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def has_secret(value: Any) -> bool:
    """Say whether anything in `value` is secret."""
    if isinstance(value, dict):
        return any(map(has_secret, value.values()))
    if isinstance(value, list):
        return any(map(has_secret, value))
    return isinstance(value, Secret)


def has_unknown(value: Any) -> bool:
    """Say whether anything in `value` is not known yet."""
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    return value is UNKNOWN


def keep_secret(outputs: Mapping[str, Any], *sources: Mapping[str, Any]) -> dict[str, Any]:
    """Return `outputs` with each property secret that has a secret part in one of `sources`."""
    names = {name for source in sources for name, value in source.items() if has_secret(value)}
    return {
        name: Secret(value) if name in names and value is not None and not isinstance(value, Secret) else value
        for name, value in outputs.items()
    }
