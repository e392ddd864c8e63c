"""What a container of the stack may do, seen from inside it."""

from __future__ import annotations

import json

import pytest
from support.stack import Stack, docker

ROLES = ("web", "nginx", "postgres", "redis")


def inside(stack: Stack, role: str, script: str) -> str:
    return docker("exec", stack.containers(role)[0], "sh", "-c", script, check=False)


@pytest.mark.parametrize("role", ROLES)
def test_the_root_file_system_is_read_only(stack: Stack, role: str) -> None:
    assert "Read-only file system" in inside(stack, role, "touch /probe 2>&1; mkdir /usr/probe 2>&1")


@pytest.mark.parametrize("role", ROLES)
def test_no_capability_is_left_and_none_can_be_gained(stack: Stack, role: str) -> None:
    status = dict(
        line.split(":\t", 1) for line in inside(stack, role, "cat /proc/1/status").splitlines() if ":\t" in line
    )
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapInh")} == {0}
    assert status["NoNewPrivs"].strip() == "1"


@pytest.mark.parametrize("role", ROLES)
def test_nothing_runs_as_root(stack: Stack, role: str) -> None:
    assert inside(stack, role, "id -u") != "0"


def test_the_application_runs_as_user_1000(stack: Stack) -> None:
    assert inside(stack, "web", "id -u; id -g").split() == ["1000", "1000"]


@pytest.mark.parametrize("role", ROLES)
def test_tmp_is_a_small_memory_file_system_that_runs_nothing(stack: Stack, role: str) -> None:
    mount = inside(stack, role, "grep ' /tmp ' /proc/mounts").split()
    assert mount[2] == "tmpfs"
    assert {"noexec", "nosuid", "size=102400k"} <= set(mount[3].split(","))


@pytest.mark.parametrize("role", ROLES)
def test_limits_hold(stack: Stack, role: str) -> None:
    limits = inside(stack, role, "ulimit -n; ulimit -c; ulimit -u 2>/dev/null || true").split()
    assert limits[:2] == ["16384", "0"]
    host = json.loads(docker("inspect", stack.containers(role)[0]))[0]["HostConfig"]
    assert (host["NanoCpus"], host["Memory"], host["MemoryReservation"]) == (2_000_000_000, 1024 * 2**20, 256 * 2**20)
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}}
    assert host["RestartPolicy"]["Name"] == "unless-stopped"


def test_only_nginx_publishes_a_port_and_only_on_loopback(stack: Stack) -> None:
    published: dict[str, object] = {}
    for role in ROLES:
        for container in stack.containers(role):
            bindings = json.loads(docker("inspect", container))[0]["HostConfig"]["PortBindings"] or {}
            published |= {role: bindings} if bindings else {}
    assert published == {"nginx": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}]}}


def test_the_image_carries_no_build_tool_and_no_pip_cache(stack: Stack) -> None:
    assert inside(stack, "web", "command -v gcc make uv; ls -d /root/.cache 2>/dev/null") == ""
