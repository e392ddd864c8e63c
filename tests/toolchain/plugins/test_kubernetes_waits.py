"""When objects are ready, and what is said of those that are not."""

from __future__ import annotations

import threading

import pytest
from plugins.kubernetes.enginelog import hide_passwords
from plugins.kubernetes.waits import custom, network, pods, storage, workloads
from plugins.kubernetes.waits.verdict import Verdict, Waiter, WaitError


def deployment(  # noqa: PLR0913  # keyword arguments, each with its name at the call
    *, generation=1, observed=1, revision="1", available=True, progressing="NewReplicaSetAvailable", wanted=2, updated=2
):
    conditions = [{"type": "Available", "status": str(available), "reason": "MinimumReplicas", "message": "too few"}]
    if progressing:
        done = progressing == "NewReplicaSetAvailable"
        conditions.append(
            {"type": "Progressing", "status": str(done), "reason": progressing, "message": "it stands still"}
        )
    return {
        "metadata": {
            "name": "web",
            "uid": "d1",
            "generation": generation,
            "annotations": {workloads.REVISION: revision} if revision else {},
        },
        "spec": {"replicas": wanted},
        "status": {"observedGeneration": observed, "conditions": conditions, "updatedReplicas": updated},
    }


def replica_set(*, revision="1", wanted=2, ready=2, owner="d1"):
    return {
        "metadata": {"annotations": {workloads.REVISION: revision}, "ownerReferences": [{"uid": owner}]},
        "spec": {"replicas": wanted},
        "status": {"readyReplicas": ready} if ready else {},
    }


def test_a_deployment_is_ready_with_all_replicas_of_its_newest_revision():
    assert workloads.deployment(deployment(), [replica_set()]).ready
    assert workloads.deployment(deployment(revision="2"), [replica_set(revision="1"), replica_set(revision="2")]).ready


@pytest.mark.parametrize(
    ("live", "sets", "reason"),
    [
        (deployment(generation=2), [replica_set()], "controller did not act"),
        (deployment(), [replica_set(ready=1)], "1/2 ready"),
        (deployment(updated=0), [replica_set()], "2/2 ready"),
        (deployment(), [replica_set(owner="other")], "0/1 ready"),
        (deployment(revision="2"), [replica_set()], "0/1 ready"),
        (deployment(available=False), [replica_set()], "[MinimumReplicas] too few"),
        (
            deployment(revision="2", progressing="ProgressDeadlineExceeded"),
            [replica_set(revision="2")],
            "it stands still",
        ),
        (deployment(revision=""), [], "not attained"),
    ],
)
def test_a_deployment_that_is_not_there_yet_says_why(live, sets, reason):
    verdict = workloads.deployment(live, sets)
    assert not verdict.ready
    assert any(reason in text for text in verdict.reasons)


def test_a_deployment_scaled_to_nothing_is_ready():
    assert workloads.deployment(deployment(wanted=0, updated=0), [replica_set(wanted=0, ready=0)]).ready


