"""A build by the docker command, with BuildKit.

Secrets go through files that only their owner reads, for as long as the build runs.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from plugins.build_options import options
from plugins.resource import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.resource import Call, Values

_LAST_LINES: Final = 40


def build(call: Call, inputs: Values, context: str, dockerfile: str, *, keep: bool) -> str:
    """Build, and return the digest. `keep=False` leaves the engine without the image, for a preview."""
    with _workspace(inputs) as folder:
        command, buildx, environment = _docker(folder, inputs)
        arguments = [*command, "--progress=plain", *options(inputs, folder, buildx=buildx, keep=keep)]
        if dockerfile:
            arguments += ["--file", dockerfile]
            stdin = b""
        else:
            place = folder / "Dockerfile"
            place.write_text(inputs["dockerfile"]["inline"])
            arguments += ["--file", str(place)]
            stdin = b""
        for name, path in inputs.get("secrets", {}).items():
            secret = folder / f"secret-{len(arguments)}"
            secret.touch(mode=0o600)
            secret.write_text(path)
            arguments += ["--secret", f"id={name},src={secret}"]
        _run(call, [*arguments, context], environment, stdin)
        digest = _digest(folder)
        if keep and inputs.get("push") and not buildx:
            digest = _push(call, inputs, environment) or digest
        return digest


def remove(call: Call, reference: str, inputs: Values) -> None:
    """Remove an image from the engine. One that is gone, or in use, is left alone, as the official plugin does."""
    with _workspace(inputs) as folder:
        _, _, environment = _docker(folder, inputs)
        done = subprocess.run(
            [_find()[0], "image", "rm", "--force", reference],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            call.log("debug", done.stderr.strip())


@contextlib.contextmanager
def _workspace(inputs: Values) -> Iterator[Path]:
    """Give a folder that only its owner reads, with the credentials of the inputs' registries."""
    # In memory where that is to be had: a secret in it does not outlive a power cut.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # a folder of our own is made in it
    with tempfile.TemporaryDirectory(prefix="docker-build-", dir=memory) as name:
        folder = Path(name)
        registries = inputs.get("registries") or []
        if registries:
            own = Path(os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker")))
            config: dict[str, Any] = {}
            if (own / "config.json").is_file():
                config = json.loads((own / "config.json").read_text())
            logins = {
                item["address"]: {
                    "auth": base64.b64encode(f"{item.get('username', '')}:{item.get('password', '')}".encode()).decode()
                }
                for item in registries
            }
            config["auths"] = {**config.get("auths", {}), **logins}
            (folder / "docker").mkdir()
            (folder / "docker" / "config.json").write_text(json.dumps(config))
            if (own / "cli-plugins").is_dir():
                (folder / "docker" / "cli-plugins").symlink_to(own / "cli-plugins")
        yield folder


def _find() -> tuple[str, bool]:
    """Return the first docker command on PATH that can build with BuildKit, and whether it has buildx."""
    tried: list[str] = []
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        command = shutil.which("docker", path=folder)
        if not command or os.path.realpath(command) in tried:
            continue
        tried.append(os.path.realpath(command))
        if _succeeds(command, "buildx", "version"):
            return command, True
        told = subprocess.run([command, "--version"], capture_output=True, text=True, check=False).stdout
        with contextlib.suppress(ValueError, IndexError):
            # From 23 on, BuildKit is buildx or nothing; before, it is in the command itself.
            if int(told.split("version ")[1].split(".")[0]) < 23:  # noqa: PLR2004
                return command, False
    where = f" ({', '.join(tried)} cannot)" if tried else ""
    raise PluginError(
        f"no docker command on PATH can build with BuildKit{where}; "
        "install docker-buildx, or the command of Docker 20.10"
    )


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _docker(folder: Path, inputs: Values) -> tuple[list[str], bool, dict[str, str]]:
    command, buildx = _find()
    environment = {**os.environ, "DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"}
    if (folder / "docker").is_dir():
        environment["DOCKER_CONFIG"] = str(folder / "docker")
    builder = (inputs.get("builder") or {}).get("name")
    if buildx:
        # Attestations are off in the official plugin too.
        return (
            [command, "buildx", "build", "--provenance=false", *(["--builder", builder] if builder else [])],
            True,
            environment,
        )
    if builder:
        raise PluginError(f"builder {builder!r} needs docker buildx, which {command} has not")
    return [command, "build"], False, environment


def _digest(folder: Path) -> str:
    metadata = folder / "metadata.json"
    if metadata.is_file():
        return str(json.loads(metadata.read_text()).get("containerimage.digest", ""))
    identity = folder / "id"
    return identity.read_text().strip() if identity.is_file() else ""


def _push(call: Call, inputs: Values, environment: dict[str, str]) -> str:
    """Push each tag, for a command that cannot do it within the build. Return the digest in the registry."""
    digest = ""
    for tag in inputs.get("tags") or []:
        said = _run(call, [_find()[0], "push", tag], environment, b"")
        digest = next((part.split()[0] for line in reversed(said) for part in line.split("digest: ")[1:]), digest)
    return digest


def _run(call: Call, command: list[str], environment: dict[str, str], stdin: bytes) -> list[str]:
    """Run a docker command, show its lines as progress, and return them. A failure shows the last of them."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    ended = threading.Event()

    def end_when_cancelled() -> None:
        while not ended.wait(0.1):
            if call.cancelled.is_set():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                return

    threading.Thread(target=end_when_cancelled, daemon=True).start()
    if process.stdin is None or process.stdout is None:  # never: both are pipes
        raise PluginError("no pipe to the docker command")
    process.stdin.write(stdin)
    process.stdin.close()
    said: list[str] = []
    for line in process.stdout:
        text = line.decode(errors="replace").rstrip()
        said.append(text)
        if text:
            call.status(text)
    code = process.wait()
    ended.set()
    if call.cancelled.is_set():
        raise PluginError("cancelled")
    if code:
        raise PluginError("\n".join(["the build failed:", *filter(None, said[-_LAST_LINES:])]))
    return said
