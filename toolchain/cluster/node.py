"""The node: containerd of our own, kubelet, kube-proxy."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from cluster import builds, network, probes, settings
from cluster.certificates import client_config, path
from cluster.processes import Program

if TYPE_CHECKING:
    from pathlib import Path

_CONTAINERD: Final = """\
version = 2
root = "{root}"
state = "{state}"

[grpc]
address = "{socket}"

[plugins."io.containerd.internal.v1.opt"]
path = "{root}/opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
# Where the machine withholds CAP_SYS_RESOURCE, a negative score is refused and no pod would start.
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{plugins}"
conf_dir = "{cni}"

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{registries}"
"""


def containerd() -> Program:
    """Return the container runtime, apart from Docker's: other root, state and socket."""
    folder = settings.config()
    settings.write(
        f"registries/127.0.0.1:{settings.REGISTRY}/hosts.toml", f'server = "http://127.0.0.1:{settings.REGISTRY}"\n'
    )
    text = _CONTAINERD.format(
        root=settings.state() / "containerd", state=settings.run() / "containerd", socket=settings.containerd_socket(),
        pause=settings.PAUSE, plugins=network.PLUGINS, cni=network.write_cni(), registries=folder / "registries",
    )  # fmt: skip
    file = settings.write("containerd.toml", text)
    return Program(
        "containerd", [shutil.which("containerd") or "containerd", "--config", file], runtime_answers, text.encode()
    )


def runtime_answers() -> bool:
    """Return whether containerd answers."""
    return ctr("version").returncode == 0


def ctr(*arguments: str | Path, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Run containerd's own client on the kubelet's containers and images."""
    command = ["ctr", "--address", settings.containerd_socket(), "--namespace", "k8s.io", *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=False, text=True, timeout=timeout)
    except subprocess.TimeoutExpired as error:
        return subprocess.CompletedProcess(command, 124, "", str(error))


def kubelet() -> Program:
    """Return the kubelet. It does not collect images: those that were loaded by hand could not be pulled again."""
    root = settings.state() / "kubelet"
    root.mkdir(parents=True, exist_ok=True)
    content = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": settings.NODE,
        "port": settings.KUBELET,
        "readOnlyPort": 0,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": settings.KUBELET_HEALTH,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(path("ca"))},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(path("kubelet")),
        "tlsPrivateKeyFile": str(path("kubelet", "key")),
        "containerRuntimeEndpoint": f"unix://{settings.containerd_socket()}",
        "cgroupDriver": "cgroupfs",
        "failSwapOn": False,
        "failCgroupV1": False,
        "makeIPTablesUtilChains": False,
        "clusterDNS": [settings.NODE],
        "clusterDomain": settings.DOMAIN,
        "resolvConf": "/etc/resolv.conf",
        "podLogsDir": str(settings.logs() / "pods"),
        "volumePluginDir": str(root / "plugins-exec"),
        "serializeImagePulls": False,
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        # Amounts, and not the default shares: a developer's disk that is 90 % full still runs pods.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1Gi",
            "imagefs.available": "1Gi",
            "nodefs.inodesFree": "1%",
        },
    }
    text = json.dumps(content, indent=1)
    file = settings.write("kubelet.json", text)
    command: list[str | Path] = [
        builds.program("kubelet"), f"--config={file}", f"--kubeconfig={client_config('kubelet')}", f"--root-dir={root}",
        f"--hostname-override={settings.NAME}", f"--node-ip={settings.NODE}",
    ]  # fmt: skip
    return Program(
        "kubelet",
        command,
        probes.http(f"http://127.0.0.1:{settings.KUBELET_HEALTH}/healthz"),
        text.encode(),
        seconds=120,
    )


def proxy() -> Program:
    """Return kube-proxy, which makes Service addresses work. It leaves the machine's conntrack limits alone."""
    content = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "bindAddress": settings.NODE,
        "healthzBindAddress": f"127.0.0.1:{settings.PROXY_HEALTH}",
        "metricsBindAddress": f"127.0.0.1:{settings.PROXY_METRICS}",
        "clientConnection": {"kubeconfig": str(client_config("kube-proxy"))},
        "clusterCIDR": settings.PODS,
        "hostnameOverride": settings.NAME,
        # A NodePort is opened on the node's own address, not to the network that the machine is in.
        "nodePortAddresses": [f"{settings.NODE}/32"],
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
    text = json.dumps(content, indent=1)
    file = settings.write("kube-proxy.json", text)
    command: list[str | Path] = [builds.program("kube-proxy"), f"--config={file}"]
    return Program(
        "kube-proxy", command, probes.http(f"http://127.0.0.1:{settings.PROXY_HEALTH}/healthz"), text.encode()
    )
