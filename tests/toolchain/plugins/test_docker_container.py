"""Containers of the docker plugin on the real engine: what is made, what a change does, what is refused."""

from __future__ import annotations

import base64
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from plugins.values import UNKNOWN, Secret, plain
from support.provider import CheckError, docker, inspect

if TYPE_CHECKING:
    from pathlib import Path

    from support.provider import Plugin

CONTAINER = "docker:index/container:Container"
VOLUME = "docker:index/volume:Volume"
NETWORK = "docker:index/network:Network"
HEALTHY = {"tests": ["CMD-SHELL", "true"], "interval": "200ms", "timeout": "5s", "startPeriod": "0s", "retries": 3}


def idle(box: str, **more: Any) -> dict[str, Any]:
    """Return the inputs of a container that is made and never started."""
    return {"image": box, "networkMode": "bridge", "start": False, "mustRun": False, **more}


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_engine_gets_what_the_inputs_say(docker_plugin: Plugin, box: str) -> None:
    identity, _ = docker_plugin.create(
        CONTAINER,
        idle(
            box,
            command=["sleep", "5"],
            entrypoints=["/bin/busybox"],
            envs=["A=1", "B=2"],
            labels=[{"label": "x", "value": "y"}],
            user="1000:1000",
            workingDir="/data",
            hostname="here",
            capabilities={"adds": ["KILL"], "drops": ["ALL"]},
            securityOpts=["no-new-privileges"],
            readOnly=True,
            tmpfs={"/tmp": "rw,size=1m"},
            memory=64,
            memorySwap=128,
            memoryReservation=32,
            cpus="0.5",
            cpuShares=512,
            shmSize=32,
            ulimits=[{"name": "nofile", "soft": 100, "hard": 200}],
            restart="on-failure",
            maxRetryCount=3,
            stopSignal="SIGQUIT",
            stopTimeout=7,
            logDriver="json-file",
            logOpts={"max-size": "1m"},
            init=True,
            hosts=[{"host": "db", "ip": "10.1.2.3"}],
            dns=["10.0.0.1"],
            groupAdds=["20"],
            sysctls={"net.ipv4.ip_unprivileged_port_start": "80"},
            ipcMode="private",
            healthcheck={"tests": ["CMD", "true"], "interval": "1m30s", "timeout": "5s", "retries": 4},
        ),
    )
    found = inspect(identity)
    config, host = found["Config"], found["HostConfig"]
    assert (config["Cmd"], config["Entrypoint"], config["User"]) == (["sleep", "5"], ["/bin/busybox"], "1000:1000")
    assert {"A=1", "B=2"} <= set(config["Env"])
    assert config["Labels"]["x"] == "y"
    assert (config["WorkingDir"], config["Hostname"], config["StopSignal"]) == ("/data", "here", "SIGQUIT")
    assert config["StopTimeout"] == 7
    assert config["Healthcheck"] == {
        "Test": ["CMD", "true"],
        "Interval": 90 * 10**9,
        "Timeout": 5 * 10**9,
        "Retries": 4,
    }
    assert (host["CapAdd"], host["CapDrop"], host["SecurityOpt"]) == (["KILL"], ["ALL"], ["no-new-privileges"])
    assert (host["ReadonlyRootfs"], host["Tmpfs"], host["Init"]) == (True, {"/tmp": "rw,size=1m"}, True)
    mib = 1024 * 1024
    assert (host["Memory"], host["MemorySwap"], host["MemoryReservation"]) == (64 * mib, 128 * mib, 32 * mib)
    assert (host["NanoCpus"], host["CpuShares"], host["ShmSize"]) == (5 * 10**8, 512, 32 * mib)
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 100, "Hard": 200}]
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "1m"}}
    assert (host["ExtraHosts"], host["Dns"], host["GroupAdd"]) == (["db:10.1.2.3"], ["10.0.0.1"], ["20"])
    assert host["Sysctls"] == {"net.ipv4.ip_unprivileged_port_start": "80"}
    assert host["IpcMode"] == "private"


def test_what_the_engine_was_told_in_full_is_no_difference(docker_plugin: Plugin, box: str) -> None:
    inputs = idle(
        box, memory=64, memorySwap=128, cpus="2.0", healthcheck=HEALTHY, ports=[{"internal": 80, "ip": "127.0.0.1"}]
    )
    inputs["ports"] = []
    _, state = docker_plugin.create(CONTAINER, inputs)
    again = docker_plugin.check(CONTAINER, inputs, {"name": plain(state["name"]), "__defaults": ["name"]})
    assert list(docker_plugin.diff(CONTAINER, state, again).diffs) == []


