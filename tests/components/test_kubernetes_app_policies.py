"""`KubernetesApp`: what bounds its pods: account, budget, network policy, autoscaler, namespace."""

from __future__ import annotations

from typing import Any

import pytest
from support.cluster_app import (
    ACCOUNT,
    AUTOSCALER,
    BUDGET,
    DEPLOYMENT,
    NAME,
    NAMESPACE,
    NETWORK_POLICY,
    kubernetes_app,
    spec,
)
from support.recorder import Recording

from flaskstack import FlaskApp
from flaskstack.kubernetes.settings import Autoscaling, Network

SELECTOR = {
    "app.kubernetes.io/name": "shop",
    "app.kubernetes.io/instance": NAME,
    "app.kubernetes.io/component": "web",
}


@pytest.fixture(scope="module")
def app() -> Recording:
    return kubernetes_app()


def test_the_account_has_no_token(app: Recording) -> None:
    (account,) = app.of(ACCOUNT)
    assert account.plain["automountServiceAccountToken"] is False


def test_a_drain_takes_one_pod_at_a_time_and_is_not_held_up_by_a_sick_one(app: Recording) -> None:
    assert spec(app, BUDGET) == {
        "maxUnavailable": 1,
        "selector": {"matchLabels": SELECTOR},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }


def test_the_network_policy_denies_all_but_dns_database_redis_and_the_edge(app: Recording) -> None:
    both = {key: value for key, value in SELECTOR.items() if not key.endswith("component")}
    assert spec(app, NETWORK_POLICY) == {
        "podSelector": {"matchLabels": both},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [_namespace("traefik")], "ports": [{"port": 8000, "protocol": "TCP"}]}],
        "egress": [
            {
                "to": [_namespace("kube-system")],
                "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
            },
            {"ports": [{"port": 5432, "protocol": "TCP"}]},
            {"ports": [{"port": 6379, "protocol": "TCP"}]},
        ],
    }


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def test_the_network_policy_can_be_narrowed_and_left_out() -> None:
    rules = Network(
        ingress_namespaces=(),
        ingress_networks=("10.0.0.0/24",),
        database_networks=("10.1.0.5/32",),
        database_port=6432,
    )
    recording = kubernetes_app(app=FlaskApp(name="shop", redis=False), network=rules)
    found = spec(recording, NETWORK_POLICY)
    assert found["ingress"][0]["from"] == [{"ipBlock": {"cidr": "10.0.0.0/24"}}]
    assert found["egress"][1:] == [
        {"to": [{"ipBlock": {"cidr": "10.1.0.5/32"}}], "ports": [{"port": 6432, "protocol": "TCP"}]}
    ]
    assert kubernetes_app(network=Network(enabled=False)).of(NETWORK_POLICY) == []


def test_with_nobody_who_may_send_requests_nobody_may() -> None:
    assert spec(kubernetes_app(network=Network(ingress_namespaces=())), NETWORK_POLICY)["ingress"] == []


def test_an_autoscaler_owns_the_number_of_replicas() -> None:
    recording = kubernetes_app(autoscaling=Autoscaling(min_replicas=2, max_replicas=8, cpu_percent=60))
    (deployment,) = recording.of(DEPLOYMENT)
    assert deployment.inputs["spec"]["replicas"] == 2, "where it starts"
    assert list(deployment.options.ignoreChanges) == ["spec.replicas"]
    assert spec(recording, AUTOSCALER) == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"},
        "minReplicas": 2,
        "maxReplicas": 8,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}},
            }
        ],
    }


def test_without_an_autoscaler_there_is_none(app: Recording) -> None:
    assert app.of(AUTOSCALER) == []
    assert list(app.of(DEPLOYMENT)[0].options.ignoreChanges) == []


def test_a_namespace_that_is_made_admits_only_the_restricted_and_outlives_the_stack() -> None:
    recording = kubernetes_app(namespace="shop", create_namespace=True)
    (namespace,) = recording.of(NAMESPACE)
    labels = namespace.plain["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}
    assert namespace.options.retainOnDelete
    for part in recording.resources:
        if part.type.startswith("kubernetes:") and part.type != NAMESPACE:
            assert part.plain["metadata"]["namespace"] == "shop", part.name
            assert namespace.name in recording.after(part), part.name


def test_a_namespace_that_exists_is_only_used(app: Recording) -> None:
    assert app.of(NAMESPACE) == []
    assert app.value["namespace"] == "default"
