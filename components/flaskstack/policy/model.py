"""What a rule is, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flaskstack.policy.resource import Resource


class Level(Enum):
    """What a violation does."""

    MANDATORY = "mandatory"
    """It stops an update, and fails a review."""
    ADVISORY = "advisory"
    """It is said, no more."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a resource."""

    where: str
    """Path of the property, for example `spec.template.spec.containers[web].image`."""
    value: str
    """What stands there. Never a secret: `secrets` says `hidden` instead."""
    reason: str
    """What is wrong with it."""
    fix: str
    """What to do about it."""
    level: Level | None = None
    """How bad it is. Default: as the rule says."""


@dataclass(frozen=True)
class Rule:
    """One policy."""

    name: str
    """Short name, in the annotation that makes an exception too."""
    description: str
    """What it asks for, in a sentence."""
    level: Level
    """What a violation of it does."""
    check: Callable[[Resource], Iterable[Finding]]
    """What is wrong with a resource. Pure: it looks at the resource only."""


@dataclass(frozen=True)
class Violation:
    """A rule's finding at a resource."""

    rule: Rule
    resource: Resource
    finding: Finding
    excuse: str = ""
    """The reason given for an exception. Default: there is none, it counts."""

    @property
    def level(self) -> Level:
        """What it does."""
        return self.finding.level or self.rule.level

    @property
    def mandatory(self) -> bool:
        """Whether it counts, and must be mended."""
        return self.level is Level.MANDATORY and not self.excuse

    def __str__(self) -> str:
        """Return it on two lines, the second one being the fix."""
        at = f"{self.resource.kind} {self.resource.name}: {self.finding.where} = {self.finding.value}"
        return f"{at}: {self.finding.reason}\n    fix: {self.finding.fix}"
