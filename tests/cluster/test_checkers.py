"""What the stack sends to the cluster, read by kube-score and by kubeconform with the cluster's own schemas."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.cluster import ClusterStack, kubectl, run

EXCEPTIONS = {
    "container-security-context-user-group-id": "it wants ids above 10,000; product.md and the image have 1000",
    "container-image-pull-policy": "it wants Always; an image by digest is the same wherever it comes from",
    "container-ephemeral-storage-request-and-limit": "the root is read-only, /tmp memory, and logs rotate",
}
"""Check of kube-score -> why it is not followed."""


@pytest.fixture(scope="module")
def checkers() -> dict[str, str]:
    """Return the programs by name."""
    return {Path(line).name: line for line in run("toolchain/kube", "checkers").splitlines()}


@pytest.fixture(scope="module")
def manifests(stack: ClusterStack) -> list[dict[str, Any]]:
    """Return every object as the stack sends it. Encrypted values are left as they are: text is text."""
    state = json.loads(stack.pulumi("stack", "export").expect().output)
    found = [
        resource["inputs"]
        for resource in state["deployment"]["resources"]
        if resource["type"].startswith("kubernetes:") and not resource["type"].startswith("kubernetes:pulumi")
    ]
    for manifest in found:
        if manifest["kind"] == "Secret":
            manifest["stringData"] = dict.fromkeys(["secret-key", "database-url"], "hidden")
    return found


def test_kube_score_finds_nothing_but_what_has_a_reason(
    checkers: dict[str, str], manifests: list[dict[str, Any]]
) -> None:
    done = subprocess.run(
        [checkers["kube-score"], "score", "--output-format", "json", "--kubernetes-version", "v1.36", "-"],
        input=yaml.safe_dump_all(manifests),
        capture_output=True,
        text=True,
        check=False,
    )
    objects = json.loads(done.stdout)
    assert {found["type_meta"]["kind"] for found in objects} >= {"Deployment", "Job", "Service", "Ingress"}
    lowest, best = 1, 10
    worse = {
        (check["check"]["id"], found["type_meta"]["kind"], json.dumps(check["comments"]))
        for found in objects
        for check in found["checks"]
        if not check["skipped"] and lowest <= check["grade"] < best
    }
    assert not {entry for entry in worse if entry[0] not in EXCEPTIONS}
    assert {entry[0] for entry in worse} == set(EXCEPTIONS), "an exception that nothing needs is one too many"


def test_kubeconform_finds_every_field_in_the_schemas_of_the_cluster(
    checkers: dict[str, str], manifests: list[dict[str, Any]], tmp_path: Path
) -> None:
    for group in {manifest["apiVersion"] for manifest in manifests}:
        write_schemas(group, tmp_path)

    def check(objects: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
        location = f"{tmp_path}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
        command = [checkers["kubeconform"], "-strict", "-summary", "-schema-location", location, "-"]
        text = yaml.safe_dump_all(objects)
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)

    done = check(manifests)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Valid: {len(manifests)}, Invalid: 0, Errors: 0, Skipped: 0" in done.stdout
    misspelt = json.loads(json.dumps(manifests).replace('"runAsNonRoot"', '"runAsNonroot"'))
    assert "runAsNonroot" in check(misspelt).stdout, "a field that does not exist is found"


def write_schemas(group: str, folder: Path) -> None:
    """Write a JSON schema for each kind of an API group and version, in which an unknown field is an error."""
    path = f"/openapi/v3/{'apis' if '/' in group else 'api'}/{group}"
    schemas = json.loads(kubectl("get", "--raw", path))["components"]["schemas"]
    for schema in schemas.values():
        if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
    name, _, version = group.rpartition("/")
    suffix = "-".join(filter(None, [name.partition(".")[0], version]))
    for key, schema in schemas.items():
        for known in schema.get("x-kubernetes-group-version-kind", []):
            if (known["group"], known["version"]) == (name, version):
                content = {"$ref": f"#/components/schemas/{key}", "components": {"schemas": schemas}}
                (folder / f"{known['kind'].lower()}-{suffix}.json").write_text(json.dumps(content))
