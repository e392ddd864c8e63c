"""The images: what is there, else what a registry answers with, else stand-ins from Debian's packages."""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from lib import engine, places
from lib.progress import StepError, run, say

LABEL: Final = "flaskstack.stand-in"
VERSION_LABEL: Final = "flaskstack.stand-in.version"
SOURCE: Final = places.ROOT / "toolchain" / "images"
ROOT_IMAGE: Final = "flaskstack-debian:13"
SUITE: Final = "trixie"
REGISTRY_SECONDS: Final = 20


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
    return _label(reference, LABEL) == "true"


def version() -> str:
    """Return what stand-ins are made from, as a label's value."""
    digest = hashlib.sha256()
    for file in sorted(SOURCE.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def make(*, allowed: bool = False) -> None:
    """Have all images. On an engine that is somebody's own, stand-ins are made only if `allowed`: they take names."""
    wanted = defaults()
    lacking = {role: reference for role, reference in wanted.items() if not present(reference)}
    # A stand-in without a version was not made here: it is left alone.
    outdated = {
        role: reference
        for role, reference in wanted.items()
        if role not in lacking and _label(reference, VERSION_LABEL) not in {"", version()}
    }
    if not lacking and not outdated:
        return
    if lacking and _registry_answers(next(iter(lacking.values()))):
        for reference in lacking.values():
            run(f"image {reference}", [_cli(), "pull", reference])
        lacking = {}
    if lacking and not (allowed or engine.made_here()):
        names = ", ".join(lacking.values())
        message = (
            f"the engine has no {names}, and no registry answers. Bring them there, name others in the settings, "
            "or have stand-ins from Debian's packages made under these names: toolchain/setup --stand-ins images"
        )
        raise StepError(message)
    if lacking or outdated:
        _root_image()
    for role, reference in {**lacking, **outdated}.items():
        _build(role, reference)


def remove() -> list[str]:
    """Remove the stand-ins that no container uses. Return those that stay."""
    made = [reference for reference in [*defaults().values(), ROOT_IMAGE] if stand_in(reference)]
    return [reference for reference in made if _docker("image", "rm", reference).returncode]


def _registry_answers(reference: str) -> bool:
    """Return whether the image can be had. The engine may know mirrors that its CLI does not: both are asked."""
    say(f"  asking the registry for {reference}")
    for command in (["manifest", "inspect", reference], ["pull", "--quiet", reference]):
        try:
            if _docker(*command, timeout=REGISTRY_SECONDS).returncode == 0:
                return True
        except subprocess.TimeoutExpired:
            continue
    return False


def _root_image() -> None:
    if present(ROOT_IMAGE):
        return
    if not engine.may_install():
        raise StepError("stand-in images need root on Debian or Ubuntu, for debootstrap")
    engine.apt("debootstrap", "debian-archive-keyring")
    with tempfile.TemporaryDirectory(dir=places.cache()) as folder:
        root = Path(folder) / "root"
        bootstrap: list[str | Path] = [
            "debootstrap",
            "--variant=minbase",
            "--include=ca-certificates",
            SUITE,
            root,
            *_mirror(),
        ]
        run("Debian root file system", bootstrap)
        archive = Path(folder) / "root.tar"
        # Downloaded packages and lists are of no use in an image.
        waste = [f"--exclude=./var/{path}/*" for path in ("cache/apt", "lib/apt/lists", "log")]
        run("root file system as an archive", ["tar", "-C", root, *waste, "-cf", archive, "."])
        run("root file system as an image", [_cli(), "import", "--change", f"LABEL {LABEL}=true", archive, ROOT_IMAGE])


def _build(role: str, reference: str) -> None:
    bundle = Path(os.environ.get("SSL_CERT_FILE") or "/etc/ssl/certs/ca-certificates.crt")
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as settings:
        settings.write(_apt_settings())
        settings.flush()
        secrets = {"apt": settings.name, **({"ca": str(bundle)} if bundle.is_file() else {})}
        mounts = [part for name, path in secrets.items() for part in ("--secret", f"id={name},src={path}")]
        labels = ["--label", f"{LABEL}=true", "--label", f"{VERSION_LABEL}={version()}"]
        arguments = ["--network", "host", "--build-arg", f"BASE={ROOT_IMAGE}", "--target", role, "--tag", reference]
        command: list[str | Path] = [_cli(), "build", *arguments, *mounts, *labels, SOURCE]
        run(f"stand-in image {reference}", command, env={"DOCKER_BUILDKIT": "1"})


def _apt_settings() -> str:
    """Return what this machine's APT needs to reach its mirror: a proxy, dates that are not checked."""
    shown = subprocess.run(["apt-config", "dump"], capture_output=True, check=True, text=True).stdout.splitlines()
    wanted = ("Acquire::Check-", "Acquire::http::Proxy", "Acquire::https::Proxy")
    return "".join(f"{line}\n" for line in shown if line.startswith(wanted))


def _mirror() -> list[str]:
    """Return the Debian mirror that this machine's own APT uses, or nothing: then debootstrap knows one."""
    if chosen := os.environ.get("FLASKSTACK_DEBIAN_MIRROR"):
        return [chosen]
    command = [
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI)",
        "Created-By: Packages",
        "Origin: Debian",
        "Label: Debian",
    ]
    return subprocess.run(command, capture_output=True, check=False, text=True).stdout.split()[:1]


def _label(reference: str, label: str) -> str:
    shown = _docker("image", "inspect", "--format", f'{{{{index .Config.Labels "{label}"}}}}', reference)
    return shown.stdout.strip().replace("<no value>", "")


def _docker(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run([_cli(), *arguments], capture_output=True, check=False, text=True, timeout=timeout)


def _cli() -> str:
    link = places.tools() / "docker"
    return str(link) if link.exists() else "docker"
