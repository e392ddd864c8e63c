"""A real stack of this project, driven by the real CLI, with a state, settings and source of its own.

Nothing of it is shared with the person's own stacks: the backend and the passphrase are the test's, the stack's name is
unique in the Docker engine, and what is left of it is removed by its labels.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import secrets
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PROJECT = "flaskstack"
SECONDS = 300
MIGRATE = ["flask", "--app", "app:create_app", "db", "upgrade"]


def free_port() -> int:
    """Return a loopback port that nothing listens on, and that no client gets while nothing does.

    Linux gives clients ports from 32,768 on, so one of these may be taken before it is used.
    """
    while True:
        port = random.randrange(20_000, 32_768)  # noqa: S311  # no secret
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def docker(*arguments: str, check: bool = True, text: str | None = None, errors: bool = False) -> str:
    """Run the Docker CLI and return what it printed, with what it printed as errors if asked."""
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=False, input=text, timeout=SECONDS
    )
    if check and done.returncode:
        message = f"docker {' '.join(arguments)}: {done.stderr}"
        raise AssertionError(message)
    return (done.stdout + done.stderr if errors else done.stdout).strip()


def environment(state: Path, passphrase: str) -> dict[str, str]:
    """Return what the CLI is run with: a state in a folder of the test's own, whatever the person's settings are."""
    variables = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": passphrase,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "NO_COLOR": "1",
    }
    variables.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
    return variables


def labelled(project: str, stack: str, role: str | None = None) -> list[str]:
    """Return the Docker CLI's filters for what flaskstack made for a stack."""
    labels = {"project": project, "stack": stack} | ({"role": role} if role else {})
    return [f"--filter=label=dev.flaskstack.{label}={value}" for label, value in labels.items()]


def remove_labelled(project: str, stack: str) -> None:
    """Remove what outlives a stack, and what a failed run may have left of it, by its labels."""
    ours = labelled(project, stack)
    for container in docker("ps", "--all", "--quiet", *ours).split():
        docker("rm", "--force", "--volumes", container, check=False)
    for volume in docker("volume", "ls", "--quiet", *ours).split():
        docker("volume", "rm", "--force", volume, check=False)
    for network in docker("network", "ls", "--quiet", *ours).split():
        docker("network", "rm", network, check=False)


def remove_images(repository: str) -> None:
    """Remove images by their names: the same application in another stack may be the same image."""
    for image in docker("images", "--format={{.Repository}}:{{.Tag}}", repository).split():
        docker("rmi", image, check=False)


@dataclass(frozen=True)
class Run:
    """One finished run of the CLI."""

    status: int
    output: str

    @property
    def ok(self) -> bool:
        return self.status == 0


class Expecting(Run):
    """A run that says all of what it printed when it is not what a test expected."""

    def expect(self, *, status: int = 0) -> Expecting:
        assert (self.status == 0) == (status == 0), f"ended with {self.status}:\n{self.output}"
        return self

    @property
    def changed(self) -> bool:
        """Whether it made, changed or removed a resource."""
        return re.search(r"^ +[-+~]+ \d+ (created|updated|deleted|replaced)", self.output, re.MULTILINE) is not None