@pytest.mark.parametrize(
    ("given", "named", "replaces"),
    [
        ({"cpus": "2"}, "cpus", True),  # read back as 2.0
        ({"memory": 64}, "memorySwap", False),  # the engine doubles memory
        ({"networkMode": None}, "networkMode", True),  # the engine's own is "default"
        ({"healthcheck": {**HEALTHY, "interval": "90s"}}, "healthcheck", True),  # read back as 1m30s
    ],
)
def test_what_the_engine_writes_another_way_is_a_difference_at_every_up(
    docker_plugin: Plugin, box: str, given: dict[str, Any], named: str, replaces: bool
) -> None:
    inputs = {key: value for key, value in idle(box, **given).items() if value is not None}
    _, state = docker_plugin.create(CONTAINER, inputs)
    again = docker_plugin.check(CONTAINER, inputs, {"name": state["name"], "__defaults": ["name"]})
    difference = docker_plugin.diff(CONTAINER, state, again)
    assert (list(difference.diffs), list(difference.replaces)) == ([named], [named] if replaces else [])


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"envs": ["A=2"]}, True),
        ({"command": ["sleep", "6"]}, True),
        ({"labels": [{"label": "x", "value": "z"}]}, True),
        ({"uploads": [{"file": "/a", "content": "b"}]}, True),
        ({"image": "sha256:" + "0" * 64}, True),
        ({"restart": "always"}, False),
        ({"memory": 32}, False),
        ({"cpuShares": 100}, False),
        ({"destroyGraceSeconds": 9}, False),
        ({"mustRun": True}, False),
        ({"wait": True}, False),
    ],
)
def test_a_change_is_made_in_place_or_replaces_as_the_official_schema_says(
    docker_plugin: Plugin, box: str, change: dict[str, Any], replaces: bool
) -> None:
    base = idle(box, envs=["A=1"], labels=[{"label": "x", "value": "y"}], memory=64, memorySwap=128)
    _, state = docker_plugin.create(CONTAINER, base)
    changed = docker_plugin.check(CONTAINER, {**base, **change}, {"name": state["name"], "__defaults": ["name"]})
    difference = docker_plugin.diff(CONTAINER, state, changed)
    assert list(difference.diffs) == list(change)
    assert list(difference.replaces) == (list(change) if replaces else [])
    assert not difference.deleteBeforeReplace


def test_the_order_of_variables_and_labels_is_no_difference(docker_plugin: Plugin, box: str) -> None:
    labels = [{"label": "a", "value": "1"}, {"label": "b", "value": "2"}]
    _, state = docker_plugin.create(CONTAINER, idle(box, envs=["A=1", "B=2"], labels=labels))
    turned = idle(box, envs=["B=2", "A=1"], labels=labels[::-1])
    again = docker_plugin.check(CONTAINER, turned, {"name": state["name"], "__defaults": ["name"]})
    assert list(docker_plugin.diff(CONTAINER, state, again).diffs) == []


def test_a_name_of_the_programs_own_is_freed_first(docker_plugin: Plugin, box: str) -> None:
    name = f"plugin-test-fixed-{time.monotonic_ns()}"
    _, state = docker_plugin.create(CONTAINER, idle(box, name=name, envs=["A=1"]))
    changed = docker_plugin.check(CONTAINER, idle(box, name=name, envs=["A=2"]))
    assert docker_plugin.diff(CONTAINER, state, changed).deleteBeforeReplace


def test_a_name_of_ours_is_the_resources_with_seven_digits_and_stays(docker_plugin: Plugin, box: str) -> None:
    first = docker_plugin.check(CONTAINER, idle(box), name="web")
    name, _, digits = first["name"].rpartition("-")
    assert (name, len(digits)) == ("web", 7)
    assert docker_plugin.check(CONTAINER, idle(box), first, name="web")["name"] == first["name"]
    assert docker_plugin.check(CONTAINER, idle(box), name="web")["name"] != first["name"]


