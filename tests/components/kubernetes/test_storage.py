"""The data folder on a cluster: one volume, one writer, and data that outlives the stack."""

from __future__ import annotations

from typing import Any

import pulumi_kubernetes
import pytest
from support.cluster_app import DEPLOYMENT, JOB, MIGRATE, NAME, arguments, kubernetes_app
from support.recorder import Recording, record

from flaskstack import FlaskApp, KubernetesApp, Process, SettingsError
from flaskstack.kubernetes.plan import Plan
from flaskstack.kubernetes.settings import Autoscaling, Storage

CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
APP = FlaskApp(
    name="shop",
    postgres=False,
    redis=False,
    data="/data",
    migrate=MIGRATE,
    processes={"worker": Process(command=("python", "work.py"))},
)


@pytest.fixture(scope="module")
def app() -> Recording:
    return kubernetes_app(app=APP, database_url=None, redis_url=None)


def pods(recording: Recording) -> list[dict[str, Any]]:
    return [each.plain["spec"]["template"]["spec"] for kind in (DEPLOYMENT, JOB) for each in recording.of(kind)]


def test_the_claim_is_this_and_nothing_else(app: Recording) -> None:
    (claim,) = app.of(CLAIM)
    assert claim.plain["metadata"]["name"] == "shop-data"
    assert claim.plain["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"
    assert claim.plain["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }


def test_size_and_class_are_settings() -> None:
    (claim,) = kubernetes_app(app=APP, storage=Storage(size="20Gi", storage_class="fast")).of(CLAIM)
    assert claim.plain["spec"]["storageClassName"] == "fast"
    assert claim.plain["spec"]["resources"] == {"requests": {"storage": "20Gi"}}


def test_data_outlives_the_stack_unless_asked_otherwise(app: Recording) -> None:
    assert app.of(CLAIM)[0].options.retainOnDelete
    assert not kubernetes_app(app=APP, storage=Storage(keep=False)).of(CLAIM)[0].options.retainOnDelete


def test_a_provider_that_adopts_finds_it_again() -> None:
    def build() -> None:
        adopting = pulumi_kubernetes.Provider("adopting", upsert_existing_objects=True)
        KubernetesApp(NAME, arguments(app=APP, storage_provider=adopting))

    recording = record(build)
    assert "adopting" in recording.of(CLAIM)[0].options.provider
    assert all("adopting" not in each.options.provider for each in recording.of(DEPLOYMENT))


def test_everything_of_the_application_sees_its_data(app: Recording) -> None:
    assert len(pods(app)) == 3
    for each in pods(app):
        assert {"name": "data", "persistentVolumeClaim": {"claimName": "shop-data"}} in each["volumes"]
        assert {"name": "data", "mountPath": "/data"} in each["containers"][0]["volumeMounts"]
        assert each["securityContext"]["fsGroup"] == 1000, "so that the application may write it"


def test_all_pods_are_on_the_node_that_the_volume_is_attached_to(app: Recording) -> None:
    for each in pods(app):
        assert each["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] == [
            {
                "topologyKey": "kubernetes.io/hostname",
                "labelSelector": {
                    "matchLabels": {"app.kubernetes.io/name": "shop", "app.kubernetes.io/instance": NAME}
                },
            }
        ]


def test_there_is_one_web_pod_and_it_has_ended_before_the_next_one_starts(app: Recording) -> None:
    (web,) = [each.plain["spec"] for each in app.of(DEPLOYMENT) if each.name == f"{NAME}-web"]
    assert (web["replicas"], web["strategy"]) == (1, {"type": "Recreate"})


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [({"replicas": 3}, "kubernetes.replicas", "3"), ({"autoscaling": Autoscaling()}, "kubernetes.autoscaling", "set")],
)
def test_more_than_one_web_pod_is_refused(change: dict[str, Any], key: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Plan.of("x", arguments(app=APP, **change))
    (problem,) = caught.value.problems
    assert (problem.key, problem.value) == (key, value)
    assert "app.data /data" in problem.reason
    assert f"pulumi config rm --path {key}" in problem.fix


def test_without_data_there_is_no_claim_and_no_affinity_of_its_own() -> None:
    recording = kubernetes_app()
    assert recording.of(CLAIM) == []
    (job,) = recording.of(JOB)
    assert "affinity" not in job.plain["spec"]["template"]["spec"]


def test_a_preview_registers_it_too() -> None:
    names = sorted(kubernetes_app(app=APP).names())
    assert sorted(kubernetes_app(app=APP, preview=True).names()) == names


def test_one_web_pod_may_be_said() -> None:
    assert Plan.of("x", arguments(app=APP, replicas=1)).replicas == 1
