"""A program in Go has `KubernetesApp` through the plugin: what it registers is on the cluster, and serves."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
from support import go
from support.cluster import QUICK, ClusterStack, fetch, kubectl, run

from flaskstack.kubernetes.kubeconfig import holding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class OnTheCluster(go.Program):
    """A program that releases the image of the shared stack, in a namespace of its own."""

    def __init__(self, binary: Path, folder: Path, stack: ClusterStack) -> None:
        super().__init__(binary, folder)
        self.namespace = f"{stack.name}-go"
        self.image = stack.outputs()["image"]
        self.canary = stack.canary
        if file := holding("flaskstack"):
            self.environment["KUBECONFIG"] = file
        kubectl("create", "namespace", self.namespace)

    def settings(self) -> dict[str, Any]:
        return {
            "app": {"name": "guestbook", "redis": False},
            "kubernetes": {
                "image": self.image,
                "namespace": self.namespace,
                "host": f"{self.namespace}.flaskstack.localhost",
                "secretKey": {"secret": f"{self.canary}-key"},
                "databaseUrl": {"secret": run("toolchain/kube", "database-url")},
                "replicas": 1,
                "probes": QUICK,
                "rollout": {"preStopS": 1},
                "ingress": {"className": "traefik", "port": 18443},
            },
        }


@pytest.fixture
def program(tmp_path: Path, stack: ClusterStack) -> Iterator[OnTheCluster]:
    (tmp_path / "program").mkdir()
    made = OnTheCluster(go.built(tmp_path / "binary"), tmp_path / "program", stack)
    try:
        yield made
    finally:
        made.run("destroy")
        kubectl("delete", "namespace", made.namespace, "--wait=false", check=False)


def health(url: str) -> int:
    """Return the status by HTTPS. The edge serves its own certificate for this host."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return fetch(f"{url}/health", context).status


def test_a_program_in_go_releases_an_application_to_the_cluster(program: OnTheCluster) -> None:
    outputs = program.result("up")
    assert outputs["url"] == f"https://{program.namespace}.flaskstack.localhost:18443"
    assert outputs["image"] == program.image
    assert health(outputs["url"]) == 200
    preview = program.result("preview")
    assert preview["same"] > 8
    assert preview["create"] == 0
    assert program.canary not in program.state()
