"""The images that an update would build, as far as a preview can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flaskstack.policy.resource import dig, items

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flaskstack.review.changes import Change

BUILD: Final = "docker-build:index:Image"


@dataclass(frozen=True)
class Image:
    """An image, in words."""

    tags: str
    built: str
    source: str
    platforms: str
    goes: str


def images(changes: Iterable[Change]) -> list[Image]:
    """Return the images that the program builds."""
    return [_image(change) for change in changes if change.type == BUILD and change.new]


def _image(change: Change) -> Image:
    inputs = change.resource.inputs
    inline = isinstance(dig(inputs, "dockerfile", "inline"), str)
    recipe = "a Dockerfile of the program" if inline else str(dig(inputs, "dockerfile", "location") or "Dockerfile")
    push = dig(inputs, "push") is True
    return Image(
        tags=", ".join(map(str, items(inputs, "tags"))) or change.name,
        built=_built(change),
        source=f"{dig(inputs, 'context', 'location')}, {recipe}",
        platforms=", ".join(map(str, items(inputs, "platforms"))) or "the builder's own",
        goes="its repository" if push else "the Docker engine" if dig(inputs, "load") is True else "its exports",
    )


def _built(change: Change) -> str:
    match change.kind:
        case "create":
            return "yes, for the first time"
        case "unchanged":
            return "no, nothing of it changed"
        case "change" | "replace":
            named = {name.partition(".")[0].partition("[")[0] for name in change.diffs}
            why = ["its source" if name == "contextHash" else name for name in sorted(named)]
            return f"yes: {', '.join(why)} changed" if why else "yes"
        case _:
            return "no"
