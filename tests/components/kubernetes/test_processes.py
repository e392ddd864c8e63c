"""Extra processes on a cluster: a Deployment each, the same pod, no requests."""

from __future__ import annotations

from typing import Any

import pytest
from support.cluster_app import (
    BUDGET,
    DEPLOYMENT,
    IMAGE,
    MIGRATE,
    NAME,
    NETWORK_POLICY,
    SERVICE,
    kubernetes_app,
    spec,
)
from support.recorder import Recording

from flaskstack import FlaskApp, Process
from flaskstack.kubernetes.settings import Rollout

APP = FlaskApp(
    name="shop",
    migrate=MIGRATE,
    processes={
        "worker": Process(command=("rq", "worker"), replicas=2, probe=("rq", "info"), stop_grace=60),
        "clock": Process(command=("python", "clock.py"), singleton=True, memory_mib=128, cpus=0.05),
    },
)


@pytest.fixture(scope="module")
def app() -> Recording:
    return kubernetes_app(app=APP)


def deployment(recording: Recording, name: str) -> dict[str, Any]:
    (found,) = [each for each in recording.of(DEPLOYMENT) if each.name == f"{NAME}-{name}"]
    return found.plain


def pod_of(recording: Recording, name: str) -> dict[str, Any]:
    return dict(deployment(recording, name)["spec"]["template"]["spec"])


def test_each_process_is_a_deployment_named_after_application_and_process(app: Recording) -> None:
    names = {each.plain["metadata"]["name"] for each in app.of(DEPLOYMENT)}
    assert names == {"shop", "shop-worker", "shop-clock"}
    assert deployment(app, "worker")["spec"]["replicas"] == 2


@pytest.mark.parametrize(("name", "command"), [("worker", ["rq", "worker"]), ("clock", ["python", "clock.py"])])
def test_its_pod_is_the_web_pod_with_another_command(app: Recording, name: str, command: list[str]) -> None:
    (process,), (web,) = pod_of(app, name)["containers"], pod_of(app, "web")["containers"]
    assert process["image"] == IMAGE
    assert process["args"] == command
    for field in ("env", "securityContext", "volumeMounts", "terminationMessagePolicy"):
        assert process[field] == web[field], field
    for field in ("securityContext", "volumes", "serviceAccountName", "automountServiceAccountToken"):
        assert pod_of(app, name)[field] == pod_of(app, "web")[field], field
    assert not {"ports", "lifecycle", "readinessProbe"} & process.keys()


def test_no_request_reaches_it(app: Recording) -> None:
    labels = deployment(app, "worker")["spec"]["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "worker"
    for selector in (spec(app, SERVICE)["selector"], spec(app, BUDGET)["selector"]["matchLabels"]):
        assert not selector.items() <= labels.items()
    assert len(app.of(SERVICE)) == len(app.of(BUDGET)) == 1


def test_the_network_policy_bounds_it_too(app: Recording) -> None:
    bound = spec(app, NETWORK_POLICY)["podSelector"]["matchLabels"]
    assert bound.items() <= deployment(app, "clock")["spec"]["template"]["metadata"]["labels"].items()


def test_its_selector_tells_its_pods_from_all_others(app: Recording) -> None:
    selectors = [each.plain["spec"]["selector"]["matchLabels"] for each in app.of(DEPLOYMENT)]
    assert len({tuple(sorted(each.items())) for each in selectors}) == 3


def test_it_waits_for_the_migration_and_for_the_policy(app: Recording) -> None:
    for each in app.of(DEPLOYMENT):
        assert {f"{NAME}-migration", f"{NAME}-network"} <= app.after(each)


def test_a_singleton_has_ended_before_its_successor_starts(app: Recording) -> None:
    clock, worker = deployment(app, "clock")["spec"], deployment(app, "worker")["spec"]
    assert (clock["strategy"], clock["replicas"]) == ({"type": "Recreate"}, 1)
    assert worker["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def test_its_probe_is_a_command_and_it_has_none_without(app: Recording) -> None:
    (worker,), (clock,) = pod_of(app, "worker")["containers"], pod_of(app, "clock")["containers"]
    assert worker["livenessProbe"]["exec"] == worker["startupProbe"]["exec"] == {"command": ["rq", "info"]}
    assert worker["startupProbe"]["failureThreshold"] == 30
    assert not {"livenessProbe", "startupProbe"} & clock.keys()


def test_it_gets_its_own_time_to_stop(app: Recording) -> None:
    assert pod_of(app, "worker")["terminationGracePeriodSeconds"] == 65


def test_its_own_limits_bound_what_it_asks_for(app: Recording) -> None:
    (clock,), (worker,) = pod_of(app, "clock")["containers"], pod_of(app, "worker")["containers"]
    assert clock["resources"] == {
        "requests": {"cpu": "50m", "memory": "128Mi"},
        "limits": {"cpu": "50m", "memory": "128Mi"},
    }
    assert worker["resources"] == pod_of(app, "web")["containers"][0]["resources"]


def test_it_is_given_up_as_the_web_pods_are() -> None:
    recording = kubernetes_app(app=APP, rollout=Rollout(timeout_s=300))
    for each in recording.of(DEPLOYMENT):
        assert (each.options.customTimeouts.create, each.options.customTimeouts.update) == ("300s", "300s")
