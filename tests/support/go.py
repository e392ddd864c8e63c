"""A Pulumi program in Go, and what drives it. Go's own cache makes a second build fast."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from pathlib import Path
from typing import Any

from lib.golang import ENVIRONMENT, OPTIONS, compiler
from support.stack import environment

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "components"
SOURCE = ROOT / "tests" / "plugin" / "program"
MINUTES = 10


def built(target: Path) -> Path:
    """Build the program; its versions and options are those of toolchain/go, so that what that compiled is used."""
    done = subprocess.run(
        [compiler("a program"), "build", *OPTIONS, "-o", str(target), "."],
        cwd=SOURCE,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
        timeout=MINUTES * 60,
    )
    assert done.returncode == 0, done.stderr
    return target


class Program:
    """The Go program, in a folder of its own. What it registers is said by `settings`."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self.binary = binary
        self.folder = folder
        self.stack = f"t{secrets.token_hex(4)}"
        self.environment: dict[str, str] = {}
        (folder / "state").mkdir()

    def settings(self) -> dict[str, Any]:
        """Return the arguments of the components."""
        raise NotImplementedError

    def run(self, verb: str) -> subprocess.CompletedProcess[str]:
        settings = {"stack": self.stack, "plugin": str(PLUGIN), **self.settings()}
        variables = {
            **environment(self.folder / "state", "test"), **self.environment, "SETTINGS": json.dumps(settings)
        }  # fmt: skip
        command = [str(self.binary), verb]
        return subprocess.run(
            command, cwd=self.folder, env=variables, capture_output=True, text=True, check=False, timeout=300
        )

    def result(self, verb: str) -> dict[str, Any]:
        done = self.run(verb)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def state(self) -> str:
        return "".join(file.read_text() for file in (self.folder / "state").rglob("*.json"))
