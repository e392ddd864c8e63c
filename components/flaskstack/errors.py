"""What is wrong with the settings, said all at once: each problem with its key, its value and its fix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from collections.abc import Sequence

HIDDEN = "[secret]"
"""What stands in an error message where a secret's value would."""


@dataclass(frozen=True)
class Problem:
    """One wrong setting."""

    key: str
    """The setting's key, as its owner writes it, for example `flaskstack:local.port`."""
    value: str
    """The value that was found, as text. `HIDDEN` for a secret, "not set" where there is none."""
    reason: str
    """What is wrong with it."""
    fix: str
    """What to do about it, ready to type where a command does it."""

    def __str__(self) -> str:
        """Return the problem on two lines, the second one being the fix."""
        return f"{self.key} = {self.value}: {self.reason}\n    fix: {self.fix}"


class SettingsError(pulumi.RunError):
    """Settings cannot be used. Carries every problem found.

    It is a `pulumi.RunError`, so the CLI prints the message without a traceback, and it is raised before any resource
    is registered, so nothing is half made.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Take the problems in the order in which they shall be read."""
        self.problems = tuple(problems)
        count = "1 setting is wrong" if len(self.problems) == 1 else f"{len(self.problems)} settings are wrong"
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{count}; nothing was changed:\n{lines}")
