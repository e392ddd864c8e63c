"""The Pulumi CLI: the one on PATH, else the official download, else a build from its Go modules."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

from lib import places
from lib.progress import StepError, run, say

SITE: Final = os.environ.get("FLASKSTACK_PULUMI_SITE", "https://get.pulumi.com")
"""Pulumi's download site: the CLI's releases, and what the CLI itself takes plugins from."""
CHECKSUMS: Final = os.environ.get(
    "FLASKSTACK_PULUMI_CHECKSUMS",
    f"https://github.com/pulumi/pulumi/releases/download/v{places.PULUMI_VERSION}/pulumi-{places.PULUMI_VERSION}-checksums.txt",
)
"""The release's list of SHA-256 sums. It lies on another site than the archive, so that one alone cannot give a false one."""
TIMEOUT: Final = 3
HOST_MODULE: Final = "github.com/pulumi/pulumi/sdk/v3"


def built() -> Path:
    """Return the folder of a CLI that this project made."""
    return places.cache() / f"pulumi-{places.PULUMI_VERSION}"


def found() -> Path | None:
    """Return the CLI to use: the person's own, else the one made here."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        candidate = Path(folder) / "pulumi"
        if folder and candidate.is_file() and places.cache() not in candidate.parents:
            return candidate
    own = built() / "pulumi"
    return own if own.is_file() else None


def ours() -> bool:
    """Return whether the CLI in use was made here."""
    cli = found()
    return cli is not None and built() in cli.parents


@functools.cache
def site_answers() -> bool:
    """Return whether Pulumi's download site can be reached, within a few seconds."""
    try:
        urllib.request.urlopen(urllib.request.Request(SITE, method="HEAD"), timeout=TIMEOUT).close()  # noqa: S310
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
    return True


def make() -> None:
    """Have a CLI."""
    if found():
        return
    if site_answers():
        _download()
    else:
        _build()


def _download() -> None:
    machine = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
    name = f"pulumi-v{places.PULUMI_VERSION}-{platform.system().lower()}-{machine}.tar.gz"
    say(f"  downloading {name}")
    with urllib.request.urlopen(CHECKSUMS, timeout=60) as answer:  # noqa: S310
        sums = dict(reversed(line.split()) for line in answer.read().decode().splitlines() if line.strip())
    with tempfile.TemporaryDirectory(dir=places.cache()) as folder:
        archive = Path(folder) / name
        with urllib.request.urlopen(f"{SITE}/releases/sdk/{name}", timeout=600) as answer, archive.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(answer, file)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != sums.get(name):
            message = f"{name} has the SHA-256 sum {digest}, the release says {sums.get(name)}: not used"
            raise StepError(message)
        with tarfile.open(archive) as content:
            content.extractall(folder, filter="data")
        (Path(folder) / "pulumi").rename(built())


def _build() -> None:
    go = shutil.which("go")
    if go is None:
        message = (
            f"there is no pulumi on PATH, {SITE} does not answer, and there is no Go compiler to build it with; "
            "install Pulumi (pulumi.com/docs/install) or Go 1.25"
        )
        raise StepError(message)
    with tempfile.TemporaryDirectory(dir=places.cache()) as folder:
        version = f"-X {HOST_MODULE}/go/common/version.Version=v{places.PULUMI_VERSION}"
        for title, module, package in (
            ("Pulumi's Python host", "python-host", f"{HOST_MODULE}/python/cmd/pulumi-language-python"),
            ("Pulumi's engine", "engine", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"),
        ):
            source = places.ROOT / "toolchain" / module
            run(f"{title} from Go modules", [go, "build", "-mod=readonly", "-ldflags", f"-s -w {version}", "-o", f"{folder}/", package], cwd=source)
        # The part of the host that is Python comes from the engine's version: it goes with the SDK.
        listing = subprocess.run(
            [go, "mod", "download", "-json", f"{HOST_MODULE}@v{places.PULUMI_VERSION}"],
            cwd=places.ROOT / "toolchain" / "engine", capture_output=True, check=True,
        )  # fmt: skip
        script = Path(json.loads(listing.stdout)["Dir"]) / "python" / "cmd" / "pulumi-language-python-exec"
        target = Path(folder) / script.name
        shutil.copyfile(script, target)
        target.chmod(0o755)
        shutil.copytree(folder, built(), dirs_exist_ok=True)
