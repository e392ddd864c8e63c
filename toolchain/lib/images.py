"""The images: what is there, else what a registry answers with, else stand-ins from Debian's packages."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from lib import engine, places
from lib.progress import StepError, run, say

LABEL: Final = "flaskstack.stand-in"
SOURCE: Final = places.ROOT / "toolchain" / "images"
ROOT_IMAGE: Final = "flaskstack-debian:13"
SUITE: Final = "trixie"
PULL_SECONDS: Final = 20


def defaults() -> dict[str, str]:
    """Return role -> reference, read from where the product states them, without importing it."""
    tree = ast.parse((places.ROOT / "components" / "flaskstack" / "images.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "DEFAULT_IMAGES" and node.value:
            return dict(ast.literal_eval(node.value))
    raise StepError("components/flaskstack/images.py states no DEFAULT_IMAGES")


def present(reference: str) -> bool:
    """Return whether the engine has an image."""
    return _docker("image", "inspect", reference).returncode == 0


def stand_in(reference: str) -> bool:
    """Return whether an image is one that this project made."""
    shown = _docker("image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', reference)
    return shown.stdout.strip() == "true"


def make(*, allowed: bool = False) -> None:
    """Have all images. On an engine that is somebody's own, stand-ins are made only if `allowed`: they take official names."""
    lacking = {role: reference for role, reference in defaults().items() if not present(reference)}
    if not lacking:
        return
    first = next(iter(lacking.values()))
    if _registry_answers(first):
        for reference in lacking.values():
            run(f"image {reference}", [_cli(), "pull", reference])
        return
    if not (allowed or engine.started_here()):
        names = ", ".join(lacking.values())
        message = (
            f"the engine has no {names}, and no registry answers. Bring them there, name others in the stack's settings, "
            "or have stand-ins made under these names from Debian's packages: toolchain/setup --stand-ins images"
        )
        raise StepError(message)
    _root_image()
    for role, reference in lacking.items():
        _build(role, reference)


def _registry_answers(reference: str) -> bool:
    say(f"  asking the registry for {reference}")
    try:
        return _docker("pull", "--quiet", reference, timeout=600 if _resolves(reference) else PULL_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _resolves(reference: str) -> bool:
    """Return whether the engine can at least see the image's manifest: then a slow pull is worth waiting for."""
    try:
        return _docker("manifest", "inspect", reference, timeout=PULL_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _root_image() -> None:
    if present(ROOT_IMAGE):
        return
    if os.geteuid() != 0:
        raise StepError("stand-in images need root, for debootstrap")
    engine.apt("debootstrap")
    mirror = _mirror()
    with tempfile.TemporaryDirectory(dir=places.cache()) as folder:
        root = Path(folder) / "root"
        run("Debian root file system", ["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, root, mirror])
        archive = Path(folder) / "root.tar"
        run("root file system as an image", ["tar", "-C", root, "--exclude=./var/cache/apt/archives/*.deb", "-cf", archive, "."])
        run("import", [_cli(), "import", "--change", f"LABEL {LABEL}=true", archive, ROOT_IMAGE])


def _build(role: str, reference: str) -> None:
    bundle = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    secret = ["--secret", f"id=ca,src={bundle}"] if Path(bundle).is_file() else []
    command = [_cli(), "build", "--network", "host", *secret, "--build-arg", f"BASE={ROOT_IMAGE}", "--target", role, "--tag", reference, SOURCE]
    run(f"stand-in image {reference}", command, env={"DOCKER_BUILDKIT": "1"})


def _mirror() -> str:
    """Return the Debian mirror that this machine itself uses."""
    for file in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        if file.is_file():
            for line in file.read_text().splitlines():
                found = re.match(r"(?:URIs:|deb(?: \[[^]]*\])?) *(https?://\S+)", line)
                if found and "security" not in found[1]:
                    return found[1]
    raise StepError("this machine's APT sources name no Debian mirror, which stand-in images need")


def _docker(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run([_cli(), *arguments], capture_output=True, check=False, text=True, timeout=timeout)


def _cli() -> str:
    link = places.tools() / "docker"
    return str(link) if link.exists() else "docker"
