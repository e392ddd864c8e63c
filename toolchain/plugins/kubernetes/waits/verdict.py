"""The answer of one look at an object, and the loop that looks until the answer is final."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from plugins.kubernetes.enginelog import Log

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 1.0
EXPLAIN_EVERY = 10.0


@dataclass(frozen=True)
class Verdict:
    """What one look at an object says."""

    ready: bool
    status: str = ""
    reasons: tuple[str, ...] = ()
    """Why it is not ready, as known from the object itself."""
    failed: bool = False
    """It will never be ready: stop waiting."""
    warnings: tuple[str, ...] = ()


class WaitError(Exception):
    """An object that was made did not get ready (or did not go away)."""

    def __init__(self, summary: str, reasons: tuple[str, ...] = ()) -> None:
        """Keep one sentence and the reasons."""
        super().__init__(summary)
        self.summary = summary
        self.reasons = reasons

    @property
    def text(self) -> str:
        """The sentence with its reasons below it."""
        return "\n".join([self.summary, *(f"\t* {reason}" for reason in self.reasons)])


@dataclass
class Waiter:
    """Looks again and again, until the answer is final, the time is up or the user cancels."""

    log: Log
    cancelled: threading.Event
    seconds: float
    name: str
    explain: Callable[[], list[str]] | None = None
    """Finds what the object itself does not tell, such as its pods' reasons."""
    clock: Callable[[], float] = field(default=time.monotonic)

    def until(self, look: Callable[[], Verdict], doing: str = "to be Ready") -> None:
        """Wait; raises `WaitError` with the reasons."""
        start = explained = self.clock()
        pause = FIRST_PAUSE
        while True:
            verdict = look()
            for warning in verdict.warnings:
                self.log.line("warning", warning)
            if verdict.ready:
                self.log.status("")
                return
            if verdict.failed:
                raise WaitError(f"{self.name!r} failed", self._reasons(verdict))
            now = self.clock()
            if now - start >= self.seconds:
                raise WaitError(f"{self.name!r} timed out waiting {doing}", self._reasons(verdict))
            if now - explained >= EXPLAIN_EVERY and self.explain is not None:
                explained = now
                for reason in self.explain():
                    self.log.status(reason, "warning")
            elif verdict.status:
                self.log.status(verdict.status)
            if self.cancelled.wait(min(pause, max(0.0, start + self.seconds - now))):
                raise WaitError(f"waiting for {self.name!r} was cancelled", self._reasons(verdict))
            pause = min(LONGEST_PAUSE, pause * 1.5)

    def _reasons(self, verdict: Verdict) -> tuple[str, ...]:
        explained = tuple(self.explain()) if self.explain is not None else ()
        return (*verdict.reasons, *(reason for reason in explained if reason not in verdict.reasons))
