"""The program of `review_project`, in its former and its later form. It is previewed, and never brought up."""

# Inputs are plain dictionaries, as in programs that people write; mypy leaves it out (pyproject.toml).

from __future__ import annotations

import json
import os

import pulumi
import pulumi_docker as docker
import pulumi_docker_build as build
import pulumi_kubernetes as k8s
import pulumi_random as random

LATER = os.environ["LATER"] == "True"
secret = pulumi.Config().require_secret("key")
moby = docker.Provider("moby")
cluster = k8s.Provider("cluster", context="none")


def pick(before, after):
    return after if LATER else before


def here(**more):
    return pulumi.ResourceOptions(provider=moby, **more)


def there(**more):
    return pulumi.ResourceOptions(provider=cluster, **more)


def meta(name, **more):
    return {"name": name, "namespace": "shop", **more}


image = build.Image(
    "image",
    context={"location": "."},
    dockerfile={"inline": "FROM scratch"},
    tags=["shop:latest"],
    platforms=["linux/amd64"],
    build_args={"VERSION": pick("1", "2")},
    build_on_preview=False,
    push=False,
    load=True,
    secrets={"pip": secret},
    opts=pulumi.ResourceOptions(provider=build.Provider("builder")),
)
if not LATER:
    docker.Volume("dropped", name="dropped", opts=here())
    docker.Volume("left-behind", name="left-behind", opts=here(retain_on_delete=True))
docker.Volume("renamed", name=pick("former", "latter"), opts=here(protect=False, retain_on_delete=True))
ID = "sha256:" + "1" * 64
docker.Container(
    "database",
    name="database",
    image=ID,
    network_mode="bridge",
    memory=512,
    cpus="1.0",
    labels=[{"label": "dev.flaskstack.role", "value": "postgres"}],
    envs=[pick("FIRST=1", "FIRST=2"), pick("PLAIN=CANARY-was-plain", pulumi.Output.concat("PLAIN=", secret))],
    opts=here(),
)
docker.Container(
    "open",
    name="open",
    image="nginx:latest",
    network_mode="bridge",
    ports=[{"internal": 80, "external": 80}],
    envs=["DATABASE_URL=postgresql://app:CANARY@db/app"],
    opts=here(),
)
random.RandomPassword("password", length=pick(20, 24), opts=pulumi.ResourceOptions(provider=random.Provider("random")))

k8s.core.v1.Namespace("shop", metadata={"name": "shop"}, opts=there(retain_on_delete=True))
k8s.core.v1.Secret(
    "secret",
    metadata=meta("secret"),
    string_data={"key": pulumi.Output.concat(secret, pick("-one", "-two"))},
    opts=there(),
)
k8s.core.v1.ConfigMap(
    "config",
    metadata=meta("config"),
    data={
        "settings.json": json.dumps({"size": pick(1, 2), "password": "CANARY-in-json"}),
        "file.ini": "[app]\nname = a\n" + pick("colour = blue", "colour = red") + "\npassword = CANARY-in-a-file\n",
    },
    opts=there(),
)
k8s.core.v1.PersistentVolumeClaim(
    "claim",
    metadata=meta(pick("claim", "claim-2")),
    spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    opts=there(),
)
k8s.core.v1.Service(
    "front",
    metadata=meta(pick("front", "front-2")),
    spec={"type": "ClusterIP", "selector": {"app": "a"}, "ports": [{"port": 80}]},
    opts=there(),
)
container = {
    "name": "web",
    "image": "shop@sha256:" + pick("a", "b") * 64,
    "env": [{"name": "COLOUR", "value": pick("blue", "red")}],
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}
k8s.apps.v1.Deployment(
    "web",
    metadata=meta("web"),
    spec={
        "selector": {"matchLabels": {"app": "a"}},
        "template": {
            "metadata": {
                "labels": {"app": "a"},
                "annotations": {"nested": pulumi.Output.json_dumps({"k": secret, "l": pick(1, 2)})},
            },
            "spec": {
                "containers": [container],
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            },
        },
    },
    opts=there(),
)
k8s.networking.v1.Ingress(
    "edge",
    metadata=meta("edge", annotations={"policy.flaskstack.dev/ingress-tls": "TLS ends before it"}),
    spec={"rules": [{"host": "shop.example"}]},
    opts=there(),
)
