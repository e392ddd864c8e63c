"""Write docs/reference.md: every argument, setting and output with its type, default and description.

It is made from the same signatures as the schema that other languages get, so there is nothing here to keep up to date
but the file itself: `make docs` writes it anew, and a test says when that was forgotten.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flaskstack.model import Model
from flaskstack.plugin.provider import SIGNATURES
from flaskstack.plugin.signature import EVENTUAL, SDK

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE: Final = Path(__file__).with_name("reference.md")
HEAD: Final = """# Reference

Made by `make docs` from the docstrings; edit those.

Python writes the names as they stand here, every other language and the stack files in camelCase (`static_url` is
`staticUrl`). An argument marked *output* takes a plain value or an output of another resource; every other one is read
before anything is made, so it must be plain. A default that depends on other arguments is told in words.
"""


def reference() -> str:
    """Return the whole text."""
    parts = [HEAD]
    met: dict[str, Any] = {}
    for one in SIGNATURES:
        name = one.component.__name__
        parts.append(f"## {name}\n\n{one.outputs.__doc__}\n")
        parts.append(f"### Arguments of {name}: {name}Args\n\n{_table(one.arguments, met)}")
        parts.append(f"### Outputs of {name}\n\n{_table(one.outputs, met, given=False)}")
    parts.append("## Groups of settings\n\nThe same classes serve every component.\n")
    known: set[str] = set()
    while pending := [kind for name, kind in met.items() if name not in known]:
        for kind in pending:
            known.add(kind.__name__)
            parts.append(f"### {kind.__name__}\n\n{kind.__doc__}\n\n{_table(kind, met)}")
    return "\n".join(parts)


def _table(model: type[Model], met: dict[str, Any], *, given: bool = True) -> str:
    schema = model.model_json_schema(by_alias=False)
    for field in model.model_fields.values():
        met |= {kind.__name__: kind for kind in _models(field.annotation)}
    required = schema.get("required", [])
    head = "| name | type | default | |\n|---|---|---|---|\n" if given else "| name | type | |\n|---|---|---|\n"
    rows = []
    for name, part in schema["properties"].items():
        said = " ".join((part.get("description") or "").split())
        if not said and "$ref" in part:  # a field that says no more than its class
            said = schema["$defs"][part["$ref"].rpartition("/")[2]]["description"]
        default = "**required**" if name in required else _default(part)
        cells = [f"`{name}`", _type(part), *([default] if given else []), said]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
    return head + "".join(rows)


def _models(annotation: Any) -> Iterator[type[Model]]:  # noqa: ANN401  # an annotation can be any object
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models(part)


def _default(part: dict[str, Any]) -> str:
    value = part.get("default")
    return "" if value is None or isinstance(value, dict | list) else f"`{json.dumps(value)}`"


def _type(part: dict[str, Any]) -> str:
    choices = [choice for choice in part.get("anyOf", [part]) if choice.get("type") != "null"]
    chosen = choices[0]
    output = ", *output*" if part.get(EVENTUAL) or chosen.get(EVENTUAL) else ""
    match chosen:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"enum": list(values)}:
            return " or ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": items}:
            return f"list of {_type(items)}"
        case {"type": "object"}:
            values = chosen.get("additionalProperties") or next(iter(chosen["patternProperties"].values()))
            return f"map of {_type(values)}"
        case {"type": str(kind)}:
            return kind + _range(chosen) + output
        case _:
            return str(chosen[SDK])


def _range(part: dict[str, Any]) -> str:
    low, high = part.get("minimum"), part.get("maximum")
    if low is not None and high is not None:
        return f", {low:,} to {high:,}"
    if "pattern" in part:
        return f", matching `{part['pattern']}`"
    return f", {low:,} or more" if low is not None else ""


if __name__ == "__main__":
    FILE.write_text(reference())
