"""The Pulumi CLI: the one on PATH, else the official download, else a build from its Go modules."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

from lib import golang, places
from lib.golang import Build, Changed
from lib.progress import StepError, say

SITE: Final = os.environ.get("FLASKSTACK_PULUMI_SITE", "https://get.pulumi.com")
"""Pulumi's download site: the CLI's releases, and what the CLI itself takes plugins from."""
CHECKSUMS: Final = os.environ.get(
    "FLASKSTACK_PULUMI_CHECKSUMS",
    f"https://github.com/pulumi/pulumi/releases/download/v{places.PULUMI_VERSION}/pulumi-{places.PULUMI_VERSION}-checksums.txt",
)
"""The release's SHA-256 sums. On another site than the archive: neither site alone can pass off a false one."""
TIMEOUT: Final = 3
OLDEST: Final = (3, 200)
_SDK: Final = "github.com/pulumi/pulumi/sdk/v3"
_STAMP: Final = "made-from"
# Without what keeps states and keys in three clouds and reads their logs, and without `pulumi api`, which asks Pulumi's
# own service: half of all that there is to build, and of no use where nothing but package registries answers.
_ENGINE: Final = Changed(
    "github.com/pulumi/pulumi/pkg/v3",
    "pulumi.patch",
    removed=(
        *(f"operations/operations_{cloud}.go" for cloud in ("aws", "cloud_aws", "gcp")),
        *(
            f"cmd/pulumi/cloud/{name}.go"
            for name in (
                *("api", "describe", "describe_markdown", "encoding", "fields", "format", "list", "output", "paginate"),
                *("pathmatch", "schema", "spec", "spec_fetch"),
            )
        ),
    ),
)
# Of the last release that the module proxy has, with what the present engine asks of it. It takes a plugin's folder
# from a field that the engine no longer fills, and would install a plugin's requirements into a virtual environment in
# the plugin's own folder, although it knows no settings of one: the environment that is first on PATH is used, for
# programs and plugins alike.
_HOST: Final = Changed(
    "flaskstack.dev/python-host", "python-host.patch", removed=("lib",), source=("python-host", _SDK, "python")
)
BUILD: Final = Build(
    "pulumi",
    "Pulumi",
    {
        "pulumi": f"{_ENGINE.module}/cmd/pulumi",
        "pulumi-language-python": f"{_HOST.module}/cmd/pulumi-language-python",
    },
    link=f"-X {_SDK}/go/common/version.Version=v{places.PULUMI_VERSION}",
    changed=(_ENGINE, _HOST),
)


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


def made_here() -> bool:
    """Return whether the CLI in use was made here."""
    return places.pulumi() == places.pulumi_made_here() / "pulumi"


def too_old() -> str:
    """Return the version of the CLI in use when this project cannot work with it, else nothing."""
    cli = places.pulumi()
    if cli is None or made_here():
        return ""
    said = subprocess.run([cli, "version"], capture_output=True, check=False, text=True).stdout.strip()
    numbers = re.match(r"v(\d+)\.(\d+)\.", said)
    return "" if numbers and (int(numbers[1]), int(numbers[2])) >= OLDEST else said or "unknown"


def make() -> None:
    """Have a CLI."""
    if version := too_old():
        needed = ".".join(map(str, OLDEST))
        message = (
            f"{places.pulumi()} is version {version}; {needed} or later is needed: upgrade it, or take it off PATH"
        )
        raise StepError(message)
    if places.pulumi():
        if made_here() and shutil.which("go") and outdated(places.pulumi_made_here()):
            _build(places.pulumi_made_here())
        return
    places.cache().mkdir(parents=True, exist_ok=True)
    # In the cache itself, so that the last step is a rename: an interrupted run leaves no half a CLI.
    with tempfile.TemporaryDirectory(dir=places.cache()) as folder:
        target = Path(folder) / "pulumi"
        if not (site_answers() and _download(target)):
            _build(target)
        target.rename(places.pulumi_made_here())


def _download(target: Path) -> bool:
    """Put the official release in `target`. Return False when it, or the sums to verify it with, cannot be had."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    name = f"pulumi-v{places.PULUMI_VERSION}-{platform.system().lower()}-{machine}.tar.gz"
    archive = target.parent / name
    try:
        say(f"  downloading {name}")
        with urllib.request.urlopen(CHECKSUMS, timeout=60) as answer:  # noqa: S310
            sums = dict(reversed(line.split()) for line in answer.read().decode().splitlines() if line.strip())
        with urllib.request.urlopen(f"{SITE}/releases/sdk/{name}", timeout=60) as answer, archive.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(answer, file)
    except OSError as error:
        say(f"  no official release to be had ({error})")
        return False
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != sums.get(name):
        message = f"{name} has the SHA-256 sum {digest}, the release says {sums.get(name)}: not used"
        raise StepError(message)
    with tarfile.open(archive) as content:
        # What is verified is trusted; the filter is missing in the Python of Debian 12.
        content.extraction_filter = getattr(tarfile, "data_filter", None)
        content.extractall(target.parent)  # noqa: S202
    return True


def _build(target: Path) -> None:
    go = golang.compiler(
        f"Pulumi (there is none on PATH, and {SITE} has none either)", "Pulumi (pulumi.com/docs/install) or "
    )
    target.mkdir(exist_ok=True)
    BUILD.make(go, target)
    # The part of the host that is Python comes from the engine's version: it goes with the SDK.
    script = golang.downloaded(go, _SDK) / "python" / "cmd" / "pulumi-language-python-exec"
    shutil.copyfile(script, target / script.name)
    (target / script.name).chmod(0o755)
    (target / _STAMP).write_text(BUILD.digest())


def outdated(target: Path) -> bool:
    """Return whether a CLI was built here from another source. A downloaded one, with all its hosts, never is."""
    if (target / "pulumi-language-nodejs").exists():
        return False
    stamp = target / _STAMP
    return not (stamp.is_file() and stamp.read_text() == BUILD.digest())
