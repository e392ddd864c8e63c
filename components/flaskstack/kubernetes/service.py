"""How requests come to the pods: Service and Ingress.

Deliberately not here: what the edge does beyond TLS and a host rule. That is an adapter's, one for each controller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pulumi
from pulumi_kubernetes.core.v1 import Service, ServicePortArgs, ServiceSpecArgs
from pulumi_kubernetes.networking.v1 import (
    HTTPIngressPathArgs,
    HTTPIngressRuleValueArgs,
    Ingress,
    IngressBackendArgs,
    IngressRuleArgs,
    IngressServiceBackendArgs,
    IngressSpecArgs,
    IngressTLSArgs,
    ServiceBackendPortArgs,
)

from flaskstack.kubernetes import identity
from flaskstack.kubernetes.identity import WEB

if TYPE_CHECKING:
    from flaskstack.kubernetes.plan import Plan

PORT: Final = 80
"""Port of the Service."""
HTTPS: Final = 443
SERVED_BY_TLS: Final = {"traefik.ingress.kubernetes.io/router.tls": "true"}
"""Traefik reads certificates from an Ingress, but serves it by TLS only where its entry point or this says so. Other
controllers pass over it."""


def url(plan: Plan) -> str:
    """Return what to open."""
    return f"https://{plan.host}" + ("" if plan.ingress.port == HTTPS else f":{plan.ingress.port}")


def service(plan: Plan, parent: pulumi.Resource, pods: pulumi.Resource) -> Service:
    """Return the Service of the web pods."""
    return Service(
        f"{plan.name}-service",
        metadata=identity.metadata(plan, plan.app.name, WEB),
        spec=ServiceSpecArgs(
            type="ClusterIP",
            selector=identity.selector(plan, WEB),
            ports=[ServicePortArgs(name="http", port=PORT, target_port=plan.app.port, protocol="TCP")],
        ),
        # The plugin waits until it has an endpoint, which only the pods can bring.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[pods]),
    )


def ingress(plan: Plan, parent: pulumi.Resource, backend: pulumi.Input[str]) -> Ingress | None:
    """Return the Ingress to the Service `backend`, None when there shall be none."""
    wanted = plan.ingress
    if not wanted.enabled:
        return None
    rule = HTTPIngressPathArgs(
        path="/",
        path_type="Prefix",
        backend=IngressBackendArgs(
            service=IngressServiceBackendArgs(name=backend, port=ServiceBackendPortArgs(number=PORT))
        ),
    )
    awaited = {} if wanted.wait else {"pulumi.com/skipAwait": "true"}
    annotations = {**SERVED_BY_TLS, **wanted.annotations, **awaited}
    return Ingress(
        f"{plan.name}-ingress",
        metadata=identity.metadata(plan, plan.app.name, WEB, annotations=annotations),
        spec=IngressSpecArgs(
            ingress_class_name=wanted.class_name,
            # Without a Secret of its own: TLS with the controller's default certificate.
            tls=[IngressTLSArgs(hosts=[plan.host], secret_name=plan.tls_secret)],
            rules=[IngressRuleArgs(host=plan.host, http=HTTPIngressRuleValueArgs(paths=[rule]))],
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
