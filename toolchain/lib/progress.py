"""Steps that say what they do: a line at once, another every ten seconds, the log's tail when one fails."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING

from lib import places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

EVERY = 10
"""Seconds between two lines of a step that takes long."""


class StepError(Exception):
    """A step failed. Its text says what, why, and what to do."""


def say(text: str) -> None:
    """Print a line for the person. Not on standard output, which other programs read."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def only_one(of: str = "lock") -> Iterator[None]:
    """Hold a lock of the cache: two set-ups at once would build the same things twice."""
    places.cache().mkdir(parents=True, exist_ok=True)
    with (places.cache() / of).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is running; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(
    title: str,
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: IO[bytes] | None = None,
) -> None:
    """Run a command that may take long, its output in a log. Raises `StepError` with the log's tail when it fails."""
    log = places.cache() / "logs" / f"{title.replace(' ', '-').replace('/', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    say(f"  {title} ...")
    began = told = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=stdin or subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while process.poll() is None:
                time.sleep(0.1)
                if time.monotonic() - told >= EVERY:
                    told = time.monotonic()
                    say(f"  {title} ... {told - began:.0f} s: {_last_line(log)}")
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode:
        tail = "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-20:])
        message = f"{title} failed with status {process.returncode}; the end of {log}:\n{tail}"
        raise StepError(message)
    say(f"  {title} ... done ({time.monotonic() - began:.0f} s)")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return lines[-1].strip()[:100] if lines else ""
