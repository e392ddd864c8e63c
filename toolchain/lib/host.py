"""The Python language host's source, brought up to what the present engine asks of it.

The host is of an older release than the engine, the last one that the module proxy has. Two of its answers matter here:
it takes a plugin's folder from a field that the engine no longer fills, and it would install a plugin's requirements
into a virtual environment in the plugin's own folder, although it knows no settings of one. The environment that is
first on PATH is used instead, for programs and plugins alike.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from lib import places
from lib.progress import StepError, run

MODULE: Final = "github.com/pulumi/pulumi/sdk/v3"
SOURCE: Final = places.ROOT / "toolchain" / "python-host"
PACKAGE: Final = f"{MODULE}/python/cmd/pulumi-language-python"
NO_DWARF: Final = "-gcflags=all=-dwarf=false"
"""Option of `go build`: the linker leaves what debuggers want out, so the compiler need not make it."""
OPTIONS: Final = (
    "-v",
    NO_DWARF,
    "-mod=readonly",
    "-buildvcs=false",
    f"-ldflags=-s -w -X {MODULE}/go/common/version.Version=v{places.PULUMI_VERSION}",
)
"""Of `go build`, for the host and for the engine."""
CLEAN: Final = {"GOFLAGS": "", "GOWORK": "off", "GOGC": "400"}
"""What a person sets for Go work of their own must not change what is built here. The last has the compiler collect
garbage less often: an eighth less CPU, for some hundred MiB."""
PARTS: Final = ("go.mod", "go.sum", "plugin_folder.go")
_INSTALLS: Final = 'defer closer.Close()\n\n\tstdout.Write([]byte("Installing dependencies'
CHANGES: Final = {
    "args := []string{req.Program}": "args := []string{pluginFolder(req)}",
    _INSTALLS: _INSTALLS.replace("\n\n", '\n\n\tif host.virtualenv == "" {\n\t\treturn closer.Close()\n\t}\n'),
}
"""Text of its source -> what takes its place."""


def build(go: str, target: Path) -> None:
    """Build the host into the folder of the CLI."""
    listing = [go, "list", "-mod=readonly", "-f", "{{.Dir}}", PACKAGE]
    environment = {**os.environ, **CLEAN}
    package = subprocess.run(listing, cwd=SOURCE, env=environment, capture_output=True, check=True, text=True).stdout
    target.mkdir(exist_ok=True)
    # In the target: the last step is a rename, and a host in use is not written over.
    with tempfile.TemporaryDirectory(dir=target) as folder:
        made = Path(folder) / "pulumi-language-python"
        for name in PARTS:
            shutil.copy(SOURCE / name, folder)
        (Path(folder) / "main.go").write_text(changed((Path(package.strip()) / "main.go").read_text()))
        command = [go, "build", *OPTIONS, "-o", str(made), "."]
        run("Pulumi's Python host from Go modules", command, cwd=Path(folder), env=CLEAN)
        made.rename(target / made.name)
    (target / "host-stamp").write_text(digest())


def outdated(target: Path) -> bool:
    """Return whether the host beside a CLI was built here from another source. A downloaded one is never outdated."""
    stamp = target / "host-stamp"
    downloaded = (target / "pulumi-language-nodejs").exists()
    return not downloaded and not (stamp.is_file() and stamp.read_text() == digest())


def changed(source: str) -> str:
    """Return the host's source with the changes. Raises `StepError` when it is not the source they are made for."""
    for former, wanted in CHANGES.items():
        if source.count(former) != 1:
            message = f"the Python host's source is not the expected one: {former!r} is in it {source.count(former)}x"
            raise StepError(message)
        source = source.replace(former, wanted)
    return source


def digest() -> str:
    """Return what tells one build of the host from another."""
    content = b"".join((SOURCE / name).read_bytes() for name in PARTS) + json.dumps(CHANGES).encode()
    return hashlib.sha256(content).hexdigest()[:8]
