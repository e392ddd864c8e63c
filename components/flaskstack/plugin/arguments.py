"""What another language sends, as the component's arguments in Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pulumi
import pydantic
from pydantic.alias_generators import to_camel

from flaskstack import model
from flaskstack.errors import Problem, SettingsError
from flaskstack.plugin.signature import EVENTUAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flaskstack.plugin.signature import Signature


def arguments(signature: Signature, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that were given, by their names in Python.

    Whole numbers arrive as floats and become integers, objects become models. Raises `SettingsError` with every
    problem, the keys as the other language writes them.
    """
    given = {key: value for key, value in inputs.items() if value is not None}
    try:
        parsed = signature.arguments.model_validate(given)
    except pydantic.ValidationError as error:
        found = model.problems(signature.arguments, error, secrets=_eventual(signature))
        # An output says nothing of itself, and printing one is an error.
        early = {
            ".".join(map(str, details["loc"]))
            for details in error.errors(include_url=False)
            if isinstance(details.get("input"), pulumi.Output)
        }
        raise SettingsError(
            [_too_early(problem) if problem.key in early else problem for problem in translated(signature, found)]
        ) from None
    return {name: getattr(parsed, name) for name in parsed.model_fields_set}


def translated(signature: Signature, problems: Sequence[Problem]) -> list[Problem]:
    """Return problems in the words of a program: arguments instead of a stack's settings, camelCase keys."""
    known = {field.alias for field in signature.arguments.model_fields.values()}
    return [_translated(problem, known) for problem in problems]


def _translated(problem: Problem, known: set[str | None]) -> Problem:
    parts = re.split(r"[.:]", problem.key)
    own = next((position for position, part in enumerate(parts) if to_camel(part) in known), 0)
    key = ".".join([to_camel(parts[own]), *parts[own + 1 :]])
    fix = re.sub(r"(remove it: )?pulumi config rm (--path )?\S+", "leave it out", problem.fix)
    fix = re.sub(r"pulumi config set (--path |--secret )*\S+ (.+)", r"set it to \2", fix)
    return Problem(key, problem.value, problem.reason, fix.replace("set it to ...", "give it"))


def _too_early(problem: Problem) -> Problem:
    reason = "it is read before anything is made, so it cannot be an output or a secret"
    return Problem(problem.key, "an output", reason, "give a plain value")


def _eventual(signature: Signature) -> frozenset[str]:
    """Return the keys whose values may be secrets."""
    schema = signature.arguments.model_json_schema(by_alias=True)
    return frozenset(key for key, part in schema["properties"].items() if EVENTUAL in str(part))
