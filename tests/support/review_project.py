"""A project whose preview has one of each kind of change, made by the real engine: how the saved previews come about.

`python -m support.review_project FILE` (in tests/) writes the preview anew. Its stack is never brought up: the state is
that of a preview of the former program, with ids, as if it had been.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from flaskstack.policy.resource import MASK, SECRET_SIGNATURE, SIGNATURE, UNKNOWNS
from flaskstack.review import engine

CANARY: Final = "CANARY"
"""Part of every secret of the project. No report may hold it."""
NOISE: Final = (
    "sourcePosition",
    "stackTrace",
    "propertyDependencies",
    "created",
    "modified",
    "customTimeouts",
    "duration",
)
"""What the engine says and no review reads; some of it names folders of this machine."""

PROGRAM: Final = Path(__file__).with_name("review_program.py")


class ReviewProject:
    """The project in a folder of its own, with a state of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "state").mkdir(parents=True)
        (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        self.environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "DOCKER_HOST": "tcp://127.0.0.1:9",
        }
        for name in ("PULUMI_CONFIG_PASSPHRASE_FILE", "KUBECONFIG"):
            self.environment.pop(name, None)
        self.run("stack", "init", "dev")
        self.run("config", "set", "--secret", "key", f"{CANARY}-key")

    def write(self, *, later: bool) -> None:
        shutil.copy(PROGRAM, self.folder / "__main__.py")
        self.environment["LATER"] = str(later)

    def run(self, *arguments: str, text: str = "") -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            input=text,
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def preview(self) -> dict[str, Any]:
        """What the real engine says of the program as it is now."""
        with engine.available(self.environment) as environment:
            self.environment = environment
            found: dict[str, Any] = json.loads(self.run("preview", "--json", "--show-sames"))
        return found

    def settle(self) -> None:
        """Have the state that an update to the program would have left."""
        self.write(later=False)
        resources = [_state(step["newState"]) for step in self.preview()["steps"]]
        deployment = json.loads(self.run("stack", "export"))
        deployment["deployment"]["resources"] = resources
        self.run("stack", "import", text=json.dumps(deployment))

    def later(self) -> dict[str, Any]:
        """The preview of the later program, without what is of this machine."""
        self.settle()
        self.write(later=True)
        found: dict[str, Any] = _quiet(self.preview())
        return found


def _state(new: dict[str, Any]) -> dict[str, Any]:
    state = {key: value for key, value in new.items() if key not in NOISE}
    known: dict[str, Any] = json.loads(
        re.sub("|".join(UNKNOWNS), "11111111-1111-4111-8111-111111111111", json.dumps(state))
    )
    if known["custom"]:
        known["id"] = "11111111-1111-4111-8111-111111111111"
    inputs = {key: _secret(value, key) for key, value in known.get("inputs", {}).items()}
    # The kubernetes plugin compares with the inputs that it notes among the outputs.
    noted = {"__inputs": inputs, "__initialApiVersion": inputs.get("apiVersion"), "__fieldManager": "pulumi"}
    kubernetes = known["type"].startswith("kubernetes:")
    return {**known, "inputs": inputs, "outputs": {**inputs, **(noted if kubernetes else {})}}


def _secret(value: Any, name: str) -> Any:
    if value == MASK:
        plain = {"key": "Q0FOQVJZ"} if name in ("data", "secrets") else f"{CANARY}-old"
        return {SIGNATURE: SECRET_SIGNATURE, "plaintext": json.dumps(plain)}
    if isinstance(value, dict):
        return {key: _secret(item, key) for key, item in value.items()}
    return [_secret(item, "") for item in value] if isinstance(value, list) else value


def _quiet(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:9", value)
    if isinstance(value, dict):
        return {key: _quiet(item) for key, item in value.items() if key not in NOISE}
    return [_quiet(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        Path(sys.argv[1]).write_text(json.dumps(ReviewProject(Path(name)).later(), indent=1) + "\n")
