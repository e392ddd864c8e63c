"""`KubernetesApp` taken further without forking it, and what it does not let itself be told."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    ContainerPatchArgs,
    EmptyDirVolumeSourceArgs,
    EnvVarArgs,
    PodSpecPatchArgs,
    PodTemplateSpecPatchArgs,
    TolerationPatchArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaPatchArgs
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgs, NetworkPolicyPortArgs
from support.cluster_app import (
    ACCOUNT,
    DEPLOYMENT,
    JOB,
    NETWORK_POLICY,
    arguments,
    container,
    kubernetes_app,
    pod,
    spec,
)

from flaskstack import SettingsError
from flaskstack.kubernetes.plan import Plan
from flaskstack.kubernetes.settings import Autoscaling, Rollout


def refused(**changes: Any) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        Plan.of("x", arguments(**changes))
    return {problem.key: str(problem) for problem in caught.value.problems}


def test_variables_volumes_and_mounts_are_added_to_web_pods_and_migration() -> None:
    recording = kubernetes_app(
        environment=[EnvVarArgs(name="EXTRA", value="1")],
        volumes=[VolumeArgs(name="uploads", empty_dir=EmptyDirVolumeSourceArgs())],
        volume_mounts=[VolumeMountArgs(name="uploads", mount_path="/uploads")],
    )
    for kind in (DEPLOYMENT, JOB):
        assert container(recording, kind)["env"][-1] == {"name": "EXTRA", "value": "1"}
        assert [each["name"] for each in pod(recording, kind)["volumes"]] == ["tmp", "server-config", "uploads"]
        assert container(recording, kind)["volumeMounts"][-1] == {"name": "uploads", "mountPath": "/uploads"}


def test_containers_are_added_to_the_web_pods_only() -> None:
    recording = kubernetes_app(
        containers=[ContainerArgs(name="agent", image="agent:1")],
        init_containers=[ContainerArgs(name="proxy", image="proxy:1", restart_policy="Always")],
    )
    assert [each["name"] for each in pod(recording)["containers"]] == ["web", "agent"]
    assert [each["name"] for each in pod(recording)["initContainers"]] == ["proxy"]
    assert [each["name"] for each in pod(recording, JOB)["containers"]] == ["migration"]
    assert "initContainers" not in pod(recording, JOB)


def test_fields_of_the_pods_template_take_the_place_of_ours() -> None:
    patch = PodTemplateSpecPatchArgs(
        metadata=ObjectMetaPatchArgs(
            labels={"team": "shop", "app.kubernetes.io/name": "mine"}, annotations={"prometheus.io/scrape": "true"}
        ),
        spec=PodSpecPatchArgs(
            tolerations=[TolerationPatchArgs(key="spot", operator="Exists")],
            node_selector={"disk": "ssd"},
            enable_service_links=True,
        ),
    )
    recording = kubernetes_app(pod_template=patch)
    metadata = spec(recording, DEPLOYMENT)["template"]["metadata"]
    assert metadata["labels"]["team"] == "shop"
    assert metadata["labels"]["app.kubernetes.io/name"] == "shop", "the selectors know it"
    assert metadata["annotations"] == {"prometheus.io/scrape": "true"}
    assert pod(recording)["tolerations"] == [{"key": "spot", "operator": "Exists"}]
    assert pod(recording)["nodeSelector"] == {"disk": "ssd"}
    assert pod(recording)["enableServiceLinks"] is True
    assert pod(recording)["securityContext"]["runAsNonRoot"] is True
    assert pod(recording, JOB)["tolerations"] == [{"key": "spot", "operator": "Exists"}]


def test_fields_of_the_web_container_take_the_place_of_ours() -> None:
    recording = kubernetes_app(container=ContainerPatchArgs(working_dir="/app/src", tty=True))
    assert container(recording)["workingDir"] == "/app/src"
    assert container(recording)["tty"] is True
    assert container(recording)["securityContext"]["readOnlyRootFilesystem"] is True
    assert "tty" not in container(recording, JOB)


def test_rules_are_added_to_the_network_policy() -> None:
    rule = NetworkPolicyEgressRuleArgs(ports=[NetworkPolicyPortArgs(port=443, protocol="TCP")])
    found = spec(kubernetes_app(network_egress=[rule]), NETWORK_POLICY)["egress"]
    assert found[-1] == {"ports": [{"port": 443, "protocol": "TCP"}]}


def test_pull_secrets_priority_labels_and_account_annotations_arrive() -> None:
    recording = kubernetes_app(
        image_pull_secrets=["registry"],
        priority_class="important",
        labels={"cost-centre": "42"},
        service_account_annotations={"iam.example/role": "shop"},
    )
    for kind in (DEPLOYMENT, JOB):
        assert pod(recording, kind)["imagePullSecrets"] == [{"name": "registry"}]
        assert pod(recording, kind)["priorityClassName"] == "important"
    for part in recording.resources:
        if part.type.startswith("kubernetes:"):
            assert part.plain["metadata"]["labels"]["cost-centre"] == "42", part.name
    assert "cost-centre" not in spec(recording, DEPLOYMENT)["selector"]["matchLabels"], "a selector never changes"
    (account,) = recording.of(ACCOUNT)
    assert account.plain["metadata"]["annotations"]["iam.example/role"] == "shop"


def test_an_unknown_argument_is_refused_with_the_one_that_was_meant() -> None:
    found = refused(replica=2, nonsense=1)
    assert "rename it to replicas" in found["replica"]
    assert "remove it" in found["nonsense"]


def test_a_missing_argument_is_named() -> None:
    assert set(refused(image=None, host=None)) == {"image", "host"}


def test_replicas_beside_an_autoscaler_are_refused() -> None:
    found = refused(replicas=3, autoscaling=Autoscaling())
    assert "the two would fight" in found["kubernetes.replicas"]


def test_contradictions_of_the_rollout_are_refused_together_with_the_others() -> None:
    assert set(refused(replicas=0, rollout=Rollout(termination_grace_s=5), secret_key=None)) == {
        "kubernetes.rollout.terminationGraceS",
        "kubernetes.replicas",
        "secret_key",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"container": ContainerPatchArgs(image="other")},
        {"pod_template": PodTemplateSpecPatchArgs(spec=PodSpecPatchArgs(containers=[]))},
    ],
    ids=["image", "containers"],
)
def test_an_override_of_what_is_decided_elsewhere_is_refused(changes: dict[str, Any]) -> None:
    assert set(refused(**changes)) == set(changes)
