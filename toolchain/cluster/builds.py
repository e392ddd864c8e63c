"""The programs: built from Go modules with pinned sums, into the cache, once a version."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from lib import host, places
from lib.progress import StepError, run

from cluster import settings

MODULES: Final = Path(__file__).parent / "modules"
_VERSION: Final = "k8s.io/component-base/version"
_MAJOR, _MINOR, _ = settings.KUBERNETES.removeprefix("v").split(".")
_STATED: Final = {"gitVersion": settings.KUBERNETES, "gitMajor": _MAJOR, "gitMinor": _MINOR}
_KUBERNETES_FLAGS: Final = " ".join(["-s -w", *(f"-X {_VERSION}.{name}={value}" for name, value in _STATED.items())])


@dataclasses.dataclass(frozen=True)
class Build:
    """A folder under modules/ and the programs that come from it."""

    module: str
    title: str
    programs: dict[str, str]
    """Program -> Go package."""
    flags: str = "-s -w"
    static: bool = False

    def folder(self) -> Path:
        """Return where the programs are, named by all that they are made from."""
        sources = sorted(path for path in (MODULES / self.module).iterdir() if path.is_file())
        content = settings.digest(*(path.read_bytes() for path in sources), self.flags.encode())
        return places.cache() / "cluster" / f"{self.module}-{content}"


_K: Final = "k8s.io/kubernetes/cmd"
_KUBERNETES: Final = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
BUILDS: Final = (
    Build("pause", "the pause program", {"pause": "."}, static=True),
    Build("etcd", "etcd", {"etcd": "go.etcd.io/etcd/server/v3"}),
    Build(
        "kubernetes",
        f"Kubernetes {settings.KUBERNETES}",
        {name: f"{_K}/{name}" for name in _KUBERNETES},
        _KUBERNETES_FLAGS,
    ),
    Build("coredns", "CoreDNS", {"coredns": "."}),
    Build("storage", "the volume provisioner", {"storage": "."}),
    Build("traefik", "Traefik", {"traefik": "github.com/traefik/traefik/v3/cmd/traefik"}),
)
CHECKERS: Final = (
    Build("kube-score", "kube-score", {"kube-score": "github.com/zegl/kube-score/cmd/kube-score"}),
    Build("kubeconform", "kubeconform", {"kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform"}),
)
"""What reads manifests. Only tests want them."""
_TRAEFIK: Final = "github.com/traefik/traefik/v3"
_LEGO_DNS: Final = "github.com/go-acme/lego/v4/providers/dns"
_TRAEFIK_CRDS: Final = "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"


def program(name: str) -> Path:
    """Return the path of a program that `make` has built."""
    for build in (*BUILDS, *CHECKERS):
        if name in build.programs:
            return build.folder() / name
    raise KeyError(name)


def traefik_crds() -> Path:
    """Return Traefik's custom resource definitions, of the version that was built."""
    return program("traefik").parent / "crds.yaml"


def missing(builds: tuple[Build, ...] = BUILDS) -> list[Build]:
    """Return what is still to be built."""
    return [build for build in builds if not build.folder().is_dir()]


def make(builds: tuple[Build, ...] = BUILDS) -> None:
    """Build what is missing. A build that is cut short leaves nothing that looks finished."""
    lacking = missing(builds)
    if not lacking:
        return
    go = shutil.which("go")
    if go is None:
        raise StepError(
            "Kubernetes is built from Go modules, and there is no Go compiler on PATH: install Go 1.26 or later"
        )
    (places.cache() / "cluster").mkdir(parents=True, exist_ok=True)
    for build in lacking:
        with tempfile.TemporaryDirectory(dir=places.cache() / "cluster", prefix="part-") as folder:
            done = Path(folder) / "done"
            done.mkdir()
            arguments = _traefik(go, Path(folder)) if build.module == "traefik" else []
            if build.module == "traefik":
                shutil.copyfile(Path(folder) / "source" / _TRAEFIK_CRDS, done / "crds.yaml")
            _compile(go, build, done, arguments)
            done.rename(build.folder())


def _compile(go: str, build: Build, done: Path, arguments: list[str]) -> None:
    environment = {**host.CLEAN, **({"CGO_ENABLED": "0"} if build.static else {})}
    source = MODULES / build.module
    command = [
        go,
        "build",
        "-p",
        "2",
        "-v",
        "-buildvcs=false",
        "-mod=readonly",
        host.NO_DWARF,
        *arguments,
        "-ldflags",
        build.flags,
    ]
    if len(build.programs) == 1:
        (name, package), = build.programs.items()  # fmt: skip
        run(f"{build.title} from Go modules", [*command, "-o", done / name, package], cwd=source, env=environment)
    else:  # One command: the packages share most of what is compiled.
        run(
            f"{build.title} from Go modules",
            [*command, "-o", f"{done}/", *build.programs.values()],
            cwd=source,
            env=environment,
        )


def _traefik(go: str, folder: Path) -> list[str]:
    """Return the arguments that build Traefik from a copy of its module.

    It has web pages, which the published one lacks. It has none of the 150 clients of DNS services by which Traefik can
    prove to a certificate authority that a name is its own, and nothing of ECS: their SDKs are half of all that there
    is to build, and nothing here asks for them.
    """
    source = MODULES / "traefik"
    # Checked against go.sum here, since a module that a folder replaces is not.
    listing = subprocess.run([go, "mod", "download", "-json", _TRAEFIK], cwd=source, capture_output=True, check=False)
    if listing.returncode:
        message = f"Traefik's module cannot be had: {listing.stderr.decode()}"
        raise StepError(message)
    copy = folder / "source"
    shutil.copytree(json.loads(listing.stdout)["Dir"], copy, copy_function=shutil.copyfile)
    for path in [copy, *copy.rglob("*")]:  # The module cache is read-only, and so is its copy.
        path.chmod(0o755 if path.is_dir() else 0o644)
    (copy / "webui" / "static").mkdir(parents=True)
    (copy / "webui" / "static" / "index.html").write_text("<!doctype html><title>Traefik</title>\n")
    providers = copy / "pkg" / "provider"
    _instead(source / "ecs.go.txt", providers / "ecs")
    _instead(source / "dns.go.txt", providers / "acme" / "dns")
    acme = providers / "acme" / "provider.go"
    code = acme.read_text()
    if code.count(_LEGO_DNS) != 1:
        message = f"Traefik's {acme.relative_to(copy)} does not import {_LEGO_DNS} as it did: see {__file__}"
        raise StepError(message)
    acme.write_text(code.replace(_LEGO_DNS, f"{_TRAEFIK}/pkg/provider/acme/dns"))
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(source / name, folder / name)
    modfile = folder / "go.mod"
    subprocess.run(
        [go, "mod", "edit", f"-replace={_TRAEFIK}={copy}", modfile], check=True, env={**os.environ, "GOWORK": "off"}
    )
    return [f"-modfile={modfile}"]


def _instead(file: Path, package: Path) -> None:
    """Put a package of one file where another one may be."""
    shutil.rmtree(package, ignore_errors=True)
    package.mkdir()
    shutil.copyfile(file, package / f"{package.name}.go")
