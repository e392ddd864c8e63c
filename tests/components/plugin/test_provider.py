"""The provider makes what a Python program makes from the same arguments, and hands back the outputs."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from support.cluster_app import CANARIES, DEPLOYMENT, IMAGE, NAME, kubernetes_app
from support.recorder import Recording, record

from flaskstack.plugin.provider import Components

ARGUMENTS = {
    "app": {"name": "shop", "migrate": ["flask", "--app", "app:create_app", "db", "upgrade"]},
    "image": IMAGE,
    "host": "shop.example",
    "tlsSecret": "shop-tls",
    "secretKey": CANARIES["secret_key"],
    "databaseUrl": CANARIES["database_url"],
    "redisUrl": CANARIES["redis_url"],
}


def made(**more: Any) -> Recording:
    def build() -> pulumi.Output[Any]:
        result = Components().construct(NAME, "flaskstack:index:KubernetesApp", {**ARGUMENTS, **more})
        return pulumi.Output.all(**result.state)

    return record(build)


def test_a_component_made_for_another_language_is_the_one_that_python_makes() -> None:
    ours, theirs = kubernetes_app(), made()
    assert {each.urn: each.inputs for each in theirs.resources} == {each.urn: each.inputs for each in ours.resources}
    assert theirs.value == ours.value


def test_kubernetes_own_objects_reach_the_pods() -> None:
    recording = made(
        volumes=[{"name": "cache", "emptyDir": {"medium": "Memory"}}],
        podTemplate={"spec": {"nodeSelector": {"disk": "ssd"}}},
    )
    (web,) = recording.of(DEPLOYMENT)
    pod = web.plain["spec"]["template"]["spec"]
    assert {"name": "cache", "emptyDir": {"medium": "Memory"}} in pod["volumes"]
    assert pod["nodeSelector"] == {"disk": "ssd"}


def test_what_the_component_itself_refuses_is_told_in_the_programs_words() -> None:
    with pytest.raises(pulumi.InputPropertiesError) as error:
        made(secretKey=None, rollout={"timeoutS": 5.0})
    assert "secretKey = not set: required" in error.value.message
    assert "rollout.timeoutS = 5: " in error.value.message
    assert "pulumi config" not in error.value.message
