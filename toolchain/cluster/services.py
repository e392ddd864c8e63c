"""PostgreSQL and Redis for tests, as pods."""

from __future__ import annotations

import base64
import secrets
import time
from typing import Final

from lib import images as engine_images
from lib.progress import StepError, say

from cluster import beside, images, probes, settings

_NAMESPACE: Final = settings.SERVICES_NAMESPACE
SECONDS: Final = 240


def make() -> None:
    """Have both, ready, and the Secret `urls` that names them."""
    probes.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}}, _NAMESPACE)
    if probes.get("secret", "urls", "--namespace", _NAMESPACE) is None:
        password = secrets.token_hex(16)
        values = {
            "postgres-password": password,
            "database-url": f"postgresql://app:{password}@postgres.{_NAMESPACE}.svc.{settings.DOMAIN}:5432/app",
            "redis-url": f"redis://redis.{_NAMESPACE}.svc.{settings.DOMAIN}:6379/0",
        }
        metadata = {"name": "urls", "namespace": _NAMESPACE}
        probes.apply(
            {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}, "the services' Secret"
        )
    probes.apply(_manifests(), "PostgreSQL and Redis")
    began = time.monotonic()
    for workload in ("statefulset/postgres", "deployment/redis"):
        done = probes.kubectl(
            "rollout", "status", workload, "--namespace", _NAMESPACE, f"--timeout={SECONDS}s", timeout=SECONDS + 30
        )
        if done.returncode:
            pods = probes.kubectl("get", "pods,events", "--namespace", _NAMESPACE).stdout
            message = f"{workload} in {_NAMESPACE} did not get ready: {done.stderr.strip()}\n{pods}"
            raise StepError(message)
    if time.monotonic() - began > 1:
        say(f"  PostgreSQL and Redis are ready ({time.monotonic() - began:.0f} s)")


def _manifests() -> str:
    """Return the workloads, with images of the cluster's own registry where this machine has them.

    What is only imported is lost with a damage to the node's store; what is in the registry is pulled again.
    """
    text = (beside.MANIFESTS / "services.yaml").read_text()
    for role in ("postgres", "redis"):
        reference = engine_images.defaults()[role]
        if not images.in_registry(reference):
            if not images.in_docker(reference):
                say(f"  {reference} is not in the Docker engine: the node pulls it (or run toolchain/setup images)")
                continue
            images.push(reference)
        text = text.replace(f"image: {reference}", f"image: {images.local(reference)}")
    return text


def value(key: str) -> str:
    """Return an entry of the services' Secret."""
    secret = probes.get("secret", "urls", "--namespace", _NAMESPACE)
    if secret is None:
        raise StepError("the cluster does not run, or has no test services yet: toolchain/kube up")
    return base64.b64decode(secret["data"][key]).decode()