def test_a_deployment_waits_for_its_volume_claims():
    claim = {"metadata": {"name": "data"}, "status": {"phase": "Pending"}}
    verdict = workloads.deployment(deployment(), [replica_set()], [claim])
    assert not verdict.ready
    assert "Failed to bind PersistentVolumeClaim(s): data" in verdict.reasons
    live = {
        "spec": {
            "template": {"spec": {"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}, {"emptyDir": {}}]}}
        }
    }
    assert workloads.claim_names(live) == {"data"}


def test_pods_that_the_cluster_refuses_to_make_are_a_reason():
    live = deployment(available=False)
    live["status"]["conditions"].append(
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "violates PodSecurity"},
    )
    assert "[FailedCreate] violates PodSecurity" in workloads.deployment(live, []).reasons


def stateful_set(**status):
    return {
        "metadata": {"name": "db", "generation": 2},
        "spec": {"replicas": 2},
        "status": {
            "observedGeneration": 2,
            "replicas": 2,
            "readyReplicas": 2,
            "currentReplicas": 2,
            "currentRevision": "b",
            "updateRevision": "b",
            **status,
        },
    }


def test_a_stateful_set_is_ready_when_all_replicas_run_the_newest_revision():
    assert workloads.stateful_set(stateful_set()).ready
    rolling = workloads.stateful_set(stateful_set(currentRevision="a", currentReplicas=1, updatedReplicas=1))
    assert not rolling.ready
    assert "1 out of 2 replicas succeeded readiness checks" in rolling.reasons
    assert any("from revision 'a' to revision 'b'" in reason for reason in rolling.reasons)
    assert not workloads.stateful_set(stateful_set(observedGeneration=1)).ready


def test_a_stateful_set_that_is_updated_by_hand_does_not_wait_for_the_new_revision():
    live = stateful_set(currentRevision="a", currentReplicas=0)
    live["spec"]["updateStrategy"] = {"type": "OnDelete"}
    assert workloads.stateful_set(live).ready


def test_a_daemon_set_waits_for_every_node():
    status = {"observedGeneration": 1, "desiredNumberScheduled": 2, "numberAvailable": 2, "updatedNumberScheduled": 1}
    live = {"metadata": {"generation": 1}, "status": status}
    assert not workloads.daemon_set(live).ready
    assert workloads.daemon_set({**live, "status": {**status, "updatedNumberScheduled": 2}}).ready


def test_a_failed_job_ends_the_wait_at_once():
    failed = {
        "status": {
            "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "no"}]
        }
    }
    verdict = workloads.job(failed)
    assert verdict.failed
    assert verdict.reasons == ("[BackoffLimitExceeded] no",)
    assert workloads.job({"status": {"conditions": [{"type": "Complete", "status": "True"}]}}).ready
    assert not workloads.job({}).failed


def test_a_pod_is_ready_or_done():
    conditions = [{"type": kind, "status": "True"} for kind in ("PodScheduled", "Initialized", "Ready")]
    assert workloads.pod({"status": {"conditions": conditions}}).ready
    assert workloads.pod({"status": {"phase": "Succeeded"}}).ready
    assert workloads.pod({"status": {"phase": "Failed"}}).failed


def pod(**status):
    conditions = [{"type": "Ready", "status": "False", "message": "containers with unready status: [app]"}]
    return {"metadata": {"name": "web-1", "namespace": "n"}, "status": {"conditions": conditions, **status}}


def test_an_image_that_cannot_be_pulled_is_named():
    waiting = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "nowhere:1"'}
    found = pods.reasons(pod(containerStatuses=[{"name": "app", "ready": False, "state": {"waiting": waiting}}]))
    assert found[0] == "[Pod n/web-1]: containers with unready status: [app]"
    assert found[1] == '[Pod n/web-1]: [ImagePullBackOff] container "app": Back-off pulling image "nowhere:1"'


def test_a_crash_is_named_with_its_exit_code_and_the_log_to_look_at():
    status = {
        "name": "app",
        "ready": False,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
        "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}},
    }
    crashed = pod(containerStatuses=[status])
    assert '[Pod n/web-1]: container "app" terminated (Error: exit code 3)' in pods.reasons(crashed)
    assert pods.crashed_containers(crashed) == [("app", True)]
    status["state"] = {"terminated": {"exitCode": 3}}
    assert pods.crashed_containers(crashed) == [("app", False)]


def test_a_failing_probe_is_told_from_the_events():
    events = [
        {"reason": "Unhealthy", "message": "Readiness probe failed: HTTP 503", "involvedObject": {"name": "web-1"}},
        {"reason": "Unhealthy", "message": "another pod's", "involvedObject": {"name": "web-2"}},
        {"reason": "BackOff", "message": "noise", "involvedObject": {"name": "web-1"}},
    ]
    found = pods.reasons(pod(), events)
    assert found[1:] == ["[Pod n/web-1]: [Unhealthy] Readiness probe failed: HTTP 503"]


def test_a_pod_without_a_node_says_what_the_scheduler_said():
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "message": "0/1 nodes are available: 1 Insufficient memory.",
    }
    unscheduled = {"metadata": {"name": "web-1"}, "status": {"conditions": [condition]}}
    assert pods.reasons(unscheduled) == ["[Pod web-1]: 0/1 nodes are available: 1 Insufficient memory."]


def test_a_ready_pod_has_no_reasons():
    assert pods.reasons({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}) == []


def test_passwords_in_addresses_are_not_passed_on():
    text = hide_passwords("cannot connect to postgresql://app:p4ss!word@db:5432/app")
    assert text == "cannot connect to postgresql://app:***@db:5432/app"


def slices(*names):
    return [{"metadata": {"labels": {network.SERVICE_NAME: name}}, "endpoints": [{}]} for name in names]


