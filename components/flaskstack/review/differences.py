"""Which properties of a resource differ between what it is and what it would be, masked."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flaskstack.policy.resource import SECRET, Opaque, Resource, cleaned, dig
from flaskstack.review.masking import held_back

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Property:
    """A property that differs."""

    path: str
    old: Any
    """What it is, masked. None: it is not there."""
    new: Any
    """What it would be, masked. None: it would not be there."""
    replaces: bool = False
    """Whether it is a reason to replace the resource."""


def differences(old: Resource, new: Resource, named: list[str], reasons: set[str]) -> tuple[Property, ...]:
    """Return what differs in a resource's inputs. `named` is what the plugin names, `reasons` what replaces it."""
    whole = held_back(old.type, dict(old.inputs)), held_back(new.type, dict(new.inputs))
    before, after = map(_flat, whole)
    unmasked = [_flat(dict(side.inputs)) for side in (old, new)]
    # What was a secret anywhere in a list may now stand elsewhere in it, in plain text.
    guarded = _uneven(old.inputs, new.inputs)
    found = []
    for path in [*before, *(path for path in after if path not in before)]:
        pair = before.get(path), after.get(path)
        differs = not _same(*pair) or (path in unmasked[0] and not _same(*(side.get(path) for side in unmasked)))
        if not differs or _inside_secret(path, before, after):
            continue
        hidden = SECRET in pair or any(path.startswith(f"{name}[") for name in guarded)
        shown = [None if value is None else SECRET if hidden and value is not None else value for value in pair]
        found.append(Property(path, shown[0], shown[1], _is_reason(path, reasons)))
    # Both sides are masked: the engine knows that they differ, and that is all that can be said.
    told = {item.path for item in found}
    unseen = [path for path in named if path not in told and all(dig(side, *_keys(path)) is SECRET for side in whole)]
    found += [Property(path, SECRET, SECRET, _is_reason(path, reasons)) for path in unseen]
    return tuple(found)


def _same(old: Any, new: Any) -> bool:  # noqa: ANN401  # whatever stands in an input
    """Whether there is nothing to say. An unknown value may be the same or not: it is said."""
    return (old is new is SECRET) if isinstance(old, Opaque) else bool(old == new)


def _inside_secret(path: str, *sides: Mapping[str, Any]) -> bool:
    """Whether the other side is a secret as a whole, above this property: then that is what is said."""
    return any(
        value is SECRET and path != above and path.startswith((f"{above}.", f"{above}["))
        for side in sides
        for above, value in side.items()
    )


def _uneven(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the lists in which another number of items is secret than before."""
    counts = [Counter(_lists(side)) for side in (old, new)]
    return [path for path in counts[0] | counts[1] if counts[0][path] != counts[1][path]]


def _lists(value: Any, path: str = "") -> list[str]:  # noqa: ANN401
    """Return the path of a list once for each secret in it."""
    found = []
    if isinstance(value, dict):
        for key, item in value.items():
            found += _lists(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        found += [path] * sum(item is SECRET for item in value)
        for label, item in _labelled(value):
            found += _lists(item, f"{path}[{label}]")
    return found


def _is_reason(path: str, reasons: set[str]) -> bool:
    plain = re.sub(r"\[[^\]]*\]", "", path)
    return any(
        plain == bare or plain.startswith(f"{bare}.") for bare in (re.sub(r"\[[^\]]*\]", "", r) for r in reasons)
    )


def _keys(path: str) -> list[str | int]:
    return [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]\"]+", path)]


def computed(step: Mapping[str, Any], named: list[str], reasons: set[str]) -> tuple[Property, ...]:
    """Return what differs though no input does: what the plugin found at the thing itself, or in its content."""
    kind = (step.get("newState") or {}).get("type", "")
    before = held_back(kind, cleaned((step.get("oldState") or {}).get("outputs") or {}))
    after = held_back(kind, cleaned((step.get("newState") or {}).get("inputs") or {}))
    found = []
    for path in named:
        pair = dig(before, *_keys(path)), dig(after, *_keys(path))
        if SECRET in pair:
            pair = (SECRET, SECRET)
        found.append(Property(path, pair[0], pair[1], _is_reason(path, reasons)))
    return tuple(found)


def _flat(value: Any, path: str = "") -> dict[str, Any]:  # noqa: ANN401
    """Return path -> value of everything that has no parts."""
    found: dict[str, Any] = {}
    if isinstance(value, dict) and value:
        for key, item in value.items():
            found |= _flat(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for label, item in _labelled(value):
            found |= _flat(item, f"{path}[{label}]")
    else:
        found[path] = value
    return found


def _labelled(values: list[Any]) -> list[tuple[str, Any]]:
    """Return a list's items by what tells them apart: a name, `NAME=` of a variable, else their number."""
    labels = []
    for number, item in enumerate(values):
        label = (
            next((item[key] for key in ("name", "label") if isinstance(item.get(key), str)), None)
            if isinstance(item, dict)
            else None
        )
        if isinstance(item, str) and (variable := re.match(r"([A-Za-z_]\w*)=", item)):
            label = variable[1]
        labels.append(str(number) if label is None else label)
    unique = len(set(labels)) == len(labels)
    return [(labels[n] if unique else str(n), item) for n, item in enumerate(values)]
