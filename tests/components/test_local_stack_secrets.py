"""The local stack's secrets, and the services that they open."""

from __future__ import annotations

from typing import Any

import pytest
from support.building import NAME, local_stack
from support.recorder import COMMAND, CONTAINER, GENERATED, PASSWORD, VOLUME, Recording, Secret

from flaskstack import FlaskApp, SettingsError


def test_the_secrets_of_the_application_are_registered_as_secrets(prod: Recording) -> None:
    for role in ("web-0", "web-1", "migration"):
        variables = prod.container(role).environment()
        assert variables["SECRET_KEY"] == Secret(GENERATED)
        assert variables["DATABASE_URL"] == Secret(f"postgresql://app:{GENERATED}@postgres:5432/app")
        assert isinstance(variables["REDIS_URL"], Secret)


def test_given_secrets_are_registered_as_secrets_even_when_they_come_in_plain() -> None:
    canaries: dict[str, Any] = {"secret_key": "canary-key", "database_url": "postgresql://me:canary-db@db.example/x"}
    recording = local_stack(
        **canaries, redis_url="redis://:canary-redis@r.example", secret_key_fallbacks=["canary-old"]
    )
    variables = recording.container("web-0").environment()
    assert variables["SECRET_KEY_FALLBACKS"] == Secret("canary-old")
    for part in recording.resources:
        shown = str([item for item in part.inputs.get("envs", []) if not isinstance(item, Secret)])
        shown += str({key: value for key, value in part.inputs.items() if key != "envs"})
        assert "canary" not in shown, part.name


def test_no_step_of_a_release_is_told_a_secret(prod: Recording) -> None:
    for part in (
        *prod.of(COMMAND),
        prod.container("release"),
        prod.container("nginx"),
        prod.container("server-config"),
    ):
        assert GENERATED not in str(part.plain), part.name


def test_several_former_keys_are_one_variable() -> None:
    variables = local_stack(secret_key_fallbacks=["newer", "older"]).container("web-0").environment()
    assert variables["SECRET_KEY_FALLBACKS"] == Secret("newer,older")


def test_passwords_are_made_long_and_kept(prod: Recording) -> None:
    made = {part.name: part.plain for part in prod.of(PASSWORD)}
    assert made[f"{NAME}-secret-key"]["length"] == 64
    assert made[f"{NAME}-postgres-password"]["length"] == 32
    assert not any(part["special"] for part in made.values()), "they stand in a URL"


def test_a_foreign_database_and_redis_leave_the_stacks_own_out() -> None:
    recording = local_stack(database_url="postgresql://me:pw@db.example/x", redis_url="redis://r.example")
    assert {part.name for part in recording.of(CONTAINER)} == {
        f"{NAME}-{role}" for role in ("web-0", "web-1", "nginx-8080", "migration", "release", "server-config")
    }
    assert recording.value["volumes"] == []


def test_an_application_that_needs_neither_gets_neither() -> None:
    recording = local_stack(FlaskApp(postgres=False, redis=False))
    variables = recording.container("web-0").environment()
    assert not {"DATABASE_URL", "REDIS_URL"} & variables.keys()
    assert len(recording.of(VOLUME)) == 2, "the two of configuration"


def test_an_own_database_can_be_given_its_url() -> None:
    recording = local_stack(database_url="postgresql://me:p%40ss@postgres/shop", own_postgres=True)
    variables = recording.container("postgres").environment()
    assert variables == {
        "POSTGRES_DB": Secret("shop"),
        "POSTGRES_PASSWORD": Secret("p@ss"),
        "POSTGRES_USER": Secret("me"),
    }
    assert recording.container("web-0").environment()["DATABASE_URL"] == Secret("postgresql://me:p%40ss@postgres/shop")


def test_further_secrets_are_variables_of_every_process_and_secret_to_the_engine() -> None:
    recording = local_stack(FlaskApp(secrets=("API_KEY",), migrate=("true",)), secrets={"API_KEY": "canary"})
    for role in ("web-0", "migration"):
        assert recording.container(role).environment()["API_KEY"] == Secret("canary")
    for part in recording.resources:
        shown = str([item for item in part.inputs.get("envs", []) if not isinstance(item, Secret)])
        assert "canary" not in shown, part.name


def test_a_secret_that_the_application_names_must_be_given() -> None:
    with pytest.raises(SettingsError, match=r"secrets\.API_KEY = not set: the application needs it"):
        local_stack(FlaskApp(secrets=("API_KEY",)))


def test_a_secret_cannot_take_the_place_of_what_is_decided_elsewhere() -> None:
    with pytest.raises(SettingsError, match=r"secrets\.DATABASE_URL = \[secret\]"):
        local_stack(secrets={"DATABASE_URL": "canary"})
