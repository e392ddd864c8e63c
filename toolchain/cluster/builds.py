"""The programs of the cluster, built from Go modules."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from lib import golang, places
from lib.golang import Build, Changed

from cluster import settings

_VERSION: Final = "k8s.io/component-base/version"
_MAJOR, _MINOR, _ = settings.KUBERNETES.removeprefix("v").split(".")
_STATED: Final = {"gitVersion": settings.KUBERNETES, "gitMajor": _MAJOR, "gitMinor": _MINOR}
_KUBERNETES: Final = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
# Without the clients of 180 DNS services by which Traefik can prove to a certificate authority that a name is its own,
# without plugins and their two interpreters, without ECS: half of all that there is to build, and not asked for here.
_TRAEFIK: Final = Changed(
    "github.com/traefik/traefik/v3",
    "traefik.patch",
    removed=(
        "pkg/observability/logs/wasm.go",
        "pkg/plugins/middlewarewasm.go",
        "pkg/plugins/middlewareyaegi.go",
        "pkg/plugins/providers.go",
        "pkg/plugins/wasip.go",
        "pkg/plugins/wasip_mock.go",
    ),
)
_CRDS: Final = "kubernetes-crd-definition-v1.yml"
BUILDS: Final = (
    Build("pause", "the pause program", {"pause": "./pause"}),
    Build("etcd", "etcd", {"etcd": "go.etcd.io/etcd/server/v3"}),
    Build(
        "kubernetes",
        f"Kubernetes {settings.KUBERNETES}",
        {name: f"k8s.io/kubernetes/cmd/{name}" for name in _KUBERNETES},
        link=" ".join(f"-X {_VERSION}.{name}={value}" for name, value in _STATED.items()),
    ),
    Build("coredns", "CoreDNS", {"coredns": "./coredns"}),
    Build("storage", "the volume provisioner", {"storage": "./storage"}),
    Build(
        "traefik",
        "Traefik",
        {"traefik": f"{_TRAEFIK.module}/cmd/traefik"},
        changed=(_TRAEFIK,),
        keeps=(f"docs/content/reference/dynamic-configuration/{_CRDS}",),
    ),
)
CHECKERS: Final = (
    # Of other versions: it still knows kinds that Kubernetes has given up.
    Build("kube-score", "kube-score", {"kube-score": "github.com/zegl/kube-score/cmd/kube-score"}, module="kube-score"),
    Build("kubeconform", "kubeconform", {"kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform"}),
)
"""What reads manifests. Only tests want them."""


def folder(build: Build) -> Path:
    """Return where a build's programs are, named by all that they are made from."""
    return places.cache() / "cluster" / f"{build.name}-{build.digest()}"


def program(name: str) -> Path:
    """Return the path of a program that `make` has built."""
    for build in (*BUILDS, *CHECKERS):
        if name in build.programs:
            return folder(build) / name
    raise KeyError(name)


def traefik_crds() -> Path:
    """Return Traefik's custom resource definitions, of the version that was built."""
    return program("traefik").parent / _CRDS


def missing(builds: tuple[Build, ...] = BUILDS) -> list[Build]:
    """Return what is still to be built."""
    return [build for build in builds if not folder(build).is_dir()]


def make(builds: tuple[Build, ...] = BUILDS) -> None:
    """Build what is missing. A build that is cut short leaves nothing that looks finished."""
    for build in missing(builds):
        home = places.cache() / "cluster"
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix="part-") as part:
            done = Path(part) / "done"
            done.mkdir()
            build.make(golang.compiler(build.title), done)
            done.rename(folder(build))
