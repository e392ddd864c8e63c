"""The Docker engine: the one that answers, else Debian's, started by hand where no init system does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from lib import places
from lib.progress import StepError, run, say

DATA: Final = Path("/var/lib/flaskstack/docker")
"""Data of an engine that this project started: apart from /var/lib/docker, which may be somebody's."""
INSTALLED: Final = DATA.parent / "installed"
"""Says that the engine came with this project, whoever started it."""
PID: Final = Path("/run/flaskstack-docker.pid")
SOCKET: Final = Path("/var/run/docker.sock")
PACKAGES: Final = ("docker.io", "iptables")
DEBIAN_CLI: Final = "/usr/bin/docker"
SECONDS: Final = 60
BUILDX_ONLY: Final = 23
"""Major version from which the CLI has no BuildKit of its own and needs the buildx plugin."""


def answers(cli: str | None = None) -> bool:
    """Return whether an engine answers."""
    command = [cli or next(map(str, candidates()), "docker"), "version", "--format", "{{.Server.Version}}"]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def made_here() -> bool:
    """Return whether the running engine is one that this project installed or started."""
    return INSTALLED.exists() or running_pid() is not None


def running_pid() -> int | None:
    """Return the process of the engine that this project started, if it runs."""
    try:
        pid = int(PID.read_text())
        return pid if str(DATA).encode() in Path(f"/proc/{pid}/cmdline").read_bytes() else None
    except (OSError, ValueError):
        return None


def candidates() -> list[Path]:
    """Return the Docker CLIs on PATH, in its order, but for our own link."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    found = [folder / "docker" for folder in [*folders, Path("/usr/bin")] if (folder / "docker").is_file()]
    return [cli for cli in dict.fromkeys(found) if places.cache() not in cli.parents]


def builds(cli: Path) -> bool:
    """Return whether a CLI can build with BuildKit: by buildx, or by itself, as those before 23 do."""
    try:
        if subprocess.run([cli, "buildx", "version"], capture_output=True, check=False).returncode == 0:
            return True
        version = subprocess.run([cli, "--version"], capture_output=True, check=False, text=True).stdout.split()
        return int(version[2].split(".")[0]) < BUILDX_ONLY
    except (OSError, ValueError, IndexError):
        return False


def why_not() -> str:
    """Return why this project cannot provide the engine that a person chose, and what to do; nothing when it can."""
    if host := os.environ.get("DOCKER_HOST"):
        return f"DOCKER_HOST={host} does not answer: start that engine, or unset the variable"
    if (context := _context()) not in {"", "default"}:
        return f"the Docker context {context} does not answer: start its engine, or run `docker context use default`"
    if SOCKET.exists() and not os.access(SOCKET, os.R_OK | os.W_OK):
        return f"you may not use {SOCKET}: run `sudo usermod --append --groups docker $USER`, then log in again"
    return ""


def _context() -> str:
    try:
        folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
        chosen = json.loads((folder / "config.json").read_text()).get("currentContext")
    except (OSError, ValueError, AttributeError):
        chosen = ""
    return os.environ.get("DOCKER_CONTEXT") or chosen or ""


def make() -> None:
    """Have an engine that answers, and first on PATH a CLI that can build."""
    if not answers():
        _provide()
    _choose_cli()


def _choose_cli() -> None:
    able = next((cli for cli in candidates() if builds(cli)), None)
    if able is None:
        _install(why="no Docker CLI on PATH can build with BuildKit")
        able = next((cli for cli in candidates() if builds(cli)), None)
    if able is None:
        raise StepError("no Docker CLI on PATH can build with BuildKit: install Docker's buildx plugin")
    link = places.tools() / "docker"
    if able == next(iter(candidates()), None):
        link.unlink(missing_ok=True)
    elif not link.is_symlink() or link.readlink() != able:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(able)


def _provide() -> None:
    if reason := why_not():
        raise StepError(reason)
    if not Path("/usr/sbin/dockerd").exists() and shutil.which("dockerd") is None:
        _install(why="no Docker engine answers")
        INSTALLED.parent.mkdir(parents=True, exist_ok=True)
        INSTALLED.touch()
    if os.geteuid() != 0:
        raise StepError("no Docker engine answers: start it (`sudo systemctl start docker`), or run this as root")
    if Path("/run/systemd/system").is_dir():
        run("Docker engine", ["systemctl", "start", "docker"])
    if not _within(2):  # An init script may have started what was installed.
        _start()


def _within(seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not answers():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _start() -> None:
    log = places.cache() / "logs" / "dockerd.log"
    say(f"  starting a Docker engine (data in {DATA}, log in {log})")
    for folder in (DATA, log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    if running_pid() is None:
        PID.unlink(missing_ok=True)  # Left by an engine that was killed: its number may be another process's by now.
    # A session of its own: it outlives this shell, and an interrupt meant for what runs there.
    with log.open("wb") as output:
        engine = subprocess.Popen(
            ["dockerd", "--data-root", str(DATA), "--pidfile", str(PID)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + SECONDS
    while not answers():
        if engine.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-10:])
            message = f"the Docker engine did not start; the end of {log}:\n{tail}"
            raise StepError(message)
        time.sleep(0.2)


def stop() -> bool:
    """Stop the engine that this project started, and its containers with it. Return whether there was one."""
    pid = running_pid()
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + SECONDS
    while running_pid() is not None:
        if time.monotonic() > deadline:
            message = f"the Docker engine (process {pid}) does not stop"
            raise StepError(message)
        time.sleep(0.2)
    return True


def may_install() -> bool:
    """Return whether Debian packages can be installed here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install(why: str) -> None:
    if not may_install():
        message = f"{why}: install Docker (docs.docker.com/engine/install), or run this as root on Debian or Ubuntu"
        raise StepError(message)
    apt(*PACKAGES)


def apt(*packages: str) -> None:
    """Install Debian packages that are not there."""
    query = ["dpkg-query", "--show", "--showformat", "${db:Status-Abbrev}\n", *packages]
    present = subprocess.run(query, capture_output=True, check=False, text=True)
    if present.returncode == 0 and all(line.startswith("ii") for line in present.stdout.split("\n") if line):
        return
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run("Debian's package lists", ["apt-get", "update", "--quiet"], env=quiet)
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    run(f"Debian packages {' '.join(packages)}", install, env=quiet)
