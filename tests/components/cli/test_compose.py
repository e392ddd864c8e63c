from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.building import local_stack
from support.cli import CANARY, ROOT, flaskstack
from support.recorder import Recording, Resource

from flaskstack import nginx
from flaskstack.app import SERVER_CONFIG_SOURCE
from flaskstack.cli import detect, services

ROLES = ["web", "migration", "nginx", "postgres", "redis"]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the command wrote for the guestbook."""
    folder = tmp_path_factory.mktemp("compose")
    flaskstack("compose", str(ROOT / "app"), "--name", "guestbook", "--output", str(folder), folder=folder)
    return folder


@pytest.fixture(scope="module")
def compose(output: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((output / "compose.yaml").read_text()))


@pytest.fixture(scope="module")
def stack() -> Recording:
    """Return what `LocalStack` registers for the same application."""
    return local_stack(detect.guess(ROOT / "app", name="guestbook").app, image="guestbook")


def container(stack: Recording, role: str) -> Resource:
    return stack.container(f"{role}-0" if role == "web" else role)


def interpolated(value: str) -> str:
    """Text as compose hands it on: two dollars are one."""
    return value.replace("$$", "$")


def test_it_is_what_the_compose_specification_allows(output: Path) -> None:
    checked = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(output / "compose.yaml")]
    done = subprocess.run(checked, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout


def test_each_part_of_the_stack_is_a_service(compose: dict[str, Any]) -> None:
    assert sorted(compose["services"]) == sorted(ROLES)
    assert compose["services"]["web"]["deploy"] == {"replicas": 2}


@pytest.mark.parametrize("role", ROLES)
def test_limits_and_hardening_are_the_components(compose: dict[str, Any], stack: Recording, role: str) -> None:
    service, said = compose["services"][role], container(stack, role).plain
    assert service["cpus"] == float(said["cpus"])
    assert service["cpu_shares"] == said["cpuShares"]
    assert service["mem_limit"] == f"{said['memory']}m"
    assert service["mem_reservation"] == f"{said['memoryReservation']}m"
    assert service["memswap_limit"] == f"{said['memorySwap']}m"
    assert service["read_only"] is True
    assert service["security_opt"] == said["securityOpts"]
    assert service["cap_drop"] == said["capabilities"]["drops"]
    assert "cap_add" not in service
    assert service["user"] == said["user"]
    assert service["tmpfs"] == [f"{path}:{options}" for path, options in sorted(said["tmpfs"].items())]
    assert service["ulimits"] == {
        each["name"]: {"soft": each["soft"], "hard": each["hard"]} for each in said["ulimits"]
    }
    assert service["logging"] == {"driver": said["logDriver"], "options": said["logOpts"]}


@pytest.mark.parametrize("role", ROLES)
def test_what_runs_and_how_it_stops_is_the_components(compose: dict[str, Any], stack: Recording, role: str) -> None:
    service, said = compose["services"][role], container(stack, role).plain
    assert service["restart"] == said["restart"]
    assert [interpolated(part) for part in service.get("command", [])] == said.get("command", [])
    assert [interpolated(part) for part in service.get("entrypoint", [])] == said.get("entrypoints", [])
    assert service.get("stop_signal") == said.get("stopSignal")
    grace = said.get("destroyGraceSeconds")
    assert service.get("stop_grace_period") == (f"{grace}s" if grace else None)
    assert service.get("shm_size") == (f"{said['shmSize']}m" if "shmSize" in said else None)


@pytest.mark.parametrize("role", ["web", "nginx", "postgres", "redis"])
def test_health_is_asked_as_the_component_asks(compose: dict[str, Any], stack: Recording, role: str) -> None:
    check, said = compose["services"][role]["healthcheck"], container(stack, role).plain["healthcheck"]
    assert [interpolated(part) for part in check["test"]] == said["tests"]
    assert (check["interval"], check["timeout"]) == (said["interval"], said["timeout"])
    assert (check["start_period"], check["retries"]) == (said["startPeriod"], said["retries"])


@pytest.mark.parametrize("role", ["web", "migration", "postgres"])
def test_variables_are_the_components_and_secrets_are_references(
    compose: dict[str, Any], stack: Recording, role: str
) -> None:
    found = compose["services"][role]["environment"]
    said = container(stack, role).environment()
    assert found.keys() == said.keys()
    plain = {name: value for name, value in said.items() if isinstance(value, str)}
    assert {name: found[name] for name in plain} == plain
    held = {
        "web": {"SECRET_KEY": "SECRET_KEY", "DATABASE_URL": "POSTGRES_PASSWORD"},
        "postgres": {"POSTGRES_PASSWORD": "POSTGRES_PASSWORD"},
    }
    for name, variable in held.get(role, {}).items():
        assert f"${{{variable}:?" in found[name]


def test_the_order_is_services_then_migration_then_web_then_nginx(compose: dict[str, Any]) -> None:
    needed = {role: service.get("depends_on", {}) for role, service in compose["services"].items()}
    healthy, done = {"condition": "service_healthy"}, {"condition": "service_completed_successfully"}
    assert needed == {
        "postgres": {},
        "redis": {},
        "migration": {"postgres": healthy, "redis": healthy},
        "web": {"migration": done},
        "nginx": {"web": healthy},
    }


def test_data_is_in_volumes_and_configuration_in_files(compose: dict[str, Any], output: Path) -> None:
    mounts = {role: service.get("volumes", []) for role, service in compose["services"].items()}
    assert compose["volumes"] == {"postgres-17": {}, "redis": {}}
    assert [(each["source"], each["target"]) for each in mounts["postgres"]] == [
        ("postgres-17", "/var/lib/postgresql/data")
    ]
    assert [(each["source"], each["target"]) for each in mounts["redis"]] == [("redis", "/data")]
    for each in [*mounts["web"], *mounts["migration"], *mounts["nginx"]]:
        assert each["read_only"] is True
        assert (output / each["source"]).is_dir()


def test_only_nginx_publishes_a_port_and_on_loopback(compose: dict[str, Any]) -> None:
    published = {role: service["ports"] for role, service in compose["services"].items() if "ports" in service}
    assert published == {"nginx": ["127.0.0.1:8080:8080"]}


def test_the_files_are_those_that_the_component_brings(output: Path, stack: Recording) -> None:
    uploads = {each["file"]: each["content"] for each in container(stack, "release").plain["uploads"]}
    assert (output / "compose/nginx/nginx.conf").read_text() == uploads["/release/nginx.conf"]
    assert (output / "compose/nginx/servers.conf").read_text() == nginx.servers(["web"], 8000)
    assert (output / "compose/server-config/gunicorn.conf.py").read_text() == SERVER_CONFIG_SOURCE.read_text()


def test_the_image_is_built_as_appimage_builds_it(compose: dict[str, Any], output: Path) -> None:
    build = compose["services"]["web"]["build"]
    assert (output / build["context"]).resolve() == ROOT / "app"
    assert interpolated(build["dockerfile_inline"]) == flaskstack("dockerfile", str(ROOT / "app"), folder=output).stdout
    assert compose["services"]["migration"]["image"] == compose["services"]["web"]["image"]


def test_an_edit_builds_anew(compose: dict[str, Any], output: Path) -> None:
    (watch,) = compose["services"]["web"]["develop"]["watch"]
    assert watch["action"] == "rebuild"
    assert (output / watch["path"]).resolve() == ROOT / "app"


def test_development_mounts_the_source_and_builds_for_dependencies_only(tmp_path: Path) -> None:
    flaskstack("compose", str(ROOT / "app"), "--dev", "--port", "8090", "--output", str(tmp_path), folder=tmp_path)
    found = yaml.safe_load((tmp_path / "compose.yaml").read_text())["services"]
    assert found["web"]["environment"]["FLASK_DEBUG"] == "1"
    assert found["nginx"]["ports"] == ["127.0.0.1:8090:8080"]
    (source,) = [each for each in found["web"]["volumes"] if each["target"] == "/app"]
    assert source["read_only"] is True
    assert (tmp_path / source["source"]).resolve() == ROOT / "app"
    watched = [(tmp_path / each["path"]).resolve() for each in found["web"]["develop"]["watch"]]
    assert watched == [ROOT / "app" / "requirements.txt"]


def test_no_value_of_a_secret_and_no_path_of_this_machine_is_written(output: Path) -> None:
    for file in output.rglob("*.*"):
        if file.is_file():
            text = file.read_text()
            assert CANARY not in text, file
            assert str(output) not in text, file
    assert "flaskstack." not in (output / "compose.yaml").read_text().replace("gunicorn.conf.py", "")


def test_a_dollar_of_a_script_stays_one() -> None:
    assert services.text('echo "$HOME"') == 'echo "$$HOME"'
    assert services.text(f"a{services.reference('KEY')}b") == "a${KEY:?set it in .env}b"


def test_an_input_without_a_counterpart_is_an_error() -> None:
    from flaskstack.cli.registered import Resource as Registered  # noqa: PLC0415  # of the same name as the recorder's

    labels = [{"label": "dev.flaskstack.role", "value": "web"}]
    new = Registered(services.CONTAINER, "shop-web-0", "id", {"labels": labels, "privileged": True}, ())
    with pytest.raises(NotImplementedError, match="shop-web-0: privileged"):
        services.project([new], "shop-")


def test_files_that_are_there_stay_unless_forced(tmp_path: Path) -> None:
    arguments = ["compose", str(ROOT / "app"), "--output", str(tmp_path)]
    (tmp_path / "compose.yaml").write_text("mine\n")
    done = flaskstack(*arguments, folder=tmp_path, ok=False)
    assert "compose.yaml = exists" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["compose.yaml"]
    flaskstack(*arguments, "--force", folder=tmp_path)
    assert (tmp_path / "compose.yaml").read_text() != "mine\n"


def test_without_a_folder_it_is_printed(tmp_path: Path) -> None:
    done = flaskstack("compose", str(ROOT / "app"), folder=tmp_path)
    assert "web" in yaml.safe_load(done.stdout)["services"]
    assert list(tmp_path.iterdir()) == []


def test_secrets_beside_the_code_must_be_kept_out_of_the_image(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (tmp_path / "requirements.txt").write_text("flask\n")
    done = flaskstack("compose", "--output", ".", folder=tmp_path, ok=False)
    assert "the image would hold the secrets" in done.stderr
    assert not (tmp_path / "compose.yaml").exists()
    (tmp_path / ".dockerignore").write_text("**/.env*\n")
    flaskstack("compose", "--output", ".", folder=tmp_path)
    assert sorted(yaml.safe_load((tmp_path / "compose.yaml").read_text())["services"]) == ["nginx", "web"]
