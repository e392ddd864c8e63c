"""PostgreSQL and Redis: where their data is, and what they are told."""

from __future__ import annotations

import pytest
from support.building import NAME, local_stack
from support.recorder import Secret

from flaskstack.local.data import connection, postgres_folder, postgres_major


@pytest.mark.parametrize(
    ("image", "major"),
    [
        ("postgres:17", 17),
        ("postgres:17-alpine", 17),
        ("postgres:16.4", 16),
        ("registry.example:5000/team/postgres:18.1-bookworm", 18),
        ("registry.example:5000/team/postgres", 0),
        ("postgres", 0),
        ("postgres:latest", 0),
    ],
)
def test_the_major_version_is_read_from_the_tag(image: str, major: int) -> None:
    assert postgres_major(image) == major


@pytest.mark.parametrize(
    ("image", "folder"),
    [
        ("postgres:17", "/var/lib/postgresql/data"),
        ("postgres:13-alpine", "/var/lib/postgresql/data"),
        ("postgres:18", "/var/lib/postgresql"),
        ("postgres:19.0", "/var/lib/postgresql"),
    ],
)
def test_the_data_folder_is_the_one_that_the_images_major_version_uses(image: str, folder: str) -> None:
    assert postgres_folder(image) == folder


def test_a_new_major_version_never_starts_on_the_data_of_a_former_one() -> None:
    volumes = {major: local_stack(images={"postgres": f"postgres:{major}"}).value["volumes"][0] for major in (17, 18)}
    assert volumes == {17: f"{NAME}-postgres-17", 18: f"{NAME}-postgres-18"}


@pytest.mark.parametrize(
    ("url", "user", "password", "database"),
    [
        ("postgresql://me:secret@postgres/shop", "me", "secret", "shop"),
        ("postgresql+psycopg://me:p%40s%2Fs@postgres:5432/shop", "me", "p@s/s", "shop"),
        ("postgresql://postgres", "app", "", "app"),
        ("postgresql://me:it's@postgres/shop?sslmode=disable", "me", "it's", "shop"),
    ],
)
def test_a_database_url_says_role_password_and_database(url: str, user: str, password: str, database: str) -> None:
    assert connection(url) == {"user": user, "password": password, "database": database}


def test_all_that_postgres_is_told_of_its_url_is_secret() -> None:
    variables = local_stack().container("postgres").environment()
    assert set(variables) == {"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB"}
    assert all(isinstance(value, Secret) for value in variables.values())


def test_the_password_is_set_again_on_a_volume_that_outlived_its_stack_and_is_no_argument() -> None:
    inputs = local_stack().container("postgres").plain
    *shell, script = inputs["entrypoints"]
    assert shell == ["/bin/sh", "-ec"]
    assert "ALTER ROLE" in script
    assert "exec docker-entrypoint.sh postgres" in script
    assert "generated-password" not in str(inputs["entrypoints"])
    assert "command" not in inputs


def test_postgres_is_healthy_only_when_it_answers_over_the_network() -> None:
    check = local_stack().container("postgres").plain["healthcheck"]["tests"][1]
    assert "pg_isready" in check
    assert "--host 127.0.0.1" in check, "the image's first start answers on its Unix socket before it is done"


def test_postgres_may_write_its_socket_in_memory_and_its_data_on_its_volume_only() -> None:
    inputs = local_stack().container("postgres").plain
    assert set(inputs["tmpfs"]) == {"/tmp", "/var/run/postgresql"}
    (mount,) = inputs["volumes"]
    assert mount == {"volumeName": f"{NAME}-postgres-17", "containerPath": "/var/lib/postgresql/data"}
    assert inputs["stopSignal"] == "SIGINT", "a fast shutdown: SIGTERM would wait for clients"
    assert inputs["destroyGraceSeconds"] == 60


def test_redis_keeps_what_it_holds() -> None:
    inputs = local_stack().container("redis").plain
    assert inputs["command"][:4] == ["--appendonly", "yes", "--dir", "/data"]
    assert inputs["volumes"] == [{"volumeName": f"{NAME}-redis", "containerPath": "/data"}]
    assert "redis-cli ping" in inputs["healthcheck"]["tests"][1]


@pytest.mark.parametrize(("role", "alias"), [("postgres", "postgres"), ("redis", "redis")])
def test_services_are_found_by_a_name_that_stays(role: str, alias: str) -> None:
    (network,) = local_stack().container(role).plain["networksAdvanced"]
    assert network["aliases"] == [alias]
