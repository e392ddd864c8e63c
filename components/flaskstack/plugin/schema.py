"""The package schema that Pulumi makes SDKs and checks programs from, out of the components' signatures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pydantic.alias_generators import to_camel, to_pascal
from pydantic.json_schema import models_json_schema

from flaskstack.plugin.signature import EVENTUAL, SDK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flaskstack.plugin.signature import Signature

NAME: Final = "flaskstack"
LANGUAGES: Final = ("csharp", "go", "java", "nodejs", "python")


def package(signatures: Sequence[Signature], *, version: str, description: str) -> dict[str, Any]:
    """Return the schema of a package with these components."""
    models = [model for one in signatures for model in (one.arguments, one.outputs)]
    found, everything = models_json_schema([(model, "validation") for model in models], by_alias=True)
    definitions: dict[str, Any] = everything["$defs"]
    keys = {model: reference["$ref"].rpartition("/")[2] for (model, _), reference in found.items()}
    types = _Types(definitions)
    resources = {}
    for one in signatures:
        arguments, outputs = definitions[keys[one.arguments]], definitions[keys[one.outputs]]
        resources[f"{NAME}:index:{one.component.__name__}"] = {
            "isComponent": True,
            "description": _said(outputs),
            "inputProperties": types.properties(one.component.__name__, arguments),
            "requiredInputs": arguments.get("required", []),
            "properties": types.properties(one.component.__name__, outputs, given=False),
            "required": outputs.get("required", []),
        }
    for key in definitions.keys() - keys.values():
        types.add(key, definitions[key])
    return {
        "name": NAME,
        "version": version,
        "description": description,
        "language": {language: {"respectSchemaVersion": True} for language in LANGUAGES},
        "resources": resources,
        "types": dict(sorted(types.made.items())),
    }


class _Types:
    """Named types, as they are met: Pulumi wants each enumeration to have a name of its own."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self.made: dict[str, Any] = {}
        self._definitions = definitions

    def add(self, name: str, definition: Mapping[str, Any]) -> None:
        self.made[_token(name)] = {
            "type": "object",
            "description": _said(definition),
            "properties": self.properties(name, definition),
            "required": definition.get("required", []),
        }

    def properties(self, owner: str, definition: Mapping[str, Any], *, given: bool = True) -> dict[str, Any]:
        """Return the properties of an object; those `given` to us must be known beforehand unless they are eventual."""
        return {
            name: self._property(f"{owner}{name[:1].upper()}{name[1:]}", part, plain=given)
            for name, part in definition["properties"].items()
        }

    def _property(self, name: str, part: Mapping[str, Any], *, plain: bool) -> dict[str, Any]:
        made = self._type(name, part, plain=plain)
        # Where a model's field has no text of its own, the model's is its description.
        model = self._definitions.get(part.get("$ref", "").rpartition("/")[2], {})
        said = _said(part) or _said(model)
        if sdk := part.get(SDK) or part.get("items", {}).get(SDK):
            said += f" Fields: those of {sdk}."
        if said:
            made["description"] = said
        if isinstance(part.get("default"), str | int | float):  # a boolean is an integer
            made["default"] = part["default"]
        return made

    def _type(self, name: str, part: Mapping[str, Any], *, plain: bool) -> dict[str, Any]:
        said = [choice for choice in part.get("anyOf", [part]) if choice.get("type") != "null"]
        chosen: Mapping[str, Any] = said[0]
        plain = plain and not (part.get(EVENTUAL) or chosen.get(EVENTUAL))
        made: dict[str, Any]
        match chosen:
            case {"$ref": str(reference)}:
                made = {"$ref": f"#/types/{_token(reference.rpartition('/')[2])}"}
            case {"enum": list(values), "type": str(kind)}:
                members = [{"name": to_pascal(value), "value": value} for value in values]
                self.made[_token(name)] = {"type": kind, "description": _said(part), "enum": members}
                made = {"$ref": f"#/types/{_token(name)}"}
            case {"type": "array", "items": items}:
                made = {"type": "array", "items": self._type(name, items, plain=plain)}
            case {"type": "object"}:
                values = chosen.get("additionalProperties") or next(iter(chosen["patternProperties"].values()))
                made = {"type": "object", "additionalProperties": self._type(name, values, plain=plain)}
            case {"type": "string" | "integer" | "number" | "boolean" as kind}:
                made = {"type": kind}
            case _:  # the SDK's own args: what they hold may be eventual
                return {"$ref": "pulumi.json#/Any"}
        return {"plain": True, **made} if plain else made


def _token(name: str) -> str:
    return f"{NAME}:index:{name}"


def _said(part: Mapping[str, Any]) -> str:
    """Return the description in whole paragraphs, with arguments named as other languages write them."""
    text = re.sub(r"(?<!\n)\n(?!\n)", " ", part.get("description", ""))
    return re.sub(r"(?<=`)[a-z]+(_[a-z]+)+(?=`)", lambda found: key(found[0]), text)


def key(name: str) -> str:
    """Return an attribute's name as other languages write it."""
    return to_camel(name)
