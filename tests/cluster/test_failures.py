"""Releases that cannot serve: the former one serves on, `up` says why, and the next good one recovers."""

from __future__ import annotations

import pytest
from support.cluster import QUICK, ClusterStack
from support.stack import MIGRATE

MISSING = f"127.0.0.1:15000/nothing@sha256:{'0' * 64}"
SHORT = {"probes": {"startup": {"failures": 25}}, "rollout": {"timeoutS": 45}, "migration": {"timeoutS": 20}}
"""What `up` waits for a release that never comes. Seconds; production has minutes."""
FEW = 3
"""Clients: a release that never comes takes its whole timeout, and the cores are wanted elsewhere."""
USUAL = {"probes": QUICK, "rollout": {"timeoutS": 110}, "migration": {"timeoutS": 60}}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"image": {"ref": MISSING}}, "pull"),
        ({"app": {"migrate": ["flask", "--app", "app:create_app", "db", "upgrade", "nowhere"]}}, "nowhere"),
        ({"app": {"entry": "app:missing()"}}, "missing"),
        ({"app": {"readiness": "/never"}}, "probe failed"),
    ],
    ids=["image that is not there", "failing migration", "crashing release", "release that never gets ready"],
)
def test_a_bad_release_leaves_the_former_one_serving(
    stack: ClusterStack, change: dict[str, dict[str, object]], reason: str
) -> None:
    pods, deployment = set(stack.web_pods()), stack.objects("deployments")[0]["metadata"]["uid"]
    stack.set(**change, kubernetes=SHORT)
    with stack.load(clients=FEW) as load:
        failed = stack.up()
    assert not failed.ok
    assert reason in failed.output
    assert pods <= set(stack.web_pods())
    stack.set(
        image={"ref": ...},
        app={"migrate": MIGRATE, "entry": "app:create_app()", "readiness": "/ready"},
        kubernetes=USUAL,
    )
    with stack.load(clients=FEW) as recovery:
        stack.up().expect()
        stack.settle()
    assert not load.failures | recovery.failures
    assert min(load.answered, recovery.answered) > 100
    assert stack.objects("deployments")[0]["metadata"]["uid"] == deployment
