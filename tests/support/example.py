"""A project of `examples/`, copied and driven by the real CLI with a state, stack and passphrase of its own."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from support.stack import Expecting, docker, environment, labelled, remove_images, remove_labelled

EXAMPLES = Path(__file__).parents[2] / "examples"
SECONDS = 300


class Example:
    """One example. Its stack's name is unique, and so is what bears it in the Docker engine; `like` is its settings."""

    def __init__(self, folder: Path, example: str, like: str = "dev") -> None:
        self.folder = folder / example
        shutil.copytree(
            EXAMPLES / example, self.folder, ignore=shutil.ignore_patterns("__pycache__", ".venv", "instance")
        )
        # The environment that `pulumi install` would make: the one that these tests run in.
        (self.folder / ".venv").symlink_to(sys.prefix)
        self.project = yaml.safe_load((self.folder / "Pulumi.yaml").read_text())["name"]
        self.stack = f"t{secrets.token_hex(4)}"
        self.settings = self.folder / f"Pulumi.{self.stack}.yaml"
        shutil.copy(self.folder / f"Pulumi.{like}.yaml", self.settings)
        state = folder / "state"
        state.mkdir()
        self.environment = environment(state, secrets.token_hex())
        self.pulumi("stack", "init", self.stack).expect()

    def pulumi(self, *arguments: str, text: str | None = None) -> Expecting:
        """Run the CLI in the project's folder."""
        done = subprocess.run(
            ["pulumi", "--non-interactive", "--color", "never", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        return Expecting(done.returncode, done.stdout + done.stderr)

    def set(self, **values: object) -> None:
        for key, value in values.items():
            self.pulumi("config", "set", key, str(value)).expect()

    def secret(self, key: str, value: str) -> None:
        """Set a secret as a person does, but through standard input."""
        self.pulumi("config", "set", "--secret", key, text=value).expect()

    def up(self, *flags: str) -> Expecting:
        return self.pulumi("up", "--yes", "--skip-preview", *flags)

    def output(self, name: str) -> Any:
        return json.loads(self.pulumi("stack", "output", "--json").expect().output)[name]

    def containers(self, role: str) -> list[str]:
        """Return the ids of the running containers that play a role."""
        return docker("ps", "--quiet", "--no-trunc", *labelled(self.project, self.stack, role)).split()

    def remove(self) -> None:
        """Destroy the stack, and remove by its labels what outlives that, and what a failed run may have left."""
        self.pulumi("destroy", "--yes", "--skip-preview")
        remove_labelled(self.project, self.stack)
        remove_images(f"{self.project}-{self.stack}")
