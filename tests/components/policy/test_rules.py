"""Each rule with what passes it and what violates it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from flaskstack.app import SERVER_CONFIG_SOURCE
from flaskstack.policy import EXCEPTION, RULES, SECRET, UNKNOWN, Resource, check, cleaned
from flaskstack.policy.resource import MASK, SECRET_SIGNATURE, SIGNATURE

DIGEST = "sha256:" + "a" * 64
CONTAINER: dict[str, Any] = {
    "name": "web",
    "image": f"shop@{DIGEST}",
    "env": [{"name": "SECRET_KEY", "valueFrom": {"secretKeyRef": {"name": "shop", "key": "secret-key"}}}],
    "ports": [{"containerPort": 8000}],
    "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}
POD: dict[str, Any] = {
    "containers": [CONTAINER],
    "volumes": [{"name": "tmp", "emptyDir": {}}],
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
}
TEMPLATE = {"template": {"spec": POD}}
WORKLOADS = {
    "core/v1:Pod": POD,
    "apps/v1:Deployment": TEMPLATE,
    "apps/v1:StatefulSet": TEMPLATE,
    "apps/v1:DaemonSet": TEMPLATE,
    "batch/v1:Job": TEMPLATE,
    "batch/v1:CronJob": {"jobTemplate": {"spec": TEMPLATE}},
}
BOX: dict[str, Any] = {
    "image": DIGEST,
    "memory": 512,
    "cpus": "1.0",
    "networkMode": "bridge",
    "labels": [{"label": "dev.flaskstack.role", "value": "web"}],
    "envs": ["DEBUG=1", SECRET],
}


def changed(spec: Any, path: str, value: Any) -> Any:
    """A copy with another value at a path; `-` removes it."""
    made = copy.deepcopy(spec)
    *way, last = path.split(".")
    at = made
    for part in way:
        at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
    if value == "-":
        del at[last]
    else:
        at[last] = value
    return made


def pod(path: str, value: Any, kind: str = "core/v1:Pod") -> Resource:
    return Resource(f"kubernetes:{kind}", "web", {"spec": changed(POD, path, value)})


def box(path: str, value: Any) -> Resource:
    return Resource("docker:index/container:Container", "web", changed(BOX, path, value))


def kubernetes(kind: str, **inputs: Any) -> Resource:
    return Resource(f"kubernetes:{kind}", "thing", inputs)


def volume(role: str = "postgres", *, protect: bool = False, retained: bool | None = False) -> Resource:
    labels = [{"label": "dev.flaskstack.role", "value": role}]
    return Resource("docker:index/volume:Volume", "data", {"labels": labels}, protect, retained)


def broken(resource: Resource) -> set[str]:
    return {violation.rule.name for violation in check([resource])}


@pytest.mark.parametrize("kind", WORKLOADS)
def test_a_restricted_workload_of_any_kind_passes_all_rules(kind: str) -> None:
    assert broken(Resource(f"kubernetes:{kind}", "web", {"spec": WORKLOADS[kind]})) == set()


@pytest.mark.parametrize("kind", WORKLOADS)
@pytest.mark.parametrize("place", ["containers", "initContainers"])
def test_a_bare_container_is_found_in_any_kind_of_workload(kind: str, place: str) -> None:
    spec = copy.deepcopy(WORKLOADS[kind])
    inner = spec.get("jobTemplate", {}).get("spec", spec)
    inner = inner.get("template", {}).get("spec", inner)
    inner[place] = [{"name": "bare", "image": "shop:latest"}]
    found = check([Resource(f"kubernetes:{kind}", "web", {"spec": spec})])
    assert {each.rule.name for each in found} == {"restricted-pods", "image-by-digest", "resources-set"}
    assert all(f"{place}[bare]" in each.finding.where for each in found)


CONTEXT = "containers.0.securityContext"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("hostNetwork", True),
        ("hostPID", True),
        ("hostIPC", True),
        ("volumes", [{"name": "etc", "hostPath": {"path": "/etc"}}]),
        ("securityContext.runAsNonRoot", "-"),
        ("securityContext.runAsUser", 0),
        ("securityContext.seccompProfile", "-"),
        ("securityContext.seccompProfile.type", "Unconfined"),
        ("securityContext.sysctls", [{"name": "kernel.msgmax", "value": "1"}]),
        ("securityContext.appArmorProfile", {"type": "Unconfined"}),
        ("securityContext.seLinuxOptions", {"type": "spc_t"}),
        (f"{CONTEXT}.privileged", True),
        (f"{CONTEXT}.allowPrivilegeEscalation", "-"),
        (f"{CONTEXT}.capabilities.drop", ["NET_RAW"]),
        (f"{CONTEXT}.capabilities.add", ["SYS_ADMIN"]),
        (f"{CONTEXT}.procMount", "Unmasked"),
        (f"{CONTEXT}.runAsNonRoot", False),
        (f"{CONTEXT}.runAsUser", 0),
    ],
)
def test_what_the_restricted_standard_forbids_is_found(path: str, value: Any) -> None:
    assert "restricted-pods" in broken(pod(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{CONTEXT}.capabilities.add", ["NET_BIND_SERVICE"]),
        ("securityContext.sysctls", [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]),
        ("securityContext.runAsNonRoot", UNKNOWN),
        (f"{CONTEXT}.allowPrivilegeEscalation", UNKNOWN),
        ("containers.0.image", UNKNOWN),
    ],
)
def test_what_the_standard_allows_and_what_is_not_known_yet_passes(path: str, value: Any) -> None:
    assert broken(pod(path, value)) == set()


def test_a_namespace_that_admits_more_is_worth_a_word_only() -> None:
    (found,) = check([kubernetes("core/v1:Namespace", metadata={"name": "shop"})][:1], [RULES[1]])
    assert not found.mandatory
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    assert not check([kubernetes("core/v1:Namespace", metadata={"labels": labels})], [RULES[1]])


@pytest.mark.parametrize("image", ["shop:latest", "shop", "shop:1.2.3", "host:5000/shop:1", "shop@sha256:abc"])
def test_an_image_by_tag_is_found_in_pods_and_containers(image: str) -> None:
    assert broken(pod("containers.0.image", image)) == {"image-by-digest"}
    assert broken(box("image", image)) == {"image-by-digest"}


@pytest.mark.parametrize("image", [f"shop@{DIGEST}", f"host:5000/shop:1@{DIGEST}", DIGEST, UNKNOWN])
def test_an_image_by_digest_or_id_passes(image: Any) -> None:
    assert broken(box("image", image)) == set()


@pytest.mark.parametrize("which", ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory"])
def test_each_missing_resource_is_found(which: str) -> None:
    (found,) = check([pod(f"containers.0.resources.{which}", "-")])
    assert found.rule.name == "resources-set"
    assert found.finding.where.endswith(which)


def test_a_docker_container_needs_limits_unless_it_is_a_one_shot() -> None:
    assert broken(box("memory", "-")) == {"resources-set"}
    assert broken(box("cpus", "-")) == {"resources-set"}
    one_shot = {**BOX, "mustRun": False, "memory": None, "cpus": None}
    assert broken(Resource("docker:index/container:Container", "once", one_shot)) == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "dev"),
        ("DB_PASSWORD", "hunter2"),
        ("githubToken", "abc"),
        ("API_KEY", "abc"),
        ("DATABASE_URL", "postgresql://app:hunter2@db/app"),
        ("BROKER", "redis://:hunter2@redis/0"),
        ("SETTINGS", '{"db": {"password": "hunter2"}}'),
        ("CERT", "-----BEGIN PRIVATE KEY-----\nabc"),
        ("PLAIN", "AKIAIOSFODNN7EXAMPLE"),
        ("SALT", "5f4dcc3b5aa765d61d8327deb882cf99b2a1e9c04f6d7e8a1b3c5d7e9f0a2b4c"),
        ("X", "q8Zp3LmVx7RtYw2NcKd5Hs9B"),
    ],
)
def test_a_secret_in_plain_text_is_found_and_never_shown(name: str, value: str) -> None:
    entry = [{"name": name, "value": value}]
    config = kubernetes("core/v1:ConfigMap", data={name: value})
    build = Resource("docker-build:index:Image", "image", {"buildArgs": {name: value}})
    for resource in (pod("containers.0.env", entry), box("envs", [f"{name}={value}"]), config, build):
        found = check([resource])
        assert {each.rule.name for each in found} == {"no-plain-secret"}, resource
        assert all(value not in str(each) and name in str(each) for each in found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://db/app"),
        ("DATABASE_URL", "postgresql://app@db/app"),
        ("DATABASE_URL", "postgresql://app:$(PASSWORD)@db/app"),
        ("PASSWORD_FILE", "/run/secrets/password"),
        ("CSRF_TOKEN", "true"),
        ("SORT_KEY", "name"),
        ("APP_VERSION", "a" * 12),
        ("REVISION", "5f4dcc3b5aa765d61d8327deb882cf99b2a1e9c0"),
        ("IMAGE_DIGEST", "5f4dcc3b5aa765d61d8327deb882cf99b2a1e9c04f6d7e8a1b3c5d7e9f0a2b4c"),
        ("REQUEST_ID", "123e4567-e89b-42d3-a456-426614174000"),
        ("TRUSTED_HOSTS", "guestbook.flaskstack.localhost,other.example"),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", UNKNOWN),
    ],
)
def test_what_only_resembles_a_secret_passes(name: str, value: Any) -> None:
    assert broken(pod("containers.0.env", [{"name": name, "value": value}])) == set()


def test_the_server_configuration_holds_no_secret() -> None:
    assert broken(kubernetes("core/v1:ConfigMap", data={"gunicorn.conf.py": SERVER_CONFIG_SOURCE.read_text()})) == set()


def test_a_secret_of_the_program_may_stand_in_a_secret_and_a_docker_variable_only() -> None:
    assert broken(kubernetes("core/v1:Secret", data=SECRET)) == set()
    assert broken(box("envs", [SECRET])) == set()
    assert broken(box("command", ["serve", SECRET])) == {"no-plain-secret"}
    assert broken(pod("containers.0.env", [{"name": "X", "value": SECRET}])) == {"no-plain-secret"}
    assert broken(pod("containers.0.args", ["--key", SECRET])) == {"no-plain-secret"}
    assert broken(pod("containers", SECRET)) == {"no-plain-secret"}
    assert broken(kubernetes("core/v1:ConfigMap", data={"x": SECRET})) == {"no-plain-secret"}


def test_only_the_edge_publishes_a_port() -> None:
    for port in ({"internal": 80}, {"internal": 80, "external": 80}, {"internal": 80, "ip": "192.0.2.1"}):
        assert broken(box("ports", [port])) == {"no-public-port"}
    assert broken(box("ports", [{"internal": 80, "external": 80, "ip": "127.0.0.1"}])) == set()
    assert broken(box("ports", [{"internal": 80, "ip": UNKNOWN}])) == set()
    edge = changed(changed(BOX, "labels.0.value", "nginx"), "ports", [{"internal": 443, "external": 443}])
    assert broken(Resource("docker:index/container:Container", "edge", edge)) == set()
    assert broken(box("networkMode", "host")) == {"no-public-port"}
    assert broken(box("publishAllPorts", True)) == {"no-public-port"}


def test_a_service_is_reached_through_the_edge_only() -> None:
    assert broken(kubernetes("core/v1:Service", spec={"type": "ClusterIP"})) == set()
    assert broken(kubernetes("core/v1:Service", spec={})) == set()
    for spec in ({"type": "NodePort"}, {"type": "LoadBalancer"}, {"externalIPs": ["192.0.2.1"]}):
        assert broken(kubernetes("core/v1:Service", spec=spec)) == {"no-public-port"}
    assert broken(pod("hostNetwork", True)) == {"no-public-port", "restricted-pods"}
    assert broken(pod("containers.0.ports.0.hostPort", 80)) == {"no-public-port"}


@pytest.mark.parametrize(
    "tls",
    [
        [{"hosts": ["shop.example"]}],
        [{"hosts": ["*.example"]}],
        [{"secretName": "shop"}],
        UNKNOWN,
        [{"hosts": [UNKNOWN]}],
    ],
)
def test_an_ingress_with_tls_passes(tls: Any) -> None:
    spec = {"tls": tls, "rules": [{"host": "shop.example"}]}
    assert broken(kubernetes("networking.k8s.io/v1:Ingress", spec=spec)) == set()


@pytest.mark.parametrize("tls", [None, [], [{"hosts": ["other.example"]}], [{"hosts": ["*.shop.example"]}]])
def test_an_ingress_without_tls_for_its_host_is_found(tls: Any) -> None:
    spec = {"tls": tls, "rules": [{"host": "shop.example"}]}
    assert broken(kubernetes("networking.k8s.io/v1:Ingress", spec=spec)) == {"ingress-tls"}


def test_what_holds_data_is_protected_or_retained() -> None:
    assert broken(volume()) == {"data-protected"}
    assert broken(volume(protect=True)) == set()
    assert broken(volume(retained=True)) == set()
    assert broken(volume("edge-config")) == set()
    for kind in ("core/v1:PersistentVolumeClaim", "core/v1:Namespace"):
        assert "data-protected" in broken(kubernetes(kind))
    policy = {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}
    assert "data-protected" in broken(kubernetes("apps/v1:StatefulSet", spec={**TEMPLATE, **policy}))


def test_where_retention_cannot_be_seen_the_finding_is_advice() -> None:
    (found,) = check([volume(retained=None)])
    assert not found.mandatory


def test_an_exception_with_a_reason_does_not_count_and_is_kept() -> None:
    spec = {"rules": [{"host": "shop.example"}]}
    for reason, counts in (("TLS ends before it", False), ("  ", True)):
        tags = {f"{EXCEPTION}ingress-tls": reason}
        (found,) = check([kubernetes("networking.k8s.io/v1:Ingress", spec=spec, metadata={"annotations": tags})])
        assert found.mandatory is counts
        assert found.excuse == reason.strip()
    label = {"label": f"{EXCEPTION}no-public-port", "value": "a debug port"}
    (found,) = check(
        [Resource("docker:index/container:Container", "x", {**BOX, "labels": [label], "networkMode": "host"})]
    )
    assert found.excuse == "a debug port"


def test_a_message_names_the_resource_the_property_the_value_and_the_fix() -> None:
    (found,) = check([pod("containers.0.image", "shop:latest")])
    assert str(found).startswith("Pod web: spec.containers[web].image = shop:latest: ")
    assert "fix: " in str(found)


def test_rules_have_names_of_their_own_and_a_sentence() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.description.endswith(".") for rule in RULES)


def test_secrets_and_unknowns_are_told_apart_in_what_an_engine_writes() -> None:
    mark = {SIGNATURE: SECRET_SIGNATURE, "plaintext": '"hunter2"'}
    plain = {"a": [1.0, "x"], "__defaults": []}
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    found = cleaned({**plain, "b": mark, "c": [MASK], "d": unknown, "e": f"host-{unknown}"})
    assert found == {"a": [1, "x"], "b": SECRET, "c": [SECRET], "d": UNKNOWN, "e": UNKNOWN}
