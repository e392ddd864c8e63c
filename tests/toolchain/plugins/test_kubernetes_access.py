"""How the provider finds its cluster, who owns which field, and manifests in files."""

from __future__ import annotations

import base64
import json

import pytest
import yaml
from plugins.kubernetes import fields, render, settings
from plugins.kubernetes.cluster import merge_patch
from plugins.kubernetes.kubeconfig import KubeconfigError, load
from plugins.kubernetes.values import UNKNOWN

CONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "one",
    "clusters": [
        {"name": "c1", "cluster": {"server": "https://one.example:6443/", "certificate-authority-data": "Y2E="}},
        {"name": "c2", "cluster": {"server": "https://two.example", "insecure-skip-tls-verify": True}},
    ],
    "contexts": [
        {"name": "one", "context": {"cluster": "c1", "user": "u1"}},
        {"name": "two", "context": {"cluster": "c2", "user": "u2", "namespace": "apps"}},
    ],
    "users": [
        {"name": "u1", "user": {"token": "t0ken"}},
        {"name": "u2", "user": {"client-certificate-data": "Y2VydA==", "client-key-data": "a2V5"}},
    ],
}


def test_a_kubeconfig_is_taken_as_text_or_path(tmp_path):
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(CONFIG))
    for given in (json.dumps(CONFIG), yaml.safe_dump(CONFIG), str(path)):
        access = load(given)
        assert (access.server, access.authority, access.namespace) == ("https://one.example:6443", b"ca", "default")
        assert access.headers == {"Authorization": "Bearer t0ken"}
        assert "t0ken" not in repr(access)


def test_context_and_cluster_can_be_chosen():
    access = load(json.dumps(CONFIG), context="two")
    assert (access.server, access.namespace, access.verify) == ("https://two.example", "apps", False)
    assert (access.certificate, access.key) == (b"cert", b"key")
    assert load(json.dumps(CONFIG), context="two", cluster="c1").server == "https://one.example:6443"


