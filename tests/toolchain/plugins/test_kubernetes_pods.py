"""Waits for what runs in pods, on a real node: ready when they serve, their own reasons when they do not."""

from __future__ import annotations

import threading

import pytest
from plugins.kubernetes.api import JSON_PATCH, Sent
from plugins.kubernetes.target import PartialError, ProviderError

pytest_plugins = ("support.kubernetes",)
pytestmark = pytest.mark.cluster
# Images of the cluster's own services, which have a shell.
SHELLS = ("/redis:", "/postgres:", "/python:", "/busybox:", "/debian:")


@pytest.fixture(scope="session")
def image(api):
    """Name an image with a shell that the node has."""
    names = [
        name
        for node in api.get("/api/v1/nodes")["items"]
        for item in node["status"].get("images", [])
        for name in item.get("names", [])
        if any(shell in f"/{name}" for shell in SHELLS) and "@" not in name
    ]
    assert names, f"the node has none of the images {SHELLS}"
    return names[0]


def template(image, script, name="app", **container):
    settings = {
        "name": "app",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", f"trap 'exit 0' TERM; {script}"],
        "resources": {"requests": {"cpu": "0.01", "memory": "16Mi"}},
        **container,
    }
    return {
        "metadata": {"labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [settings]},
    }


def workload(kind, pod, name="app", **spec):
    body = {"selector": {"matchLabels": {"app": name}}, "template": pod, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": body}


DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SLEEP = "while :; do sleep 1; done"


def test_a_deployment_and_its_service_are_ready_roll_on_and_scale(driver, image):
    inputs = workload("Deployment", template(image, SLEEP), replicas=2)
    _, state = driver.create(DEPLOYMENT, inputs, timeout=120)
    assert state["status"]["readyReplicas"] == 2
    assert not driver.diff(DEPLOYMENT, state, inputs).changed
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {},
        "spec": {"ports": [{"port": 80}], "selector": {"app": "app"}},
    }
    driver.create("kubernetes:core/v1:Service", service, timeout=60)
    rolled = workload("Deployment", template(image, SLEEP, env=[{"name": "RELEASE", "value": "2"}]), replicas=1)
    after = driver.update(DEPLOYMENT, state, rolled, timeout=120)
    assert after["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    assert after["status"]["updatedReplicas"] == 1
    assert not driver.diff(DEPLOYMENT, after, rolled).changed


def test_a_crash_is_reported_with_its_exit_code_and_its_last_lines(driver, image):
    script = "echo starting; echo cannot reach postgresql://app:s3cret@db/app; exit 3"
    with pytest.raises(PartialError, match="timed out waiting to be Ready") as caught:
        # Without a probe a container is ready the moment it starts, so one that dies at once has to last a little.
        driver.create(DEPLOYMENT, workload("Deployment", template(image, script), minReadySeconds=5), timeout=12)
    reasons = "\n".join(caught.value.reasons)
    assert 'container "app" terminated (Error: exit code 3)' in reasons
    shown = "\n".join(driver.log.lines)
    assert "starting\ncannot reach postgresql://app:***@db/app" in shown
    assert "s3cret" not in shown + reasons
    assert "cannot reach" not in reasons, "log lines are shown, and not kept in the state"


def test_a_failing_release_is_reported_and_the_next_good_one_recovers(driver, image):
    good = workload("Deployment", template(image, SLEEP), replicas=1)
    _, state = driver.create(DEPLOYMENT, good, timeout=120)
    probe = {"exec": {"command": ["sh", "-c", "echo no database; exit 1"]}, "periodSeconds": 1}
    with pytest.raises(PartialError) as caught:
        driver.update(
            DEPLOYMENT, state, workload("Deployment", template(image, SLEEP, readinessProbe=probe)), timeout=15
        )
    reasons = "\n".join(caught.value.reasons)
    assert "containers with unready status: [app]" in reasons
    assert "Readiness probe failed: no database" in reasons
    with pytest.raises(PartialError, match="is not ready") as seen:
        driver.read(DEPLOYMENT, caught.value.resource_id, state)
    assert "Readiness probe failed: no database" in "\n".join(seen.value.reasons)
    driver.update(DEPLOYMENT, caught.value.outputs, good, timeout=120)


@pytest.mark.parametrize("policy", ["IfNotPresent", "Never"])
def test_an_image_that_is_not_there_is_reported(driver, policy):
    pod = template("127.0.0.1:15000/none:1", SLEEP, imagePullPolicy=policy)
    with pytest.raises(PartialError) as caught:
        driver.create(DEPLOYMENT, workload("Deployment", pod), timeout=8)
    reasons = "\n".join(caught.value.reasons)
    assert ("ErrImageNeverPull" if policy == "Never" else "ImagePull") in reasons
    assert "none:1" in reasons


def test_pods_that_admission_refuses_are_reported(driver):
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    driver.create("kubernetes:core/v1:ResourceQuota", quota, timeout=30)
    with pytest.raises(PartialError, match="timed out") as caught:
        driver.create(DEPLOYMENT, workload("Deployment", template("none", SLEEP)), timeout=5)
    assert "exceeded quota: none" in "\n".join(caught.value.reasons)


def test_a_pod_without_room_says_what_the_scheduler_said(driver, image):
    pod = template(image, SLEEP, resources={"requests": {"memory": "100Ti"}})
    with pytest.raises(PartialError) as caught:
        driver.create(DEPLOYMENT, workload("Deployment", pod), timeout=4)
    assert "Insufficient memory" in "\n".join(caught.value.reasons)


JOB = "kubernetes:batch/v1:Job"


def job(image, script, **annotations):
    pod = template(image, script)
    pod["spec"]["restartPolicy"] = "Never"
    meta = {"name": "migrate", "annotations": annotations}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"backoffLimit": 0, "template": pod}}


