"""The command line as a person runs it: another process, in a folder of theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
CANARY = "canary0123456789"
"""What the environment's secrets are while a command runs: none of it may come out."""
IMAGE = f"registry.example/team/guestbook@sha256:{'1' * 64}"


def flaskstack(*arguments: str, folder: Path, ok: bool = True) -> subprocess.CompletedProcess[str]:
    """Run `python -m flaskstack` in `folder`."""
    secrets = dict.fromkeys(("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "POSTGRES_PASSWORD"), CANARY)
    done = subprocess.run(
        [sys.executable, "-m", "flaskstack", *arguments],
        cwd=folder,
        env={**os.environ, **secrets},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode == 0) is ok, done.stdout + done.stderr
    assert CANARY not in done.stdout + done.stderr
    return done


def manifests(text: str) -> list[dict[str, object]]:
    """Return the objects of a stream of manifests."""
    return [each for each in yaml.safe_load_all(text) if each]
