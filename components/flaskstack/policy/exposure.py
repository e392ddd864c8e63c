"""What the outside can reach: the edge, over TLS, and nothing else."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from flaskstack.naming import LABEL
from flaskstack.policy.model import Finding, Level, Rule
from flaskstack.policy.pods import containers, pod
from flaskstack.policy.resource import Opaque, dig, items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flaskstack.policy.resource import Resource

EDGE: Final = "nginx"
"""Role of the container that may publish a port."""
PUBLIC_SERVICES: Final = frozenset({"NodePort", "LoadBalancer"})


def _ports(resource: Resource) -> Iterator[Finding]:
    if resource.docker == "Container":
        yield from _published(resource)
    if resource.kubernetes == "Service":
        kind = dig(resource.inputs, "spec", "type")
        if isinstance(kind, str) and kind in PUBLIC_SERVICES:
            fix = "make it ClusterIP, behind an Ingress"
            yield Finding("spec.type", kind, "it can be reached from outside, past the edge", fix)
        if addresses := items(resource.inputs, "spec", "externalIPs"):
            shown = ", ".join(map(str, addresses))
            yield Finding("spec.externalIPs", shown, "it can be reached from outside, past the edge", "leave it out")
    around = pod(resource)
    if around and around.at("hostNetwork") is True:
        yield Finding(f"{around.where}.hostNetwork", "true", "each of its ports is one of the node's", "leave it out")
    for part in containers(resource):
        for port in items(part.spec, "ports"):
            if dig(port, "hostPort"):
                where = f"{part.where}.ports[{dig(port, 'containerPort')}].hostPort"
                yield Finding(where, str(dig(port, "hostPort")), "it is one of the node's", "use a Service")


def _published(resource: Resource) -> Iterator[Finding]:
    if resource.tags.get(f"{LABEL}.role") == EDGE:
        return
    for number, port in enumerate(items(resource.inputs, "ports")):
        address = dig(port, "ip")
        if not isinstance(address, Opaque) and not _loopback(address or "0.0.0.0"):  # noqa: S104  # the engine's default
            shown = f"{address or '0.0.0.0'}:{dig(port, 'external') or 'any'}"  # noqa: S104
            fix = "leave it out: containers of one network reach each other; or publish it on 127.0.0.1"
            yield Finding(f"ports[{number}]", shown, "only the edge publishes a port", fix)
    if resource.inputs.get("networkMode") == "host":
        yield Finding("networkMode", "host", "each of its ports is one of the machine's", "use a network of its own")
    if resource.inputs.get("publishAllPorts") is True:
        yield Finding("publishAllPorts", "true", "only the edge publishes a port", "leave it out")


def _loopback(address: object) -> bool:
    try:
        return ipaddress.ip_address(str(address)).is_loopback
    except ValueError:
        return False


def _tls(resource: Resource) -> Iterator[Finding]:
    if resource.kubernetes != "Ingress":
        return
    entries = dig(resource.inputs, "spec", "tls")
    if isinstance(entries, Opaque):
        return
    served = [host for entry in entries or () for host in items(entry, "hosts")]
    if any(isinstance(item, Opaque) for item in (*(entries or ()), *served)):
        return
    rules = items(resource.inputs, "spec", "rules")
    # An entry without hosts is for the rules' hosts, with the certificate that it names.
    everything = any(not items(entry, "hosts") for entry in entries or ())
    hosts = [dig(rule, "host") for rule in rules] or [None]
    for host in hosts:
        covered = bool(entries) if host is None else everything or any(_covers(name, host) for name in served)
        if not isinstance(host, Opaque) and not covered:
            fix = "name the host in spec.tls, with a Secret that holds its certificate"
            yield Finding("spec.tls", "not set" if not served else ", ".join(served), f"{host or 'it'} has no TLS", fix)


def _covers(name: str, host: str) -> bool:
    """Whether a certificate for `name` is one for `host`: a wildcard stands for one label."""
    return name == host or (name.startswith("*.") and host.partition(".")[2] == name[2:])


PORT_RULE: Final = Rule(
    "no-public-port", "Only the edge can be reached from outside: nginx, or an Ingress.", Level.MANDATORY, _ports
)
TLS_RULE: Final = Rule("ingress-tls", "Every host of an Ingress has TLS.", Level.MANDATORY, _tls)
