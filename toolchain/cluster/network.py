"""The node's address, the routes and firewall rules that pods need, and their removal. CNI's plugins do the rest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from lib.progress import StepError

from cluster import settings

PLUGINS: Final = Path("/usr/lib/cni")
COMMENT: Final = "flaskstack-cluster"
PROXY_TABLES: Final = ("ip", "ip6")
_RULES: Final = (
    # Docker drops what it does not forward itself.
    ("filter", "FORWARD", "--source", settings.PODS, "--jump", "ACCEPT"),
    ("filter", "FORWARD", "--destination", settings.PODS, "--jump", "ACCEPT"),
    # To pods the outside sees this machine, as with any cluster without routes of its own.
    ("nat", "POSTROUTING", "--source", settings.PODS, "!", "--destination", settings.RANGE, "--jump", "MASQUERADE"),
)


def make() -> None:
    """Have the device, the route and the rules."""
    if _ip("link", "show", settings.DEVICE).returncode:
        _must("link", "add", settings.DEVICE, "type", "bridge")
    _must("address", "replace", f"{settings.NODE}/32", "dev", settings.DEVICE)
    _must("link", "set", settings.DEVICE, "up")
    # Service addresses are rewritten before anything is sent; without a route, a machine that is offline refuses first.
    _must("route", "replace", settings.SERVICES, "dev", settings.DEVICE)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    for rule in _RULES:
        if _rule("--check", rule).returncode:
            made = _rule("--insert", rule)
            if made.returncode:
                message = f"iptables {' '.join(rule)}: {made.stderr.decode().strip()}"
                raise StepError(message)


def remove() -> None:
    """Take all of it away, and what kube-proxy and the network plugins leave."""
    for rule in _RULES:
        while _rule("--delete", rule).returncode == 0:
            pass
    for family in PROXY_TABLES:
        subprocess.run(["nft", "delete", "table", family, "kube-proxy"], capture_output=True, check=False)
    _ip("link", "delete", settings.DEVICE)


def write_cni() -> Path:
    """Write the pods' network; return the folder of its file."""
    # Routed pairs and no bridge: traffic between pods passes the rules above whether or not the kernel filters bridges.
    ranges = [[{"subnet": settings.PODS}]]
    ipam = {
        "type": "host-local",
        "dataDir": str(settings.run() / "addresses"),
        "ranges": ranges,
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugins = [
        {"type": "ptp", "ipMasq": False, "ipam": ipam},
        {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True},
    ]
    content = {"cniVersion": "0.4.0", "name": settings.NAME, "plugins": plugins}
    return settings.write("cni/10-flaskstack.conflist", json.dumps(content, indent=1)).parent


def problems() -> list[str]:
    """Return what keeps a cluster from running here, each with what to do."""
    found = []
    if os.geteuid() != 0:
        found.append(
            "a node needs root (namespaces, mounts, firewall rules): run it as root, or use a cluster that is there"
        )
    tools = ("ip", "iptables", "nft", "conntrack", "containerd", "ctr", "runc", "openssl", "docker-registry")
    found += [f"{tool} is not on PATH" for tool in tools if shutil.which(tool) is None]
    if not (PLUGINS / "ptp").exists():
        found.append(f"no CNI plugins in {PLUGINS}")
    if len(str(settings.state())) > settings.LONGEST:
        found.append(
            f"{settings.state()} is too long a path for the kubelet's sockets: set FLASKSTACK_STATE to a shorter one"
        )
    found += [
        f"process {pid} ({name}) is another cluster's node on this machine: use that one"
        for pid, name in _other_nodes()
    ]
    return found


def _other_nodes() -> list[tuple[int, str]]:
    """Return kubelets that share this machine's network and are not ours: two would undo each other's rules."""
    own = Path("/proc/self/ns/net").readlink()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name = (folder / "comm").read_text().strip()
            if name not in {"kubelet", "k3s-server", "kube-proxy"} or (folder / "ns" / "net").readlink() != own:
                continue
            if str(settings.state()).encode() not in (folder / "cmdline").read_bytes():
                found.append((int(folder.name), name))
        except OSError:
            continue
    return found


def _ip(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["ip", *arguments], capture_output=True, check=False)


def _must(*arguments: str) -> None:
    done = _ip(*arguments)
    if done.returncode:
        message = f"ip {' '.join(arguments)}: {done.stderr.decode().strip()}"
        raise StepError(message)


def _rule(action: str, rule: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    table, chain, *rest = rule
    marked = ["-m", "comment", "--comment", COMMENT]
    return subprocess.run(
        ["iptables", "--wait", "--table", table, action, chain, *rest[:-2], *marked, *rest[-2:]],
        capture_output=True,
        check=False,
    )
