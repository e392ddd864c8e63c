"""etcd, API server, controller manager, scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster import builds, probes, settings
from cluster.certificates import client_config, path
from cluster.processes import Program

if TYPE_CHECKING:
    from pathlib import Path


def etcd() -> Program:
    """Return the store. Only who has a certificate of its own authority may read it."""
    url, peer = f"https://127.0.0.1:{settings.ETCD}", f"http://127.0.0.1:{settings.ETCD_PEER}"
    command: list[str | Path] = [
        builds.program("etcd"), "--name=node", f"--data-dir={settings.state() / 'etcd'}",
        f"--listen-client-urls={url}", f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=node={peer}",
        f"--cert-file={path('etcd')}", f"--key-file={path('etcd', 'key')}",
        "--client-cert-auth", f"--trusted-ca-file={path('etcd-ca')}", "--log-level=warn",
    ]  # fmt: skip
    return Program("etcd", command, probes.port(settings.ETCD))


def api_server() -> Program:
    """Return the API server, on the node's address, which pods and this machine reach and nobody else does."""
    key = path("service-accounts", "key")
    command: list[str | Path] = [
        builds.program("kube-apiserver"), f"--bind-address={settings.NODE}", f"--advertise-address={settings.NODE}",
        f"--secure-port={settings.API}", f"--service-cluster-ip-range={settings.SERVICES}",
        f"--etcd-servers=https://127.0.0.1:{settings.ETCD}", f"--etcd-cafile={path('etcd-ca')}",
        f"--etcd-certfile={path('apiserver-etcd')}", f"--etcd-keyfile={path('apiserver-etcd', 'key')}",
        f"--tls-cert-file={path('apiserver')}", f"--tls-private-key-file={path('apiserver', 'key')}",
        f"--client-ca-file={path('ca')}", "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true", "--anonymous-auth=true",
        f"--service-account-issuer=https://kubernetes.default.svc.{settings.DOMAIN}",
        f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}",
        f"--kubelet-certificate-authority={path('ca')}", f"--kubelet-client-certificate={path('apiserver-kubelet')}",
        f"--kubelet-client-key={path('apiserver-kubelet', 'key')}", "--kubelet-preferred-address-types=InternalIP",
    ]  # fmt: skip
    return Program(
        "kube-apiserver", command, probes.http(f"https://{settings.NODE}:{settings.API}/readyz"), seconds=120
    )


def controller_manager() -> Program:
    """Return the controllers."""
    command: list[str | Path] = [
        builds.program("kube-controller-manager"), f"--kubeconfig={client_config('kube-controller-manager')}",
        "--bind-address=127.0.0.1", f"--secure-port={settings.MANAGER}", "--leader-elect=false",
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={path('service-accounts', 'key')}",
        f"--root-ca-file={path('ca')}",
        f"--cluster-signing-cert-file={path('ca')}", f"--cluster-signing-key-file={path('ca', 'key')}",
    ]  # fmt: skip
    return Program("kube-controller-manager", command, probes.http(f"https://127.0.0.1:{settings.MANAGER}/healthz"))


def scheduler() -> Program:
    """Return the scheduler."""
    command: list[str | Path] = [
        builds.program("kube-scheduler"), f"--kubeconfig={client_config('kube-scheduler')}",
        "--bind-address=127.0.0.1", f"--secure-port={settings.SCHEDULER}", "--leader-elect=false",
    ]  # fmt: skip
    return Program("kube-scheduler", command, probes.http(f"https://127.0.0.1:{settings.SCHEDULER}/healthz"))


def programs() -> list[Program]:
    """Return them in the order that they need each other."""
    return [etcd(), api_server(), controller_manager(), scheduler()]
