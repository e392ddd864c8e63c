"""`KubernetesApp` of an application with a data folder and processes: they share the volume, which outlives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.cluster import ClusterStack, kubectl, objects
from support.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = """
import os
import pulumi_kubernetes as k8s
from flaskstack import FlaskApp, Ingress, KubernetesApp, Probes, Process, Rollout
from flaskstack.kubernetes.settings import Readiness, Startup

namespace = os.environ["TEST_NAMESPACE"]
KubernetesApp("kept", {
    "app": FlaskApp(
        name="kept", postgres=False, redis=False, data="/data", liveness="tcp", readiness="/",
        web_command=("python", "-m", "http.server", "--directory", "/data", "8000"),
        migrate=("sh", "-c", "echo migrated >> /data/migration"),
        processes={
            "clock": Process(
                command=("sh", "-c", "echo started >> /data/clock; exec sleep 86400"),
                probe=("test", "-f", "/data/clock"), singleton=True, stop_grace=1, cpus=0.1, memory_mib=32,
            ),
            "worker": Process(command=("sleep", "86400"), replicas=2, stop_grace=1),
        },
    ),
    "image": os.environ["TEST_IMAGE"],
    "namespace": namespace,
    "host": f"{namespace}.flaskstack.localhost",
    "secret_key": pulumi.Output.secret("of-the-test" * 4),
    "ingress": Ingress(class_name="traefik", port=18443),
    "probes": Probes(readiness=Readiness(delay_s=1, period_s=1), startup=Startup(period_s=1, failures=100)),
    "rollout": Rollout(pre_stop_s=1),
    "storage_provider": k8s.Provider("adopting", upsert_existing_objects=True),
})
"""


class Kept:
    """The program, and what is seen of it on the cluster."""

    def __init__(self, folder: Path, stack: ClusterStack) -> None:
        self.namespace = f"{stack.name}-kept"
        kubectl("create", "namespace", self.namespace)
        kubectl("label", "namespace", self.namespace, "pod-security.kubernetes.io/enforce=restricted")
        self.program = Program(folder)
        self.program.environment |= {"TEST_NAMESPACE": self.namespace, "TEST_IMAGE": stack.outputs()["image"]}
        self.program.write(PROGRAM)

    def kubectl(self, *arguments: str) -> str:
        return kubectl("--namespace", self.namespace, *arguments)

    def objects(self, kind: str) -> list[dict[str, Any]]:
        return objects(self.namespace, kind)

    def served(self, file: str) -> list[str]:
        """Return the lines of a file as the web pod serves it, through its Service."""
        return self.kubectl(
            "get", "--raw", f"/api/v1/namespaces/{self.namespace}/services/kept:80/proxy/{file}"
        ).split()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, stack: ClusterStack) -> Iterator[Kept]:
    """Return the running program, in a namespace of its own."""
    made = Kept(tmp_path_factory.mktemp("kept"), stack)
    try:
        made.program.up()
        yield made
    finally:
        made.program.run("destroy", "--yes", "--skip-preview", ok=None)
        kubectl("delete", "namespace", made.namespace, "--wait=false", check=False)


def test_web_migration_and_process_share_the_data(kept: Kept) -> None:
    assert (kept.served("migration"), kept.served("clock")) == (["migrated"], ["started"])
    assert kept.program.unchanged(), kept.program.last


def test_each_process_runs_as_often_as_it_says(kept: Kept) -> None:
    components = [pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in kept.objects("pods")]
    assert {each: components.count(each) for each in components} == {"migration": 1, "web": 1, "clock": 1, "worker": 2}
    deployments = {each["metadata"]["name"]: each["spec"]["strategy"]["type"] for each in kept.objects("deployments")}
    assert deployments == {"kept": "Recreate", "kept-clock": "Recreate", "kept-worker": "RollingUpdate"}
    (clock,) = (each for each in kept.objects("pods") if each["metadata"]["name"].startswith("kept-clock"))
    assert clock["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "100m", "memory": "32Mi"}


def test_the_data_outlives_the_stack_and_is_found_again(kept: Kept) -> None:
    kept.program.run("destroy", "--yes", "--skip-preview")
    (claim,) = kept.objects("persistentvolumeclaims")
    assert kept.kubectl("get", "deployments,services,jobs", "--output", "name") == ""
    kept.program.up()
    assert kept.served("clock") == ["started", "started"]
    assert [found["metadata"]["uid"] for found in kept.objects("persistentvolumeclaims")] == [claim["metadata"]["uid"]]