def test_limits_and_the_restart_policy_change_in_place(docker_plugin: Plugin, box: str) -> None:
    base = {"image": box, "networkMode": "bridge", "memory": 64, "memorySwap": 128}
    identity, state = docker_plugin.create(CONTAINER, base)
    changed = docker_plugin.check(CONTAINER, {**base, "memory": 32, "memorySwap": 64, "restart": "always"})
    docker_plugin.update(CONTAINER, identity, state, changed)
    host = inspect(identity)["HostConfig"]
    assert (host["Memory"] // 2**20, host["RestartPolicy"]["Name"]) == (32, "always")


def test_a_container_that_stopped_shows_and_is_started_again(docker_plugin: Plugin, box: str) -> None:
    inputs = docker_plugin.check(CONTAINER, {"image": box, "networkMode": "bridge"})
    identity, state = docker_plugin.create(CONTAINER, inputs)
    docker("kill", identity)
    _, stopped, _ = docker_plugin.read(CONTAINER, identity, state, inputs)
    assert stopped["mustRun"] is False
    assert list(docker_plugin.diff(CONTAINER, stopped, inputs).diffs) == ["mustRun"]
    docker_plugin.update(CONTAINER, identity, stopped, inputs)
    assert inspect(identity)["State"]["Running"]


def test_a_container_that_is_gone_reads_as_gone(docker_plugin: Plugin, box: str) -> None:
    identity, state = docker_plugin.create(CONTAINER, idle(box))
    docker("rm", "--force", identity)
    assert docker_plugin.read(CONTAINER, identity, state, idle(box))[0] == ""


def test_one_that_must_run_and_exits_at_once_is_an_error_and_removed(docker_plugin: Plugin, box: str) -> None:
    with pytest.raises(Exception, match=r"exited immediately.*exit code 3") as failed:
        docker_plugin.create(CONTAINER, {"image": box, "name": "plugin-test-exits", "command": ["sh", "-c", "exit 3"]})
    assert failed.value.partial is None
    assert inspect("plugin-test-exits") == {}


def test_one_that_need_not_run_may_exit(docker_plugin: Plugin, box: str) -> None:
    _, outputs = docker_plugin.create(CONTAINER, {"image": box, "mustRun": False, "command": ["sh", "-c", "exit 3"]})
    assert outputs["exitCode"] == 3


def test_attached_it_is_waited_for_and_its_log_kept(docker_plugin: Plugin, box: str) -> None:
    inputs = {"image": box, "mustRun": False, "attach": True, "logs": True}
    script = ["sh", "-c", "echo one; sleep 0.5; echo two >&2; exit 4"]
    _, outputs = docker_plugin.create(CONTAINER, {**inputs, "command": script})
    assert (outputs["exitCode"], outputs["containerLogs"]) == (4, "one\ntwo\n")


def test_waiting_ends_when_it_is_healthy(docker_plugin: Plugin, box: str) -> None:
    identity, _ = docker_plugin.create(CONTAINER, {"image": box, "wait": True, "healthcheck": HEALTHY})
    assert inspect(identity)["State"]["Health"]["Status"] == "healthy"


def test_waiting_in_vain_keeps_the_container_with_an_error(docker_plugin: Plugin, box: str) -> None:
    sick = {**HEALTHY, "tests": ["CMD-SHELL", "echo too sick; false"]}
    with pytest.raises(Exception, match=r"not in healthy state in 1 s.*too sick") as failed:
        docker_plugin.create(CONTAINER, {"image": box, "wait": True, "waitTimeout": 1, "healthcheck": sick})
    identity, outputs = failed.value.partial
    assert inspect(identity)["State"]["Running"]
    assert outputs["image"] == box


def test_waiting_without_a_health_check_is_an_error(docker_plugin: Plugin, box: str) -> None:
    with pytest.raises(Exception, match="does not have a healthcheck"):
        docker_plugin.create(CONTAINER, {"image": box, "wait": True})


def test_a_port_in_use_says_so_and_keeps_what_was_made(docker_plugin: Plugin, box: str, port: int) -> None:
    published = {
        "image": box,
        "networkMode": "bridge",
        "ports": [{"internal": 80, "external": port, "ip": "127.0.0.1"}],
    }
    _, outputs = docker_plugin.create(CONTAINER, published)
    assert outputs["ports"] == [{"internal": 80, "external": port, "ip": "127.0.0.1", "protocol": "tcp"}]
    with pytest.raises(
        Exception, match=rf"Unable to start container: .*127\.0\.0\.1:{port} .*port is already allocated"
    ) as failed:
        docker_plugin.create(CONTAINER, published)
    assert inspect(failed.value.partial[0])["State"]["Status"] == "created"


def test_a_limit_that_the_machine_cannot_give_says_so(docker_plugin: Plugin, box: str) -> None:
    huge = [{"name": "nofile", "soft": 2**40, "hard": 2**40}]
    with pytest.raises(Exception, match="error setting rlimit"):
        docker_plugin.create(CONTAINER, {"image": box, "ulimits": huge})


def test_an_image_that_is_nowhere_is_an_error_that_names_it(docker_plugin: Plugin) -> None:
    with pytest.raises(Exception, match="Unable to create container with image localhost:1/none:1"):
        docker_plugin.create(CONTAINER, {"image": "localhost:1/none:1"})


def test_files_are_uploaded_before_the_start(docker_plugin: Plugin, box: str, tmp_path: Path) -> None:
    (tmp_path / "local").write_text("from disk")
    uploads = [
        {"file": "/data/text", "content": "hello"},
        {"file": "/data/raw", "contentBase64": base64.b64encode(b"\x00\xff").decode()},
        {"file": "/data/run", "content": "#!/bin/sh\n", "executable": True},
        {"file": "/data/mode", "content": "x", "permissions": "0600"},
        {"file": "/data/disk", "source": str(tmp_path / "local")},
    ]
    script = "cat /data/text /data/disk; stat -c %a /data/text /data/run /data/mode; stat -c %s /data/raw"
    inputs = {"image": box, "mustRun": False, "attach": True, "logs": True, "uploads": uploads}
    _, outputs = docker_plugin.create(CONTAINER, {**inputs, "command": ["sh", "-c", script]})
    assert outputs["containerLogs"] == "hellofrom disk644\n744\n600\n2\n"


def test_a_file_reaches_the_volume_of_a_container_that_never_runs(docker_plugin: Plugin, box: str) -> None:
    volume, _ = docker_plugin.create(VOLUME, {}, name="filled")
    mounted = [{"volumeName": volume, "containerPath": "/conf"}]
    docker_plugin.create(CONTAINER, idle(box, volumes=mounted, uploads=[{"file": "/conf/a", "content": "from us"}]))
    assert docker("run", "--rm", "--volume", f"{volume}:/conf", box, "cat", "/conf/a") == "from us"


def test_an_upload_into_a_read_only_container_is_the_engines_error(docker_plugin: Plugin, box: str) -> None:
    with pytest.raises(Exception, match=r"Unable to upload volume content: .*read-only") as failed:
        docker_plugin.create(CONTAINER, idle(box, readOnly=True, uploads=[{"file": "/a", "content": "b"}]))
    assert inspect(failed.value.partial[0])


def test_an_upload_needs_exactly_one_source(docker_plugin: Plugin, box: str) -> None:
    for upload in ({"file": "/a"}, {"file": "/a", "content": "x", "contentBase64": "eA=="}):
        with pytest.raises(Exception, match="error with upload content"):
            docker_plugin.create(CONTAINER, idle(box, uploads=[upload]))


def test_a_network_of_its_own_takes_the_place_of_the_default_one(docker_plugin: Plugin, box: str) -> None:
    network, _ = docker_plugin.create(NETWORK, {"ipamConfigs": [{"subnet": "10.213.77.0/24"}]})
    attached = [{"name": network, "aliases": ["db"], "ipv4Address": "10.213.77.9"}]
    identity, outputs = docker_plugin.create(
        CONTAINER, {"image": box, "networkMode": "bridge", "networksAdvanced": attached}
    )
    networks = inspect(identity)["NetworkSettings"]["Networks"]
    assert [item["NetworkID"] for item in networks.values()] == [network]
    assert "db" in next(iter(networks.values()))["Aliases"]
    assert outputs["networkDatas"][0]["ipAddress"] == "10.213.77.9"


def test_volumes_binds_and_mounts_are_mounted(docker_plugin: Plugin, box: str, tmp_path: Path) -> None:
    volume, _ = docker_plugin.create(VOLUME, {})
    identity, _ = docker_plugin.create(
        CONTAINER,
        idle(
            box,
            volumes=[
                {"volumeName": volume, "containerPath": "/named"},
                {"hostPath": str(tmp_path), "containerPath": "/host", "readOnly": True},
                {"containerPath": "/anonymous"},
            ],
            mounts=[{"type": "tmpfs", "target": "/memory", "tmpfsOptions": {"sizeBytes": 1048576}}],
        ),
    )
    found = {item["Destination"]: (item["Type"], item["RW"]) for item in inspect(identity)["Mounts"]}
    assert found["/named"] == ("volume", True)
    assert found["/host"] == ("bind", False)
    assert found["/anonymous"] == ("volume", True)
    assert inspect(identity)["HostConfig"]["Mounts"][0]["TmpfsOptions"] == {"SizeBytes": 1048576}


def test_deleting_gives_the_time_of_grace(docker_plugin: Plugin, box: str, tmp_path: Path) -> None:
    script = ["sh", "-c", 'trap "sleep 1; echo bye > /out/said; exit" TERM; while true; do sleep 0.1; done']
    inputs = {"image": box, "command": script, "volumes": [{"hostPath": str(tmp_path), "containerPath": "/out"}]}
    identity, state = docker_plugin.create(CONTAINER, {**inputs, "destroyGraceSeconds": 10})
    docker_plugin.delete(CONTAINER, identity, state)
    assert (tmp_path / "said").read_text() == "bye\n"
    assert inspect(identity) == {}


def test_anonymous_volumes_go_with_their_container(docker_plugin: Plugin, box: str) -> None:
    identity, state = docker_plugin.create(CONTAINER, idle(box, volumes=[{"containerPath": "/anonymous"}]))
    volume = inspect(identity)["Mounts"][0]["Name"]
    docker_plugin.delete(CONTAINER, identity, state)
    assert inspect(volume) == {}


def test_secret_variables_stay_secret(docker_plugin: Plugin, box: str) -> None:
    _, outputs = docker_plugin.create(CONTAINER, idle(box, envs=[Secret("A=hidden"), "B=shown"]))
    assert isinstance(outputs["envs"], Secret)
    assert plain(outputs["envs"]) == ["A=hidden", "B=shown"]


def test_a_preview_makes_nothing_and_says_what_it_does_not_know(docker_plugin: Plugin, box: str) -> None:
    outputs = docker_plugin.preview(CONTAINER, {"image": UNKNOWN, "envs": [UNKNOWN, "A=1"], "name": "plugin-test-no"})
    assert outputs["image"] is UNKNOWN
    assert outputs["envs"] == [UNKNOWN, "A=1"]
    assert outputs["exitCode"] is UNKNOWN
    assert outputs["name"] == "plugin-test-no"
    assert docker("ps", "--all", "--quiet", "--filter", "name=plugin-test-no") == ""
    assert box


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"gpus": "all"}, "gpus"),
        ({"cpuPeriod": 1000}, "cpuPeriod"),
        ({"volumes": [{"containerPath": "/a", "selinuxRelabel": "z"}]}, "volumes[0].selinuxRelabel"),
        ({"networksAdvanced": [{"name": "x", "macAddress": "0"}]}, "networksAdvanced[0].macAddress"),
        ({"nosuch": 1}, "nosuch"),
        ({"restart": "sometimes"}, "restart"),
        ({"memory": "much"}, "memory"),
        ({"healthcheck": {"tests": [], "interval": "soon"}}, "healthcheck.interval"),
        ({"ports": [{"external": 1}]}, "ports[0].internal"),
        ({"volumes": [{"hostPath": "relative", "containerPath": "/a"}]}, "volumes[0].hostPath"),
    ],
)
def test_what_is_wrong_or_not_supported_is_refused_by_name(
    docker_plugin: Plugin, box: str, given: dict[str, Any], named: str
) -> None:
    with pytest.raises(CheckError) as failed:
        docker_plugin.check(CONTAINER, {"image": box, **given})
    assert list(failed.value.failures) == [named]


def test_an_interval_while_starting_needs_a_newer_engine(docker_plugin: Plugin, box: str) -> None:
    if tuple(map(int, docker("version", "--format", "{{.Server.APIVersion}}").split("."))) >= (1, 44):
        docker_plugin.create(CONTAINER, idle(box, healthcheck={**HEALTHY, "startInterval": "1s"}))
        return
    with pytest.raises(Exception, match=r"requires API version 1\.44"):
        docker_plugin.create(CONTAINER, idle(box, healthcheck={**HEALTHY, "startInterval": "1s"}))
