"""Settings of the Kubernetes target: what is refused, and how they reach the component."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from support.recorder import record

from flaskstack import SettingsError
from flaskstack.kubernetes.plan import Plan
from flaskstack.kubernetes_app import KubernetesAppArgs
from stacks.groups import KubernetesSettings
from stacks.settings import Settings, check

ROOT = Path(__file__).parents[2]
KEY = "5f4dcc3b5aa765d61d8327deb882cf99b2a1e9c04f6d7e8a1b3c5d7e9f0a2b4c"
CLUSTER: dict[str, Any] = {"context": "production", "host": "shop.example", "tlsSecret": "shop-tls"}
PROD: dict[str, Any] = {
    "target": "kubernetes",
    "secretKey": KEY,
    "databaseUrl": "postgresql://me:canary-password@db.example/shop",
    "image": {"ref": f"registry.example/shop@sha256:{'0' * 64}"},
    "kubernetes": CLUSTER,
}


def changed(base: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {key: value for key, value in {**base, **values}.items() if value is not None}


def refused(values: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        check(values)
    return {problem.key.removeprefix("flaskstack:"): str(problem) for problem in caught.value.problems}


def test_sound_settings_of_a_cluster_pass() -> None:
    settings = check(PROD)
    assert settings.edge.https
    assert settings.kubernetes.namespace == "default"


def test_everything_that_a_cluster_needs_is_asked_for_at_once() -> None:
    found = refused({"target": "kubernetes"})
    assert set(found) == {
        "secretKey",
        "databaseUrl",
        "image.repository",
        "kubernetes.context",
        "kubernetes.host",
        "kubernetes.tlsSecret",
    }
    assert "nobody deploys to the wrong one" in found["kubernetes.context"]
    assert "kubectl config get-contexts" in found["kubernetes.context"]


@pytest.mark.parametrize(
    ("values", "key", "reason"),
    [
        ({"mode": "dev"}, "mode", "never for a cluster"),
        ({"edge": {"https": False}}, "edge.https", "plain HTTP must not leave a cluster"),
        ({"image": {"ref": "shop:latest"}}, "image.ref", "a tag can be moved"),
        ({"secretKey": "weak"}, "secretKey", "too weak"),
        ({"databaseUrl": "mysql://x"}, "databaseUrl", "not a database URL"),
        ({"kubernetes": {**CLUSTER, "replicas": 0}}, "kubernetes.replicas", "greater than or equal to 1"),
        ({"kubernetes": {**CLUSTER, "replica": 2}}, "kubernetes.replica", "rename it to replicas"),
        (
            {"kubernetes": {**CLUSTER, "replicas": 2, "autoscaling": {}}},
            "kubernetes.replicas",
            "the two would fight",
        ),
        (
            {"kubernetes": {**CLUSTER, "rollout": {"terminationGraceS": 10}}},
            "kubernetes.rollout.terminationGraceS",
            "are 45",
        ),
        ({"kubernetes": {**CLUSTER, "secretVersion": "2"}}, "kubernetes.secretVersion", "which is not set"),
        ({"kubernetes": {**CLUSTER, "host": "a b"}}, "kubernetes.host", "match pattern"),
    ],
)
def test_what_a_cluster_in_production_refuses(values: dict[str, Any], key: str, reason: str) -> None:
    found = refused(changed(PROD, **values))
    assert reason in found[key]
    assert "canary" not in str(found)


def test_a_secret_that_exists_stands_for_the_settings() -> None:
    kubernetes = {**CLUSTER, "secretName": "from-vault", "secretVersion": "3"}
    values = changed(PROD, kubernetes=kubernetes, secretKey=None, databaseUrl=None)
    assert check(values).secret_elsewhere
    found = refused(changed(PROD, kubernetes=kubernetes))
    assert set(found) == {"secretKey", "databaseUrl"}
    assert "pulumi config rm flaskstack:databaseUrl" in found["databaseUrl"]


def test_the_local_target_knows_nothing_of_the_cluster() -> None:
    assert set(refused(changed(PROD, target="local", kubernetes=None))) == {"edge.https"}


def test_every_setting_of_the_group_is_an_argument_of_the_component_and_the_other_way_round() -> None:
    settings = set(KubernetesSettings.model_fields) - {"context", "kubeconfig"}
    arguments = set(KubernetesAppArgs.__annotations__)
    assert settings <= arguments
    of_programs_only = {"network_ingress", "network_egress", "environment", "volumes", "volume_mounts", "containers"}
    of_programs_only |= {"init_containers", "pod_template", "container", "namespace_provider", "storage_provider"}
    of_the_stack = {"app", "image", "secret_key", "secret_key_fallbacks", "database_url", "redis_url", "secrets"}
    assert arguments - settings == of_programs_only | of_the_stack


def test_the_defaults_of_settings_and_component_are_the_same() -> None:
    found: list[dict[str, Any]] = []
    minimal = check(PROD)
    record(lambda: found.append(dict(minimal.kubernetes_args("shop@sha256:0"))))
    made = Plan.of("x", found[0])
    bare = Plan.of("x", {key: found[0][key] for key in ("app", "image", "host", "secret_key", "database_url")})
    for name in KubernetesSettings.model_fields.keys() - {"context", "kubeconfig", "tls_secret", "host"}:
        given, default = getattr(made, name), getattr(bare, name)
        assert given == default or (not given and not default), name


def test_the_arguments_hold_what_was_set() -> None:
    found: list[Any] = []
    kubernetes = {**CLUSTER, "namespace": "shop", "probes": {"readiness": {"periodS": 1}}, "imagePullSecrets": ["reg"]}
    settings = check(changed(PROD, kubernetes=kubernetes, secretKeyFallbacks=["canary-old"], redisUrl="redis://r"))
    record(lambda: found.append(settings.kubernetes_args("shop@sha256:0")))
    args = found[0]
    assert (args["namespace"], args["host"], args["tls_secret"]) == ("shop", "shop.example", "shop-tls")
    assert args["probes"].readiness.period_s == 1
    assert args["image_pull_secrets"] == ("reg",)
    assert "context" not in args
    assert len(args["secret_key_fallbacks"]) == 1
    assert "canary" not in repr(args)


def test_the_provider_is_of_the_named_context() -> None:
    recording = record(lambda: Settings.model_validate(PROD, by_alias=True).kubernetes.provider("cluster"))
    (provider,) = recording.of("pulumi:providers:kubernetes")
    assert provider.plain["context"] == "production"
    assert "upsertExistingObjects" not in provider.plain


def committed(stack: str) -> dict[str, Any]:
    values = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text())["config"]
    return dict(values)


def test_staging_is_production_but_for_its_place_and_size() -> None:
    prod, staging = committed("prod"), committed("staging")
    assert prod.keys() == staging.keys()
    assert {key for key in prod if prod[key] != staging[key]} == {"flaskstack:kubernetes"}
    first, second = prod["flaskstack:kubernetes"], staging["flaskstack:kubernetes"]
    different = {key for key in first | second if first.get(key) != second.get(key)}
    assert different == {"namespace", "host", "tlsSecret", "replicas"}
