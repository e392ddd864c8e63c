"""The application's containers: what they mount, how they stop, and the Gunicorn configuration that they share."""

from __future__ import annotations

import hashlib
import shlex

from support.building import NAME, local_stack
from support.recorder import VOLUME

from flaskstack import FlaskApp, Server
from flaskstack.app import SERVER_CONFIG_SOURCE

CONTENT = SERVER_CONFIG_SOURCE.read_text()


def test_the_gunicorn_configuration_is_mounted_read_only_from_a_volume() -> None:
    recording = local_stack()
    (mount,) = recording.container("web-0").plain["volumes"]
    assert (mount["containerPath"], mount["readOnly"]) == ("/etc/flaskstack", True)
    assert mount["volumeName"] == recording.container("server-config").plain["volumes"][0]["volumeName"]


def test_another_configuration_is_another_volume() -> None:
    digest = hashlib.sha256(SERVER_CONFIG_SOURCE.read_bytes()).hexdigest()[:12]
    volume = next(part for part in local_stack().of(VOLUME) if part.name.endswith("server-config"))
    assert volume.plain["name"] == f"{NAME}-server-config-{digest}"


def test_the_volume_is_filled_by_a_container_that_never_runs() -> None:
    carrier = local_stack().container("server-config").plain
    assert carrier["uploads"] == [{"file": "/etc/flaskstack/gunicorn.conf.py", "content": CONTENT}]
    assert (carrier["start"], carrier["mustRun"], carrier["networkMode"]) == (False, False, "none")


def test_whoever_mounts_the_configuration_waits_until_it_is_there() -> None:
    recording = local_stack()
    carrier = recording.container("server-config")
    for role in ("web-0", "migration"):
        direct = recording.container(role).options.dependencies
        assert carrier.urn in direct, "the volume alone exists before it is filled"


def test_the_command_is_the_contracts() -> None:
    app = FlaskApp(entry="shop.wsgi:app")
    assert local_stack(app).container("web-0").plain["command"] == [
        "gunicorn",
        "--config",
        "/etc/flaskstack/gunicorn.conf.py",
        "shop.wsgi:app",
    ]


def test_a_web_replica_gets_its_graceful_timeout_and_a_margin_to_stop() -> None:
    inputs = local_stack(FlaskApp(server=Server(graceful_timeout=50))).container("web-0").plain
    assert (inputs["stopTimeout"], inputs["destroyGraceSeconds"], inputs["stopSignal"]) == (55, 55, "SIGTERM")


def test_health_is_asked_of_liveness_without_curl() -> None:
    app = FlaskApp(liveness="/alive", port=9000)
    check = local_stack(app).container("web-0").plain["healthcheck"]["tests"][1]
    program, option, code = shlex.split(check)
    assert (program, option) == ("python", "-c")
    assert "9000" in code
    assert "/alive" in code
    compile(code, "healthcheck", "exec")


def test_the_migration_has_no_health_and_publishes_nothing() -> None:
    inputs = local_stack().container("migration").plain
    assert not {"healthcheck", "ports"} & inputs.keys()
    assert inputs["capabilities"] == {"drops": ["ALL"]}
    assert inputs["readOnly"] is True
