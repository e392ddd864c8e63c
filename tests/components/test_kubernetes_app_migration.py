"""`KubernetesApp`: the migration before the rollout, in which order things come, and when they are given up."""

from __future__ import annotations

import pytest
from support.cluster_app import (
    DEPLOYMENT,
    JOB,
    MIGRATE,
    NAME,
    SERVICE,
    container,
    kubernetes_app,
    object_name,
    pod,
    spec,
)
from support.recorder import Recording

from flaskstack import FlaskApp
from flaskstack.kubernetes.settings import Migration, Rollout

SELECTOR = {
    "app.kubernetes.io/name": "shop",
    "app.kubernetes.io/instance": NAME,
    "app.kubernetes.io/component": "web",
}


@pytest.fixture(scope="module")
def app() -> Recording:
    return kubernetes_app()


def test_the_migration_is_the_web_pod_with_another_command(app: Recording) -> None:
    job, web = container(app, JOB), container(app)
    for field in ("image", "env", "resources", "securityContext", "volumeMounts", "terminationMessagePolicy"):
        assert job[field] == web[field], field
    assert job["args"] == list(MIGRATE)
    for field in ("securityContext", "volumes", "serviceAccountName", "automountServiceAccountToken"):
        assert pod(app, JOB)[field] == pod(app)[field], field
    assert pod(app, JOB)["restartPolicy"] == "Never"
    assert spec(app, JOB)["backoffLimit"] == 2
    assert spec(app, JOB)["activeDeadlineSeconds"] == 300
    assert "ttlSecondsAfterFinished" not in spec(app, JOB)


def test_the_migrations_pods_get_no_requests(app: Recording) -> None:
    labels = spec(app, JOB)["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "migration"
    assert not SELECTOR.items() <= labels.items()


def test_the_migration_is_named_after_the_image_and_made_again_when_it_failed(app: Recording) -> None:
    (job,) = app.of(JOB)
    assert job.plain["metadata"]["name"] == "shop-migrate-abababababab-x1y2z"
    assert job.plain["metadata"]["annotations"]["pulumi.com/replaceUnready"] == "true"


def test_a_migrations_name_is_never_too_long() -> None:
    long = FlaskApp(name="a" * 40, migrate=MIGRATE)
    assert len(object_name(kubernetes_app(app=long), JOB)) <= 63


def test_the_rollout_waits_for_the_migration_and_for_the_policy(app: Recording) -> None:
    (deployment,) = app.of(DEPLOYMENT)
    before = app.after(deployment)
    assert {f"{NAME}-migration", f"{NAME}-network", f"{NAME}-secret", f"{NAME}-config"} <= before
    (job,) = app.of(JOB)
    assert f"{NAME}-network" in app.after(job)


def test_the_service_comes_after_the_pods_that_it_waits_for(app: Recording) -> None:
    (service,) = app.of(SERVICE)
    assert f"{NAME}-web" in app.after(service)


def test_an_application_without_migrations_has_no_job() -> None:
    recording = kubernetes_app(app=FlaskApp(name="shop"))
    assert recording.of(JOB) == []
    assert recording.of(DEPLOYMENT)


def test_a_release_and_a_migration_are_given_up_after_their_timeouts() -> None:
    recording = kubernetes_app(rollout=Rollout(timeout_s=300), migration=Migration(timeout_s=60, retries=0))
    (deployment,), (job,) = recording.of(DEPLOYMENT), recording.of(JOB)
    assert (deployment.options.customTimeouts.create, deployment.options.customTimeouts.update) == ("300s", "300s")
    assert spec(recording, DEPLOYMENT)["progressDeadlineSeconds"] == 300
    assert job.options.customTimeouts.create == "90s", "after its own deadline, whose message is better"
    assert (spec(recording, JOB)["activeDeadlineSeconds"], spec(recording, JOB)["backoffLimit"]) == (60, 0)
