"""Parts of the cluster's tool that can be wrong without a cluster being there."""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys

import pytest
from cluster import builds, images, processes, settings
from cluster.processes import Program
from lib.progress import StepError


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("FLASKSTACK_STATE", str(tmp_path))
    for folder in (settings.run(), settings.logs()):
        folder.mkdir(parents=True)
    return tmp_path


def sleeper(name="sleeper", seconds="60"):
    return Program(name, [sys.executable, "-c", f"import time; time.sleep({seconds})"], lambda: True)


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("redis:8", "docker.io/library/redis:8"),
        ("bitnami/redis", "docker.io/bitnami/redis:latest"),
        ("127.0.0.1:15000/app:1", "127.0.0.1:15000/app:1"),
        ("localhost/app", "localhost/app:latest"),
    ],
)
def test_a_reference_is_completed_as_the_node_knows_it(given, known):
    assert images.full(given) == known


def test_addresses_lie_apart_from_each_other_and_from_what_docker_gives_out():
    pods, services = ipaddress.ip_network(settings.PODS), ipaddress.ip_network(settings.SERVICES)
    whole = ipaddress.ip_network(settings.RANGE)
    node = ipaddress.ip_address(settings.NODE)
    assert not pods.overlaps(services)
    assert node not in pods
    assert node not in services
    assert all(part.subnet_of(whole) for part in (pods, services))
    assert ipaddress.ip_address(settings.KUBERNETES_SERVICE) == services[1], "the API server takes the first address"
    for docker in ("172.16.0.0/12", "192.168.0.0/16"):
        assert not whole.overlaps(ipaddress.ip_network(docker))


# A program outlives who started it, on purpose, which Popen takes for an oversight.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("state")
def test_a_program_that_runs_is_left_alone_and_a_changed_one_is_started_anew():
    try:
        assert processes.start(sleeper())
        first = processes.running("sleeper")
        assert not processes.start(sleeper())
        assert processes.running("sleeper") == first
        assert processes.start(sleeper(seconds="61"))
        assert processes.running("sleeper")["pid"] != first["pid"]
    finally:
        processes.stop("sleeper")
    assert processes.running("sleeper") is None
    assert processes.names() == []


@pytest.mark.usefixtures("state")
def test_a_process_that_merely_has_the_number_of_one_of_ours_is_not_stopped():
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        record = {"pid": str(other.pid), "born": "1", "digest": "x"}
        (settings.run() / "etcd.json").write_text(json.dumps(record))
        processes.stop("etcd")
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.usefixtures("state")
def test_a_program_that_ends_at_once_is_reported_with_what_it_said():
    failing = Program("failing", [sys.executable, "-c", "raise SystemExit('the disk is full')"], lambda: False)
    with pytest.raises(StepError, match=r"(?s)failing ended with status 1.*the disk is full"):
        processes.start(failing)


def test_builds_of_other_sources_have_folders_of_their_own():
    folders = {builds.folder(build) for build in (*builds.BUILDS, *builds.CHECKERS)}
    assert len(folders) == len(builds.BUILDS) + len(builds.CHECKERS)
    assert all(builds.folder(build).name == f"{build.name}-{build.digest()}" for build in builds.BUILDS)


@pytest.mark.usefixtures("state")
def test_a_configuration_file_that_is_right_is_not_written_again():
    file = settings.write("kube-proxy.json", "{}")
    before = file.stat()
    settings.write("kube-proxy.json", "{}")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    settings.write("kube-proxy.json", '{"mode": "nftables"}')
    assert file.read_text() == '{"mode": "nftables"}'
