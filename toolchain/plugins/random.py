"""The random plugin, version 4.21.4: passwords, strings, bytes and ids."""

from __future__ import annotations

import base64
import secrets
import string
from typing import Any, Final

from plugins import schema
from plugins.base import Provider, serve
from plugins.resource import Call, Difference, Failure, PluginError, Resource, Values
from plugins.schema import Field
from plugins.values import UNKNOWN, plain

_SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"
_CLASSES: Final = {
    "special": ("minSpecial", _SPECIAL),
    "upper": ("minUpper", string.ascii_uppercase),
    "lower": ("minLower", string.ascii_lowercase),
    "numeric": ("minNumeric", string.digits),
}


def _not_negative(value: int) -> str | None:
    return None if value >= 0 else f"must be at least 0, and is {value}"


def _positive(value: int) -> str | None:
    return None if value >= 1 else f"must be at least 1, and is {value}"


_TEXT: Final = {
    "keepers": Field("map"),
    "length": Field("int", required=True, check=_positive),
    **{name: Field("bool", default=True) for name in _CLASSES},
    # The former name of `numeric`.
    "number": Field("bool", computed=True),
    **{least: Field("int", default=0, check=_not_negative) for least, _ in _CLASSES.values()},
    "overrideSpecial": Field("string"),
    "result": Field("string", output=True),
    "bcryptHash": Field("string", output=True),
}


class _Random(Resource):
    """A value that is made once. Any change of an input makes a new one."""

    kind: str
    fields: dict[str, Field]

    def check(self, call: Call, inputs: Values, olds: Values) -> tuple[Values, list[Failure]]:
        del call, olds
        return schema.check(self.kind, self.fields, inputs)

    def diff(self, call: Call, olds: Values, inputs: Values, old_inputs: Values) -> Difference:
        del old_inputs
        return schema.diff(call, self.fields, olds, inputs)

    def preview_create(self, call: Call, inputs: Values) -> Values:
        del call
        return schema.outputs({**inputs, **dict.fromkeys(self.computed, UNKNOWN)})


class Password(_Random):
    """A random text that is secret."""

    kind = "random:index/randomPassword:RandomPassword"
    fields = _TEXT
    computed = ("result", "bcryptHash", "id")
    secrets = ("result", "bcryptHash")

    def check(self, call: Call, inputs: Values, olds: Values) -> tuple[Values, list[Failure]]:
        """Return inputs with defaults. `number` and `numeric` are the same."""
        given = plain(inputs.get("number"))
        if given is not None and inputs.get("numeric") is None:
            inputs = {**inputs, "numeric": given}
        checked, failures = super().check(call, inputs, olds)
        least = [plain(checked.get(name)) for name, _ in _CLASSES.values()]
        length = plain(checked.get("length"))
        if not failures and all(isinstance(item, int) for item in (*least, length)) and sum(least) > length:
            failures.append(Failure("length", f"length {length} is less than the sum of the minimums, {sum(least)}"))
        return checked, failures

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        """Make a password and its hash."""
        del call
        import bcrypt  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415  # only here

        text = random_text(inputs)
        hashed = bcrypt.hashpw(text.encode()[:72], bcrypt.gensalt(10)).decode()
        return "none", {**schema.outputs(inputs), "id": "none", "result": text, "bcryptHash": hashed}


class Text(_Random):
    """A random text that is not secret."""

    kind = "random:index/randomString:RandomString"
    fields = {name: known for name, known in _TEXT.items() if name != "bcryptHash"}  # noqa: RUF012
    computed = ("result", "id")

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        """Make a text."""
        del call
        text = random_text(inputs)
        return text, {**schema.outputs(inputs), "id": text, "result": text}


class Bytes(_Random):
    """Random bytes, secret."""

    kind = "random:index/randomBytes:RandomBytes"
    fields = {  # noqa: RUF012
        "keepers": Field("map"),
        "length": Field("int", required=True, check=_positive),
        "base64": Field("string", output=True),
        "hex": Field("string", output=True),
    }
    computed = ("base64", "hex")
    secrets = ("base64", "hex")

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        """Make bytes."""
        del call
        raw = secrets.token_bytes(int(inputs["length"]))
        return "none", {**schema.outputs(inputs), "base64": base64.b64encode(raw).decode(), "hex": raw.hex()}


class Identity(_Random):
    """Random bytes that identify something."""

    kind = "random:index/randomId:RandomId"
    fields = {  # noqa: RUF012
        "byteLength": Field("int", required=True, check=_positive),
        "keepers": Field("map"),
        "prefix": Field("string"),
        **{name: Field("string", output=True) for name in ("b64Std", "b64Url", "dec", "hex")},
    }
    computed = ("b64Std", "b64Url", "dec", "hex", "id")

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        """Make bytes, and write them in four ways."""
        del call
        raw = secrets.token_bytes(int(inputs["byteLength"]))
        prefix = inputs.get("prefix") or ""
        identity = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        found = {
            "b64Std": prefix + base64.b64encode(raw).decode(),
            "b64Url": prefix + identity,
            "dec": prefix + str(int.from_bytes(raw, "big")),
            "hex": prefix + raw.hex(),
            "id": identity,
        }
        return identity, {**schema.outputs(inputs), **found}


def random_text(inputs: Values) -> str:
    """Return a random text with at least as many characters of each class as asked for."""
    sets = {name: letters for name, (_, letters) in _CLASSES.items()}
    if inputs.get("overrideSpecial"):
        sets["special"] = inputs["overrideSpecial"]
    allowed = "".join(letters for name, letters in sets.items() if inputs[name])
    picked = [secrets.choice(sets[name]) for name, (least, _) in _CLASSES.items() for _ in range(int(inputs[least]))]
    rest = int(inputs["length"]) - len(picked)
    if rest and not allowed:
        raise PluginError("the character set specified is empty")
    picked += [secrets.choice(allowed) for _ in range(rest)]
    secrets.SystemRandom().shuffle(picked)
    return "".join(picked)


class Plugin(Provider):
    """The provider. It has no configuration."""

    name = "random"
    version = "4.21.4"

    def __init__(self) -> None:
        """Make the types of resources."""
        self.resources: dict[str, Any] = {item.kind: item() for item in (Password, Text, Bytes, Identity)}


if __name__ == "__main__":
    serve(Plugin)
