"""Programs on the real Pulumi engine: what `up`, `preview`, `refresh`, `import` and `destroy` do with the plugins."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.provider import Plugin, docker, inspect

if TYPE_CHECKING:
    from support.program import Program

RUNNING = 'image=box, network_mode="bridge", destroy_grace_seconds=1'


def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def hold_port_server(number: int) -> socket.socket:
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", number))
    held.listen()
    return held


def test_a_stack_comes_up_stays_as_it_is_and_goes(program: Program) -> None:
    program.write(f"""
        net = docker.Network("net")
        vol = docker.Volume("vol")
        made = docker.Container("made", {RUNNING}, read_only=True, cpus="0.5", memory=64, memory_swap=128, wait=True,
            networks_advanced=[{{"name": net.name, "aliases": ["made"]}}],
            volumes=[{{"volume_name": vol.name, "container_path": "/data"}}],
            capabilities={{"drops": ["ALL"]}}, security_opts=["no-new-privileges"], tmpfs={{"/tmp": "size=1m"}},
            ulimits=[{{"name": "nofile", "soft": 64, "hard": 64}}], log_driver="json-file",
            healthcheck={{"tests": ["CMD", "true"], "interval": "200ms", "timeout": "1s", "retries": 3}})
        step = command.local.Command("step", create=made.name.apply(lambda name: "echo saw " + name))
        for name, value in {{"id": made.id, "said": step.stdout, "volume": vol.name, "net": net.id}}.items():
            pulumi.export(name, value)
    """)
    program.run("preview")
    assert "made" not in program.state()
    program.up()
    identity, volume, network = (program.output(name) for name in ("id", "volume", "net"))
    assert inspect(identity)["State"]["Health"]["Status"] == "healthy"
    assert re.fullmatch(r"saw made-[0-9a-f]{7}", program.output("said"))
    assert program.unchanged(), program.last
    program.refresh()
    assert program.unchanged(), program.last
    program.run("destroy", "--yes", "--skip-preview")
    assert [inspect(item) for item in (identity, volume, network)] == [{}, {}, {}]


def test_a_replacement_is_there_before_the_old_one_goes(program: Program) -> None:
    code = """
        made = docker.Container("made", image=box, network_mode="bridge", envs=["A={value}"])
        pulumi.export("id", made.id)
    """
    program.write(code.format(value=1))
    program.up()
    first = program.output("id")
    program.write(code.format(value=2))
    shown = program.run("up", "--yes", "--skip-preview")
    assert shown.index("created replacement") < shown.index("deleting original")
    assert program.output("id") != first
    assert inspect(first) == {}


def test_a_preview_of_a_replacement_changes_nothing(program: Program) -> None:
    program.write(f'made = docker.Container("made", {RUNNING}, envs=["A=1"]); pulumi.export("id", made.id)')
    program.up()
    identity = program.output("id")
    program.write(f'made = docker.Container("made", {RUNNING}, envs=["A=2"]); pulumi.export("id", made.id)')
    started = inspect(identity)["State"]["StartedAt"]
    shown = program.run("preview")
    assert "replace" in shown
    assert inspect(identity)["State"]["StartedAt"] == started


def test_secret_variables_are_in_no_state_diff_or_log(program: Program) -> None:
    code = f"""
        text = pulumi.Output.secret("canary-{{}}")
        made = docker.Container("made", {RUNNING}, envs=[pulumi.Output.concat("WORD=", text), "PLAIN=1"])
        pulumi.export("id", made.id)
    """
    program.write(code.format("first"))
    shown = program.run("up", "--yes", "--skip-preview", "--diff")
    assert "WORD=canary-first" in inspect(program.output("id"))["Config"]["Env"]
    program.refresh()
    program.write(code.format("second"))
    shown += program.run("preview", "--diff") + program.run("up", "--yes", "--skip-preview", "--diff")
    shown += program.exported()
    shown += "".join(path.read_text() for path in (program.folder / "state").glob("**/*.json*"))
    assert "canary" not in shown
    assert "ciphertext" in shown


def test_drift_shows_at_a_refresh_and_is_repaired(program: Program) -> None:
    program.write(f'made = docker.Container("made", {RUNNING}); pulumi.export("id", made.id)')
    program.up()
    identity = program.output("id")
    docker("stop", "--time", "0", identity)
    assert program.unchanged()  # nobody looked yet
    program.refresh()
    assert not program.unchanged()
    program.up()
    assert program.output("id") == identity
    assert inspect(identity)["State"]["Running"]
    docker("rm", "--force", identity)
    program.refresh()
    program.up()
    assert inspect(program.output("id"))["State"]["Running"]


def test_a_network_and_a_volume_can_be_imported(program: Program) -> None:
    name = f"plugin-test-{secrets.token_hex(4)}"
    network = docker("network", "create", name)
    docker("volume", "create", name)
    program.write(f"""
        docker.Network("net", name={name!r}, opts=pulumi.ResourceOptions(import_={network!r}))
        docker.Volume("vol", name={name!r}, opts=pulumi.ResourceOptions(import_={name!r}))
    """)
    shown = program.up()
    assert "2 imported" in shown
    assert program.state()["net"]["id"] == network
    program.write(f'docker.Network("net", name={name!r}); docker.Volume("vol", name={name!r})')
    assert program.unchanged(), program.last


def test_a_start_that_failed_is_kept_with_its_error_and_replaced_once_asked_to(program: Program) -> None:
    number = port()
    code = f"""
        made = docker.Container("made", {RUNNING}, ports=[{{"internal": 80, "external": {number}, "ip": "127.0.0.1"}}],
            opts=pulumi.ResourceOptions(replace_on_changes=["#initerror"], delete_before_replace=True))
        pulumi.export("id", made.id)
    """
    program.write(code)
    held = hold_port_server(number)
    try:
        shown = program.up(ok=False)
    finally:
        held.close()
    assert "Unable to start container" in shown
    assert str(number) in shown
    state = program.state()["made"]
    assert inspect(state["id"])["State"]["Status"] == "created"
    assert "address already in use" in "".join(state["initErrors"])
    program.up()
    assert inspect(program.output("id"))["State"]["Running"]
    assert inspect(state["id"]) == {}


def test_waiting_for_health_ends_at_once_when_interrupted(program: Program) -> None:
    program.write(f"""
        docker.Container("made", {RUNNING}, wait=True, wait_timeout=100,
            healthcheck={{"tests": ["CMD", "false"], "interval": "1s", "timeout": "1s", "retries": 100}})
    """)
    running = program.start("up", "--yes", "--skip-preview")
    assert running.stdout
    while "waiting for health" not in running.stdout.readline():
        assert running.poll() is None
    before = time.monotonic()
    running.send_signal(signal.SIGINT)
    rest, _ = running.communicate(timeout=30)
    assert running.returncode != 0
    assert time.monotonic() - before < 10, rest


def test_no_engine_is_one_clear_error(program: Program) -> None:
    program.write(f'docker.Container("made", {RUNNING})')
    program.environment["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    shown = program.run("preview", ok=False)
    del program.environment["DOCKER_HOST"]
    assert "please make sure that unix:///nowhere/docker.sock is reachable" in shown


def test_ignored_changes_are_no_difference(program: Program) -> None:
    code = f'docker.Container("made", {RUNNING}, envs=["A={{}}"], opts=pulumi.ResourceOptions(ignore_changes=["envs"]))'
    program.write(code.format(1))
    program.up()
    program.write(code.format(2))
    assert program.unchanged(), program.last


def test_the_state_looks_as_the_official_plugins_do(program: Program) -> None:
    program.write(f'docker.Container("made", {RUNNING}, envs=["A=1"])')
    program.up()
    made = program.state()["made"]
    assert made["inputs"]["__defaults"] == sorted(made["inputs"]["__defaults"])
    assert {"name", "mustRun", "start"} <= set(made["inputs"]["__defaults"])
    assert "__defaults" not in json.dumps(made["outputs"])
    assert made["outputs"]["image"] == program.image
    assert made["outputs"]["networkDatas"][0]["networkName"] == "bridge"


@pytest.mark.parametrize("name", ["docker", "docker-build", "random", "command"])
def test_a_plugin_ends_when_it_is_told_to(name: str) -> None:
    plugin = Plugin(name)
    os.killpg(plugin.process.pid, signal.SIGINT)
    assert plugin.process.wait(5) == 0
    plugin.stop()


def test_a_plugin_does_not_outlive_an_engine_that_was_killed(program: Program) -> None:
    program.write("""command.local.Command("slow", create="echo started $PPID; sleep 300")""")
    running = program.start("up", "--yes", "--skip-preview")
    assert running.stdout
    line = ""
    while "started" not in line:
        line = running.stdout.readline()
        assert running.poll() is None
    plugin = Path(f"/proc/{line.rpartition('started ')[2].strip()}")
    assert plugin.exists()
    running.kill()
    running.communicate(timeout=30)
    limit = time.monotonic() + 15
    while plugin.exists():
        assert time.monotonic() < limit
        time.sleep(0.1)
    program.run("cancel", "--yes")


@pytest.mark.parametrize("name", ["docker", "docker-build", "random", "command"])
def test_a_plugin_starts_without_the_sdk_and_an_http_client(name: str) -> None:
    plugin = Plugin(name)
    mapped = Path(f"/proc/{plugin.process.pid}/status").read_text()
    plugin.stop()
    found = re.search(r"VmRSS:\s+(\d+) kB", mapped)
    assert found
    assert int(found[1]) < 64 * 1024
