"""The project's own cluster, as `toolchain/kube up` leaves it. Without it these tests fail and say how to get it."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

KUBE = Path(__file__).resolve().parents[3] / "toolchain" / "kube"
SECONDS = 120


def kube(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([KUBE, *arguments], capture_output=True, check=False, text=True, timeout=600)


@dataclasses.dataclass(frozen=True)
class Cluster:
    """kubectl in a namespace, as the administrator."""

    environment: dict[str, str]
    namespace: str = "default"

    def run(self, *arguments: str, content: object = None) -> subprocess.CompletedProcess[str]:
        given = None if content is None else json.dumps(content)
        command = ["kubectl", "--namespace", self.namespace, *arguments]
        return subprocess.run(
            command,
            input=given,
            capture_output=True,
            check=False,
            text=True,
            timeout=SECONDS + 30,
            env=self.environment,
        )

    def out(self, *arguments: str, content: object = None) -> str:
        done = self.run(*arguments, content=content)
        assert done.returncode == 0, (
            f"kubectl {' '.join(arguments)}: {done.stderr}\n{self.run('get', 'pods,events').stdout}"
        )
        return done.stdout.strip()

    def get(self, *arguments: str) -> Any:
        return json.loads(self.out("get", *arguments, "--output=json"))

    def create(self, content: object) -> None:
        self.out("create", "--filename=-", content=content)

    def wait(self, what: str, condition: str) -> None:
        self.out("wait", what, f"--for={condition}", f"--timeout={SECONDS}s")


@pytest.fixture(scope="session")
def administrator() -> Cluster:
    status = kube("status")
    assert status.returncode == 0, f"the project's cluster does not run (toolchain/kube up):\n{status.stderr}"
    exports = dict(re.findall(r"export (\w+)='?([^'\n]*)'?", kube("env").stdout))
    return Cluster(os.environ | exports)


@pytest.fixture(scope="session")
def cluster(administrator: Cluster) -> Iterator[Cluster]:
    """A namespace of the test's own."""
    name = f"test-{secrets.token_hex(4)}"
    administrator.out("create", "namespace", name)
    yield dataclasses.replace(administrator, namespace=name)
    administrator.out("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def image(administrator: Cluster) -> str:
    """An image with Python, pushed by Docker to the cluster's registry, by its digest."""
    assert administrator.namespace == "default"
    pushed = kube("push", "python:3.13-slim")
    assert pushed.returncode == 0, pushed.stderr
    return pushed.stdout.strip()


@pytest.fixture(scope="session")
def web(cluster: Cluster, image: str) -> str:
    """A Deployment of two pods that say their names, and its Service; the Service's name."""
    script = "import os, pathlib; pathlib.Path('/tmp/index.html').write_text(os.environ['HOSTNAME'])"
    container = {
        "name": "web",
        "image": image,
        "command": ["sh", "-c", f'python3 -c "{script}" && exec python3 -m http.server --directory /tmp 8000'],
        "ports": [{"containerPort": 8000}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1},
    }
    labels = {"app": "web"}
    pods = {"metadata": {"labels": labels}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 1}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": pods}
    cluster.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
    ports = [{"port": 80, "targetPort": 8000}]
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"selector": labels, "ports": ports},
        }
    )
    cluster.out("rollout", "status", "deployment/web", f"--timeout={SECONDS}s")
    return "web"
