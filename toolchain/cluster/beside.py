"""What runs beside the cluster as processes of the host: DNS, image registry, volumes, Ingress controller."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lib.progress import StepError

from cluster import builds, probes, settings
from cluster.certificates import client_config, path
from cluster.processes import Program

MANIFESTS: Final = Path(__file__).parent / "manifests"
PROVISIONER: Final = "flaskstack.dev/local"

_COREFILE: Final = """\
. {{
    bind {address}
    errors
    health 127.0.0.1:{health}
    kubernetes {domain} in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig} {context}
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }}
    forward . {upstream}
    cache 30 {{
        disable success {domain}
        disable denial {domain}
    }}
    loop
    loadbalance
}}
"""
_REGISTRY: Final = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: "{folder}"}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
_CERTIFICATES: Final = """\
tls:
  stores:
    default:
      defaultCertificate: {{certFile: "{certificate}", keyFile: "{key}"}}
"""


def make_base() -> None:
    """Have the objects and rights that the programs here need."""
    probes.apply((MANIFESTS / "base.yaml").read_text(), "the cluster's base objects")
    if probes.get("customresourcedefinition", "middlewares.traefik.io") is None:
        probes.apply(builds.traefik_crds().read_text(), "Traefik's custom resource definitions")


def dns() -> Program:
    """Return CoreDNS, on the node's address: pods reach it without any Service."""
    kubeconfig = client_config("coredns")
    text = _COREFILE.format(
        address=settings.NODE, health=settings.DNS_HEALTH, domain=settings.DOMAIN, kubeconfig=kubeconfig,
        context=settings.NAME, upstream="/etc/resolv.conf",
    )  # fmt: skip
    file = settings.write("Corefile", text)
    return Program(
        "coredns",
        [builds.program("coredns"), "-conf", file],
        probes.http(f"http://127.0.0.1:{settings.DNS_HEALTH}/health"),
        text.encode(),
    )


def registry() -> Program:
    """Return the image registry: plain HTTP on loopback, which Docker and this node's containerd both take as safe."""
    folder = settings.state() / "registry"
    folder.mkdir(parents=True, exist_ok=True)
    text = _REGISTRY.format(folder=folder, port=settings.REGISTRY)
    file = settings.write("registry.yaml", text)
    return Program(
        "registry",
        ["docker-registry", "serve", file],
        probes.http(f"http://127.0.0.1:{settings.REGISTRY}/v2/"),
        text.encode(),
    )


def storage() -> Program:
    """Return the provisioner of the default StorageClass: a folder for each volume."""
    folder = settings.state() / "volumes"
    folder.mkdir(parents=True, exist_ok=True)
    command: list[str | Path] = [
        builds.program("storage"),
        client_config("storage"),
        PROVISIONER,
        folder,
        settings.NAME,
    ]
    return Program("storage", command, lambda: True)


def traefik() -> Program:
    """Return the Ingress controller, with a self-signed certificate for hosts that bring none."""
    text = _CERTIFICATES.format(certificate=path("ingress"), key=path("ingress", "key"))
    certificates = settings.write("traefik-tls.yaml", text)
    kubeconfig = client_config("traefik")
    command: list[str | Path] = [
        builds.program("traefik"),
        f"--entrypoints.web.address=127.0.0.1:{settings.HTTP}",
        f"--entrypoints.websecure.address=127.0.0.1:{settings.HTTPS}",
        f"--entrypoints.traefik.address=127.0.0.1:{settings.TRAEFIK}",
        "--ping=true", "--global.checknewversion=false", "--global.sendanonymoususage=false",
        "--accesslog=false", "--log.level=INFO",
        f"--providers.file.filename={certificates}",
        "--providers.kubernetesingress=true", "--providers.kubernetesingress.ingressclass=traefik",
        # There is no load balancer whose address could be published, so this is it: what waits for an Ingress goes on.
        "--providers.kubernetesingress.ingressendpoint.ip=127.0.0.1",
        "--providers.kubernetescrd=true",
        # As its Helm chart has it: while no pod is ready the answer is 503, not 404 as if there were no such host.
        "--providers.kubernetesingress.allowemptyservices=true", "--providers.kubernetescrd.allowemptyservices=true",
        # A pod that is ready, or about to go, is known at once and not two seconds later.
        "--providers.providersthrottleduration=100ms",
        # Shorter than the application's own (10 s), or a reused connection may meet a server that just closed it.
        "--serverstransport.forwardingtimeouts.idleconntimeout=5s",
    ]  # fmt: skip
    ready = probes.http(f"http://127.0.0.1:{settings.TRAEFIK}/ping")
    return Program("traefik", command, ready, text.encode(), environment={"KUBECONFIG": str(kubeconfig)})


def make_certificate(namespace: str, name: str) -> None:
    """Have a Secret with the certificate of *.flaskstack.localhost: elsewhere cert-manager or a person makes one."""
    owner = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    probes.apply(owner, f"namespace {namespace}")
    files = {"tls.crt": path("ingress"), "tls.key": path("ingress", "key")}
    content = {key: file.read_text() for key, file in files.items()}
    metadata = {"name": name, "namespace": namespace}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/tls"}
    probes.apply({**secret, "stringData": content}, f"Secret {name} in {namespace}")


def check_ports() -> None:
    """Refuse to start where somebody else listens on our ports."""
    ours = [
        settings.ETCD, settings.ETCD_PEER, settings.REGISTRY, settings.HTTP, settings.HTTPS, settings.TRAEFIK,
        settings.MANAGER, settings.SCHEDULER, settings.KUBELET_HEALTH, settings.PROXY_HEALTH, settings.DNS_HEALTH,
    ]  # fmt: skip
    if taken := probes.taken(ours):
        message = (
            f"something that is not this cluster listens on 127.0.0.1, port {', '.join(map(str, taken))}: stop it first"
        )
        raise StepError(message)
