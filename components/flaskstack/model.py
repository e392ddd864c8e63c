"""How settings become objects: one base class, and one function that reports every problem at once.

Deliberately not here: what any setting means. Each model stands beside the code that uses it.
"""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any, TypeVar

import pydantic
from pydantic.alias_generators import to_camel

from flaskstack.errors import HIDDEN, Problem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails


class Model(pydantic.BaseModel):
    """A frozen group of settings. Unknown keys are errors; keys are camelCase in stack files, snake_case in Python."""

    model_config = pydantic.ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )


M = TypeVar("M", bound=Model)


def parse(model: type[M], values: Mapping[str, Any], prefix: str = "", secrets: frozenset[str] = frozenset()) -> M:
    """Return `values` as a `model`.

    `prefix` stands before each key in messages. `secrets` names the top-level keys whose value is never shown.
    Raises `SettingsError` with every problem found.
    """
    try:
        return model.model_validate(values)
    except pydantic.ValidationError as error:
        raise SettingsError(problems(model, error, prefix, secrets)) from None


def problems(
    model: type[Model], error: pydantic.ValidationError, prefix: str = "", secrets: frozenset[str] = frozenset()
) -> list[Problem]:
    """Return what pydantic found as problems in our own words."""
    return [_problem(model, details, prefix, secrets) for details in error.errors(include_url=False)]


def _problem(model: type[Model], details: ErrorDetails, prefix: str, secrets: frozenset[str]) -> Problem:
    location = [str(part) for part in details["loc"]]
    key = prefix + ".".join(location)
    hidden = bool(location) and location[0] in secrets
    value = HIDDEN if hidden else _shown(details.get("input"))
    path = "--path " if len(location) > 1 else ""
    secret = "--secret " if hidden else ""
    match details["type"]:
        case "extra_forbidden":
            names = _names(_owner(model, location[:-1]))
            close = difflib.get_close_matches(location[-1], names, n=1)
            if len(location) == 1 and secrets.intersection(close):
                value = HIDDEN  # a secret under a misspelt key is still one
            hint = f"rename it to {close[0]}" if close else f"known here: {', '.join(sorted(names))}"
            return Problem(key, value, "unknown key", f"{hint}, or remove it: pulumi config rm {path}{key}")
        case "missing":
            return Problem(key, "not set", "required", f"pulumi config set {path}{secret}{key} ...")
        case _:
            reason = details["msg"].removeprefix("Value error, ")
            if reason[1:2].islower():  # a sentence's first word, not the name of a variable
                reason = reason[:1].lower() + reason[1:]
            return Problem(key, value, reason, f"pulumi config set {path}{secret}{key} {_example(model, location)}")


def _owner(model: type[Model], path: list[str]) -> type[Model]:
    """Return the model that the keys at `path` belong to."""
    for part in path:
        for name, field in model.model_fields.items():
            if part in (name, field.alias):
                nested = [
                    kind for kind in _kinds(field.annotation) if isinstance(kind, type) and issubclass(kind, Model)
                ]
                model = nested[0] if nested else model
    return model


def _kinds(annotation: Any) -> list[Any]:  # noqa: ANN401  # an annotation can be any object
    return [annotation, *getattr(annotation, "__args__", ())]


def _names(model: type[Model]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _example(model: type[Model], location: list[str]) -> str:
    """Return a value that would do: the field's own example, else its default, else a placeholder."""
    owner = _owner(model, location[:-1])
    for name, field in owner.model_fields.items():
        if location and location[-1] in (name, field.alias):
            example = field.examples[0] if field.examples else field.get_default(call_default_factory=False)
            if isinstance(example, str | int | float | bool):
                return str(example).lower() if isinstance(example, bool) else str(example)
    return "VALUE"


def _shown(value: object) -> str:
    try:
        text = json.dumps(value)
    except TypeError:
        text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004  # a line of a terminal
