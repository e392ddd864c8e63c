"""Networks, volumes, images and tags of the docker plugin on the real engine."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from support.provider import docker, inspect

if TYPE_CHECKING:
    from support.provider import Plugin

NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
IMAGE = "docker:index/remoteImage:RemoteImage"
TAG = "docker:index/tag:Tag"


@pytest.fixture
def unique() -> str:
    return f"plugin-test-{secrets.token_hex(4)}"


def test_a_network_is_made_as_said_and_is_no_difference_afterwards(docker_plugin: Plugin, unique: str) -> None:
    inputs = {
        "name": unique,
        "internal": True,
        "labels": [{"label": "a", "value": "b"}],
        "options": {"com.docker.network.bridge.enable_icc": "false"},
        "ipamConfigs": [{"subnet": "10.214.0.0/24", "gateway": "10.214.0.1"}],
    }
    identity, state = docker_plugin.create(NETWORK, inputs)
    found = inspect(identity)
    assert (found["Name"], found["Internal"], found["Labels"]) == (unique, True, {"a": "b"})
    assert found["IPAM"]["Config"][0]["Gateway"] == "10.214.0.1"
    assert (state["driver"], state["scope"]) == ("bridge", "local")
    assert list(docker_plugin.diff(NETWORK, state, docker_plugin.check(NETWORK, inputs)).diffs) == []


def test_a_plain_network_is_no_difference_afterwards(docker_plugin: Plugin) -> None:
    inputs = docker_plugin.check(NETWORK, {})
    _, state = docker_plugin.create(NETWORK, inputs)
    assert list(docker_plugin.diff(NETWORK, state, inputs).diffs) == []


def test_any_change_of_a_network_replaces_it(docker_plugin: Plugin) -> None:
    inputs = docker_plugin.check(NETWORK, {})
    _, state = docker_plugin.create(NETWORK, inputs)
    difference = docker_plugin.diff(NETWORK, state, {**inputs, "internal": True})
    assert list(difference.replaces) == ["internal"]
    assert not difference.deleteBeforeReplace


def test_two_networks_of_one_name_are_refused(docker_plugin: Plugin, unique: str) -> None:
    docker_plugin.create(NETWORK, {"name": unique})
    with pytest.raises(Exception, match=f"network with name {unique} already exists"):
        docker_plugin.create(NETWORK, {"name": unique})


def test_a_network_and_a_volume_that_are_gone_read_as_gone(docker_plugin: Plugin) -> None:
    for token, kind in ((NETWORK, "network"), (VOLUME, "volume")):
        identity, state = docker_plugin.create(token, {})
        docker(kind, "rm", identity)
        assert docker_plugin.read(token, identity, state, state)[0] == ""


def test_a_volume_of_that_name_is_taken_as_it_is(docker_plugin: Plugin, unique: str, box: str) -> None:
    docker("volume", "create", unique)
    docker("run", "--rm", "--volume", f"{unique}:/v", box, "sh", "-c", "echo kept > /v/file")
    identity, state = docker_plugin.create(VOLUME, {"name": unique})
    assert identity == unique
    assert state["mountpoint"].endswith("/_data")
    assert docker("run", "--rm", "--volume", f"{unique}:/v", box, "cat", "/v/file") == "kept"


def test_a_volume_with_labels_is_no_difference_afterwards(docker_plugin: Plugin) -> None:
    labels = [{"label": "b", "value": "1"}, {"label": "a", "value": "2"}]
    inputs = docker_plugin.check(VOLUME, {"labels": labels})
    _, state = docker_plugin.create(VOLUME, inputs)
    assert list(docker_plugin.diff(VOLUME, state, inputs).diffs) == []


def test_imported_things_are_read_by_id(docker_plugin: Plugin, unique: str) -> None:
    network = docker("network", "create", "--internal", unique)
    docker("volume", "create", "--label", "a=b", unique)
    try:
        identity, state, inputs = docker_plugin.read(NETWORK, network, {}, {})
        assert (identity, state["name"], inputs["internal"]) == (network, unique, True)
        identity, state, inputs = docker_plugin.read(VOLUME, unique, {}, {})
        assert (identity, inputs["labels"]) == (unique, [{"label": "a", "value": "b"}])
    finally:
        docker("network", "rm", unique)
        docker("volume", "rm", unique)


def test_an_image_of_the_engine_is_found_without_a_registry(docker_plugin: Plugin, box: str, unique: str) -> None:
    docker("tag", box, f"{unique}:1")
    identity, state = docker_plugin.create(IMAGE, {"name": f"{unique}:1"})
    assert (identity, state["imageId"]) == (f"{box}{unique}:1", box)


def test_an_image_that_is_kept_stays_after_deletion_and_another_goes(
    docker_plugin: Plugin, box: str, unique: str
) -> None:
    for keep in (True, False):
        docker("tag", box, f"{unique}:{keep}".lower())
        name = f"{unique}:{keep}".lower()
        identity, state = docker_plugin.create(IMAGE, {"name": name, "keepLocally": keep})
        docker_plugin.delete(IMAGE, identity, state)
        assert bool(inspect(name)) is keep
    docker("image", "rm", f"{unique}:true")


def test_a_trigger_replaces_an_image_and_keeping_it_does_not(docker_plugin: Plugin, box: str, unique: str) -> None:
    docker("tag", box, f"{unique}:1")
    inputs = {"name": f"{unique}:1", "triggers": {"digest": "a"}}
    _, state = docker_plugin.create(IMAGE, inputs)
    assert list(docker_plugin.diff(IMAGE, state, {**inputs, "triggers": {"digest": "b"}}).replaces) == ["triggers"]
    difference = docker_plugin.diff(IMAGE, state, {**inputs, "keepLocally": True})
    assert (list(difference.diffs), list(difference.replaces)) == (["keepLocally"], [])


def test_an_image_that_is_nowhere_says_what_was_tried(docker_plugin: Plugin) -> None:
    with pytest.raises(Exception, match="unable to pull image localhost:1/none:1: error pulling image"):
        docker_plugin.create(IMAGE, {"name": "localhost:1/none:1"})


def test_building_by_the_image_of_the_docker_plugin_is_refused(docker_plugin: Plugin) -> None:
    with pytest.raises(Exception, match="'build' is not supported"):
        docker_plugin.check(IMAGE, {"name": "x", "build": {"context": "."}})


def test_a_tag_is_a_further_name(docker_plugin: Plugin, box: str, unique: str) -> None:
    docker_plugin.create(TAG, {"sourceImage": box, "targetImage": f"localhost:5000/{unique}:2"})
    assert inspect(f"localhost:5000/{unique}:2")["Id"] == box
    docker("image", "rm", f"localhost:5000/{unique}:2")


def test_functions_look_things_up(docker_plugin: Plugin, box: str) -> None:
    from plugins.values import decode, encode  # noqa: PLC0415
    from pulumi.runtime.proto import provider_pb2  # noqa: PLC0415

    def invoke(function: str, **arguments: str) -> dict[str, object]:
        token = f"docker:index/{function}:{function}"
        answer = docker_plugin.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=encode(arguments)))
        return decode(getattr(answer, "return"))

    assert invoke("getNetwork", name="bridge")["driver"] == "bridge"
    assert invoke("getRemoteImage", name=box)["id"] == box
    with pytest.raises(Exception, match="not supported by the fallback plugin of docker"):
        invoke("getLogs", name="x")
