"""The data folder of an application, and the smallest stack: one that has nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.building import IMAGE, MIGRATE, NAME, local_stack
from support.recorder import CONTAINER, REMOTE_IMAGE, VOLUME

from flaskstack import FlaskApp, Process, SettingsError

APP = FlaskApp(
    postgres=False,
    redis=False,
    data="/data",
    migrate=MIGRATE,
    processes={"worker": Process(command=("python", "work.py"))},
)


def mounts(role: str) -> dict[str, str]:
    return {
        mount["containerPath"]: mount.get("volumeName", mount.get("hostPath"))
        for mount in local_stack(APP).container(role).plain["volumes"]
    }


@pytest.mark.parametrize("role", ["web-0", "migration", "worker-0", "data"])
def test_everything_of_the_application_sees_its_data(role: str) -> None:
    assert mounts(role)["/data"] == f"{NAME}-app"


def test_data_outlives_the_stack_unless_asked_otherwise() -> None:
    recording = local_stack(APP)
    assert recording.one("app-data").options.retainOnDelete
    assert recording.value["volumes"] == [f"{NAME}-app"]
    assert not local_stack(APP, keep_data=False).one("app-data").options.retainOnDelete


def test_the_folder_belongs_to_the_application_before_anything_uses_it() -> None:
    recording = local_stack(APP)
    owner = recording.container("data").plain
    assert owner["image"] == IMAGE, "what the image has in that folder is copied by the first container that mounts it"
    assert owner["command"][-1] == "/data"
    assert "chown -R 1000:1000" in owner["command"][1]
    assert owner["capabilities"] == {"adds": ["CHOWN"], "drops": ["ALL"]}
    assert owner["networkMode"] == "none"
    jobs = recording.one("prepare").plain["environment"]["JOBS"].split()
    assert jobs == [f"{NAME}-data-id", f"{NAME}-migration-id"]


def test_there_is_one_web_replica_unless_more_are_asked_for() -> None:
    assert f"{NAME}-web-1" not in local_stack(APP).names()
    assert f"{NAME}-web-1" in local_stack(APP, replicas=2).names()


def test_an_application_without_services_or_data_has_neither() -> None:
    recording = local_stack(FlaskApp(postgres=False, redis=False))
    assert {part.name.removeprefix(f"{NAME}-") for part in recording.of(CONTAINER)} == {
        *("web-0", "web-1", "nginx-8080", "release", "server-config")
    }
    assert [part.name for part in recording.of(REMOTE_IMAGE)] == [f"{NAME}-nginx-image"]
    assert not [part.name for part in recording.of(VOLUME) if part.name.endswith("-data")]


@pytest.mark.parametrize(
    "path", ["/", "data", "/tmp/x", "/tmp", "/etc/flaskstack", "/app", "/a/../b", "/a:b", "/a b", "/.."]
)
def test_a_folder_that_would_hide_something_or_not_last_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="data"):
        FlaskApp(data=path)


@pytest.mark.parametrize("path", ["/data", "/app/instance", "/var/lib/shop/.files"])
def test_an_ordinary_folder_is_taken(path: str) -> None:
    assert FlaskApp(data=path).data == path


def test_development_needs_a_folder_to_mount_data_on_inside_the_code(tmp_path: Path) -> None:
    app = FlaskApp(path=str(tmp_path), data="/app/instance")
    with pytest.raises(SettingsError, match=r"fix: mkdir .*/instance"):
        local_stack(app, dev=True)
    (tmp_path / "instance").mkdir()
    assert local_stack(app, dev=True).container("web-0")
