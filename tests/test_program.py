"""The whole program, as `pulumi up` runs it, for each kind of stack."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from support.recorder import CONTAINER, IMAGE, REMOTE_IMAGE, Recording, Secret, record

from flaskstack import SettingsError

ROOT = Path(__file__).parents[1]
SECRET_KEY = "5f4dcc3b5aa765d61d8327deb882cf99b2a1e9c04f6d7e8a1b3c5d7e9f0a2b4c"
DATABASE_URL = "postgresql://guest:canary-password@postgres:5432/guestbook"
SECRETS = {"secretKey": SECRET_KEY, "databaseUrl": DATABASE_URL}


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def settings_of(stack: str) -> dict[str, Any]:
    """The committed settings of a stack, as the engine hands them over: groups as JSON text."""
    config = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {
        key: json.dumps(value) if isinstance(value, dict | list) else str(value)
        for key, value in config.items()
        if not (isinstance(value, dict) and "secure" in value)
    }


def run(stack: str, secrets: dict[str, str] | None = None, **changes: str) -> tuple[Recording, dict[str, Any]]:
    """What the program registers and exports."""
    exports: dict[str, Any] = {}
    prefixed = {f"flaskstack:{key}": value for key, value in (secrets or {}).items()}
    changed = {f"flaskstack:{key}": value for key, value in changes.items()}

    def program() -> pulumi.Output[Any]:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(pulumi, "export", exports.__setitem__)
            runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
        return pulumi.Output.all(**exports)

    config = {**settings_of(stack), **prefixed, **changed}
    recording = record(program, stack=stack, config=config, secrets=tuple(prefixed))
    return recording, dict(recording.value)


@pytest.fixture
def dev() -> tuple[Recording, dict[str, Any]]:
    return run("dev")


@pytest.fixture
def local() -> tuple[Recording, dict[str, Any]]:
    return run("local", SECRETS)


def roles(recording: Recording) -> list[str]:
    labels = [{item["label"]: item["value"] for item in part.plain["labels"]} for part in recording.of(CONTAINER)]
    return sorted(each["dev.flaskstack.role"] for each in labels)


def test_the_dev_stack_is_built_from_source_and_exports_url_image_and_volumes(
    dev: tuple[Recording, dict[str, Any]],
) -> None:
    recording, exports = dev
    assert len(recording.of(IMAGE)) == 1
    assert exports["url"] == "http://127.0.0.1:8080"
    assert exports["image"].startswith("sha256:")
    assert exports["volumes"] == ["flaskstack-dev-postgres-17", "flaskstack-dev-redis"]


def test_the_dev_stack_needs_no_secret_to_be_set(dev: tuple[Recording, dict[str, Any]]) -> None:
    variables = dev[0].container("web-0").environment()
    assert isinstance(variables["SECRET_KEY"], Secret)
    assert isinstance(variables["DATABASE_URL"], Secret)


def test_the_dev_stack_reloads_and_debugs_and_the_local_one_does_not(
    dev: tuple[Recording, dict[str, Any]], local: tuple[Recording, dict[str, Any]]
) -> None:
    assert dev[0].container("web-0").environment()["FLASK_DEBUG"] == "1"
    assert roles(dev[0]).count("web") == 1
    assert roles(local[0]).count("web") == 2
    for part in local[0].of(CONTAINER):
        assert "FLASK_DEBUG" not in part.environment()
        assert not [mount for mount in part.plain.get("volumes", []) if "hostPath" in mount]


def test_the_containers_run_what_was_built(dev: tuple[Recording, dict[str, Any]]) -> None:
    recording, exports = dev
    assert recording.container("web-0").plain["image"] == exports["image"]
    (build,) = recording.of(IMAGE)
    assert build.name in recording.after(recording.container("web-0"))


def test_the_local_stack_takes_its_secrets_from_the_settings(local: tuple[Recording, dict[str, Any]]) -> None:
    recording, exports = local
    assert exports["url"] == "http://127.0.0.1:8081"
    variables = recording.container("web-0").environment()
    assert variables["SECRET_KEY"] == Secret(SECRET_KEY)
    assert variables["DATABASE_URL"] == Secret(DATABASE_URL)
    assert recording.container("postgres").environment()["POSTGRES_PASSWORD"] == Secret("canary-password")


def test_no_plain_input_of_anything_holds_a_secret(local: tuple[Recording, dict[str, Any]]) -> None:
    recording, exports = local
    for part in recording.resources:
        shown = repr({key: value for key, value in part.inputs.items() if key != "envs"})
        shown += repr([line for line in part.inputs.get("envs", []) if not isinstance(line, Secret)])
        shown = shown if not part.secret_texts else "".join(shown.split("Secret(")[:1])
        assert "canary-password" not in shown, part.name
        assert SECRET_KEY not in shown, part.name
    assert "canary" not in repr(exports)


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_a_stack_on_a_cluster_builds_pushes_and_deploys_by_digest(stack: str) -> None:
    recording, exports = run(stack, SECRETS)
    (build,) = recording.of(IMAGE)
    assert build.plain["push"] is True
    assert "@sha256:" in exports["image"]
    (deployment,) = recording.of("kubernetes:apps/v1:Deployment")
    assert deployment.plain["spec"]["template"]["spec"]["containers"][0]["image"] == exports["image"]
    assert exports["url"].startswith("https://")
    assert exports.keys() == {"url", "image", "namespace", "deployment", "service"}
    assert recording.of(CONTAINER) == []


def test_all_of_a_cluster_goes_to_the_context_that_the_stack_names() -> None:
    recording, _ = run("prod", SECRETS)
    providers = {part.name: part for part in recording.of("pulumi:providers:kubernetes")}
    assert {part.plain["context"] for part in providers.values()} == {"flaskstack"}
    for part in recording.resources:
        if part.type.startswith("kubernetes:"):
            role = "namespaces" if part.type.endswith(":Namespace") else "cluster"
            assert providers[f"flaskstack-prod-{role}"].urn in part.options.provider, part.name


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_no_plain_input_of_a_cluster_holds_a_secret(stack: str) -> None:
    recording, exports = run(stack, SECRETS)
    for part in recording.resources:
        shown = repr({key: value for key, value in part.inputs.items() if not isinstance(value, Secret)})
        assert "canary-password" not in shown, part.name
        assert SECRET_KEY not in shown, part.name
    assert "canary" not in repr(exports)


def test_an_image_that_exists_is_not_built() -> None:
    ref = f"registry.example/shop@sha256:{'1' * 64}"
    recording, exports = run("local", SECRETS, image=json.dumps({"ref": ref}))
    assert recording.of(IMAGE) == []
    assert exports["image"] == ref
    assert not [part for part in recording.of(REMOTE_IMAGE) if part.name.endswith("-loaded")]


def test_the_migration_of_the_settings_runs(dev: tuple[Recording, dict[str, Any]]) -> None:
    assert dev[0].container("migration").plain["command"] == ["flask", "--app", "app:create_app", "db", "upgrade"]


def test_the_dev_stack_asks_for_what_a_small_machine_can_give(dev: tuple[Recording, dict[str, Any]]) -> None:
    limits = {item["name"]: item["hard"] for item in dev[0].container("web-0").plain["ulimits"]}
    assert limits["nofile"] == 16384


@pytest.mark.parametrize(
    ("secrets", "changes"),
    [
        ({}, {}),
        ({"secretKey": "weak", "databaseUrl": DATABASE_URL}, {}),
        (SECRETS, {"nonsense": "1"}),
        (SECRETS, {"local": '{"port": 0}'}),
        (SECRETS, {"edge": '{"https": true}'}),
    ],
    ids=["no secrets", "weak key", "unknown key", "wrong value", "intent that cannot be delivered"],
)
def test_bad_settings_register_nothing(
    secrets: dict[str, str], changes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings: list[Recording] = []
    monkeypatch.setattr("support.recorder.Recording", lambda: recordings.append(Recording()) or recordings[-1])
    with pytest.raises(SettingsError):
        run("local", secrets, **changes)
    assert [part.name for part in recordings[0].resources] == []
