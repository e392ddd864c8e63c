"""Changes under load, through the ingress controller: no request is lost."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable

import pytest
from support.cluster import ClusterStack

from stacks import rollback

REQUESTS = 2000
"""A change that met fewer requests than this has proved little."""


def under_load(stack: ClusterStack, change: Callable[[], object]) -> None:
    with stack.load() as load:
        time.sleep(2)
        change()
        stack.settle()
        while load.answered < REQUESTS:
            time.sleep(0.5)
    assert not load.failures, f"{sum(load.failures.values())} of {load.answered}: {load.failures}"


def test_another_code_and_the_return_to_the_former_image_lose_no_request(stack: ClusterStack) -> None:
    before = stack.outputs()["image"]
    page = stack.app / "app" / "templates" / "base.html"
    page.write_text(page.read_text() + "<!-- another release -->\n")
    under_load(stack, lambda: stack.up().expect())
    now, former = stack.outputs()["image"], former_image(stack)
    assert former == before != now
    stack.set(image={"ref": former}, kubernetes={"migration": {"enabled": False}})
    under_load(stack, lambda: stack.up().expect())
    assert stack.outputs()["image"] == former
    assert not stack.objects("jobs"), "an older image does not know the schema's newest revision"
    stack.set(image={"ref": ...}, kubernetes={"migration": {"enabled": ...}})
    stack.up().expect()
    assert stack.outputs()["image"] == now


def former_image(stack: ClusterStack) -> str:
    """Return what `make rollback` would return to."""
    (deployment,), sets = stack.objects("deployments"), stack.objects("replicasets")
    return rollback.former(deployment, sets)


def test_a_rotated_secret_loses_no_request(stack: ClusterStack) -> None:
    former, pods = stack.secret_key, set(stack.web_pods())
    stack.secret_key = f"{stack.canary}-{secrets.token_hex(8)}"
    stack.secret("secretKey", stack.secret_key)
    stack.fallback(former)
    under_load(stack, lambda: stack.up().expect())
    assert not pods & set(stack.web_pods()), "every pod has the new key"


@pytest.mark.parametrize("replicas", [4, 3])
def test_scaling_loses_no_request(stack: ClusterStack, replicas: int) -> None:
    stack.set(kubernetes={"replicas": replicas})
    under_load(stack, lambda: stack.up().expect())
    assert len(stack.web_pods()) == replicas


def test_an_autoscaler_takes_over_from_a_fixed_number_and_gives_it_back(stack: ClusterStack) -> None:
    pods = set(stack.web_pods())
    stack.set(kubernetes={"replicas": ..., "autoscaling": {"minReplicas": len(pods) + 1}})
    stack.up().expect()
    for _ in range(120):
        if len(stack.web_pods()) > len(pods):
            break
        time.sleep(0.5)
    stack.settle()
    assert pods < set(stack.web_pods()), "one more, and none was lost"
    stack.up("--expect-no-changes").expect()
    stack.set(kubernetes={"replicas": 3, "autoscaling": ...})
    stack.up().expect()
    assert len(stack.web_pods()) == len(pods) + 1, "the number that it had set stays"
    stack.up("--refresh").expect()
    stack.settle()
    assert len(stack.web_pods()) == 3


def test_the_eviction_of_every_pod_in_turn_loses_no_request(stack: ClusterStack) -> None:
    pods = stack.web_pods()
    under_load(stack, lambda: evict(stack, pods))
    assert not set(pods) & set(stack.web_pods())


def evict(stack: ClusterStack, pods: list[str]) -> None:
    """Evict pods as a node's drain does: one by one, again and again until the budget allows it."""
    for pod in pods:
        _evict(stack, pod)


def _evict(stack: ClusterStack, pod: str) -> None:
    metadata = {"name": pod, "namespace": stack.name}
    body = json.dumps({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata})
    path = f"/api/v1/namespaces/{stack.name}/pods/{pod}/eviction"
    for _ in range(120):
        if stack.kubectl("create", "--raw", path, "--filename", "-", text=body, check=False):
            return
        time.sleep(0.5)
    pytest.fail(f"{pod} was never allowed to go")


def test_a_deleted_pod_loses_no_request(stack: ClusterStack) -> None:
    pod = stack.web_pods()[0]
    under_load(stack, lambda: stack.kubectl("delete", "pod", pod, "--wait=false"))
