"""The policy pack, asked by the real engine. The rules themselves: test_rules.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.policy_pack import PackedProject

HEAD = """
import pulumi, pulumi_kubernetes as k8s
secret = pulumi.Config().require_secret("key")
there = pulumi.ResourceOptions(provider=k8s.Provider("cluster", context="none"))
"""
GOOD = (
    HEAD
    + """
k8s.core.v1.Secret("secret", metadata={"name": "secret"}, string_data={"key": secret}, opts=there)
box = {"name": "web", "image": "shop@sha256:" + "a" * 64,
    "env": [{"name": "SECRET_KEY", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "key"}}}],
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
k8s.core.v1.Pod("web", metadata={"name": "web"}, spec={"containers": [box],
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}}, opts=there)
k8s.core.v1.PersistentVolumeClaim("claim", metadata={"name": "claim"},
    spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}, opts=there)
"""
)
BAD = (
    HEAD
    + """
box = {"name": "web", "image": "shop:latest", "env": [{"name": "PASSWORD", "value": secret}]}
k8s.core.v1.Pod("web", metadata={"name": "web"}, spec={"containers": [box], "hostNetwork": True}, opts=there)
first = {"name": "first", "image": "shop:1"}
k8s.core.v1.Pod("job", metadata={"name": "job"}, spec={"initContainers": [first]}, opts=there)
k8s.core.v1.ConfigMap("config", metadata={"name": "config"}, data={"password": "CANARY-plain"}, opts=there)
"""
)


@pytest.mark.engine
def test_the_engine_lets_through_what_the_pack_has_nothing_against(tmp_path: Path) -> None:
    done = PackedProject(tmp_path).preview(GOOD)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[mandatory]" not in done.stdout
    # Retained or not: the engine does not say so to a pack, so this is advice.
    assert "data-protected-advice" in done.stdout


@pytest.mark.engine
def test_the_engine_stops_what_violates_the_pack_and_shows_no_secret(tmp_path: Path) -> None:
    done = PackedProject(tmp_path).preview(BAD)
    assert done.returncode != 0
    for rule in ("restricted-pods", "image-by-digest", "resources-set", "no-plain-secret", "no-public-port"):
        assert f"[mandatory]  {rule} " in done.stdout, rule
    assert "initContainers[first]" in done.stdout
    assert "shop:1" in done.stdout
    assert "fix:" in done.stdout
    assert "CANARY" not in done.stdout + done.stderr
