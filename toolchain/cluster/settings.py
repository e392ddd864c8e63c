"""What the cluster is called and where it is: names, addresses, ports, versions, folders. No decisions elsewhere."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final

from lib import places

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "flaskstack"
"""Of the cluster, its node and its kubeconfig context."""
KUBERNETES: Final = "v1.36.1"

# Addresses: apart from what Docker gives out (172.16.0.0/12, 192.168.0.0/16) and from the usual clusters' ranges.
DEVICE: Final = "fsk0"
"""A bridge without ports that holds the node's address: the same wherever a laptop goes, and private to the machine."""
NODE: Final = "10.214.255.1"
PODS: Final = "10.214.0.0/24"
SERVICES: Final = "10.214.8.0/22"
KUBERNETES_SERVICE: Final = "10.214.8.1"
RANGE: Final = "10.214.0.0/16"

# Ports. What a person or Docker talks to is on 127.0.0.1; what pods must reach is on the node's address.
API: Final = 16443
ETCD: Final = 16379
ETCD_PEER: Final = 16380
KUBELET: Final = 16250
KUBELET_HEALTH: Final = 16248
PROXY_HEALTH: Final = 16256
PROXY_METRICS: Final = 16249
MANAGER: Final = 16257
SCHEDULER: Final = 16259
DNS_HEALTH: Final = 16053
REGISTRY: Final = 15000
HTTP: Final = 18080
HTTPS: Final = 18443
TRAEFIK: Final = 18088

DOMAIN: Final = "cluster.local"
PAUSE: Final = "flaskstack.localhost/pause:1"
SERVICES_NAMESPACE: Final = "flaskstack-services"

LONGEST: Final = 64
"""Of the state folder's path: the kubelet puts Unix sockets under it, whose paths end at 107 characters."""


def state() -> Path:
    """Return the folder of the cluster's data: keys, etcd, containers, the registry's images."""
    return places.state() / "cluster"


def logs() -> Path:
    """Return the folder of all logs, those of pods too."""
    return state() / "logs"


def run() -> Path:
    """Return the folder of process records and sockets."""
    return state() / "run"


def pki() -> Path:
    """Return the folder of keys and certificates."""
    return state() / "pki"


def config() -> Path:
    """Return the folder of configuration files."""
    return state() / "config"


def write(name: str, text: str) -> Path:
    """Have a configuration file with a text. One that has it is left: kube-proxy ends itself when its is written."""
    file = config() / name
    if not file.exists() or file.read_text() != text:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(text)
        part.replace(file)
    return file


def containerd_socket() -> Path:
    """Return the socket of the cluster's containerd."""
    return run() / "containerd.sock"


def kubeconfig() -> Path:
    """Return the administrator's kubeconfig. Never the person's own."""
    return state() / "kubeconfig"


def unproxied() -> dict[str, str]:
    """Return the variables that keep proxies away from the API server: on this machine, though not on loopback."""
    if not any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")):
        return {}
    found = {}
    for name in ("NO_PROXY", "no_proxy"):
        present = os.environ.get(name, "").split(",")
        if NODE not in present:
            found[name] = ",".join(filter(None, [*present, NODE]))
    return found


def digest(*parts: bytes) -> str:
    """Return a short name of some content."""
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()[:12]
