"""What a preview would do, step by step, and which properties differ."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from flaskstack.policy.resource import SECRET, Opaque, Resource, cleaned, dig
from flaskstack.review.masking import held_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KINDS: Final = {
    "create": "create",
    "import": "import",
    "update": "change",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "delete": "delete",
    "discard": "forget",
    "discard-replaced": "replace",
    "same": "unchanged",
    "refresh": "unchanged",
    "read": "unchanged",
    "read-replacement": "unchanged",
}
"""Operation of the engine -> what it is to a reader."""


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


@dataclass(frozen=True)
class Change:
    """What would become of one resource."""

    kind: str
    """`create`, `change`, `replace`, `delete`, `import`, `forget` or `unchanged`."""
    urn: str
    type: str
    properties: tuple[Property, ...] = ()
    """What differs; nothing for what is created or deleted."""
    old: Resource | None = None
    new: Resource | None = None
    """The resource before and after. Inputs are not masked beyond what the engine masks: not for showing."""
    diffs: frozenset[str] = frozenset()
    """Properties that the plugin says differ, computed ones too."""

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.rpartition("::")[2]

    @property
    def resource(self) -> Resource:
        """The resource as it would be, else as it is."""
        return self.new or self.old or Resource(self.type, self.name)


@dataclass(frozen=True)
class Preview:
    """What an update of a stack would do."""

    stack: str
    changes: tuple[Change, ...] = ()
    messages: tuple[tuple[str, str], ...] = ()
    """Severity and text of what plugins and the program said."""
    error: str = ""
    """Why there is no preview. Default: there is one."""
    fresh: bool = False
    """Whether it was previewed as new, without its state."""
    notes: tuple[str, ...] = field(default=())

    def of(self, *kinds: str) -> list[Change]:
        """Return changes of these kinds."""
        return [change for change in self.changes if change.kind in kinds]

    def resources(self) -> list[Resource]:
        """Return the resources that there would be."""
        return [change.new for change in self.changes if change.new and change.kind != "delete"]


def read(digest: Mapping[str, Any], stack: str, *, fresh: bool = False, notes: Iterable[str] = ()) -> Preview:
    """Return what `pulumi preview --json` wrote, of a stack of that name."""
    steps: dict[str, Change] = {}
    for step in digest.get("steps") or ():
        change = _change(step)
        # Components are the sum of their children, and providers how they are reached. A step whose state the engine
        # could not write has none to tell by: it is kept.
        state = step.get("newState") or step.get("oldState") or {"custom": True}
        if not state.get("custom") or change.type.startswith("pulumi:"):
            continue
        former = steps.get(change.urn)
        # A replacement may come as three steps; the one that compares both says it all.
        if former is None or (change.old and change.new and not (former.old and former.new)):
            steps[change.urn] = change
    said = [(item.get("severity", "info"), item.get("message", "")) for item in digest.get("diagnostics") or ()]
    messages = [(severity, text.strip().removeprefix(f"{severity}: ")) for severity, text in said]
    errors = [text for severity, text in messages if severity == "error"]
    return Preview(
        stack,
        tuple(steps.values()),
        tuple(item for item in messages if item[0] != "error"),
        "\n".join(errors),
        fresh,
        tuple(notes),
    )


def name_of(digest: Mapping[str, Any]) -> str:
    """Return the stack that a preview is of, empty when it has no step to tell by."""
    urns = [step.get("urn", "") for step in digest.get("steps") or ()]
    return urns[0].split("::")[0].rpartition(":")[2] if urns else ""


def _change(step: Mapping[str, Any]) -> Change:
    old, new = (_resource(step.get(key)) for key in ("oldState", "newState"))
    kind = KINDS.get(step["op"], step["op"])
    detailed = step.get("detailedDiff") or {}
    reasons = {*(step.get("replaceReasons") or ()), *_replacing(detailed)}
    properties: tuple[Property, ...] = ()
    if old and new and kind in ("change", "replace"):
        named = [*detailed, *(name for name in step.get("diffReasons") or () if name not in detailed)]
        properties = _differences(old, new, named, reasons) or _computed(step, named, reasons)
    urn = step["urn"]
    return Change(
        kind,
        urn,
        urn.split("::")[2].rpartition("$")[2],
        properties,
        old,
        new,
        frozenset({*detailed, *(step.get("diffReasons") or ())}),
    )


def _resource(state: Mapping[str, Any] | None) -> Resource | None:
    if not state:
        return None
    return Resource(
        state["type"],
        state["urn"].rpartition("::")[2],
        cleaned(state.get("inputs") or {}),
        bool(state.get("protect")),
        bool(state.get("retainOnDelete")),
    )


def _replacing(detailed: Mapping[str, Any]) -> set[str]:
    return {path for path, diff in detailed.items() if str(diff.get("kind", "")).endswith("-replace")}


def _differences(old: Resource, new: Resource, named: list[str], reasons: set[str]) -> tuple[Property, ...]:
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


def _computed(step: Mapping[str, Any], named: list[str], reasons: set[str]) -> tuple[Property, ...]:
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
