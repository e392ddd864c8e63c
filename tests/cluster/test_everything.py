"""`KubernetesApp` in somebody else's program, with every argument given: the API server takes it, and it serves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.cluster import ClusterStack, kubectl, objects, run
from support.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = """
import os
import pulumi_kubernetes as k8s
from pulumi_kubernetes.core.v1 import (
    ConfigMapVolumeSourceArgs, ContainerArgs, ContainerPatchArgs, EnvVarArgs, EnvVarSourceArgs, ObjectFieldSelectorArgs,
    PodSpecPatchArgs, PodTemplateSpecPatchArgs, ResourceRequirementsArgs, VolumeArgs, VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaPatchArgs
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgs, NetworkPolicyPortArgs
from flaskstack import FlaskApp, KubernetesApp
from flaskstack.kubernetes.settings import Autoscaling, Ingress, Network, Rollout

namespace = os.environ["TEST_NAMESPACE"]
more = k8s.core.v1.ConfigMap("more", metadata={"namespace": namespace}, data={"greeting": "hello"})
priority = k8s.scheduling.v1.PriorityClass("priority", metadata={"name": os.environ["TEST_PRIORITY"]}, value=1000)
small = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "50m", "memory": "64Mi"}}
hardened = {"allow_privilege_escalation": False, "read_only_root_filesystem": True, "capabilities": {"drop": ["ALL"]}}
aside = dict(
    image=os.environ["TEST_IMAGE"], resources=ResourceRequirementsArgs(**small),
    security_context=k8s.core.v1.SecurityContextArgs(**hardened),
)
app = KubernetesApp("all", {
    "app": FlaskApp(name="all", environment={"COLOUR": "blue"}),
    "image": os.environ["TEST_IMAGE"],
    "namespace": namespace,
    "host": f"{namespace}.flaskstack.localhost",
    "secret_key": pulumi.Output.secret("of-the-test" * 4),
    "secret_key_fallbacks": [pulumi.Output.secret("former" * 8)],
    "database_url": pulumi.Output.secret(os.environ["TEST_DATABASE"]),
    "autoscaling": Autoscaling(min_replicas=1, max_replicas=2),
    "rollout": Rollout(max_surge=2, pre_stop_s=1, min_ready_s=1, revisions=2, timeout_s=240),
    "max_disrupted": 2,
    "network": Network(ingress_networks=("10.0.0.0/8",), database_networks=("10.0.0.0/8",)),
    "network_egress": [NetworkPolicyEgressRuleArgs(ports=[NetworkPolicyPortArgs(port=443, protocol="TCP")])],
    "ingress": Ingress(class_name="traefik", annotations={"example.org/owner": "team"}, port=18443),
    "priority_class": os.environ["TEST_PRIORITY"],
    "image_pull_secrets": ["of-a-registry"],
    "service_account_annotations": {"example.org/role": "reader"},
    "labels": {"example.org/team": "shop"},
    "environment": [EnvVarArgs(name="NODE", value_from=EnvVarSourceArgs(
        field_ref=ObjectFieldSelectorArgs(field_path="spec.nodeName")))],
    "volumes": [VolumeArgs(name="more", config_map=ConfigMapVolumeSourceArgs(name=more.metadata.name))],
    "volume_mounts": [VolumeMountArgs(name="more", mount_path="/etc/more", read_only=True)],
    "containers": [ContainerArgs(name="beside", command=["sleep", "86400"], **aside)],
    "init_containers": [
        ContainerArgs(name="before", command=["true"], **aside),
        ContainerArgs(name="sidecar", command=["sleep", "86400"], restart_policy="Always", **aside),
    ],
    "pod_template": PodTemplateSpecPatchArgs(
        metadata=ObjectMetaPatchArgs(annotations={"example.org/scrape": "true"}),
        spec=PodSpecPatchArgs(enable_service_links=False),
    ),
    "container": ContainerPatchArgs(working_dir="/app"),
}, pulumi.ResourceOptions(depends_on=[priority]))
pulumi.export("url", app.url)
pulumi.export("deployment", app.deployment)
"""


@pytest.fixture
def program(tmp_path: Path, stack: ClusterStack) -> Iterator[Program]:
    """Return the program, in a namespace of its own, with the image that the shared stack runs."""
    made = Program(tmp_path)
    namespace = f"{stack.name}-all"
    kubectl("create", "namespace", namespace)
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    made.environment |= {
        "TEST_NAMESPACE": namespace,
        "TEST_PRIORITY": namespace,
        "TEST_IMAGE": stack.outputs()["image"],
        "TEST_DATABASE": run("toolchain/kube", "database-url"),
    }
    made.write(PROGRAM)
    try:
        yield made
    finally:
        made.run("destroy", "--yes", "--skip-preview", ok=None)
        kubectl("delete", "namespace", namespace, "--wait=false", check=False)


def test_every_argument_reaches_pods_that_serve(program: Program) -> None:
    program.up()
    namespace = program.environment["TEST_NAMESPACE"]
    assert program.unchanged(), program.last
    pods = objects(namespace, "pods")
    pod = next(pod for pod in pods if pod["metadata"]["labels"]["app.kubernetes.io/component"] == "web")
    assert pod["metadata"]["annotations"]["example.org/scrape"] == "true"
    assert pod["spec"]["serviceAccountName"] == "all"
    seen = kubectl(
        "--namespace", namespace, "exec", pod["metadata"]["name"], "--container", pod["spec"]["containers"][0]["name"],
        "--", "sh", "-c", "cat /etc/more/greeting; echo; echo $NODE $COLOUR; pwd",
    )  # fmt: skip
    assert seen.split() == ["hello", "flaskstack", "blue", "/app"]
    scaler = json.loads(kubectl("--namespace", namespace, "get", "hpa", "all", "--output", "json"))
    assert scaler["spec"]["scaleTargetRef"]["name"] == program.output("deployment")
