"""What shows of the Terraform bridge: defaults, checks, names and differences of the fields of a schema."""

from __future__ import annotations

import hashlib
import secrets as randomness
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from plugins.resource import Difference, Failure
from plugins.values import UNKNOWN, Secret, has_unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plugins.resource import Call, Values

DEFAULTS: Final = "__defaults"
_NAME_LENGTH: Final = 255


@dataclass(frozen=True, slots=True)
class Field:
    """A field: `kind` is string, int, bool, map, list, set or object."""

    kind: str
    required: bool = False
    computed: bool = False
    """The engine fills it when it is left out, so leaving it out is no difference."""
    updates: bool = False
    """A change is made in place. Otherwise it replaces the resource."""
    default: Any = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    """Fields of an object, or of each element of a list or set."""
    check: Callable[[Any], str | None] | None = None
    """Returns what is wrong with a value."""
    empty_is_unset: bool = False
    """An empty new value, or none, is no difference."""
    output: bool = False
    """Never an input."""
    unsupported: bool = False


def check(kind: str, fields: Mapping[str, Field], inputs: Values) -> tuple[Values, list[Failure]]:
    """Return inputs with defaults, recorded as the bridge does, and what is wrong. Marks of secrecy stay."""
    failures: list[Failure] = []
    return _checked(kind, fields, inputs, "", failures), failures


def _checked(kind: str, fields: Mapping[str, Field], values: Values, path: str, failures: list[Failure]) -> Values:
    checked: Values = {}
    for name, value in values.items():
        if name == DEFAULTS:
            continue
        known = fields.get(name)
        where = f"{path}{name}"
        if known is None or known.output:
            failures.append(Failure(where, f"{kind} has no input {where!r}"))
        elif known.unsupported:
            failures.append(
                Failure(where, f"{where!r} is not supported by the fallback plugin; install the official one to use it")
            )
        else:
            checked[name] = _checked_value(kind, known, value, where, failures)
    failures.extend(
        Failure(f"{path}{name}", f"Missing required argument. The argument {path + name!r} is required")
        for name, known in fields.items()
        if known.required and checked.get(name) is None
    )
    defaults = [name for name, known in fields.items() if known.default is not None and checked.get(name) is None]
    return {**checked, **{name: fields[name].default for name in defaults}, DEFAULTS: sorted(defaults)}


def _checked_value(  # noqa: PLR0911  # one return for each kind of value
    kind: str, known: Field, value: Any, where: str, failures: list[Failure]
) -> Any:
    if isinstance(value, Secret):
        return Secret(_checked_value(kind, known, value.value, where, failures))
    if value is None or value is UNKNOWN:
        return value
    if known.kind in ("list", "set"):
        if not isinstance(value, list):
            failures.append(Failure(where, f"{where} must be a list, and is {value!r}"))
            return value
        inner = Field("object", fields=known.fields) if known.fields else Field("string")
        return [_checked_value(kind, inner, item, f"{where}[{index}]", failures) for index, item in enumerate(value)]
    if known.kind in ("object", "map"):
        if not isinstance(value, dict):
            failures.append(Failure(where, f"{where} must be an object, and is {value!r}"))
            return value
        return _checked(kind, known.fields, value, f"{where}.", failures) if known.kind == "object" else value
    wrong = _scalar_problem(known, value)
    if wrong:
        failures.append(Failure(where, f"{where} {wrong}"))
    return value


def _scalar_problem(known: Field, value: Any) -> str | None:
    try:
        value = coerce(known, value)
    except ValueError:
        return f"must be of type {known.kind}, and is {value!r}"
    return known.check(value) if known.check else None


