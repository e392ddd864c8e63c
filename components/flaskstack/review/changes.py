"""What a preview would do, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from flaskstack.policy.resource import Resource, cleaned
from flaskstack.review.differences import Property, computed, differences

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
        properties = differences(old, new, named, reasons) or computed(step, named, reasons)
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
