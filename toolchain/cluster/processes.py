"""Programs in the background: started with a log each, known by process id and start time, stopped by that id alone."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lib.progress import StepError, say

from cluster import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEPT_LOG = 64 * 2**20
"""Bytes of a log that is carried on; a longer one is put aside when its program starts."""
POLL = 0.2


@dataclasses.dataclass(frozen=True)
class Program:
    """What to run, and how one sees that it serves."""

    name: str
    command: Sequence[str | Path]
    ready: Callable[[], bool]
    inputs: bytes = b""
    """Content of its configuration files: the program is started anew when that has changed."""
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    seconds: float = 60

    def digest(self) -> str:
        """Return what the program runs from, as a short name."""
        command = "\0".join(map(str, self.command))
        return settings.digest(
            command.encode(), self.inputs, json.dumps(dict(self.environment), sort_keys=True).encode()
        )


def _record(name: str) -> Path:
    return settings.run() / f"{name}.json"


def _born(pid: int) -> str | None:
    """Return when a process started, in the kernel's ticks; None for one that is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def running(name: str) -> dict[str, str] | None:
    """Return the record of a program that still runs."""
    try:
        record: dict[str, str] = json.loads(_record(name).read_text())
    except (OSError, ValueError):
        return None
    return record if _born(int(record["pid"])) == record["born"] else None


def start(program: Program) -> bool:
    """Have a program run and serve. Return whether it had to be started."""
    record = running(program.name)
    if record and record["digest"] == program.digest() and _soon(program.ready, 5):
        return False
    if record:
        why = "does not answer" if record["digest"] == program.digest() else "changed"
        say(f"  {program.name}: {why}, starting it anew")
        stop(program.name)
    began = time.monotonic()
    log = settings.logs() / f"{program.name}.log"
    if log.exists() and log.stat().st_size > KEPT_LOG:
        log.rename(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in program.command],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/",
            env={**{k: v for k, v in os.environ.items() if k != "KUBECONFIG"}, **program.environment},
        )  # fmt: skip
    part = _record(program.name).with_suffix(".part")
    part.write_text(json.dumps({"pid": str(process.pid), "born": _born(process.pid), "digest": program.digest()}))
    part.replace(_record(program.name))
    if not _soon(program.ready, program.seconds, lambda: process.poll() is None):
        ended = process.poll()
        what = f"did not serve within {program.seconds:.0f} s" if ended is None else f"ended with status {ended}"
        tail = "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-20:])
        message = f"{program.name} {what}; the end of {log}:\n{tail}"
        raise StepError(message)
    say(f"  {program.name} serves ({time.monotonic() - began:.1f} s)")
    return True


def stop(name: str, seconds: float = 20) -> None:
    """Stop a program, if it is the one that was started here."""
    if record := running(name):
        pid = int(record["pid"])
        for sent in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sent)
            if _soon(lambda: _born(pid) != record["born"], seconds):
                break
    _record(name).unlink(missing_ok=True)


def names() -> list[str]:
    """Return the programs that were started and not stopped, running or not."""
    return sorted(path.stem for path in settings.run().glob("*.json"))


def _soon(condition: Callable[[], bool], seconds: float, go_on: Callable[[], bool] = lambda: True) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline or not go_on():
            return False
        time.sleep(POLL)
    return True
