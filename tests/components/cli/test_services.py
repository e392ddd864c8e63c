"""A stack with all that an application may ask for, as a compose file: a worker, a scheduler, data, further secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from support.building import local_stack
from support.recorder import Recording, record

from flaskstack import FlaskApp, Process
from flaskstack.cli import compose


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FlaskApp:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "requirements.txt").write_text("flask\n")
    (folder / "shop.py").write_text("")
    return FlaskApp(
        name="shop",
        path=str(folder),
        entry="shop:app",
        postgres=False,
        migrate=("flask", "--app", "shop", "db", "upgrade"),
        data="/data",
        secrets=("STRIPE_KEY",),
        processes={
            "worker": Process(command=("rq", "worker"), replicas=2, memory_mib=512, probe=("rq", "info")),
            "beat": Process(command=("beat", "$HOME"), singleton=True),
        },
    )


@pytest.fixture(scope="module")
def found(app: FlaskApp) -> dict[str, Any]:
    """Return the services that the command writes. The recorder closes the event loops that the SDK leaves open."""
    made: dict[str, str] = {}
    record(lambda: made.update(compose.render(app, Path(app.path))))
    return dict(yaml.safe_load(made["compose.yaml"]))


@pytest.fixture(scope="module")
def stack(app: FlaskApp) -> Recording:
    return local_stack(app, secrets={"STRIPE_KEY": "canary"})


def test_each_process_is_a_service_of_the_applications_image(found: dict[str, Any]) -> None:
    services = found["services"]
    assert sorted(services) == ["beat", "data", "migration", "nginx", "redis", "web", "worker"]
    assert services["worker"]["image"] == services["web"]["image"]
    assert services["worker"]["deploy"] == {"replicas": 2}
    assert services["beat"]["command"] == ["beat", "$$HOME"]


def test_a_process_has_its_own_limits_and_probe(found: dict[str, Any], stack: Recording) -> None:
    worker, said = found["services"]["worker"], stack.one("worker-0").plain
    assert worker["mem_limit"] == f"{said['memory']}m" == "512m"
    assert worker["healthcheck"]["test"] == said["healthcheck"]["tests"]
    assert "healthcheck" not in found["services"]["beat"]


def test_jobs_run_one_after_the_other_and_all_else_after_them(found: dict[str, Any]) -> None:
    needed = {role: service.get("depends_on", {}) for role, service in found["services"].items()}
    healthy, done = {"condition": "service_healthy"}, {"condition": "service_completed_successfully"}
    jobs = {"data": done, "migration": done}
    assert needed == {
        "redis": {},
        "data": {"redis": healthy},
        "migration": {"redis": healthy, "data": done},
        "web": jobs,
        "worker": jobs,
        "beat": jobs,
        "nginx": {"web": healthy, "worker": healthy},
    }


def test_the_data_folder_is_a_volume_of_all_of_the_applications_processes(found: dict[str, Any]) -> None:
    assert "app" in found["volumes"]
    mounts = {
        role: [each["target"] for each in service.get("volumes", []) if each["source"] == "app"]
        for role, service in found["services"].items()
    }
    assert {role for role, targets in mounts.items() if targets == ["/data"]} == {
        *("beat", "data", "migration", "web", "worker")
    }


def test_the_one_that_owns_the_data_folder_has_no_network_and_one_capability(found: dict[str, Any]) -> None:
    owner = found["services"]["data"]
    assert (owner["network_mode"], owner["cap_add"], owner["cap_drop"]) == ("none", ["CHOWN"], ["ALL"])


def test_a_further_secret_is_a_reference(found: dict[str, Any]) -> None:
    for role in ("web", "worker", "beat", "migration"):
        assert found["services"][role]["environment"]["STRIPE_KEY"] == "${STRIPE_KEY:?set it in .env}"