def test_a_job_is_waited_for_until_it_is_complete(driver, image):
    _, state = driver.create(JOB, job(image, "sleep 2"), timeout=60)
    assert state["status"]["succeeded"] == 1
    assert not driver.diff(JOB, state, job(image, "sleep 2")).changed
    changed = driver.diff(JOB, state, job(image, "sleep 3"))
    assert changed.replaces == ["spec.template.spec.containers[0].command[2]"]
    assert changed.delete_first


def test_a_failed_job_fails_at_once_with_its_last_lines_and_is_replaced_when_asked_to(driver, image):
    notes = {"pulumi.com/replaceUnready": "true"}
    with pytest.raises(PartialError, match="'migrate' failed") as caught:
        driver.create(JOB, job(image, "echo relation is missing; exit 1", **notes), timeout=60)
    assert "BackoffLimitExceeded" in "\n".join(caught.value.reasons)
    assert any("relation is missing" in line for line in driver.log.lines)
    again = driver.diff(JOB, caught.value.outputs, job(image, "echo relation is missing; exit 1", **notes))
    assert (again.changed, again.replaces) == (True, ['.metadata.annotations["pulumi.com/replaceUnready"]'])


def test_stateful_and_daemon_sets_and_pods_with_volumes_are_ready(driver, image):
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    pod = template(image, SLEEP, volumeMounts=[{"name": "data", "mountPath": "/data"}])
    inputs = workload("StatefulSet", pod, serviceName="app", volumeClaimTemplates=[claim])
    token = "kubernetes:apps/v1:StatefulSet"
    _, state = driver.create(token, inputs, timeout=90)
    assert state["status"]["readyReplicas"] == 1
    assert not driver.diff(token, state, inputs).changed
    each = workload("DaemonSet", template(image, SLEEP, "each"), "each")
    assert driver.create("kubernetes:apps/v1:DaemonSet", each, timeout=60)[1]["status"]["numberAvailable"] >= 1
    alone = {"apiVersion": "v1", "kind": "Pod", **template(image, SLEEP, "alone")}
    assert driver.create("kubernetes:core/v1:Pod", alone, timeout=60)[1]["status"]["phase"] == "Running"


def test_an_ingress_without_a_controller_times_out_and_one_that_need_not_wait_does_not(driver):
    backend = {"service": {"name": "none", "port": {"number": 80}}}
    rule = {"host": "a.example", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    inputs = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"annotations": {}},
        "spec": {"ingressClassName": "nobodys", "rules": [rule]},
    }
    token = "kubernetes:networking.k8s.io/v1:Ingress"
    with pytest.raises(PartialError) as caught:
        driver.create(token, inputs, timeout=2)
    assert any("status.loadBalancer" in reason for reason in caught.value.reasons)
    driver.create(token, {**inputs, "metadata": {"annotations": {"pulumi.com/skipAwait": "true"}}})


def test_an_object_that_a_finalizer_holds_says_so(driver, api, namespace):
    token = "kubernetes:core/v1:ConfigMap"
    meta = {"name": "held", "finalizers": ["example.com/held"]}
    inputs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "b"}}
    identity, state = driver.create(token, inputs)
    with pytest.raises(ProviderError, match=r"finalizers might be preventing deletion .*example\.com/held"):
        driver.provider.delete(driver.resource(token), identity, state, 2)
    path = f"/api/v1/namespaces/{namespace}/configmaps/held"
    release = [{"op": "remove", "path": "/metadata/finalizers"}]
    threading.Timer(0.5, lambda: api.request("PATCH", path, {}, release, Sent(JSON_PATCH))).start()
    driver.delete(token, identity, state)
