"""Names, spellings and secrets: what the provider makes of a program's inputs before the cluster sees them."""

from __future__ import annotations

import base64

import pytest
from plugins.kubernetes import checkpoint, naming
from plugins.kubernetes.objects import Gvk, gvk_from_type, gvk_of, id_of, is_patch_type, normalize, parse_id
from plugins.kubernetes.quantities import canonical
from plugins.kubernetes.values import UNKNOWN, Secret, encode, has_secret, mark_secrets, plain, read


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("0.5", "500m"),
        ("1000m", "1"),
        (2, "2"),
        (0.25, "250m"),
        ("1024Mi", "1Gi"),
        ("0.5Gi", "512Mi"),
        ("1.5Gi", "1536Mi"),
        ("100Mi", "100Mi"),
        ("1024", "1024"),
        ("1000k", "1M"),
        ("1e3", "1e3"),
        ("0", "0"),
        ("0Mi", "0"),
        ("-500m", "-500m"),
        ("0.1m", "100u"),
        ("no quantity", "no quantity"),
        (True, True),
    ],
)
def test_quantities_are_spelled_as_the_api_server_stores_them(given, stored):
    assert canonical(given) == stored


def test_only_quantities_are_respelled():
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a", "labels": {"requests": "1000m"}, "uid": "made up"},
        "spec": {"template": {"spec": {"containers": [{"name": "1000m", "resources": {"limits": {"cpu": "1000m"}}}]}}},
    }
    container = normalize(deployment)["spec"]["template"]["spec"]["containers"][0]
    assert container == {"name": "1000m", "resources": {"limits": {"cpu": "1"}}}
    assert normalize(deployment)["metadata"] == {"name": "a", "labels": {"requests": "1000m"}}
    assert deployment["metadata"]["uid"] == "made up", "the caller's object stays as it was"


def test_custom_resources_keep_their_spelling():
    custom = {"apiVersion": "example.com/v1", "kind": "Thing", "spec": {"limits": {"cpu": "1000m"}}}
    assert normalize(custom) == custom


