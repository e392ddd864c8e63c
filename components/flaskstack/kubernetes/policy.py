"""What bounds the pods: what they may reach, how many may be taken away, how many there are, whose rights they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes.autoscaling.v2 import (
    CrossVersionObjectReferenceArgs,
    HorizontalPodAutoscaler,
    HorizontalPodAutoscalerSpecArgs,
    MetricSpecArgs,
    MetricTargetArgs,
    ResourceMetricSourceArgs,
)
from pulumi_kubernetes.core.v1 import Namespace, ServiceAccount
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import (
    IPBlockArgs,
    NetworkPolicy,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicyPortArgs,
    NetworkPolicySpecArgs,
)
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget, PodDisruptionBudgetSpecArgs

from flaskstack.kubernetes import identity
from flaskstack.kubernetes.identity import WEB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flaskstack.kubernetes.plan import Plan

DNS_PORT = 53
NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""Label that the API server puts on every namespace."""


def namespace(plan: Plan, parent: pulumi.Resource) -> Namespace:
    """Return the namespace, which admits only what the restricted Pod Security Standard does."""
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return Namespace(
        f"{plan.name}-namespace",
        metadata=ObjectMetaArgs(
            name=plan.namespace, labels={**identity.labels(plan), **levels}, annotations={**identity.MANAGED}
        ),
        # It may hold what others made, and would take it along.
        opts=pulumi.ResourceOptions(parent=parent, provider=plan.namespace_provider, retain_on_delete=True),
    )


def service_account(plan: Plan, child: pulumi.ResourceOptions) -> ServiceAccount:
    """Return the pods' account. It has no token: they have nothing to say to the API server."""
    return ServiceAccount(
        f"{plan.name}-account",
        metadata=identity.metadata(plan, plan.app.name, annotations=plan.service_account_annotations),
        automount_service_account_token=False,
        opts=child,
    )


def network(plan: Plan, child: pulumi.ResourceOptions) -> NetworkPolicy | None:
    """Return the policy that denies the application's pods all traffic but what they need, None when not wanted."""
    rules = plan.network
    if not rules.enabled:
        return None
    senders = [_namespace(name) for name in rules.ingress_namespaces] + _blocks(rules.ingress_networks)
    dns = NetworkPolicyEgressRuleArgs(
        to=[_namespace(rules.dns_namespace)], ports=[_port(DNS_PORT, "UDP"), _port(DNS_PORT)]
    )
    egress = [dns]
    if plan.app.postgres:
        egress.append(_egress(rules.database_networks, rules.database_port))
    if plan.app.redis:
        egress.append(_egress(rules.redis_networks, rules.redis_port))
    requests = [NetworkPolicyIngressRuleArgs(from_=senders, ports=[_port(plan.app.port)])] if senders else []
    return NetworkPolicy(
        f"{plan.name}-network",
        metadata=identity.metadata(plan, plan.app.name),
        spec=NetworkPolicySpecArgs(
            # Web pods and migration: both are denied everything else, in both directions.
            pod_selector=LabelSelectorArgs(match_labels=identity.selector(plan)),
            policy_types=["Ingress", "Egress"],
            ingress=[*requests, *plan.network_ingress],
            egress=[*egress, *plan.network_egress],
        ),
        opts=child,
    )


def _namespace(name: str) -> NetworkPolicyPeerArgs:
    return NetworkPolicyPeerArgs(namespace_selector=LabelSelectorArgs(match_labels={NAMESPACE_NAME: name}))


def _blocks(networks: Sequence[str]) -> list[NetworkPolicyPeerArgs]:
    return [NetworkPolicyPeerArgs(ip_block=IPBlockArgs(cidr=each)) for each in networks]


def _port(number: int, protocol: str = "TCP") -> NetworkPolicyPortArgs:
    return NetworkPolicyPortArgs(port=number, protocol=protocol)


def _egress(networks: Sequence[str], port: int) -> NetworkPolicyEgressRuleArgs:
    """Return a rule to a port in `networks`; with none, wherever it is."""
    peers: dict[str, Any] = {"to": _blocks(networks)} if networks else {}
    return NetworkPolicyEgressRuleArgs(ports=[_port(port)], **peers)


def disruption_budget(plan: Plan, child: pulumi.ResourceOptions) -> PodDisruptionBudget | None:
    """Return how many pods a drain may take away at a time, None when that does not matter."""
    if plan.max_disrupted is None:
        return None
    return PodDisruptionBudget(
        f"{plan.name}-disruption",
        metadata=identity.metadata(plan, plan.app.name, WEB),
        spec=PodDisruptionBudgetSpecArgs(
            max_unavailable=plan.max_disrupted,
            selector=LabelSelectorArgs(match_labels=identity.selector(plan, WEB)),
            # A pod that does not serve is no loss: it must not hold up a drain.
            unhealthy_pod_eviction_policy="AlwaysAllow",
        ),
        opts=child,
    )


def autoscaler(
    plan: Plan, child: pulumi.ResourceOptions, deployment: pulumi.Input[str]
) -> HorizontalPodAutoscaler | None:
    """Return the autoscaler of `deployment`, None when the number of replicas is fixed."""
    wanted = plan.autoscaling
    if wanted is None:
        return None
    return HorizontalPodAutoscaler(
        f"{plan.name}-autoscaler",
        metadata=identity.metadata(plan, plan.app.name, WEB),
        spec=HorizontalPodAutoscalerSpecArgs(
            scale_target_ref=CrossVersionObjectReferenceArgs(api_version="apps/v1", kind="Deployment", name=deployment),
            min_replicas=wanted.min_replicas,
            max_replicas=wanted.max_replicas,
            metrics=[
                MetricSpecArgs(
                    type="Resource",
                    resource=ResourceMetricSourceArgs(
                        name="cpu",
                        target=MetricTargetArgs(type="Utilization", average_utilization=wanted.cpu_percent),
                    ),
                )
            ],
        ),
        opts=child,
    )
