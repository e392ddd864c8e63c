"""The Docker engine: the one that answers, else one from Debian's packages, started by hand where there is no init system."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Final

from lib import places
from lib.progress import StepError, run, say

DATA: Final = Path("/var/lib/flaskstack/docker")
"""Data of an engine that this project started: apart from /var/lib/docker, which may be somebody's."""
PID: Final = Path("/run/flaskstack-docker.pid")
PACKAGES: Final = ("docker.io", "iptables")
SECONDS: Final = 60


def answers(cli: str = "docker") -> bool:
    """Return whether an engine answers."""
    try:
        done = subprocess.run([cli, "version", "--format", "{{.Server.Version}}"], capture_output=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def started_here() -> bool:
    """Return whether the running engine is one that this project started."""
    try:
        pid = int(PID.read_text())
        return str(DATA).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False


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
        return len(version) > 2 and int(version[2].split(".")[0]) < 23  # noqa: PLR2004
    except (OSError, ValueError):
        return False


def make() -> None:
    """Have an engine that answers, and first on PATH a CLI that can build."""
    cli = next((str(found) for found in candidates()), None)
    if cli is None or not answers(cli):
        _install_and_start()
    _choose_cli()


def _choose_cli() -> None:
    able = next((cli for cli in candidates() if builds(cli)), None)
    if able is None:
        _install(why="no Docker CLI on PATH can build with BuildKit")
        able = next((cli for cli in candidates() if builds(cli)), None)
    if able is None:
        raise StepError("no Docker CLI on PATH can build with BuildKit: install Docker's buildx plugin")
    link = places.tools() / "docker"
    if able == (candidates() or [None])[0]:
        link.unlink(missing_ok=True)
    elif not link.is_symlink() or link.readlink() != able:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(able)


def _install_and_start() -> None:
    if not Path("/usr/sbin/dockerd").exists() and shutil.which("dockerd") is None:
        _install(why="no Docker engine answers")
    for _ in range(20):  # An init system starts what was installed.
        if answers("/usr/bin/docker"):
            return
        time.sleep(0.1)
    if os.geteuid() != 0:
        raise StepError("no Docker engine answers: start it, or run this as root on Debian or Ubuntu")
    say(f"  starting a Docker engine (data in {DATA}, log in {places.cache() / 'logs' / 'dockerd.log'})")
    DATA.mkdir(parents=True, exist_ok=True)
    (places.cache() / "logs").mkdir(parents=True, exist_ok=True)
    # What an engine that was killed leaves behind keeps another from starting.
    Path("/var/run/docker.pid").unlink(missing_ok=True)
    with (places.cache() / "logs" / "dockerd.log").open("ab") as log:
        engine = subprocess.Popen(
            ["dockerd", "--data-root", str(DATA), "--pidfile", str(PID)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + SECONDS
    while not answers("/usr/bin/docker"):
        if engine.poll() is not None or time.monotonic() > deadline:
            message = f"the Docker engine did not start; see {log.name}"
            raise StepError(message)
        time.sleep(0.2)


def _install(why: str) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        message = f"{why}: install Docker (docs.docker.com/engine/install), or run this as root on Debian or Ubuntu"
        raise StepError(message)
    apt(*PACKAGES)


def apt(*packages: str) -> None:
    """Install Debian packages that are not there."""
    present = subprocess.run(["dpkg-query", "--show", "--showformat", "${db:Status-Abbrev}\n", *packages], capture_output=True, check=False, text=True)
    if present.returncode == 0 and all(line.startswith("ii") for line in present.stdout.split("\n") if line):
        return
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run("Debian's package lists", ["apt-get", "update", "--quiet"], env=quiet)
    run(f"Debian packages {' '.join(packages)}", ["apt-get", "install", "--yes", "--no-install-recommends", *packages], env=quiet)
