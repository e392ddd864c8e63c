"""Programs built from Go modules with pinned sums, into the cache, once a version.

All but one are of one `go.mod`, toolchain/go: what two programs need is of one version then, and compiled once.
"""

from __future__ import annotations

import dataclasses
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

MODULES: Final = places.ROOT / "toolchain" / "go"
"""The `go.mod` of all programs, the `main` packages of our own, and the changes to others' modules."""
_COMPILE: Final = "-dwarf=false -c=1"
OPTIONS: Final = (
    "-v",
    "-trimpath",
    "-buildvcs=false",
    "-mod=readonly",
    f"-gcflags=all={_COMPILE}",
    f"-gcflags=k8s.io/...={_COMPILE} -l",
)
"""Of `go build`, for all that is built here: packages are compiled once only for the same options.

The linker leaves what debuggers want out, so the compiler need not make it; it works on one package a core, not on four
at once; and it inlines nothing in Kubernetes, which is a fifth of the work. Together two fifths less CPU.
"""
ENVIRONMENT: Final = {"GOFLAGS": "", "GOWORK": "off", "CGO_ENABLED": "0", "GOGC": "800"}
"""What a person sets for Go work of their own must not change what is built here, nor a C compiler that is
or is not there. The last has the compiler collect garbage less often: an eighth less CPU, for some hundred MiB."""


@dataclasses.dataclass(frozen=True)
class Changed:
    """A module that is built from a copy with changes, or the part of one that becomes a module of its own."""

    module: str
    """Its path."""
    patch: str
    """File in `MODULES`, as `git diff` writes it."""
    removed: tuple[str, ...] = ()
    """Files and folders that the copy does without."""
    source: tuple[str, str, str] | None = None
    """For a part: the folder in `MODULES` whose `go.mod` has the module, that module's path, the part's folder."""

    def place(self, folder: Path) -> Path:
        """Return where in `folder` the copy is."""
        return folder / self.module.replace("/", "-")

    def copy(self, go: str, folder: Path) -> list[str]:
        """Make the copy in `folder`. Return what `go mod edit` is told of it."""
        lists, module, part = self.source or ("", self.module, "")
        origin = downloaded(go, module, lists) / part
        unused = shutil.ignore_patterns("testdata", "*_test.go")
        shutil.copytree(origin, folder, copy_function=shutil.copyfile, ignore=unused)
        for path in [folder, *folder.rglob("*")]:  # The module cache is read-only, and so is its copy.
            path.chmod(0o755 if path.is_dir() else 0o644)
        for name in self.removed:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        # Not as a part of a repository that the cache may be in: files outside of it would be left as they are.
        alone = {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
        run(
            f"changes to {module}", ["git", "apply", "--whitespace=nowarn", MODULES / self.patch], cwd=folder, env=alone
        )
        edits = [f"-replace={self.module}={folder}"]
        if self.source:
            (folder / "go.mod").write_text(f"module {self.module}\n\ngo 1.26.0\n")
            edits.append(f"-require={self.module}@v0.0.0")
        return edits


@dataclasses.dataclass(frozen=True)
class Build:
    """Programs that are built together."""

    name: str
    title: str
    programs: dict[str, str]
    """Program -> Go package."""
    link: str = ""
    """Further options of the linker."""
    changed: tuple[Changed, ...] = ()
    keeps: tuple[str, ...] = ()
    """Files of the first changed module that are wanted beside the programs."""
    module: str = ""
    """The folder of their `go.mod`, in `MODULES`."""

    def digest(self) -> str:
        """Return what tells one build from another: a short name of all that it is made from."""
        home = MODULES / self.module
        own = [
            path
            for package in self.programs.values()
            if package.startswith("./")
            for path in (home / package).iterdir()
        ]
        lists = [home, *(MODULES / part.source[0] for part in self.changed if part.source)]
        versions = [folder / name for folder in lists for name in ("go.mod", "go.sum")]
        files = [*versions, *sorted(own), *(MODULES / part.patch for part in self.changed)]
        content = hashlib.sha256(repr((self, OPTIONS)).encode())
        for path in files:
            content.update(hashlib.sha256(path.read_bytes()).digest())
        return content.hexdigest()[:12]

    def make(self, go: str, target: Path) -> None:
        """Build the programs into `target`."""
        with tempfile.TemporaryDirectory(dir=target) as name:
            folder = Path(name)
            options = self._changes(go, folder)
            # Linked into a folder of its own: a program in use is not written over, but another takes its name.
            made = folder / "made"
            made.mkdir()
            command = [go, "build", *OPTIONS, *options, f"-ldflags=-s -w {self.link}", "-o", f"{made}/"]
            home = MODULES / self.module
            run(f"{self.title} from Go modules", [*command, *self.programs.values()], cwd=home, env=ENVIRONMENT)
            for program, package in self.programs.items():
                (made / default_name(package)).rename(target / program)
            for path in self.keeps:
                shutil.move(self.changed[0].place(folder) / path, target)

    def _changes(self, go: str, folder: Path) -> list[str]:
        if not self.changed:
            return []
        for name in ("go.mod", "go.sum"):
            shutil.copyfile(MODULES / self.module / name, folder / name)
        edits = [edit for part in self.changed for edit in part.copy(go, part.place(folder))]
        subprocess.run([go, "mod", "edit", *edits, folder / "go.mod"], check=True, env={**os.environ, **ENVIRONMENT})
        return [f"-modfile={folder / 'go.mod'}"]


def compiler(what: str, instead: str = "") -> str:
    """Return the Go compiler. Raises `StepError` when there is none; `instead` is what one may install as well."""
    go = shutil.which("go")
    if go is None:
        message = (
            f"{what} is built from Go modules, and there is no Go compiler on PATH: install {instead}Go 1.26 or later"
        )
        raise StepError(message)
    return go


def downloaded(go: str, module: str, lists: str = "") -> Path:
    """Return a module's folder in Go's cache, checked against the `go.sum` in a folder of `MODULES`.

    Raises `StepError` when it cannot be had. A module that a folder replaces is not checked when it is built.
    """
    command = [go, "mod", "download", "-json", module]
    environment = {**os.environ, **ENVIRONMENT}
    listing = subprocess.run(command, cwd=MODULES / lists, env=environment, capture_output=True, check=False)
    if listing.returncode:
        message = f"the Go module {module} cannot be had: {listing.stdout.decode()}{listing.stderr.decode()}"
        raise StepError(message)
    return Path(json.loads(listing.stdout)["Dir"])


def default_name(package: str) -> str:
    """Return the name that Go gives to a package's program: the path's last part that is not a version."""
    *_, before, last = f"/{package}".split("/")
    return before if last.startswith("v") and last[1:].isdigit() else last
