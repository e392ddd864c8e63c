"""Conditions of the user's own: `pulumi.com/waitFor` with `condition=...` or `jsonpath=...`, one or a JSON list."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from plugins.kubernetes.waits.verdict import Verdict
from plugins.kubernetes.waits.workloads import condition, observed

if TYPE_CHECKING:
    from plugins.kubernetes.values import Object, Value

_STEP = re.compile(
    r"""\.([A-Za-z0-9_\-/]+(?:\\\.[A-Za-z0-9_\-/]+)*)|\[['"]([^'"]+)['"]\]|\[(\d+|\*)\]|\[\?\(@\.([\w.]+)\s*==\s*['"]?([^'")]+)['"]?\)\]"""
)


class WaitForError(ValueError):
    """An annotation that cannot be understood."""


def expressions(text: str) -> list[str]:
    """Read the annotation: one expression, or a JSON list of them."""
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = text
    found = parsed if isinstance(parsed, list) and all(isinstance(item, str) for item in parsed) else [text]
    if not found:
        raise WaitForError("pulumi.com/waitFor: at least one condition must be specified")
    for item in found:
        if not item.startswith(("jsonpath=", "condition=")):
            raise WaitForError(f'pulumi.com/waitFor: expected a "jsonpath=" or "condition=" prefix, got "{item}"')
        if item.startswith("jsonpath="):
            _split(item)
    return found


def verdict(live: Object, wanted: list[str]) -> Verdict:
    """Tell whether an object meets all conditions."""
    missing = [item for item in wanted if not _meets(live, item)]
    return Verdict(
        ready=not missing,
        status=f"Waiting for {missing[0]}" if missing else "",
        reasons=tuple(f"{item} is not met" for item in missing),
    )


def generic(live: Object) -> Verdict:
    """Judge any kind (PULUMI_K8S_AWAIT_ALL): seen by its controller, and Ready if it says anything of that."""
    generation = live.get("status", {}).get("observedGeneration") if isinstance(live.get("status"), dict) else None
    seen = generation is None or observed(live)
    ready = condition(live, "Ready")
    return Verdict(
        ready=seen and (not ready or ready.get("status") == "True"),
        status="Waiting for readiness",
        reasons=(str(ready.get("message") or "not Ready"),),
    )


def _meets(live: Object, expression: str) -> bool:
    if expression.startswith("condition="):
        kind, separator, value = expression.removeprefix("condition=").partition("=")
        wanted = value if separator else "True"
        conditions = [item for item in _all(live, ".status.conditions[*]") if _same(item.get("type"), kind)]
        return any(_same(item.get("status"), wanted) for item in conditions)
    path, text = _split(expression)
    found = _all(live, path)
    return bool(found) if text is None else any(_text(item) == text for item in found)


def _split(expression: str) -> tuple[str, str | None]:
    """Split `jsonpath={.status.phase}=Running` into path and value; without a value any will do."""
    rest = expression.removeprefix("jsonpath=").strip("'\"")
    match = (
        re.fullmatch(r"\{?(\.?[^{}]*?)\}?(?:=(.*))?", rest)
        if not rest.startswith("{")
        else re.fullmatch(r"\{(.+)\}(?:=(.*))?", rest)
    )
    if match is None:
        raise WaitForError(f'pulumi.com/waitFor: cannot read the JSONPath of "{expression}"')
    path = match[1] if match[1].startswith((".", "[")) else f".{match[1]}"
    if sum(len(step[0]) for step in _STEP.finditer(path)) != len(path):
        raise WaitForError(f'pulumi.com/waitFor: this plugin does not know the JSONPath of "{expression}"')
    return path, match[2]


def _all(value: Value, path: str) -> list[Value]:
    found = [value]
    for step in _STEP.finditer(path):
        found = [item for parent in found for item in _take(parent, step)]
    return found


def _take(parent: Value, step: re.Match[str]) -> list[Value]:
    key, quoted, index, filter_key, filter_value = step.groups()
    name = key.replace("\\.", ".") if key else quoted
    if name is not None:
        return [parent[name]] if isinstance(parent, dict) and name in parent else []
    if not isinstance(parent, list):
        return []
    if filter_key:
        return [item for item in parent if any(_text(found) == filter_value for found in _all(item, f".{filter_key}"))]
    if index == "*":
        return list(parent)
    return [parent[int(index)]] if int(index) < len(parent) else []


def _same(found: Value, wanted: str) -> bool:
    return isinstance(found, str) and found.lower() == wanted.lower()


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