@pytest.mark.parametrize(
    ("spec", "status", "endpoints", "ready"),
    [
        ({}, {}, ("web",), True),
        ({}, {}, (), False),
        ({}, {}, ("other",), False),
        ({"clusterIP": "None"}, {}, (), True),
        ({"type": "ExternalName"}, {}, (), True),
        ({"type": "LoadBalancer"}, {}, ("web",), False),
        ({"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}, ("web",), True),
    ],
)
def test_a_service_is_ready_with_endpoints_and_the_address_it_asks_for(spec, status, endpoints, ready):
    live = {"metadata": {"name": "web"}, "spec": spec, "status": status}
    verdict = network.service(live, slices(*endpoints))
    assert verdict.ready is ready
    assert bool(verdict.reasons) is not ready


def ingress(*, addressed=True):
    rule = {"host": "a.example", "http": {"paths": [{"path": "/", "backend": {"service": {"name": "web"}}}]}}
    addresses = [{"ip": "192.0.2.1"}] if addressed else []
    return {"metadata": {"name": "i"}, "spec": {"rules": [rule]}, "status": {"loadBalancer": {"ingress": addresses}}}


def test_an_ingress_waits_for_its_address_and_its_services():
    assert network.ingress(ingress(), [], slices("web"), settled=False).ready
    assert not network.ingress(ingress(), [], [], settled=False).ready
    assert not network.ingress(ingress(addressed=False), [], slices("web"), settled=True).ready
    named = [{"metadata": {"name": "web"}, "spec": {"type": "ExternalName"}}]
    assert network.ingress(ingress(), named, [], settled=False).ready


def test_a_service_that_never_comes_is_warned_of_and_not_waited_for():
    verdict = network.ingress(ingress(), [], [], settled=True)
    assert verdict.ready
    assert verdict.warnings == ('No matching service found for ingress rule: "a.example/" -> "web"',)


def test_a_claim_that_binds_with_its_first_pod_is_ready_while_pending():
    pending = {"status": {"phase": "Pending"}}
    assert not storage.claim(pending, {}).ready
    assert storage.claim(pending, {"volumeBindingMode": "WaitForFirstConsumer"}).ready
    assert storage.claim({"status": {"phase": "Bound"}}, {}).ready


def test_a_token_secret_waits_for_its_token_and_other_secrets_for_nothing():
    assert storage.token_secret({"type": "Opaque"}).ready
    assert not storage.token_secret({"type": "kubernetes.io/service-account-token"}).ready
    assert storage.token_secret({"type": "kubernetes.io/service-account-token", "data": {"token": "eA=="}}).ready


THING = {
    "status": {
        "phase": "Running",
        "ok": True,
        "conditions": [{"type": "Synced", "status": "True"}, {"type": "Ready", "status": "False"}],
    },
    "metadata": {"labels": {"a.b/c": "d"}},
}


@pytest.mark.parametrize(
    ("expression", "met"),
    [
        ("condition=Synced", True),
        ("condition=synced=true", True),
        ("condition=Ready", False),
        ("condition=Ready=False", True),
        ("condition=Missing", False),
        ("jsonpath={.status.phase}=Running", True),
        ("jsonpath={.status.phase}=Failed", False),
        ("jsonpath={.status.phase}", True),
        ("jsonpath=.status.missing", False),
        ("jsonpath={.status.ok}=true", True),
        ("jsonpath={.status.conditions[0].type}=Synced", True),
        ("jsonpath={.status.conditions[*].type}=Ready", True),
        ('jsonpath={.status.conditions[?(@.type=="Ready")].status}=False', True),
        ('jsonpath={.metadata.labels["a.b/c"]}=d', True),
        (r"jsonpath={.metadata.labels.a\.b/c}=d", True),
    ],
)
def test_conditions_of_the_users_own(expression, met):
    assert custom.verdict(THING, custom.expressions(expression)).ready is met


def test_all_conditions_of_a_list_have_to_be_met():
    wanted = custom.expressions('["condition=Synced", "jsonpath={.status.phase}=Failed"]')
    verdict = custom.verdict(THING, wanted)
    assert not verdict.ready
    assert verdict.reasons == ("jsonpath={.status.phase}=Failed is not met",)


@pytest.mark.parametrize("expression", ["Ready", "jsonpath={range .items[*]}", "[]"])
def test_an_annotation_that_cannot_be_understood_is_refused(expression):
    with pytest.raises(custom.WaitForError, match="waitFor"):
        custom.expressions(expression)


class Recorded:
    """A log that remembers."""

    def __init__(self):
        self.lines = []
        self.shown = []

    def line(self, level, text):
        self.lines.append((level, text))

    def status(self, text, level="info"):
        self.shown.append((level, text))


def test_a_wait_ends_with_the_reasons_when_its_time_is_up():
    log = Recorded()
    waiter = Waiter(log, threading.Event(), 0.3, "web", lambda: ["[Pod web-1]: crashed"])
    with pytest.raises(WaitError) as caught:
        waiter.until(lambda: Verdict(ready=False, status="0/1", reasons=("too few",)))
    assert caught.value.text == "'web' timed out waiting to be Ready\n\t* too few\n\t* [Pod web-1]: crashed"
    assert ("info", "0/1") in log.shown


def test_a_wait_ends_at_once_when_the_user_cancels():
    cancelled = threading.Event()
    threading.Timer(0.1, cancelled.set).start()
    with pytest.raises(WaitError, match="cancelled"):
        Waiter(Recorded(), cancelled, 60, "web").until(lambda: Verdict(ready=False))


def test_a_wait_for_what_has_failed_ends_at_once():
    with pytest.raises(WaitError, match="'migrate' failed"):
        Waiter(Recorded(), threading.Event(), 60, "migrate").until(lambda: Verdict(ready=False, failed=True))
