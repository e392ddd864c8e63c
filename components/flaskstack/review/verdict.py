"""What a review of a stack comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from flaskstack.policy import check
from flaskstack.review.danger import Danger, dangers, warnings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flaskstack.policy import Violation
    from flaskstack.review.changes import Preview


class Status(IntEnum):
    """Exit status of a review."""

    SAFE = 0
    """Nothing would change, or nothing dangerous would."""
    ERROR = 1
    """A stack could not be previewed."""
    DANGER = 3
    """Data or the way to the application would be lost, or a mandatory policy is violated. (2 is wrong usage.)"""


@dataclass(frozen=True)
class Review:
    """The review of one stack."""

    preview: Preview
    dangers: tuple[Danger, ...]
    warnings: tuple[Danger, ...]
    violations: tuple[Violation, ...]

    @classmethod
    def of(cls, preview: Preview, accepted: Iterable[str] = ()) -> Review:
        """Return the review of a preview. `accepted` names resources at which danger is intended."""
        return cls(
            preview,
            tuple(dangers(preview.changes, accepted)),
            tuple(warnings(preview.changes)),
            tuple(check(preview.resources())),
        )

    @property
    def status(self) -> Status:
        """What it comes to. Danger that was seen counts more than a preview that broke off."""
        if any(not item.accepted for item in self.dangers) or any(item.mandatory for item in self.violations):
            return Status.DANGER
        return Status.ERROR if self.preview.error else Status.SAFE

    @property
    def verdict(self) -> str:
        """What it comes to, in words."""
        said = []
        if self.preview.error:
            said.append("**no preview**")
        if count := sum(not item.accepted for item in self.dangers):
            said.append(f"**{count} dangerous**")
        if count := sum(item.mandatory for item in self.violations):
            said.append(f"**{count} against policy**")
        if self.warnings:
            said.append(f"{len(self.warnings)} worth knowing")
        return ", ".join(said) or "no danger"


def worst(reviews: Sequence[Review]) -> Status:
    """Return what reviews of several stacks come to."""
    return max((review.status for review in reviews), default=Status.SAFE)
