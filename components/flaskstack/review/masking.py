"""What of a value may be shown. The engine masks what it keeps secret; whatever else looks like a secret goes here.

A value that was plain and becomes a secret is one on both sides, and so is one that ceases to be.
"""

from __future__ import annotations

import re
from typing import Any, Final

from flaskstack.policy import secrets
from flaskstack.policy.resource import MASK, SECRET, Opaque

APPLIED: Final = "last-applied-configuration"
"""End of kubectl's annotation that repeats a whole object, a Secret's content too."""
HOLDERS: Final = {
    "kubernetes:core/v1:Secret": ("data", "stringData"),
    "docker-build:index:Image": ("secrets", "registries"),
}
"""Type -> properties whose content is never shown, secret or not."""


def scrubbed(text: str) -> str:
    """Return a message without what looks like a secret."""
    text = secrets.CREDENTIALS.sub(_without_value("password"), text)
    text = secrets.ASSIGNED.sub(_without_value("value"), text)
    return secrets.TOKENS.sub(MASK, text)


def _without_value(group: str) -> Any:  # noqa: ANN401  # a function for re.sub
    def replace(found: re.Match[str]) -> str:
        start, end = found.span(group)
        return f"{found.string[found.start() : start]}{MASK}{found.string[end : found.end()]}"

    return replace


def masked(value: Any, name: str = "") -> Any:  # noqa: ANN401  # whatever stands in an input
    """Return a value, which has a name where it stands, with `SECRET` in place of all that looks like one."""
    if isinstance(value, dict):
        # A variable of a pod: its name stands beside its value.
        if isinstance(value.get("name"), str) and "value" in value:
            return {**value, "value": masked(value["value"], value["name"])}
        return {key: masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item, name) for item in value]
    if isinstance(value, str):
        return _text(value, name)
    return value


def _text(value: str, name: str) -> str | Opaque:
    if name.endswith(APPLIED):
        return SECRET
    if "\n" in value:
        return "\n".join(str(_text(line, name)) for line in value.splitlines())
    variable, equals, rest = value.partition("=")
    if equals and re.fullmatch(r"[A-Za-z_]\w*", variable) and (shown := _text(rest, variable)) is SECRET:
        return f"{variable}={shown}"
    known = value.startswith("/") or value.isdigit() or value.lower() in secrets.WORDS
    return SECRET if value and not known and (secrets.named(name) or secrets.telling(value, name)) else value


def held_back(kind: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return inputs of a resource of that type, masked."""
    holders = HOLDERS.get(kind, ())
    return {key: SECRET if key in holders else masked(value, key) for key, value in inputs.items()}
