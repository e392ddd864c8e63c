"""Keys and certificates: an authority of the cluster's own, one of etcd's, and what they sign. Made once."""

from __future__ import annotations

import base64
import dataclasses
import json
import subprocess
from typing import TYPE_CHECKING, Final

from lib.progress import say

from cluster import settings

if TYPE_CHECKING:
    from pathlib import Path

_EC: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650")
_SERVICE: Final = "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"


@dataclasses.dataclass(frozen=True)
class Certificate:
    """Who is certified for what."""

    name: str
    subject: str
    alternatives: str = ""
    authority: str = "ca"


SIGNED: Final = (
    Certificate(
        "apiserver", "/CN=kube-apiserver",
        f"{_SERVICE},DNS:{'kubernetes.default.svc.' + settings.DOMAIN},DNS:localhost,"
        f"IP:127.0.0.1,IP:{settings.NODE},IP:{settings.KUBERNETES_SERVICE}",
    ),
    Certificate("apiserver-kubelet", "/O=system:masters/CN=kube-apiserver-kubelet-client"),
    Certificate("kubelet", "/CN=kubelet", f"DNS:{settings.NAME},IP:{settings.NODE}"),
    Certificate("etcd", "/CN=etcd", "DNS:localhost,IP:127.0.0.1", "etcd-ca"),
    Certificate("apiserver-etcd", "/CN=kube-apiserver", authority="etcd-ca"),
)  # fmt: skip
CLIENTS: Final = {
    "admin": "/O=system:masters/CN=flaskstack-admin",
    "kube-controller-manager": "/CN=system:kube-controller-manager",
    "kube-scheduler": "/CN=system:kube-scheduler",
    "kubelet": f"/O=system:nodes/CN=system:node:{settings.NAME}",
    "kube-proxy": "/CN=system:kube-proxy",
    "coredns": "/CN=flaskstack:coredns",
    "storage": "/CN=flaskstack:storage",
    "traefik": "/CN=flaskstack:traefik",
}
"""Program -> its user, by which the API server knows what it may do."""


def path(name: str, kind: str = "crt") -> Path:
    """Return a certificate's file, or its key's."""
    return settings.pki() / f"{name}.{kind}"


def client_config(name: str) -> Path:
    """Return the kubeconfig of a program of the cluster."""
    return settings.kubeconfig() if name == "admin" else settings.pki() / f"{name}.kubeconfig"


def make() -> None:
    """Make what is missing."""
    settings.pki().mkdir(parents=True, exist_ok=True)
    settings.pki().chmod(0o700)
    if not path("service-accounts", "key").exists():
        say("  keys and certificates")
        _openssl(
            "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", target=path("service-accounts", "key")
        )
    for authority in ("ca", "etcd-ca"):
        if not path(authority).exists():
            _certify(Certificate(authority, f"/CN={settings.NAME}-{authority}"), authority=True)
    if not path(
        "ingress"
    ).exists():  # Not the cluster's authority's: who trusts this one in a browser trusts nothing else.
        _certify(
            Certificate("ingress", "/CN=flaskstack ingress", "DNS:localhost,DNS:*.flaskstack.localhost,IP:127.0.0.1"),
            authority=True,
        )
    clients = [Certificate(f"client-{name}", subject) for name, subject in CLIENTS.items()]
    for certificate in [*SIGNED, *clients]:
        if not path(certificate.name).exists():
            _certify(certificate)
    for name in CLIENTS:
        if not client_config(name).exists():
            _write_config(name)


def _certify(certificate: Certificate, *, authority: bool = False) -> None:
    key = path(certificate.name, "key")
    command = ["req", "-x509", *_EC, "-subj", certificate.subject, "-keyout", str(key)]
    if not authority:
        signer = certificate.authority
        command += ["-CA", str(path(signer)), "-CAkey", str(path(signer, "key"))]
        command += [
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-addext",
            "extendedKeyUsage=serverAuth,clientAuth",
        ]
    if certificate.alternatives:
        command += ["-addext", f"subjectAltName={certificate.alternatives}"]
    _openssl(*command, target=path(certificate.name))


def _openssl(*arguments: str, target: Path) -> None:
    part = target.with_suffix(".part")
    subprocess.run(["openssl", *arguments, "-out", str(part)], check=True, capture_output=True)
    part.replace(target)


def _write_config(name: str) -> None:
    """Write a kubeconfig with all in it: it can be copied anywhere, and names the cluster in its context."""
    encoded = {
        kind: base64.b64encode(file.read_bytes()).decode()
        for kind, file in (("ca", path("ca")), ("crt", path(f"client-{name}")), ("key", path(f"client-{name}", "key")))
    }
    user = settings.NAME if name == "admin" else name
    server = f"https://{settings.NODE}:{settings.API}"
    keys = {"client-certificate-data": encoded["crt"], "client-key-data": encoded["key"]}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": settings.NAME,
            "cluster": {"server": server, "certificate-authority-data": encoded["ca"]},
        }],
        "users": [{"name": user, "user": keys}],
        "contexts": [{"name": settings.NAME, "context": {"cluster": settings.NAME, "user": user}}],
        "current-context": settings.NAME,
    }  # fmt: skip
    part = client_config(name).with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text(json.dumps(content, indent=1))
    part.replace(client_config(name))