class Driven:
    """What the CLI is told of a stack of this project, whatever its target. Subclasses are dataclasses with these."""

    folder: Path
    settings: dict[str, Any]
    name: str
    passphrase: str

    def copy_app(self) -> Path:
        """Make the folders, and return the copy of the application that a test may edit."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "state").mkdir(exist_ok=True)
        app = self.folder / "app"
        if not app.exists():
            shutil.copytree(ROOT / "app", app, ignore=shutil.ignore_patterns("__pycache__", "instance"))
        return app

    def prepare(self, settings: dict[str, Any]) -> None:
        """Write the settings, those given at construction over `settings`, and initialise the stack."""
        self.settings = merge(settings, self.settings)
        self.write()
        self.pulumi("stack", "init", self.name).expect()
        # The CLI makes a settings file of its own beside the committed ones. This stack's is elsewhere.
        (ROOT / "stacks" / self.config_file.name).unlink(missing_ok=True)

    @property
    def config_file(self) -> Path:
        return self.folder / f"Pulumi.{self.name}.yaml"

    def write(self) -> None:
        """Write the settings; secrets and what the CLI keeps in the file stay."""
        kept = yaml.safe_load(self.config_file.read_text()) if self.config_file.exists() else {}
        config = {
            key: value
            for key, value in (kept.get("config") or {}).items()
            if isinstance(value, dict) and "secure" in value
        }
        config |= {f"{PROJECT}:{key}": value for key, value in self.settings.items()}
        self.config_file.write_text(yaml.safe_dump({**kept, "config": config}))

    def set(self, **settings: Any) -> None:
        """Change settings, group by group; a value of ... removes one."""
        self.settings = merge(self.settings, settings)
        self.write()

    def secret(self, key: str, value: str) -> None:
        """Set a secret as a person does, but through standard input."""
        self.pulumi("config", "set", "--secret", f"{PROJECT}:{key}", text=value).expect()

    def pulumi(self, *arguments: str, text: str | None = None) -> Expecting:
        """Run the CLI on this stack."""
        command = ["pulumi", "--non-interactive", "--color", "never", "--cwd", str(ROOT), *arguments]
        if arguments[:2] != ("stack", "init"):
            command += ["--stack", self.name]
        if arguments[0] in ("up", "preview", "destroy", "refresh", "config"):
            command += ["--config-file", str(self.config_file)]
        variables = environment(self.folder / "state", self.passphrase)
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=variables, input=text, timeout=SECONDS
        )
        return Expecting(done.returncode, done.stdout + done.stderr)

    def up(self, *flags: str) -> Expecting:
        return self.pulumi("up", "--yes", "--skip-preview", *flags)

    def outputs(self) -> dict[str, Any]:
        return dict(json.loads(self.pulumi("stack", "output", "--json").expect().output))


@dataclass
class Stack(Driven):
    """One stack. `folder` holds its state, its settings and a copy of the application that a test may edit."""

    folder: Path
    settings: dict[str, Any]
    name: str = field(default_factory=lambda: f"t{secrets.token_hex(4)}")
    passphrase: str = field(default_factory=secrets.token_hex)
    canary: str = ""

    def __post_init__(self) -> None:
        self.app = self.copy_app()
        self.port = free_port()
        self.prepare(
            {
                "app": {
                    "name": "guestbook",
                    "path": str(self.app),
                    "migrate": MIGRATE,
                },
                "edge": {"https": False, "rateLimit": None},
                "local": {"port": self.port, "limits": {"nofile": 16384}},
            }
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def preview(self, *flags: str) -> Expecting:
        return self.pulumi("preview", *flags)

    def refresh(self, *flags: str) -> Expecting:
        return self.pulumi("refresh", "--yes", "--skip-preview", *flags)

    def destroy(self, *flags: str) -> Expecting:
        return self.pulumi("destroy", "--yes", "--skip-preview", *flags)

    def state(self) -> str:
        return self.pulumi("stack", "export").expect().output

    def filters(self, role: str | None = None) -> list[str]:
        return labelled(PROJECT, self.name, role)

    def containers(self, role: str | None = None, *, stopped: bool = False) -> list[str]:
        """Return the ids of this stack's containers."""
        return docker("ps", "--quiet", "--no-trunc", *(["--all"] if stopped else []), *self.filters(role)).split()

    def volumes(self) -> list[str]:
        return docker("volume", "ls", "--quiet", *self.filters()).split()

    def remove(self) -> None:
        """Destroy the stack, then remove what a failed run may have left of it, by its labels."""
        self.destroy()
        remove_labelled(PROJECT, self.name)
        remove_images(f"{PROJECT}-{self.name}-app")


def production(folder: Path, canary: str) -> Stack:
    """Return a stack with production settings and `canary` in its secrets, not yet up."""
    made = Stack(folder, {"mode": "prod", "local": {"replicas": 2}}, canary=canary)
    made.secret("secretKey", f"{canary}-key")
    made.secret("databaseUrl", f"postgresql://guest:{canary}-db@postgres:5432/guestbook")
    return made


def merge(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with `change` over it, group by group; a value of ... removes a key."""
    merged = dict(base)
    for key, value in change.items():
        if value is ...:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Any
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    timeout: float = 10,
) -> Answer:
    """Return the answer to one request, whatever its status."""
    request = urllib.request.Request(url, method=method, headers=headers or {}, data=body)  # noqa: S310  # loopback, http
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())
