"""When a Service or an Ingress is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.kubernetes.objects import name_of, pluck
from plugins.kubernetes.waits.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plugins.kubernetes.values import Object

SERVICE_NAME = "kubernetes.io/service-name"


def slices_with_endpoints(slices: Iterable[Object]) -> set[str]:
    """Name the Services that have at least one endpoint, ready or not: what the Endpoints object's subsets say."""
    return {str(pluck(item, "metadata", "labels", SERVICE_NAME)) for item in slices if item.get("endpoints")}


def service(live: Object, slices: Iterable[Object]) -> Verdict:
    """Judge a Service: endpoints, unless it is headless or a mere name, and an address if it balances load."""
    kind = pluck(live, "spec", "type") or "ClusterIP"
    balanced = kind != "LoadBalancer" or bool(pluck(live, "status", "loadBalancer", "ingress"))
    without_pods = kind == "ExternalName" or pluck(live, "spec", "clusterIP") == "None"
    targeted = without_pods or name_of(live) in slices_with_endpoints(slices)
    reasons = []
    if not targeted:
        reasons.append(
            "Service does not target any Pods. Selected Pods may not be ready, or "
            "field '.spec.selector' may not match labels on any Pods",
        )
    if not balanced:
        reasons.append("Service was not allocated an IP address; does your cloud provider support this?")
    return Verdict(
        ready=balanced and targeted,
        status="Waiting for an IP address of the Service" if targeted else "Finding Pods to direct traffic to",
        reasons=tuple(reasons),
    )


def backends(live: Object) -> list[tuple[str, str]]:
    """List an Ingress's rules as (host and path, Service name)."""
    found = []
    for rule in pluck(live, "spec", "rules") or []:
        for path in pluck(rule, "http", "paths") or []:
            name = pluck(path, "backend", "service", "name")
            if name:
                found.append(((rule.get("host") or "") + (path.get("path") or ""), str(name)))
    return found


def ingress(live: Object, services: Iterable[Object], slices: Iterable[Object], *, settled: bool) -> Verdict:
    """Judge an Ingress: an address, and for each rule a Service that has endpoints or is a mere name.

    A Service that is still missing once things have settled is warned of, not waited for: it may never come.
    """
    known = {str(pluck(item, "metadata", "labels", SERVICE_NAME)) for item in slices}
    known |= {name_of(item) for item in services if pluck(item, "spec", "type") == "ExternalName"}
    missing = [(rule, name) for rule, name in backends(live) if name not in known]
    addressed = bool(pluck(live, "status", "loadBalancer", "ingress"))
    reasons = []
    if missing and not settled:
        reasons.append("Ingress has at least one rule with an unavailable target endpoint.")
    if not addressed:
        reasons.append("Ingress .status.loadBalancer field was not updated with a hostname/IP address.")
    return Verdict(
        ready=addressed and (settled or not missing),
        status="Waiting for update of .status.loadBalancer with hostname/IP"
        if settled or not missing
        else "Finding a matching service for each Ingress path",
        reasons=tuple(reasons),
        warnings=tuple(f'No matching service found for ingress rule: "{rule}" -> "{name}"' for rule, name in missing)
        if settled
        else (),
    )
