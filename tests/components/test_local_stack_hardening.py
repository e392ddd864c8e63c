"""The local stack's containers: what each may do and take, in production and in development."""

from __future__ import annotations

import pytest
from support.building import NAME, local_stack
from support.recorder import CONTAINER, NETWORK, Recording

from flaskstack import FlaskApp, Limits, SettingsError

LONG_LIVED = ("postgres", "redis", "web-0", "web-1", "nginx")


@pytest.mark.parametrize("role", LONG_LIVED)
class TestEveryLongLivedContainer:
    def test_has_no_privileges(self, prod: Recording, role: str) -> None:
        inputs = prod.container(role).plain
        assert inputs["capabilities"] == {"drops": ["ALL"]}
        assert inputs["securityOpts"] == ["no-new-privileges"]
        assert inputs["user"] not in ("root", "0", "0:0")
        assert "privileged" not in inputs

    def test_has_a_read_only_root_and_a_small_tmp_in_memory(self, prod: Recording, role: str) -> None:
        inputs = prod.container(role).plain
        assert inputs["readOnly"] is True
        options = set(inputs["tmpfs"]["/tmp"].split(","))
        assert {"noexec", "nosuid", "size=100m"} <= options

    def test_has_limits_and_reservations(self, prod: Recording, role: str) -> None:
        inputs = prod.container(role).plain
        assert (inputs["cpus"], inputs["memory"]) == ("2.0", 1024)
        assert (inputs["cpuShares"], inputs["memoryReservation"]) == (512, 256)
        assert inputs["memorySwap"] == 2 * inputs["memory"], "the engine reports this when it is left out"

    def test_has_ulimits(self, prod: Recording, role: str) -> None:
        limits = {item["name"]: (item["soft"], item["hard"]) for item in prod.container(role).plain["ulimits"]}
        assert limits == {"nproc": (65535, 65535), "nofile": (65535, 65535), "core": (0, 0)}

    def test_rotates_its_logs(self, prod: Recording, role: str) -> None:
        inputs = prod.container(role).plain
        assert inputs["logDriver"] == "json-file"
        assert inputs["logOpts"] == {"max-size": "10m", "max-file": "3"}

    def test_restarts_unless_stopped(self, prod: Recording, role: str) -> None:
        assert prod.container(role).plain["restart"] == "unless-stopped"

    def test_has_the_health_figures_of_the_contract(self, prod: Recording, role: str) -> None:
        check = dict(prod.container(role).plain["healthcheck"])
        kind, command = check.pop("tests")
        assert (kind, bool(command)) == ("CMD-SHELL", True)
        assert check == {"interval": "30s", "timeout": "5s", "startPeriod": "15s", "retries": 3}

    def test_is_in_the_stacks_own_network_only(self, prod: Recording, role: str) -> None:
        (network,) = prod.of(NETWORK)
        inputs = prod.container(role).plain
        assert inputs["networkMode"] == "bridge", "left out, the official plugin finds a difference at every `up`"
        assert [item["name"] for item in inputs["networksAdvanced"]] == [f"{network.name}-0abc123"]

    def test_is_found_by_its_labels(self, prod: Recording, role: str) -> None:
        labels = {item["label"]: item["value"] for item in prod.container(role).plain["labels"]}
        assert labels == {
            "dev.flaskstack.project": "flaskstack",
            "dev.flaskstack.stack": "test",
            "dev.flaskstack.role": role.rstrip("-012"),
        }

    def test_gets_time_to_stop(self, prod: Recording, role: str) -> None:
        assert prod.container(role).plain["destroyGraceSeconds"] >= 30


def test_only_nginx_publishes_a_port_and_only_on_loopback(prod: Recording) -> None:
    publishing = {part.name: part.plain["ports"] for part in prod.of(CONTAINER) if part.plain.get("ports")}
    assert publishing == {
        f"{NAME}-nginx-8080": [{"internal": 8080, "external": 8080, "ip": "127.0.0.1", "protocol": "tcp"}]
    }


def test_no_container_shares_a_name_space_with_the_machine(prod: Recording) -> None:
    for part in prod.of(CONTAINER):
        assert "host" not in (part.plain.get("networkMode"), part.plain.get("pidMode"), part.plain.get("ipcMode"))
        assert "host" not in part.plain.get("usernsMode", "")


def test_the_network_is_a_private_bridge(prod: Recording) -> None:
    (network,) = prod.of(NETWORK)
    assert network.plain["driver"] == "bridge"
    assert "name" not in network.plain, "autonamed: two stacks of one machine must not meet"


class TestDevelopment:
    def test_shows_the_source_as_it_is_on_disk_read_only(self, dev: Recording) -> None:
        mounts = {item["containerPath"]: item for item in dev.container("web-0").plain["volumes"]}
        assert mounts["/app"]["hostPath"] == str(FlaskApp().source)
        assert mounts["/app"]["readOnly"] is True

    def test_has_the_debugger_and_one_worker_in_one_replica(self, dev: Recording) -> None:
        variables = dev.container("web-0").environment()
        assert (variables["FLASK_DEBUG"], variables["WEB_CONCURRENCY"]) == ("1", "1")
        assert f"{NAME}-web-1" not in dev.names()

    def test_is_as_hardened_as_production(self, dev: Recording, prod: Recording) -> None:
        for key in ("capabilities", "securityOpts", "readOnly", "tmpfs", "ulimits", "memory", "cpus", "user"):
            assert dev.container("web-0").plain[key] == prod.container("web-0").plain[key]

    def test_refuses_more_than_one_replica_before_anything_is_registered(self) -> None:
        with pytest.raises(SettingsError, match="development has one replica"):
            local_stack(dev=True, replicas=2)

    def test_leaves_no_trace_in_production(self, prod: Recording) -> None:
        for part in prod.of(CONTAINER):
            assert not {"FLASK_DEBUG", "PYTHONDONTWRITEBYTECODE"} & part.environment().keys()
            assert not [item for item in part.plain.get("volumes", []) if "hostPath" in item]

    def test_has_no_content_policy_that_would_stop_the_debuggers_page(self, dev: Recording, prod: Recording) -> None:
        def configuration(recording: Recording) -> str:
            files = {item["file"]: item["content"] for item in recording.container("release").plain["uploads"]}
            return str(files["/release/nginx.conf"])

        assert "Content-Security-Policy" not in configuration(dev)
        assert "Content-Security-Policy" in configuration(prod)
        assert "proxy_cache static" not in configuration(dev), "an edit shows at once"


def test_limits_reach_every_container() -> None:
    limits = Limits(cpus=1.5, memory_mib=512, nofile=16384, tmp_mib=32, log_mib=5, log_files=2)
    recording = local_stack(limits=limits)
    for part in recording.of(CONTAINER):
        if part.name.endswith("server-config"):
            continue
        assert (part.plain["cpus"], part.plain["memory"], part.plain["memorySwap"]) == ("1.5", 512, 1024)
        assert {"name": "nofile", "soft": 16384, "hard": 16384} in part.plain["ulimits"]
        assert "size=32m" in part.plain["tmpfs"]["/tmp"]
        assert part.plain["logOpts"] == {"max-size": "5m", "max-file": "2"}
