"""A small Pulumi program with a state of its own, driven by the real CLI."""

from __future__ import annotations

import json
import subprocess
import textwrap
from typing import TYPE_CHECKING, Any

from support.provider import docker
from support.stack import environment

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 120


class Program:
    """A Pulumi program in a folder of its own, with its own state. A project that is there is taken as it is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.image = ""
        (folder / "state").mkdir()
        if not (folder / "Pulumi.yaml").exists():
            (folder / "Pulumi.yaml").write_text("name: test\nruntime: python\n")
        self.environment = environment(folder / "state", "test")
        self.run("stack", "init", "dev")

    def write(self, code: str) -> None:
        """Write the program. `docker`, `command`, `random`, `build` and `pulumi` are imported, `box` is the image."""
        head = (
            "import pulumi, pulumi_docker as docker, pulumi_command as command, pulumi_random as random\n"
            f"import pulumi_docker_build as build\nbox = {self.image!r}\n"
        )
        (self.folder / "__main__.py").write_text(head + textwrap.dedent(code))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, ok: bool | None = True) -> str:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=SECONDS)
        assert ok is None or (process.returncode == 0) is ok, output
        return output

    def up(self, *, ok: bool = True) -> str:
        return self.run("up", "--yes", "--skip-preview", ok=ok)

    def refresh(self) -> str:
        return self.run("refresh", "--yes", "--skip-preview", "--diff")

    def unchanged(self) -> bool:
        """Say whether a preview finds nothing to do."""
        process = self.start("preview", "--expect-no-changes", "--diff")
        self.last, _ = process.communicate(timeout=SECONDS)
        return process.returncode == 0

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the resources in the state by name, secrets encrypted."""
        deployment = json.loads(self.run("stack", "export"))["deployment"]
        return {item["urn"].rpartition("::")[2]: item for item in deployment.get("resources", [])}

    def exported(self) -> str:
        return self.run("stack", "export")

    def output(self, name: str) -> Any:
        return json.loads(self.run("stack", "output", name, "--json", "--show-secrets"))

    def remove(self) -> None:
        """Destroy, and remove by id what a failed destroy left."""
        containers = [item.get("id") for item in self.state().values() if "ontainer" in item["type"]]
        self.run("destroy", "--yes", "--skip-preview", ok=None)
        for identity in filter(None, containers):
            docker("rm", "--force", "--volumes", identity, check=False)
