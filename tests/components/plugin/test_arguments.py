"""What another language sends: made into arguments of Python, or refused with every problem in that program's words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pytest
from pulumi_kubernetes.core.v1 import ContainerArgs, PodTemplateSpecPatchArgs

from flaskstack import EdgePolicy, FlaskApp, SettingsError
from flaskstack.errors import Problem
from flaskstack.plugin.arguments import arguments, translated
from flaskstack.plugin.provider import SIGNATURES

IMAGE, LOCAL, KUBERNETES = SIGNATURES
SOUND = {"app": {"path": "shop"}, "image": "sha256:1"}
CANARY = "canary-0123456789"


@pytest.fixture
def output() -> Iterator[Callable[[object], pulumi.Output[Any]]]:
    """What makes an output of a value: outputs need an event loop."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield pulumi.Output.from_input
    asyncio.set_event_loop(None)
    loop.close()


def given(inputs: dict[str, Any]) -> dict[str, Any]:
    return arguments(LOCAL, SOUND | inputs)


def refused(inputs: dict[str, Any]) -> dict[str, Problem]:
    with pytest.raises(SettingsError) as error:
        given(inputs)
    return {problem.key: problem for problem in error.value.problems}


def test_objects_become_models_and_keys_become_pythons() -> None:
    made = given({"app": {"path": "shop", "staticUrl": "/s/"}, "edge": {"https": False, "rateLimit": {"burst": 5.0}}})
    assert made["app"] == FlaskApp(path="shop", static_url="/s/")
    assert isinstance(made["edge"], EdgePolicy)
    assert made["edge"].rate_limit is not None
    assert made["edge"].rate_limit.burst == 5


def test_only_what_was_given_is_passed_on() -> None:
    assert given({"keepData": False}).keys() == {"app", "image", "keep_data"}
    assert given({"redisUrl": None}).keys() == {"app", "image"}


def test_whole_numbers_arrive_as_floats_and_become_integers() -> None:
    port = given({"port": 18080.0})["port"]
    assert port == 18080
    assert type(port) is int


def test_a_secret_or_an_output_is_passed_on_as_it_is(output: Callable[[object], pulumi.Output[Any]]) -> None:
    key = output(CANARY)
    made = given({"secretKey": key, "secretKeyFallbacks": [key, "plain"]})
    assert made["secret_key"] is key
    assert made["secret_key_fallbacks"][0] is key


def test_every_problem_is_reported_at_once_with_the_key_as_it_was_written() -> None:
    found = refused({"port": "many", "keepdata": True, "app": {"path": "shop", "server": {"threads": 0}}})
    assert found.keys() == {"port", "keepdata", "app.server.threads"}
    assert found["keepdata"].fix == "rename it to keepData, or leave it out"
    assert found["app.server.threads"].fix == "set it to 8"
    assert all("pulumi config" not in problem.fix for problem in found.values())


def test_what_is_missing_is_named() -> None:
    with pytest.raises(SettingsError) as error:
        arguments(LOCAL, {})
    assert {problem.key for problem in error.value.problems} == {"app", "image"}


def test_an_output_where_a_plain_value_is_needed_is_refused_by_name(
    output: Callable[[object], pulumi.Output[Any]],
) -> None:
    found = refused({"app": {"path": output("shop")}, "port": output(8080)})
    assert found.keys() == {"app.path", "port"}
    assert found["port"].value == "an output"
    assert found["port"].fix == "give a plain value"


def test_a_wrong_secret_is_not_shown() -> None:
    found = refused({"secretKey": {"value": CANARY}, "secretkey": CANARY, "databaseUrl": [CANARY]})
    assert len(found) == 3
    assert CANARY not in "".join(map(str, found.values()))


def test_kubernetes_own_objects_become_the_sdks_args_all_the_way_down() -> None:
    sound = {**SOUND, "host": "shop.example", "secretName": "s"}
    made = arguments(
        KUBERNETES,
        {
            **sound,
            "containers": [{"name": "log", "image": "log", "securityContext": {"readOnlyRootFilesystem": True}}],
            "podTemplate": {"spec": {"nodeSelector": {"disk": "ssd"}, "hostAliases": [{"ip": "10.0.0.1"}]}},
        },
    )
    (container,) = made["containers"]
    assert isinstance(container, ContainerArgs)
    assert container.security_context is not None
    assert vars(container.security_context)["read_only_root_filesystem"] is True
    template = made["pod_template"]
    assert isinstance(template, PodTemplateSpecPatchArgs)
    assert vars(template.spec)["node_selector"] == {"disk": "ssd"}
    assert vars(vars(template.spec)["host_aliases"][0])["ip"] == "10.0.0.1"


def test_an_unknown_field_of_kubernetes_own_objects_is_refused() -> None:
    with pytest.raises(SettingsError) as error:
        arguments(KUBERNETES, {**SOUND, "host": "h", "volumes": [{"nome": "x"}]})
    (problem,) = error.value.problems
    assert problem.key == "volumes.0"
    assert "unknown key nome" in problem.reason


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("flaskstack:local.replicas", "replicas"),
        ("local.limits.nofile", "limits.nofile"),
        ("secret_key", "secretKey"),
        ("app.path", "app.path"),
    ],
)
def test_a_components_own_problem_is_told_in_terms_of_its_arguments(key: str, written: str) -> None:
    (problem,) = translated(LOCAL, [Problem(key, "0", "too few", f"pulumi config set --path {key} 2")])
    assert problem.key == written
    assert problem.fix == "set it to 2"
