"""The provider against a real API server, operation by operation, without the Pulumi engine in between."""

from __future__ import annotations

import threading
import time

import pytest
from plugins.kubernetes.api import MERGE, ApiError, Sent
from plugins.kubernetes.target import PartialError, ProviderError
from plugins.kubernetes.values import Secret, has_secret, plain

pytest_plugins = ("support.kubernetes",)
pytestmark = pytest.mark.cluster


@pytest.fixture
def theirs(api, namespace):
    """Make a ConfigMap that no Pulumi program knows of."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}, "data": {"a": "theirs"}}
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    api.request("POST", path, {}, body)
    yield f"{path}/theirs"
    try:
        api.request("DELETE", f"{path}/theirs")
    except ApiError as error:
        if not error.not_found:
            raise


CONFIG = "kubernetes:core/v1:ConfigMap"


def config(name="mine", **more):
    meta = {"name": name} if name else {}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**meta, **more.pop("metadata", {})}, **more}


def test_an_object_that_is_somebody_elses_is_not_taken_over_unless_asked_to(driver, api, theirs):
    ours = config("theirs", data={"a": "ours"})
    assert "uid" not in driver.preview(CONFIG, ours)["metadata"], "a preview cannot tell whether it will be gone"
    with pytest.raises(ProviderError, match="already exists"):
        driver.create(CONFIG, ours)
    assert api.get(theirs)["data"] == {"a": "theirs"}
    driver.configure(upsert_existing_objects=True, patch_force=True)
    driver.create(CONFIG, ours)
    assert api.get(theirs)["data"] == {"a": "ours"}


def test_a_preview_is_what_the_server_would_make(driver, api, namespace):
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": {"ports": [{"port": 80}]}}
    previewed = driver.preview("kubernetes:core/v1:Service", service)
    assert previewed["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert "status" not in previewed
    assert api.get(f"/api/v1/namespaces/{namespace}/services")["items"] == []
    with pytest.raises(ProviderError, match="must be between 1 and 65535"):
        driver.preview("kubernetes:core/v1:Service", {**service, "spec": {"ports": [{"port": 70000}]}})


def test_fields_that_the_server_does_not_know_are_warned_of(driver):
    driver.preview(CONFIG, config(data={"a": "1"}, dta={"b": "2"}))
    assert driver.log.lines == ['warning: unknown field "dta"']


def test_an_object_in_a_namespace_that_is_yet_to_come_is_previewed_as_it_is_given(driver):
    inputs = config(metadata={"namespace": "not-there-yet"}, data={"a": "1"})
    assert plain(driver.preview(CONFIG, inputs))["data"] == {"a": "1"}


def test_an_update_changes_in_place_and_leaves_others_fields_alone(driver, api, namespace):
    driver.configure(config_map_mutable=True)
    _, state = driver.create(CONFIG, config(data={"a": "1"}, metadata={"labels": {"l": "1"}}))
    path = f"/api/v1/namespaces/{namespace}/configmaps/mine"
    api.request("PATCH", path, {"fieldManager": "other"}, {"metadata": {"annotations": {"t": "x"}}}, Sent(MERGE))
    changed = config(data={"a": "2"}, metadata={"labels": {}})
    found = driver.diff(CONFIG, state, changed)
    assert ({field.name for field in found.fields}, found.replaces) == ({"data.a", "metadata.labels.l"}, [])
    after = driver.update(CONFIG, state, changed)
    live = api.get(path)
    assert (live["data"], live["metadata"].get("labels"), live["metadata"]["annotations"]) == (
        {"a": "2"},
        None,
        {"t": "x"},
    )
    assert live["metadata"]["uid"] == state["metadata"]["uid"]
    assert after["__fieldManager"] == state["__fieldManager"]
    owners = [(item["manager"], item["operation"]) for item in live["metadata"]["managedFields"]]
    assert sorted(owners) == sorted([(state["__fieldManager"], "Apply"), ("other", "Update")])
    assert not driver.diff(CONFIG, after, changed).changed


def test_a_conflict_names_the_other_manager_and_can_be_forced(driver, api, namespace):
    driver.configure(config_map_mutable=True)
    _, state = driver.create(CONFIG, config(data={"a": "1"}))
    path = f"/api/v1/namespaces/{namespace}/configmaps/mine"
    api.request("PATCH", path, {"fieldManager": "somebody"}, {"data": {"a": "2"}}, Sent(MERGE))
    with pytest.raises(PartialError, match=r"(?s)pulumi.com/patchForce.*somebody"):
        driver.update(CONFIG, state, config(data={"a": "3"}))
    forced = config(data={"a": "3"}, metadata={"annotations": {"pulumi.com/patchForce": "true"}})
    driver.update(CONFIG, state, forced)
    assert api.get(path)["data"] == {"a": "3"}


def test_an_ignored_field_stays_as_somebody_else_set_it(driver, api, namespace):
    driver.configure(config_map_mutable=True)
    _, state = driver.create(CONFIG, config(data={"a": "1", "b": "1"}))
    path = f"/api/v1/namespaces/{namespace}/configmaps/mine"
    api.request("PATCH", path, {"fieldManager": "somebody"}, {"data": {"a": "theirs"}}, Sent(MERGE))
    changed = config(data={"a": "1", "b": "2"})
    driver.update(CONFIG, state, changed, ignore=["data.a"])
    assert api.get(path)["data"] == {"a": "theirs", "b": "2"}


def test_a_field_manager_can_be_named_and_the_former_one_gives_up(driver, api, namespace):
    _, state = driver.create(CONFIG, config(data={"a": "1"}))
    named = config(data={"a": "1"}, metadata={"annotations": {"pulumi.com/patchFieldManager": "the-team"}})
    named["metadata"]["annotations"]["pulumi.com/patchForce"] = "true"
    after = driver.update(CONFIG, state, named)
    assert after["__fieldManager"] == "the-team"
    live = api.get(f"/api/v1/namespaces/{namespace}/configmaps/mine")
    assert {item["manager"] for item in live["metadata"]["managedFields"]} == {"the-team"}
    assert live["data"] == {"a": "1"}


def test_without_server_side_apply_objects_carry_the_label_and_are_merged(driver, api, namespace):
    driver.configure(server_side_apply=False, config_map_mutable=True)
    _, state = driver.create(CONFIG, config(data={"a": "1", "b": "1"}))
    assert state["__fieldManager"] == "pulumi-kubernetes"
    after = driver.update(CONFIG, state, config(data={"a": "2"}))
    live = api.get(f"/api/v1/namespaces/{namespace}/configmaps/mine")
    assert live["data"] == {"a": "2"}
    assert live["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "pulumi"}
    assert not driver.diff(CONFIG, after, config(data={"a": "2"})).changed


def test_a_patch_gives_its_fields_back(driver, api, theirs):
    token = "kubernetes:core/v1:ConfigMapPatch"
    identity, state = driver.create(token, config("theirs", metadata={"labels": {"mine": "yes"}}))
    assert api.get(theirs)["metadata"]["labels"] == {"mine": "yes"}
    assert not driver.diff(token, state, config("theirs", metadata={"labels": {"mine": "yes"}})).changed
    driver.delete(token, identity, state)
    left = api.get(theirs)
    assert left["data"] == {"a": "theirs"}
    assert "labels" not in left["metadata"]
    with pytest.raises(ProviderError, match=r"metadata\.name"):
        driver.check(token, config("", metadata={"labels": {}}))


def test_secrets_stay_marked_wherever_they_come_from(driver):
    token = "kubernetes:core/v1:Secret"
    inputs = {"apiVersion": "v1", "kind": "Secret", "metadata": {}, "stringData": {"k": "not marked by the program"}}
    identity, state = driver.create(token, inputs)
    assert isinstance(state["data"], Secret)
    assert not has_secret(state["metadata"])
    found = driver.read(token, identity, state)
    assert isinstance(found.outputs["data"], Secret)
    assert isinstance(found.inputs["data"], Secret)
    imported = driver.read(token, identity)
    assert isinstance(imported.outputs["data"], Secret)
    assert isinstance(imported.inputs["data"], Secret)
    changed = driver.diff(token, state, {**inputs, "stringData": {"k": "rotated"}})
    assert (changed.replaces, changed.delete_first) == (["data.k"], False)
    hidden = driver.create(CONFIG, config(data={"a": Secret("hidden"), "b": "shown"}))[1]
    assert isinstance(hidden["data"]["a"], Secret)
    assert hidden["data"]["b"] == "shown"


def test_what_is_gone_is_gone(driver, api, namespace):
    identity, state = driver.create(CONFIG, config(data={"a": "1"}))
    api.request("DELETE", f"/api/v1/namespaces/{namespace}/configmaps/mine")
    assert driver.read(CONFIG, identity, state) is None
    driver.delete(CONFIG, identity, state)


def test_lists_and_generated_names_are_refused(driver):
    with pytest.raises(ProviderError, match="Use the underlying resource type instead"):
        driver.check("kubernetes:core/v1:ConfigMapList", {"apiVersion": "v1", "kind": "ConfigMapList", "items": []})
    with pytest.raises(ProviderError, match="generateName"):
        driver.check(CONFIG, config("", metadata={"generateName": "x-"}))


def definition(group):
    schema = {"openAPIV3Schema": {"type": "object", "x_kubernetes_preserve_unknown_fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def test_custom_resources_wait_for_the_conditions_that_they_name(driver, api, namespace):
    group = f"{namespace}.example.com"
    kind = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
    token = f"kubernetes:{group}/v1:Thing"
    notes = {"pulumi.com/waitFor": '["condition=Synced", "jsonpath={.status.phase}=Running"]'}
    thing = {
        "apiVersion": f"{group}/v1",
        "kind": "Thing",
        "metadata": {"name": "thing", "annotations": notes},
        "spec": {"limits": {"cpu": "1000m"}},
    }
    assert plain(driver.preview(token, thing))["spec"] == thing["spec"], "its kind is yet to come"
    identity, made = driver.create(kind, definition(group))
    assert not driver.diff(kind, made, definition(group)).changed
    with pytest.raises(PartialError) as caught:
        driver.create(token, thing, timeout=2)
    assert caught.value.reasons[1:] == ["condition=Synced is not met", "jsonpath={.status.phase}=Running is not met"]
    path = f"/apis/{group}/v1/namespaces/{namespace}/things/thing"
    assert api.get(path)["spec"]["limits"] == {"cpu": "1000m"}
    status = {"phase": "Running", "conditions": [{"type": "Synced", "status": "True"}]}
    threading.Timer(1, lambda: api.request("PATCH", path, {}, {"status": status}, Sent(MERGE))).start()
    driver.update(token, caught.value.outputs, {**thing, "spec": {"n": 2}}, timeout=20)
    assert api.get(path)["spec"] == {"n": 2}
    driver.delete(kind, identity, made)
    driver.delete(token, caught.value.resource_id, caught.value.outputs)
    assert driver.read(token, caught.value.resource_id, caught.value.outputs) is None
    driver.made.clear()


def test_a_service_waits_for_endpoints_and_one_without_pods_for_nothing(driver):
    token = "kubernetes:core/v1:Service"
    meta = {"annotations": {"pulumi.com/timeoutSeconds": "2"}}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}},
    }
    with pytest.raises(PartialError, match="timed out") as caught:
        driver.create(token, service)
    assert "does not target any Pods" in caught.value.reasons[1]
    driver.create(token, {**service, "metadata": {}, "spec": {**service["spec"], "clusterIP": "None"}})
    driver.create(token, {**service, "metadata": {"annotations": {"pulumi.com/skipAwait": "true"}}})


def test_a_claim_of_a_class_that_waits_for_its_first_pod_is_ready_at_once(driver, namespace):
    name = f"{namespace}-lazy"
    lazy = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "example.com/none",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    driver.create("kubernetes:storage.k8s.io/v1:StorageClass", lazy)
    spec = {
        "storageClassName": name,
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1024Mi"}},
    }
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": spec}
    token = "kubernetes:core/v1:PersistentVolumeClaim"
    state = driver.create(token, claim, timeout=20)[1]
    assert not driver.diff(token, state, claim).changed


def test_a_namespace_is_cluster_wide_and_its_deletion_is_waited_for(driver, api, namespace):
    token = "kubernetes:core/v1:Namespace"
    identity, state = driver.create(
        token, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{namespace}-b"}}
    )
    assert identity == f"{namespace}-b"
    assert "namespace" not in state["__inputs"]["metadata"]
    driver.delete(token, identity, state)
    with pytest.raises(ApiError) as caught:
        api.get(f"/api/v1/namespaces/{identity}")
    assert caught.value.not_found


def test_cancelling_ends_the_wait(driver):
    threading.Timer(1, driver.cancelled.set).start()
    started = time.monotonic()
    spec = {"ports": [{"port": 80}], "selector": {"a": "b"}}
    with pytest.raises(PartialError, match="was cancelled"):
        driver.create(
            "kubernetes:core/v1:Service", {"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": spec}
        )
    assert time.monotonic() - started < 10
    driver.cancelled.clear()
