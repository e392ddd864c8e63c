"""What an update would change: the program's inputs against the object as it was last seen."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeAlias

from plugins.kubernetes.replacement import forces
from plugins.kubernetes.values import UNKNOWN, Object, Value

Path: TypeAlias = tuple[str | int, ...]
_MISSING = object()


class Change(enum.Enum):
    """What happens to a field."""

    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class FieldDiff:
    """One changed field, and whether the object has to be replaced for it."""

    path: Path
    change: Change
    replaces: bool

    @property
    def name(self) -> str:
        """The path as the engine writes it: `spec.containers[0].image`, `metadata.labels["a.b/c"]`."""
        text = ""
        for step in self.path:
            if isinstance(step, int):
                text += f"[{step}]"
            elif any(character in step for character in '."[]'):
                quoted = step.replace('"', '\\"')
                text += f'["{quoted}"]'
            else:
                text += f".{step}" if text else step
        return text


def prune(live: Value, shape: Value) -> Value:
    """Keep of a live object only what the inputs state; the rest is the cluster's own business."""
    if isinstance(live, dict) and isinstance(shape, dict):
        return {key: prune(item, shape[key]) for key, item in live.items() if key in shape}
    if isinstance(live, list) and isinstance(shape, list):
        if live and shape and type(live[0]) is not type(shape[0]):
            return list(live)
        return [prune(item, wanted) for item, wanted in zip(live, shape, strict=False)]
    return live


def keep_dropped_zeros(seen: Value, old_inputs: Value, old_live: Value, live: Value) -> Value:
    """Put back the zero values (`false`, `""`, `{}`) that the API server never stored, so that they are no drift.

    A value that was stored before and is gone now stays gone: that is drift.
    """
    if all(isinstance(item, dict) for item in (seen, old_inputs, old_live, live)):
        result = dict(seen)
        for key, given in old_inputs.items():
            if key in result:
                result[key] = keep_dropped_zeros(result[key], given, old_live.get(key), live.get(key))
            elif key not in live and key not in old_live and _is_zero(given):
                result[key] = given
        return result
    if all(isinstance(item, list) for item in (seen, old_inputs, old_live, live)):
        kept = [keep_dropped_zeros(*items) for items in zip(seen, old_inputs, old_live, live, strict=False)]
        return [*kept, *seen[len(kept) :]]
    return seen


def compare(
    live: Object,
    inputs: Object,
    old_inputs: Object,
    forcing: tuple[tuple[str, ...], ...] = (),
) -> list[FieldDiff]:
    """Compare pruned live state with new inputs; a zero value that the server drops is no change the second time."""
    found: list[FieldDiff] = []
    _compare_objects((), live, inputs, old_inputs, found)
    return [FieldDiff(item.path, item.change, forces(item.path, _at(inputs, item.path), forcing)) for item in found]


def _at(value: Value, path: Path) -> Value:
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _compare(path: Path, live: Value, given: Value, before: Value, found: list[FieldDiff]) -> None:
    if given is _MISSING:
        found.append(FieldDiff(path, Change.DELETE, replaces=False))
    elif live is _MISSING:
        if not (_is_zero(given) and before is not _MISSING and before == given):
            found.append(FieldDiff(path, Change.ADD, replaces=False))
    elif isinstance(live, dict) and isinstance(given, dict):
        _compare_objects(path, live, given, before if isinstance(before, dict) else {}, found)
    elif isinstance(live, list) and isinstance(given, list):
        _compare_lists(path, live, given, before if isinstance(before, list) else [], found)
    elif given is UNKNOWN or not _same(live, given):
        found.append(FieldDiff(path, Change.UPDATE, replaces=False))


def _compare_objects(path: Path, live: Object, given: Object, before: Object, found: list[FieldDiff]) -> None:
    for key in [*live, *(key for key in given if key not in live)]:
        _compare(
            (*path, key),
            live.get(key, _MISSING),
            given.get(key, _MISSING),
            before.get(key, _MISSING),
            found,
        )


def _compare_lists(
    path: Path, live: list[Value], given: list[Value], before: list[Value], found: list[FieldDiff]
) -> None:
    for index in range(max(len(live), len(given))):
        old, new, former = (items[index] if index < len(items) else _MISSING for items in (live, given, before))
        _compare((*path, index), old, new, former, found)


def _same(live: Value, given: Value) -> bool:
    if isinstance(live, bool) or isinstance(given, bool):
        return live is given
    return bool(live == given)


def _is_zero(value: Value) -> bool:
    return value is None or (isinstance(value, bool | int | float | str | dict | list) and not value)


def ignored(path: Path, patterns: list[Path]) -> bool:
    """Tell whether one of the `ignoreChanges` paths is or contains a field; `*` stands for any step."""
    return any(
        len(pattern) <= len(path) and all(want in ("*", step) for want, step in zip(pattern, path, strict=False))
        for pattern in patterns
    )


def parse_path(text: str) -> Path:
    """Read a property path such as `spec.replicas`, `metadata.labels["a.b"]` or `spec.containers[*].image`."""
    steps: list[str | int] = []
    rest = text
    while rest:
        if rest.startswith('["'):
            key, _, rest = rest[2:].partition('"]')
            steps.append(key.replace('\\"', '"'))
        elif rest.startswith("["):
            index, _, rest = rest[1:].partition("]")
            steps.append(int(index) if index.isdigit() else index)
        else:
            rest = rest.removeprefix(".")
            end = min((position for position in (rest.find("."), rest.find("[")) if position >= 0), default=len(rest))
            steps.append(rest[:end])
            rest = rest[end:]
    return tuple(steps)
