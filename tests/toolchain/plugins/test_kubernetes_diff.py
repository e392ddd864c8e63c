"""What an update changes, and what of it replaces the object."""

from __future__ import annotations

import pytest
from plugins.kubernetes.diff import Change, compare, ignored, keep_dropped_zeros, parse_path, prune
from plugins.kubernetes.replacement import forces, replaced_by
from plugins.kubernetes.values import UNKNOWN


def changes(live, inputs, before=None, forcing=()):
    return {item.name: (item.change, item.replaces) for item in compare(live, inputs, before or {}, forcing)}


def test_what_the_cluster_added_is_no_change():
    live = {"spec": {"replicas": 1, "strategy": {"type": "RollingUpdate"}}, "status": {"replicas": 1}}
    inputs = {"spec": {"replicas": 1}}
    assert changes(prune(live, inputs), inputs) == {}


def test_added_changed_and_removed_fields_are_told_apart():
    live = {"spec": {"a": 1, "b": 2, "list": [{"x": 1}, {"x": 2}]}}
    inputs = {"spec": {"a": 3, "c": 4, "list": [{"x": 1}]}}
    assert changes(live, inputs) == {
        "spec.a": (Change.UPDATE, False),
        "spec.b": (Change.DELETE, False),
        "spec.c": (Change.ADD, False),
        "spec.list[1]": (Change.DELETE, False),
    }


def test_what_a_preview_does_not_know_yet_is_a_change():
    assert changes({"data": {"a": "1"}}, {"data": {"a": UNKNOWN, "b": UNKNOWN}}) == {
        "data.a": (Change.UPDATE, False),
        "data.b": (Change.ADD, False),
    }


def test_zero_values_that_the_server_drops_are_a_change_once_only():
    inputs = {"env": [{"name": "E", "value": ""}], "readOnly": False, "labels": {}}
    live = {"env": [{"name": "E"}]}
    assert changes(live, inputs, inputs) == {}
    assert set(changes(live, inputs)) == {"env[0].value", "readOnly", "labels"}


def test_true_is_not_one():
    assert changes({"a": True}, {"a": 1}) == {"a": (Change.UPDATE, False)}


def test_keys_with_dots_are_quoted_as_the_engine_does():
    found = changes({"metadata": {"labels": {}}}, {"metadata": {"labels": {"app.kubernetes.io/name": "x"}}})
    assert list(found) == ['metadata.labels["app.kubernetes.io/name"]']
    assert parse_path('metadata.labels["app.kubernetes.io/name"]') == ("metadata", "labels", "app.kubernetes.io/name")


def test_ignored_paths_cover_what_lies_below_them():
    patterns = [parse_path("spec.replicas"), parse_path("spec.containers[*].image"), parse_path("metadata")]
    assert ignored(("spec", "replicas"), patterns)
    assert ignored(("spec", "containers", 3, "image"), patterns)
    assert ignored(("metadata", "labels", "a"), patterns)
    assert not ignored(("spec", "containers", 3, "name"), patterns)
    assert not ignored(("spec",), patterns)


def test_a_zero_that_was_never_stored_is_no_drift_and_one_that_was_is():
    inputs = {"spec": {"never": False, "stored": False, "other": 1}}
    live_before = {"spec": {"stored": False, "other": 1}}
    live_now = {"spec": {"other": 1}}
    kept = keep_dropped_zeros(prune(live_now, inputs), inputs, live_before, live_now)
    assert kept == {"spec": {"never": False, "other": 1}}


REPLACING = [
    ("apps/v1", "Deployment", ("spec", "selector", "matchLabels", "app"), "x", True),
    ("apps/v1", "Deployment", ("spec", "template", "spec", "containers", 0, "image"), "x", False),
    ("apps/v1", "Deployment", ("spec",), {"selector": {}}, True),
    ("apps/v1", "Deployment", ("spec",), {"replicas": 1}, False),
    ("apps/v1", "StatefulSet", ("spec", "serviceName"), "x", True),
    ("apps/v1", "StatefulSet", ("spec", "replicas"), 2, False),
    ("apps/v1", "DaemonSet", ("spec", "selector"), {}, True),
    ("batch/v1", "Job", ("spec", "template", "spec", "containers", 0, "image"), "x", True),
    ("batch/v1", "Job", ("spec", "backoffLimit"), 2, False),
    ("v1", "Pod", ("spec", "containers", 0, "image"), "x", True),
    ("v1", "Pod", ("spec", "containers", 0, "name"), "x", False),
    ("v1", "Service", ("spec", "clusterIP"), "None", True),
    ("v1", "Service", ("spec", "type"), "NodePort", False),
    ("v1", "Secret", ("data", "k"), "x", True),
    ("v1", "Secret", ("metadata", "labels", "a"), "x", False),
    ("v1", "ConfigMap", ("data", "k"), "x", True),
    ("v1", "PersistentVolumeClaim", ("spec", "storageClassName"), "x", True),
    ("v1", "PersistentVolumeClaim", ("spec", "resources", "requests", "storage"), "2Gi", False),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", ("roleRef", "name"), "x", True),
    ("rbac.authorization.k8s.io/v1", "Role", ("rules", 0), {}, False),
    ("storage.k8s.io/v1", "StorageClass", ("provisioner",), "x", True),
    ("networking.k8s.io/v1", "Ingress", ("spec", "rules", 0, "host"), "x", False),
    ("example.com/v1", "Thing", ("metadata", "namespace"), "x", True),
    ("example.com/v1", "Thing", ("metadata", "name"), "x", True),
    ("example.com/v1", "Thing", ("spec", "selector"), "x", False),
]


@pytest.mark.parametrize(("api_version", "kind", "path", "value", "expected"), REPLACING)
def test_fields_that_cannot_change_replace_the_object(api_version, kind, path, value, expected):
    assert forces(path, value, replaced_by({"apiVersion": api_version, "kind": kind})) is expected


def test_mutable_config_maps_and_secrets_are_updated_unless_they_say_immutable():
    for kind, setting in (("ConfigMap", "config_map_mutable"), ("Secret", "secret_mutable")):
        inputs = {"apiVersion": "v1", "kind": kind}
        assert not forces(("data", "k"), "x", replaced_by(inputs, **{setting: True}))
        assert forces(("data", "k"), "x", replaced_by({**inputs, "immutable": True}, **{setting: True}))
    assert forces(("type",), "x", replaced_by({"apiVersion": "v1", "kind": "Secret"}, secret_mutable=True))


def test_patch_resources_are_replaced_for_their_name_only():
    paths = replaced_by({"apiVersion": "v1", "kind": "ConfigMap"}, patch=True)
    assert forces(("metadata", "name"), "x", paths)
    assert not forces(("data", "k"), "x", paths)