def test_files_of_the_environment_are_merged_the_first_one_wins(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text(yaml.safe_dump({**CONFIG, "contexts": CONFIG["contexts"][:1]}))
    second.write_text(yaml.safe_dump({**CONFIG, "current-context": "two"}))
    environment = {"KUBECONFIG": f"{first}:{second}:{tmp_path / 'missing'}"}
    assert load("", environment=environment).server == "https://one.example:6443"
    assert load("", context="two", environment=environment).server == "https://two.example"


def test_a_credential_plugin_is_asked_for_a_token(tmp_path):
    plugin = tmp_path / "plugin"
    plugin.write_text('#!/bin/sh\necho "{\\"status\\": {\\"token\\": \\"$WORD\\"}}"\n')
    plugin.chmod(0o755)
    user = {"exec": {"command": str(plugin), "env": [{"name": "WORD", "value": "made"}]}}
    config = {**CONFIG, "users": [{"name": "u1", "user": user}]}
    assert load(json.dumps(config)).headers == {"Authorization": "Bearer made"}


@pytest.mark.parametrize(
    ("given", "context", "said"),
    [
        (json.dumps(CONFIG), "three", r"no kubeconfig context 'three' \(known: one, two\)"),
        ("no such file", "", "neither a kubeconfig nor the path of one"),
        ("a: [", "", "is no kubeconfig"),
        (json.dumps({**CONFIG, "clusters": []}), "", "'c1' is not in the kubeconfig"),
    ],
)
def test_what_is_wrong_with_a_kubeconfig_is_said(given, context, said):
    with pytest.raises(KubeconfigError, match=said):
        load(given, context=context)


def test_no_kubeconfig_at_all_is_said(tmp_path):
    with pytest.raises(KubeconfigError, match="no kubeconfig found"):
        load("", environment={"KUBECONFIG": str(tmp_path / "missing")})


def test_switches_come_from_the_provider_and_then_from_the_environment(monkeypatch):
    monkeypatch.setenv("PULUMI_K8S_ENABLE_PATCH_FORCE", "true")
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    found = settings.parse({"kubernetes:config:deleteUnreachable": "false", "kubernetes:config:namespace": "n"})
    assert (found.patch_force, found.delete_unreachable, found.namespace) == (True, False, "n")
    assert found.server_side_apply
    assert not settings.parse({"kubernetes:config:enableServerSideApply": "false"}).server_side_apply


def test_rendering_and_a_cluster_exclude_each_other():
    given = {"renderYamlToDirectory": "out", "context": "one"}
    assert settings.failures("a::b::c::d", given) == [
        ("context", '"context" arg is not compatible with "renderYamlToDirectory" arg')
    ]
    assert settings.failures("a::b::c::d", {"context": "one"}) == []


def test_strict_mode_wants_an_explicit_provider():
    urn = "urn:pulumi:s::p::pulumi:providers:kubernetes::default_4_34_2"
    assert [name for name, _ in settings.failures(urn, {"strictMode": "true"})] == ["", "kubeconfig", "context"]


@pytest.mark.parametrize(
    ("old", "new", "replaces"),
    [
        ({"kubeconfig": json.dumps(CONFIG)}, {"kubeconfig": json.dumps(CONFIG, indent=1)}, []),
        ({"kubeconfig": json.dumps(CONFIG)}, {"kubeconfig": json.dumps(CONFIG), "context": "two"}, ["context"]),
        ({"kubeconfig": json.dumps(CONFIG)}, {"kubeconfig": UNKNOWN}, ["kubeconfig"]),
        ({"namespace": "a"}, {"namespace": "b"}, []),
        ({"renderYamlToDirectory": "a"}, {"renderYamlToDirectory": "b"}, ["renderYamlToDirectory"]),
        (
            {"kubeconfig": json.dumps(CONFIG), "clusterIdentifier": "x"},
            {"kubeconfig": json.dumps(CONFIG), "context": "two", "clusterIdentifier": "x"},
            [],
        ),
        ({"clusterIdentifier": "x"}, {"clusterIdentifier": "y"}, ["clusterIdentifier"]),
    ],
)
def test_only_another_cluster_replaces_everything(old, new, replaces):
    diffs, found = settings.changed(old, new)
    assert diffs
    assert found == replaces


def managed(manager, operation, owned, **more):
    return {"manager": manager, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": owned, **more}


def test_created_fields_are_handed_over_to_the_applying_manager():
    live = {
        "metadata": {
            "resourceVersion": "7",
            "managedFields": [
                managed("ours", "Update", {"f:spec": {"f:a": {}}}),
                managed("ours", "Apply", {"f:spec": {"f:b": {}}}),
                managed("kubectl-edit", "Update", {"f:spec": {"f:c": {}}}),
                managed("kubectl", "Update", {"f:spec": {"f:replicas": {}}}, subresource="scale"),
                managed("kube-controller-manager", "Update", {"f:status": {}}, subresource="status"),
            ],
        },
    }
    patch = fields.adoption_patch(live, "ours")
    assert patch is not None
    merged, scale, status = patch[0]["value"]
    assert (merged["manager"], merged["operation"]) == ("ours", "Apply")
    assert merged["fieldsV1"] == {"f:spec": {"f:a": {}, "f:b": {}, "f:c": {}}}
    assert (scale["subresource"], status["manager"]) == ("scale", "kube-controller-manager")
    assert patch[1]["value"] == "7", "a change in between makes the patch fail"
    assert fields.has_adoptable(live, "ours")
    assert fields.adoption_patch({"metadata": {}}, "ours") is None


def test_an_ignored_field_of_somebody_else_is_not_applied_and_one_of_ours_stays_as_it_is():
    live = {
        "metadata": {
            "managedFields": [
                managed("hpa", "Update", {"f:spec": {"f:replicas": {}}}),
                managed("ours", "Apply", {"f:spec": {"f:paused": {}}}),
            ],
        },
        "spec": {"replicas": 5, "paused": True},
    }
    inputs = {"spec": {"replicas": 3, "paused": False, "other": 1}}
    applied = fields.without_ignored(inputs, live, ("spec.replicas", "spec.paused"), "ours")
    assert applied == {"spec": {"paused": True, "other": 1}}
    assert inputs["spec"]["replicas"] == 3


def test_a_merge_patch_removes_what_is_not_wanted_any_more():
    assert merge_patch({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"c": 3}, "e": 4}) == {
        "a": None,
        "b": {"c": 3, "d": None},
        "e": 4,
    }


def test_manifests_are_written_where_the_official_plugin_writes_them(tmp_path):
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "data": {"k": base64.b64encode(b"x").decode()},
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
    }
    path = render.write(secret, str(tmp_path))
    assert path == tmp_path / "1-manifest" / "v1-secret-default-s.yaml"
    assert yaml.safe_load(path.read_text()) == secret
    assert path.stat().st_mode & 0o777 == 0o600
    name = "apiextensions.k8s.io_v1-customresourcedefinition-default-things.example.com.yaml"
    assert render.write(definition, str(tmp_path)) == tmp_path / "0-crd" / name
    render.remove(secret, str(tmp_path))
    render.remove(secret, str(tmp_path))
    assert not path.exists()