def test_string_data_of_a_secret_becomes_data_and_wins_over_it():
    secret = {"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "new"}, "data": {"a": "b2xk", "b": "Yg=="}}
    data = normalize(secret)["data"]
    assert data == {"a": base64.b64encode(b"new").decode(), "b": "Yg=="}
    assert "stringData" not in normalize(secret)


def test_a_name_is_the_same_for_the_same_seed_and_has_eight_hexadecimal_digits():
    first, second = naming.unique_name("web-", b"seed"), naming.unique_name("web-", b"seed")
    assert first == second
    assert first != naming.unique_name("web-", b"other")
    assert len(first) == len("web-") + 8
    int(first.removeprefix("web-"), 16)


def test_a_name_made_before_is_kept_and_a_given_name_is_not_replaced():
    old = {"metadata": {"name": "web-12345678", "annotations": {naming.AUTONAMED: "true"}}}
    unnamed: dict = {"metadata": {"labels": {"a": "b"}}}
    naming.adopt_autoname(unnamed, old)
    assert unnamed["metadata"]["name"] == "web-12345678"
    assert naming.is_true(unnamed, naming.AUTONAMED)
    named = {"metadata": {"name": "mine"}}
    naming.adopt_autoname(named, old)
    assert named == {"metadata": {"name": "mine"}}


def test_what_is_unknown_stays_so_in_copies():
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": UNKNOWN}, "spec": {"ports": UNKNOWN}}
    copied = normalize(service)
    assert copied["spec"]["ports"] is UNKNOWN
    assert naming.is_named(copied)
    assert encode(copied)["metadata"]["name"] == encode(service)["metadata"]["name"]


def test_a_name_that_is_not_known_yet_is_not_made_up():
    assert naming.is_named({"metadata": {"name": UNKNOWN}})
    assert not naming.is_named({"metadata": {"labels": {}}})


@pytest.mark.parametrize(
    ("custom", "note", "seconds"),
    [(30.0, "20", 30.0), (0.0, "20", 20.0), (0.0, "soon", 600.0), (0.0, "", 600.0)],
)
def test_custom_timeouts_win_over_the_annotation_and_that_over_the_default(custom, note, seconds):
    inputs = {"metadata": {"annotations": {naming.TIMEOUT_SECONDS: note}}}
    assert naming.timeout_seconds(custom, inputs, 600.0) == seconds


def test_types_name_group_version_and_kind():
    assert gvk_from_type("kubernetes:core/v1:Secret") == Gvk("", "v1", "Secret")
    assert gvk_from_type("kubernetes:networking.k8s.io/v1:Ingress").api_version == "networking.k8s.io/v1"
    assert gvk_of({"apiVersion": "core/v1", "kind": "Pod"}) == Gvk("", "v1", "Pod")
    with pytest.raises(ValueError, match="both a group and a version"):
        gvk_from_type("kubernetes:v1:Pod")


def test_ids_name_the_namespace_of_what_has_one():
    assert id_of({"metadata": {"name": "a", "namespace": "n"}}) == "n/a"
    assert id_of({"metadata": {"name": "a"}}) == "a"
    assert parse_id("n/a") == ("n", "a")
    assert parse_id("a") == ("", "a")


def test_patch_resources_are_told_from_kinds_that_end_alike():
    assert is_patch_type("kubernetes:apps/v1:DeploymentPatch", "Deployment")
    assert not is_patch_type("kubernetes:example.com/v1:JsonPatch", "JsonPatch")


def test_values_survive_the_wire_and_nulls_do_not():
    value = {"a": Secret({"b": [1, 2.5, True, "x"]}), "c": UNKNOWN, "d": {}, "e": []}
    again = read(encode({**value, "n": None}))
    assert plain(again) == plain(value)
    assert isinstance(again["a"], Secret)
    assert "n" not in again


def test_a_secret_inside_an_object_is_marked_alone_and_inside_a_list_with_the_whole_list():
    outputs = {"spec": {"open": 1, "hidden": 2, "list": [1, 2]}, "status": {"phase": "Ready"}}
    inputs = {"spec": {"hidden": Secret(2), "list": [1, Secret(2)]}}
    marked = mark_secrets(outputs, inputs)
    assert marked["spec"]["open"] == 1
    assert isinstance(marked["spec"]["hidden"], Secret)
    assert isinstance(marked["spec"]["list"], Secret)
    assert not has_secret(marked["status"])


def test_data_of_every_secret_is_secret_in_outputs_and_kept_inputs():
    live = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "annotations": {checkpoint.LAST_APPLIED: '{"data": "b2xk"}'}},
        "data": {"k": "b2xk"},
    }
    state = checkpoint.write({**live}, live, {"data": {"k": "b2xk"}}, "v1", "manager")
    assert isinstance(state["data"], Secret)
    assert isinstance(state["__inputs"]["data"], Secret)
    assert isinstance(state["metadata"]["annotations"][checkpoint.LAST_APPLIED], Secret)
    assert "b2xk" not in repr(state["data"])


def test_the_state_splits_into_inputs_and_live_object():
    live = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "uid": "u"}}
    state = checkpoint.write({"kind": "ConfigMap"}, live, {}, "v1", "manager")
    assert (state["__initialApiVersion"], state["__fieldManager"]) == ("v1", "manager")
    assert checkpoint.split(state) == ({"kind": "ConfigMap"}, live)


def test_definitions_keep_their_dashes_in_the_cluster_and_underscores_in_the_program():
    given = {"spec": {"x_kubernetes_list_type": "map", "list": [{"x_kubernetes_int_or_string": True}]}}
    sent = checkpoint.manifest(given)
    assert sent == {"spec": {"x-kubernetes-list-type": "map", "list": [{"x-kubernetes-int-or-string": True}]}}
    assert checkpoint.write(sent, sent, {}, "v1", "m")["spec"] == given["spec"]


def test_imported_inputs_leave_out_what_the_cluster_wrote():
    live = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "uid": "u", "managedFields": [], "annotations": {checkpoint.REVISION: "3"}},
        "spec": {"replicas": 1},
        "status": {"replicas": 1},
    }
    assert checkpoint.imported_inputs(live) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"replicas": 1},
    }
