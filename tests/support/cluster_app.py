"""Shortest ways to record a `KubernetesApp`."""

from __future__ import annotations

from typing import Any, Final, cast

import pulumi
from support.recorder import Recording, record

from flaskstack import FlaskApp
from flaskstack.kubernetes_app import KubernetesApp, KubernetesAppArgs

NAME: Final = "flaskstack-test"
DIGEST: Final = "ab" * 32
IMAGE: Final = f"registry.example/shop@sha256:{DIGEST}"
MIGRATE: Final = ("flask", "--app", "app:create_app", "db", "upgrade")
CANARIES: Final = {
    "secret_key": "canary-key",
    "database_url": "postgresql://me:canary-db@db.example/shop",
    "redis_url": "redis://:canary-redis@r.example",
}
DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
JOB: Final = "kubernetes:batch/v1:Job"
SECRET: Final = "kubernetes:core/v1:Secret"
CONFIG_MAP: Final = "kubernetes:core/v1:ConfigMap"
SERVICE: Final = "kubernetes:core/v1:Service"
ACCOUNT: Final = "kubernetes:core/v1:ServiceAccount"
NAMESPACE: Final = "kubernetes:core/v1:Namespace"
INGRESS: Final = "kubernetes:networking.k8s.io/v1:Ingress"
NETWORK_POLICY: Final = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
BUDGET: Final = "kubernetes:policy/v1:PodDisruptionBudget"
AUTOSCALER: Final = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"


def arguments(**changes: Any) -> KubernetesAppArgs:
    """Arguments of a sound `KubernetesApp`; a change to None leaves one out."""
    sound: dict[str, Any] = {
        "app": FlaskApp(name="shop", migrate=MIGRATE),
        "image": IMAGE,
        "host": "shop.example",
        "tls_secret": "shop-tls",
        **CANARIES,
    }
    return cast("KubernetesAppArgs", {key: value for key, value in {**sound, **changes}.items() if value is not None})


def kubernetes_app(*, preview: bool = False, **changes: Any) -> Recording:
    """What a `KubernetesApp` of these arguments registers."""

    def build() -> pulumi.Output[Any]:
        app = KubernetesApp(NAME, arguments(**changes))
        return pulumi.Output.all(
            url=app.url,
            image=app.image,
            namespace=app.namespace,
            deployment=app.deployment,
            service=app.service,
            secret=app.secret,
        )

    return record(build, preview=preview)


def spec(recording: Recording, kind: str) -> dict[str, Any]:
    """The spec of the one object of a kind."""
    (found,) = recording.of(kind)
    return dict(found.plain["spec"])


def pod(recording: Recording, kind: str = DEPLOYMENT) -> dict[str, Any]:
    """The pod of the one Deployment, or Job."""
    return dict(spec(recording, kind)["template"]["spec"])


def container(recording: Recording, kind: str = DEPLOYMENT) -> dict[str, Any]:
    """Its first container."""
    return dict(pod(recording, kind)["containers"][0])


def object_name(recording: Recording, kind: str) -> str:
    (found,) = recording.of(kind)
    return str(found.plain["metadata"]["name"])
