"""Taking the cluster down: its own processes, containers, mounts, network and rules, and nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from lib.progress import say

from cluster import network, node, processes, settings

ORDER: Final = (
    "kubelet", "traefik", "storage", "registry", "kube-proxy", "coredns",
    "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd",
)  # fmt: skip
GRACE: Final = 8
"""Seconds that containers have to end by themselves."""


def down(*, delete_data: bool) -> None:
    """Stop everything. Caches stay; the data go only on request."""
    processes.stop("kubelet")  # First, or it would start again what is stopped below.
    namespaces = _network_namespaces()
    if processes.running("containerd"):
        _stop_containers()
    for name in ORDER:
        processes.stop(name)
    processes.stop("containerd")
    _stop_shims()
    _unmount()
    for file in namespaces:
        subprocess.run(["umount", "--lazy", file], capture_output=True, check=False)
        file.unlink(missing_ok=True)
    _remove_cgroups()
    network.remove()
    _forget_addresses()
    if delete_data:
        shutil.rmtree(settings.state(), ignore_errors=True)
        say("the cluster is down and its data are deleted; what was built stays in the cache")
    else:
        say(f"the cluster is down; its data stay in {settings.state()} (--delete-data deletes them)")


def _tasks() -> list[str]:
    return node.ctr("tasks", "list", "--quiet").stdout.split()


def _stop_containers() -> None:
    for container in _tasks():
        node.ctr("tasks", "kill", "--signal", "SIGTERM", container, timeout=20)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and "RUNNING" in node.ctr("tasks", "list").stdout:
        time.sleep(0.2)
    for container in _tasks():
        node.ctr("tasks", "delete", "--force", container, timeout=20)
    containers = node.ctr("containers", "list", "--quiet").stdout.split()
    if containers:
        node.ctr("containers", "delete", *containers, timeout=60)


def _stop_shims() -> None:
    """Kill shims of our containerd that are left, with what runs in them: those whose command names our socket."""
    socket = str(settings.containerd_socket()).encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            if b"containerd-shim" not in arguments[0] or socket not in arguments:
                continue
            children = (folder / "task" / folder.name / "children").read_text().split()
            for pid in [*children, folder.name]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


def _network_namespaces() -> list[Path]:
    """Return the network namespaces of our pods, as their sandboxes' own specifications name them."""
    found = set()
    for file in (settings.run() / "containerd").glob("io.containerd.runtime.v2.task/k8s.io/*/config.json"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            for namespace in json.loads(file.read_text())["linux"]["namespaces"]:
                path = Path(namespace.get("path", ""))
                if namespace["type"] == "network" and path.name.startswith("cni-"):
                    found.add(path)
    return sorted(found)


def _unmount() -> None:
    root = f"{settings.state()}/"
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in sorted((point for point in points if point.startswith(root)), reverse=True):
        subprocess.run(["umount", "--lazy", point.encode().decode("unicode_escape")], capture_output=True, check=False)


def _remove_cgroups() -> None:
    """Remove the pods' control groups, of either version. A group in which a process is left is not removable."""
    for top in [*Path("/sys/fs/cgroup").glob("kubepods"), *Path("/sys/fs/cgroup").glob("*/kubepods")]:
        for folder in sorted((path for path in [top, *top.rglob("*")] if path.is_dir()), reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _forget_addresses() -> None:
    """Free the pods' addresses: no pod is left, and the plugin would count them as taken for ever."""
    shutil.rmtree(settings.run() / "addresses", ignore_errors=True)
    logs = Path("/var/log/containers")  # The kubelet's fixed place for links to logs.
    for link in logs.glob("*.log") if logs.is_dir() else []:
        if link.is_symlink() and str(link.readlink()).startswith(f"{settings.logs()}/"):
            link.unlink()