def coerce(known: Field, value: Any) -> Any:
    """Return a scalar in the field's own type. Texts that say a number or a boolean are taken as such."""
    if isinstance(value, list | dict):
        raise ValueError(value)  # noqa: TRY004  # one kind of error for callers
    if known.kind == "int":
        return int(value)
    if known.kind == "bool":
        if value in (True, "true"):
            return True
        if value in (False, "false"):
            return False
        raise ValueError(value)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def autoname(call: Call, inputs: Values, olds: Values) -> Values:
    """Return inputs with a name: the former one if it was ours, else the resource's name and 7 random digits."""
    if inputs.get("name") is not None:
        return inputs
    if "name" in olds.get(DEFAULTS, ()) and olds.get("name"):
        name = olds["name"]
    elif call.proposed_name:
        name = call.proposed_name
    else:
        digits = hashlib.sha256(call.seed + call.name.encode()).hexdigest() if call.seed else randomness.token_hex(4)
        name = f"{call.name[: _NAME_LENGTH - 8]}-{digits[:7]}"
    return {**inputs, "name": name, DEFAULTS: sorted({*inputs.get(DEFAULTS, ()), "name"})}


def diff(call: Call, fields: Mapping[str, Field], olds: Values, inputs: Values, *, named: bool = False) -> Difference:
    """Return what differs between the state and the inputs. `named`: the name is unique, and may be ours."""
    changed: dict[str, bool] = {}
    kinds: dict[str, str] = {}
    ignored = {path.partition(".")[0].partition("[")[0] for path in call.ignored}
    for name, known in fields.items():
        if known.output or name in ignored or not differs(known, olds.get(name), inputs.get(name)):
            continue
        changed[name] = not known.updates
        if _is_zero(olds.get(name)):
            kinds[name] = "add"
        elif inputs.get(name) is None:
            kinds[name] = "delete"
    # A name that the program chose cannot be held by the old and the new one at once.
    fixed = named and "name" not in inputs.get(DEFAULTS, ()) and olds.get("name") == inputs.get("name")
    return Difference(changed, delete_first=fixed and any(changed.values()), kinds=kinds)


def differs(known: Field, old: Any, new: Any) -> bool:
    """Say whether a field's value in the state differs from the input."""
    if known.empty_is_unset and not new:
        return False
    if new is None:
        return not known.computed and not _is_zero(old)
    if has_unknown(new):
        return True
    if known.kind == "list" and known.fields:
        old = old or []
        return len(old) != len(new) or any(_objects_differ(known.fields, *pair) for pair in zip(old, new, strict=True))
    if known.kind == "object":
        return _objects_differ(known.fields, old or {}, new)
    return bool(canonical(known, old) != canonical(known, new))


def _objects_differ(fields: Mapping[str, Field], old: Values, new: Values) -> bool:
    return any(differs(known, old.get(name), new.get(name)) for name, known in fields.items())


def canonical(known: Field, value: Any) -> Any:
    """Return a value in a form that compares: without order where there is none, nothing and zero the same."""
    if _is_zero(value):
        return None
    if known.kind in ("list", "set"):
        items = [
            {name: canonical(part, item.get(name)) for name, part in known.fields.items()}
            if known.fields
            else str(item)
            for item in value
        ]
        return sorted(items, key=repr) if known.kind == "set" else items
    if known.kind == "object":
        return {name: canonical(part, value.get(name)) for name, part in known.fields.items()}
    if known.kind == "map":
        return {key: coerce(Field("string"), item) for key, item in value.items()}
    found = coerce(known, value)
    return None if _is_zero(found) else found


def _is_zero(value: Any) -> bool:
    return value is None or value in ("", 0, False, [], {})


def outputs(values: Values) -> Values:
    """Return values without the records of defaults, which are of inputs only."""
    return {name: _without_defaults(value) for name, value in values.items() if name != DEFAULTS}


def _without_defaults(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_defaults(item) for name, item in value.items() if name != DEFAULTS}
    if isinstance(value, list):
        return [_without_defaults(item) for item in value]
    return value


def inputs_of(fields: Mapping[str, Field], found: Values, inputs: Values) -> Values:
    """Return inputs after a refresh: the former ones with what drifted; all that say something after an import."""
    if not inputs:
        names = [name for name, known in fields.items() if not known.output and not _is_zero(found.get(name))]
        kept = [name for name in names if fields[name].default is None or found[name] != fields[name].default]
        return {**{name: found[name] for name in kept}, DEFAULTS: []}
    again = dict(inputs)
    for name, value in inputs.items():
        known = fields.get(name)
        if known and name in found and differs(known, found[name], value):
            again[name] = found[name]
    return again
