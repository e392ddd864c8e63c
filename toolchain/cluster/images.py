"""Images on the node: the pause image made here, others carried over from the Docker engine."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
import urllib.request
from pathlib import Path

from lib import places
from lib.progress import StepError, run, say

from cluster import builds, node, settings


def full(reference: str) -> str:
    """Return a reference as the node knows it: with registry, repository and tag."""
    first, slash, _ = reference.partition("/")
    if not slash:
        reference = f"docker.io/library/{reference}"
    elif "." not in first and ":" not in first and first != "localhost":
        reference = f"docker.io/{reference}"
    return reference if ":" in reference.rpartition("/")[2] else f"{reference}:latest"


def present(reference: str) -> bool:
    """Return whether the node has an image."""
    return full(reference) in node.ctr("images", "list", "--quiet").stdout.split()


def make_pause() -> None:
    """Have the image that holds each pod's namespaces: one static program."""
    if present(settings.PAUSE):
        return
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as content:
        entry = content.gettarinfo(builds.program("pause"), "pause")
        entry.mode, entry.uid, entry.gid, entry.mtime = 0o755, 0, 0, 0
        with builds.program("pause").open("rb") as file:
            content.addfile(entry, file)
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    config = json.dumps({
        "architecture": _architecture(), "os": "linux", "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }).encode()  # fmt: skip
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [settings.PAUSE], "Layers": ["layer.tar"]}]).encode()
    with tempfile.TemporaryDirectory(dir=settings.run()) as folder:
        archive = Path(folder) / "pause.tar"
        with tarfile.open(archive, "w") as content:
            for name, data in (("config.json", config), ("layer.tar", layer.getvalue()), ("manifest.json", manifest)):
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                content.addfile(entry, io.BytesIO(data))
        _import(archive, "the pause image")


def load(reference: str) -> None:
    """Carry an image over from the Docker engine, under its name."""
    with tempfile.TemporaryDirectory(dir=settings.run()) as folder:
        archive = Path(folder) / "image.tar"
        run(f"image {reference} out of the Docker engine", [docker(), "save", "--output", archive, reference])
        _import(archive, reference)


def local(reference: str) -> str:
    """Return the name that an image has in the cluster's registry."""
    return f"127.0.0.1:{settings.REGISTRY}/{reference.rpartition('/')[2]}"


def in_registry(reference: str) -> bool:
    """Return whether the cluster's registry has an image."""
    registry, _, name = local(reference).partition("/")
    repository, _, tag = name.partition(":")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"http://{registry}/v2/{repository}/tags/list", timeout=5
        ) as answer:
            return (tag or "latest") in (json.load(answer)["tags"] or [])
    except OSError:  # a repository that does not exist is one, too
        return False


def push(reference: str) -> str:
    """Push an image of the Docker engine to the cluster's registry; return what to name in a pod, by digest."""
    target = local(reference)
    subprocess.run([docker(), "tag", reference, target], check=True)
    run(f"push of {target}", [docker(), "push", target])
    shown = subprocess.run(
        [docker(), "image", "inspect", "--format", "{{range .RepoDigests}}{{println .}}{{end}}", target],
        check=True,
        capture_output=True,
        text=True,
    )
    return next(line for line in shown.stdout.split() if line.startswith(target.rpartition(":")[0] + "@"))


def in_docker(reference: str) -> bool:
    """Return whether the Docker engine has an image."""
    try:
        return (
            subprocess.run(
                [docker(), "image", "inspect", reference], capture_output=True, check=False, timeout=30
            ).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def docker() -> str:
    """Return the Docker client: the one that the toolchain chose, else the one on PATH."""
    chosen = places.tools() / "docker"
    return str(chosen) if chosen.exists() else shutil.which("docker") or "docker"


def _import(archive: Path, what: str) -> None:
    done = node.ctr("images", "import", archive)
    if done.returncode:
        message = f"{what}: {done.stderr.strip()}"
        raise StepError(message)
    say(f"  {what} is on the node")


def _architecture() -> str:
    done = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, check=False, text=True)
    return done.stdout.strip() or "amd64"
