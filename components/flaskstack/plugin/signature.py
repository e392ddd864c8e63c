"""What a component takes and gives, read from its own code: a pydantic model of its arguments, and one of its outputs.

A model of the arguments makes two things of one source: the schema (`schema.py`), and the check of what another
language sends (`arguments.py`).
"""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
import typing
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, NotRequired, get_args, get_origin

import pulumi
import pydantic
from pulumi import _types as sdk  # the one place that knows the names of an SDK's args

from flaskstack.model import Model

if TYPE_CHECKING:
    from types import GenericAlias

EVENTUAL: Final = "x-eventual"
"""Key in a JSON schema: the value may be an output, known only once something is made."""
SDK: Final = "x-sdk"
"""Key in a JSON schema: whose fields an object has that goes to a provider as it is."""
# `Input` refers to `Output` by its name, which the modules of the arguments need not know.
_NAMES: Final = {"Output": pulumi.Output, "T": typing.TypeVar("T")}


@dataclass(frozen=True)
class Signature:
    """One component as other languages see it."""

    component: type[pulumi.ComponentResource]
    arguments: type[Model]
    """Its arguments. Those with a default that always holds have it; the others say theirs in their description."""
    outputs: type[Model]


def of(component: type[pulumi.ComponentResource], defaults: Mapping[str, Any]) -> Signature:
    """Return the signature of a component whose constructor takes `args`, a TypedDict.

    `defaults`: argument -> value, for those that have one whatever the others are.
    """
    args = typing.get_type_hints(component.__init__)["args"]
    hints = typing.get_type_hints(args, localns=_NAMES, include_extras=True)
    given = {name: (_plain(hint), _default(hint, defaults.get(name))) for name, hint in hints.items() if _crosses(hint)}
    made = {name: (_plain(hint), ...) for name, hint in inspect.get_annotations(component, eval_str=True).items()}
    return Signature(component, _model(args, given), _model(component, made))


def descriptions(owner: type) -> dict[str, str]:
    """Return attribute -> the docstring under it, for the attributes that a class declares."""
    found: dict[str, str] = {}
    for base in getattr(owner, "__orig_bases__", ()):
        found |= descriptions(base) if inspect.isclass(base) and "__annotations__" in vars(base) else {}
    body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
    for declared, said in itertools.pairwise(typing.cast("ast.ClassDef", body).body):
        match declared, said:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(inspect.cleandoc(text).split())
    return found


def _model(owner: type, fields: Mapping[str, tuple[Any, Any]]) -> type[Model]:
    said = descriptions(owner)
    described: Any = {
        name: (hint, pydantic.Field(default, description=said.get(name))) for name, (hint, default) in fields.items()
    }
    return pydantic.create_model(owner.__name__, __base__=Model, __doc__=inspect.getdoc(owner), **described)


def _default(hint: Any, value: Any) -> Any:  # noqa: ANN401  # annotations and values of any kind
    return value if get_origin(hint) is NotRequired else ...


def _crosses(hint: Any) -> bool:  # noqa: ANN401
    """Say whether an argument can come from another language: a provider is an object of a Python program."""
    return not any(inspect.isclass(part) and issubclass(part, pulumi.Resource) for part in (hint, *get_args(hint)))


def _plain(hint: Any) -> Any:  # noqa: ANN401
    """Return the annotation that pydantic shall check a value by, in the place of one made for Pulumi."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is NotRequired or origin is pulumi.Output:
        return _plain(parts[0])
    if eventual := [get_args(part)[0] for part in parts if get_origin(part) is Awaitable]:
        extra = pydantic.Field(json_schema_extra={EVENTUAL: True})
        return Annotated[_plain(eventual[0]), pydantic.WrapValidator(_unless_eventual), extra]
    if origin in (Mapping, dict):
        return _generic(dict, (str, _plain(parts[1])))
    if origin in (Sequence, list):
        return _generic(list, (_plain(parts[0]),))
    if inspect.isclass(hint) and sdk.is_input_type(hint):
        extra = pydantic.Field(json_schema_extra={SDK: _sdk_name(hint)})
        return Annotated[Any, pydantic.BeforeValidator(lambda value: sdk_args(hint, value)), extra]
    return hint


def _sdk_name(kind: type) -> str:
    """Return the name of a provider's type, as its documentation has it: `kubernetes core/v1 Container`."""
    package, *module = kind.__module__.removesuffix("._inputs").split(".")
    names = [package.removeprefix("pulumi_").replace("_", "-"), "/".join(module), kind.__name__.removesuffix("Args")]
    return " ".join(filter(None, names))


def _generic(kind: Any, parts: tuple[Any, ...]) -> GenericAlias:  # noqa: ANN401
    made: GenericAlias = kind[parts]
    return made


def _unless_eventual(value: Any, check: pydantic.ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401
    return value if isinstance(value, pulumi.Output) else check(value)


def sdk_args(kind: type, value: Any) -> Any:  # noqa: ANN401
    """Return an object with the keys of Pulumi's schema as the SDK's args of `kind`, and likewise all within it."""
    if not isinstance(value, Mapping):
        return value
    kinds = sdk.input_type_types(kind)
    names = {theirs: ours for ours, theirs in sdk.input_type_py_to_pulumi_names(kind).items()}
    if unknown := sorted(value.keys() - names.keys()):
        message = f"unknown key {unknown[0]}; known are {', '.join(sorted(names))}"
        raise ValueError(message)
    return kind(**{names[key]: _nested(kinds.get(key), item) for key, item in value.items()})


def _nested(hint: Any, value: Any) -> Any:  # noqa: ANN401
    classes = [kind for kind in _classes(hint) if sdk.is_input_type(kind)]
    if not classes:
        return value
    if isinstance(value, list):
        return [sdk_args(classes[0], item) for item in value]
    return sdk_args(classes[0], value)


def _classes(hint: Any) -> list[type]:  # noqa: ANN401
    return [hint] if inspect.isclass(hint) else [kind for part in get_args(hint) for kind in _classes(part)]
