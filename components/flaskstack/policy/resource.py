"""A resource as rules see it, and how values that cannot be seen are told apart.

In a preview, values that an update will bring are unknown, and secrets are masked. Both are `Opaque` here: a rule that
needs the value of one says nothing, and the update itself asks again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""Key by which Pulumi marks a dictionary that stands for something else."""
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # a mark, the same everywhere
"""What that key says of a secret."""
MASK: Final = "[secret]"
"""What a preview shows in place of a secret."""
UNKNOWNS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # a string
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # a list
        "030794c1-ac77-496b-92df-f27374a8bd58",  # an asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # an archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # an object
    }
)
"""What stands for a value that is not known yet, as the engine writes it."""


class Opaque:
    """A value that cannot be seen."""

    def __init__(self, text: str) -> None:
        """Take what to show for it."""
        self.text = text

    def __repr__(self) -> str:
        """Return what to show for it."""
        return self.text


SECRET: Final = Opaque(MASK)
"""A secret."""
UNKNOWN: Final = Opaque("[known after the update]")
"""A value that only the update will bring."""


def cleaned(value: Any) -> Any:  # noqa: ANN401  # whatever JSON holds
    """Return a value of a preview, a state or the protocol with `SECRET` and `UNKNOWN` where they belong."""
    match value:
        case dict() if value.get(SIGNATURE) == SECRET_SIGNATURE:
            return SECRET
        case dict():
            # `__defaults` is the plugin's note of which inputs it filled in.
            return {key: cleaned(item) for key, item in value.items() if key != "__defaults"}
        case list() | tuple():
            return [cleaned(item) for item in value]
        case str():
            return SECRET if value == MASK else UNKNOWN if any(mark in value for mark in UNKNOWNS) else value
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


@dataclass(frozen=True)
class Resource:
    """One resource: what the engine knows of it before it is made."""

    type: str
    """Type token, for example `kubernetes:apps/v1:Deployment`."""
    name: str
    """Name in the program."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """Its properties, `cleaned`."""
    protect: bool = False
    """Whether it cannot be deleted (`protect`)."""
    retained: bool | None = False
    """Whether what it stands for stays when it is deleted (`retain_on_delete`). None: cannot be told, since the engine
    does not show a policy pack."""

    @property
    def kind(self) -> str:
        """The last part of the type: `Deployment`."""
        return self.type.rpartition(":")[2]

    @property
    def kubernetes(self) -> str:
        """The kind of a Kubernetes object as a whole; empty for anything else, a patch of an object too."""
        return self.kind if self.type.startswith("kubernetes:") and not self.kind.endswith("Patch") else ""

    @property
    def docker(self) -> str:
        """The kind of a Docker resource; empty for anything else."""
        return self.kind if self.type.startswith("docker:") else ""

    @property
    def tags(self) -> dict[str, str]:
        """Annotations of a Kubernetes object, labels of a Docker one."""
        annotations = dig(self.inputs, "metadata", "annotations")
        found = dict(annotations) if isinstance(annotations, dict) else {}
        for item in items(self.inputs, "labels"):
            if isinstance(item, dict):
                found[item.get("label")] = item.get("value")
        return {key: value for key, value in found.items() if isinstance(key, str) and isinstance(value, str)}


def dig(value: Any, *path: str | int) -> Any:  # noqa: ANN401
    """Return what is at `path`: None where there is nothing, an `Opaque` where that cannot be seen."""
    for part in path:
        if isinstance(value, Opaque):
            return value
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def items(value: Any, *path: str) -> list[Any]:  # noqa: ANN401
    """Return the list at `path`; an empty one where there is none, or it cannot be seen."""
    found = dig(value, *path)
    return found if isinstance(found, list) else []


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """Yield each text in a value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from texts(item, f"{path}[{number}]")


def words(name: str) -> list[str]:
    """Return the words of a variable's or a key's name, in lower case: `dbPassword`, `DB_PASSWORD` -> db, password."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
