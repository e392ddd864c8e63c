"""nginx of the local stack, and the release that points it at new web replicas."""

from __future__ import annotations

from typing import Any

import pytest
from support.building import NAME, local_stack
from support.recorder import VOLUME

from flaskstack import FlaskApp, Limits
from flaskstack.local.edge import worker_processes


def uploads(**args: Any) -> dict[str, str]:
    return {item["file"]: item["content"] for item in local_stack(**args).container("release").plain["uploads"]}


def test_nginx_reads_its_configuration_and_cannot_write_it() -> None:
    recording = local_stack()
    (mount,) = recording.container("nginx").plain["volumes"]
    assert (mount["containerPath"], mount["readOnly"]) == ("/etc/nginx/flaskstack", True)
    (written,) = recording.container("release").plain["volumes"]
    assert written["volumeName"] == mount["volumeName"]
    assert written.get("readOnly", False) is False


def test_the_configuration_of_nginx_is_no_data() -> None:
    volume = next(part for part in local_stack().of(VOLUME) if part.name == f"{NAME}-edge-config")
    assert not volume.options.retainOnDelete
    assert "name" not in volume.plain


def test_a_release_may_signal_nginx_and_nothing_else() -> None:
    recording = local_stack()
    inputs = recording.container("release").plain
    assert inputs["capabilities"] == {"adds": ["KILL"], "drops": ["ALL"]}
    assert inputs["securityOpts"] == ["no-new-privileges"]
    assert inputs["pidMode"] == f"container:{recording.container('nginx').id}"
    assert "ports" not in inputs


def test_no_other_container_has_a_capability() -> None:
    having = [part.name for part in local_stack().resources if part.plain.get("capabilities", {}).get("adds")]
    assert having == [f"{NAME}-release"]


def test_a_release_names_every_replica() -> None:
    recording = local_stack(replicas=3)
    names = [f"{NAME}-web-{number}-0abc123" for number in range(3)]
    release = recording.container("release")
    assert release.environment()["SERVERS"] == " ".join(f"{name}:8000" for name in names)
    servers = {item["file"]: item["content"] for item in release.plain["uploads"]}["/release/servers.conf"]
    assert servers.splitlines() == [f"server {name}:8000 resolve fail_timeout=2s;" for name in names]


def test_a_release_asks_readiness_with_a_host_that_is_trusted() -> None:
    app = FlaskApp(readiness="/up", trusted_hosts=(".shop.example", "localhost"))
    variables = local_stack(app).container("release").environment()
    assert (variables["READINESS"], variables["PROBE_HOST"]) == ("/up", "shop.example")


def test_a_release_speaks_with_the_nginx_that_it_is_beside() -> None:
    variables = local_stack().container("release").environment()
    assert variables["EDGE"] == f"{NAME}-nginx-8080-0abc123:8081"
    assert variables["SITE"] == f"{NAME}-nginx-8080-0abc123:8080"


def test_a_change_of_the_edge_is_a_new_release_and_keeps_nginx() -> None:
    changed = local_stack(app=FlaskApp(static_url="/assets/"))
    former = local_stack(app=FlaskApp())
    assert changed.container("nginx").inputs == former.container("nginx").inputs
    assert changed.container("release").inputs != former.container("release").inputs


def test_nginx_stops_gracefully_and_runs_as_its_own_user() -> None:
    inputs = local_stack().container("nginx").plain
    assert (inputs["stopSignal"], inputs["user"]) == ("SIGQUIT", "nginx")
    assert "http://127.0.0.1:8081/health" in inputs["healthcheck"]["tests"][1]


def test_the_release_brings_its_script_and_both_files() -> None:
    assert set(uploads()) == {"/release/release.sh", "/release/nginx.conf", "/release/servers.conf"}


@pytest.mark.parametrize(("cpus", "workers"), [(0.5, 1), (1.0, 1), (1.5, 2), (2.0, 2), (4.0, 4)])
def test_nginx_has_a_worker_for_each_cpu_of_its_limit(cpus: float, workers: int) -> None:
    limits = Limits(cpus=cpus)
    assert worker_processes(limits) == workers
    assert f"worker_processes {workers};" in uploads(limits=limits)["/release/nginx.conf"]
