"""What the plugins written on Pulumi's own Go library share: plain comparison of inputs, and secrets that spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plugins.resource import Difference, Failure
from plugins.values import UNKNOWN, Secret, has_unknown, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plugins.resource import Values

_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "bool": bool,
    "int": (int, float),
    "list": list,
    "map": dict,
    "object": dict,
}


def check(
    inputs: Values, kinds: Mapping[str, str], *, required: Iterable[str] = (), unsupported: Iterable[str] = ()
) -> list[Failure]:
    """Return what is wrong with inputs: `kinds` names each field and its type."""
    failures = [Failure(name, f"missing required field {name!r}") for name in required if inputs.get(name) is None]
    for name, value in inputs.items():
        bare = plain(value)
        if name in unsupported:
            if bare not in (None, [], {}, False):
                failures.append(
                    Failure(
                        name, f"{name!r} is not supported by the fallback plugin; install the official one to use it"
                    )
                )
        elif name not in kinds:
            failures.append(Failure(name, f"unknown field {name!r}"))
        elif bare is not None and bare is not UNKNOWN and kinds[name] != "any":
            wrong = not isinstance(bare, _TYPES[kinds[name]]) or (isinstance(bare, bool) and kinds[name] == "int")
            if wrong:
                failures.append(Failure(name, f"field {name!r} must be of type {kinds[name]}"))
    return failures


def diff(
    olds: Values, inputs: Values, names: Iterable[str], replacing: Iterable[str] = (), ignored: Iterable[str] = ()
) -> Difference:
    """Return which inputs changed. Those in `replacing` replace the resource."""
    skipped = {path.partition(".")[0].partition("[")[0] for path in ignored}
    changed: dict[str, bool] = {}
    kinds: dict[str, str] = {}
    for name in names:
        old, new = olds.get(name), inputs.get(name)
        if name in skipped or (old == new and not has_unknown(new)):
            continue
        changed[name] = name in replacing
        if old is None:
            kinds[name] = "add"
        elif new is None:
            kinds[name] = "delete"
    return Difference(changed, kinds=kinds)


def with_defaults(inputs: Values, defaults: Mapping[str, Any]) -> Values:
    """Return inputs with defaults for what is left out."""
    return {**inputs, **{name: value for name, value in defaults.items() if inputs.get(name) is None}}


def secret(inputs: Values, *names: str) -> Values:
    """Return inputs with some of them secret whether they came so or not."""
    return {
        name: Secret(value) if name in names and value is not None and not isinstance(value, Secret) else value
        for name, value in inputs.items()
    }
