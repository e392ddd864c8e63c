"""The local stack as a whole: what it is made of, in which order it comes up, and what outlives what."""

from __future__ import annotations

import pulumi
import pytest
from support.building import IMAGE, NAME, local_stack
from support.recorder import COMMAND, CONTAINER, REMOTE_IMAGE, Recording
from support.recorder import record as run

from flaskstack import EdgePolicy, FlaskApp, LocalStack, SettingsError
from flaskstack.app import UID
from flaskstack.local.variables import short_version

LONG_LIVED = ("postgres", "redis", "web-0", "web-1", "nginx")
ONE_SHOTS = ("migration", "release")
DATA = ("postgres-data", "redis-data")


@pytest.mark.parametrize("role", [*LONG_LIVED, *ONE_SHOTS, "server-config"])
def test_each_part_is_a_container(prod: Recording, role: str) -> None:
    assert prod.container(role)
    assert len(prod.of(CONTAINER)) == 8


def test_each_part_belongs_to_the_component(prod: Recording) -> None:
    component = prod.resources[0]
    assert (component.type, component.name) == ("flaskstack:index:LocalStack", NAME)
    assert {part.parent for part in prod.resources[1:]} == {component.urn}


def test_children_are_named_after_the_component(prod: Recording) -> None:
    assert all(part.name.startswith(f"{NAME}-") for part in prod.resources[1:])
    assert len({part.urn for part in prod.resources}) == len(prod.resources)


@pytest.mark.parametrize("role", DATA)
def test_data_outlives_the_stack(prod: Recording, role: str) -> None:
    assert prod.one(role).options.retainOnDelete


@pytest.mark.parametrize("role", DATA)
def test_data_goes_with_the_stack_when_asked_to(role: str) -> None:
    assert not local_stack(keep_data=False).one(role).options.retainOnDelete


def test_nothing_but_data_outlives_the_stack(prod: Recording) -> None:
    kept = {part.name for part in prod.resources if part.options.retainOnDelete}
    assert kept == {f"{NAME}-{role}" for role in DATA}


def test_a_stack_that_comes_back_finds_its_volumes_by_their_names(prod: Recording) -> None:
    assert prod.value["volumes"] == [f"{NAME}-postgres-17", f"{NAME}-redis"]
    assert [prod.one(role).plain["name"] for role in DATA] == prod.value["volumes"]


def test_what_comes_up_waits_for_what_it_needs(prod: Recording) -> None:
    before = {role: prod.after(prod.container(role)) for role in (*LONG_LIVED, *ONE_SHOTS)}
    assert {f"{NAME}-postgres", f"{NAME}-redis", f"{NAME}-migration", f"{NAME}-prepare"} <= before["web-0"]
    assert {f"{NAME}-web-0", f"{NAME}-web-1", f"{NAME}-nginx-8080"} <= before["release"]
    assert not {f"{NAME}-web-0", f"{NAME}-nginx-8080"} & before["postgres"]


def test_web_replicas_do_not_wait_for_one_another(prod: Recording) -> None:
    assert f"{NAME}-web-0" not in prod.after(prod.container("web-1"))


def test_nginx_outlives_a_release_because_it_depends_on_nothing_of_it(prod: Recording) -> None:
    assert not {f"{NAME}-web-0", f"{NAME}-migration", f"{NAME}-prepare"} & prod.after(prod.container("nginx"))


def test_the_database_is_migrated_once_it_is_healthy(prod: Recording) -> None:
    prepare = prod.one("prepare")
    waited = set(prepare.plain["environment"]["WAIT_FOR"].split())
    assert waited == {prod.container("postgres").id, prod.container("redis").id}
    assert prepare.plain["environment"]["JOBS"] == prod.container("migration").id


def test_the_url_is_known_only_once_it_answers(prod: Recording) -> None:
    released = prod.one("released")
    assert set(released.plain["environment"]["WAIT_FOR"].split()) == {
        prod.container("web-0").id,
        prod.container("web-1").id,
    }
    assert released.plain["environment"]["JOBS"] == prod.container("release").id
    assert prod.value["url"] == "http://127.0.0.1:8080"


@pytest.mark.parametrize(("role", "first"), [("postgres", True), ("redis", True), ("nginx", True), ("web-0", False)])
def test_only_what_holds_something_alone_stops_before_its_successor_starts(
    prod: Recording, role: str, first: bool
) -> None:
    assert prod.container(role).options.deleteBeforeReplace is first


def test_another_port_is_another_nginx_so_that_the_former_serves_until_the_new_one_does() -> None:
    assert f"{NAME}-nginx-9000" in local_stack(port=9000).names()


def test_a_container_that_could_not_start_is_made_again(prod: Recording) -> None:
    for role in (*LONG_LIVED, "release"):
        assert "#initerror" in prod.container(role).options.replaceOnChanges


def test_a_container_that_may_live_beside_its_successor_has_no_fixed_name(prod: Recording) -> None:
    assert not [part.name for part in prod.of(CONTAINER) if "name" in part.plain]


@pytest.mark.parametrize("role", ONE_SHOTS)
def test_one_shots_are_made_and_not_started(prod: Recording, role: str) -> None:
    inputs = prod.container(role).plain
    assert inputs["start"] is False
    assert inputs["mustRun"] is False
    assert inputs.get("restart", "no") == "no"


def test_a_one_shot_runs_again_when_it_is_another_one(prod: Recording) -> None:
    for step, job in (("prepare", "migration"), ("released", "release")):
        assert prod.container(job).id in prod.one(step).plain["triggers"]
    assert len(prod.of(COMMAND)) == 2


def test_the_migration_runs_the_image_of_the_web_replicas_with_their_environment(prod: Recording) -> None:
    migration, web = prod.container("migration"), prod.container("web-0")
    assert migration.plain["image"] == web.plain["image"] == IMAGE
    assert migration.environment() == web.environment()
    assert migration.plain["user"] == web.plain["user"] == f"{UID}:{UID}"
    assert migration.plain["command"] == ["flask", "--app", "app:create_app", "db", "upgrade"]


def test_an_application_without_migrations_still_waits_for_its_services() -> None:
    recording = local_stack(FlaskApp())
    assert not [part for part in recording.of(CONTAINER) if part.name.endswith("-migration")]
    assert recording.one("prepare").plain["environment"]["JOBS"] == ""
    assert f"{NAME}-postgres" in recording.after(recording.container("web-0"))


def test_images_stay_when_the_stack_goes(prod: Recording) -> None:
    images = {part.name: part.plain for part in prod.of(REMOTE_IMAGE)}
    assert {image["name"] for image in images.values()} == {"postgres:17", "redis:8", "nginx:1.30"}
    assert all(image["keepLocally"] is True for image in images.values())


def test_containers_run_an_image_by_its_id(prod: Recording) -> None:
    assert all(part.plain["image"].startswith("sha256:") for part in prod.of(CONTAINER))


def test_other_images_can_be_named() -> None:
    recording = local_stack(images={"postgres": "registry.example/postgres:16"})
    assert recording.one("postgres-image").plain["name"] == "registry.example/postgres:16"
    assert recording.one("redis-image").plain["name"] == "redis:8"


def test_replicas_are_as_many_as_asked_for() -> None:
    recording = local_stack(replicas=3)
    assert {f"{NAME}-web-{number}" for number in range(3)} <= set(recording.names())
    assert recording.one("released").plain["environment"]["WAIT_FOR"].split() == [
        f"{NAME}-web-{n}-id" for n in range(3)
    ]


def test_the_version_that_the_application_shows_is_of_its_image(prod: Recording) -> None:
    assert prod.container("web-0").environment()["APP_VERSION"] == "abababababab"
    assert prod.value["image"] == IMAGE


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("sha256:0123456789abcdef", "0123456789ab"),
        ("registry.example/app@sha256:fedcba9876543210", "fedcba987654"),
    ],
)
def test_an_image_is_told_by_the_start_of_its_digest(image: str, version: str) -> None:
    assert short_version(image) == version


def test_plain_http_needs_cookies_that_are_not_secure_only(prod: Recording) -> None:
    variables = prod.container("web-0").environment()
    assert variables["FLASK_SESSION_COOKIE_SECURE"] == "false"
    assert variables["PROXY_HOPS"] == "1"


def test_https_is_refused_before_anything_is_registered() -> None:
    with pytest.raises(SettingsError, match="cannot deliver HTTPS"):
        local_stack(edge=EdgePolicy())


def test_a_bad_argument_registers_nothing() -> None:
    recording: list[Recording] = []

    def build() -> None:
        with pytest.raises(SettingsError):
            LocalStack(NAME, {"app": FlaskApp(), "image": IMAGE, "dev": True, "replicas": 5})

    recording.append(run(build))
    assert recording[0].resources == []


def test_an_ipv6_address_is_written_as_a_url_wants_it() -> None:
    assert local_stack(address="::1", port=9000).value["url"] == "http://[::1]:9000"


def test_the_callers_parent_and_provider_do_not_leak_into_the_children() -> None:
    def build() -> None:
        outer = pulumi.ComponentResource("test:index:Outer", "outer")
        LocalStack(NAME, {"app": FlaskApp(), "image": IMAGE}, pulumi.ResourceOptions(parent=outer))

    recording = run(build)
    stack = recording.one(NAME)
    assert stack.parent == recording.one("outer").urn
    assert all(part.parent == stack.urn for part in recording.resources if part.name.startswith(f"{NAME}-"))


def test_a_preview_knows_no_container_yet_and_still_registers_everything() -> None:
    def build() -> None:
        LocalStack(NAME, {"app": FlaskApp(), "image": IMAGE})

    assert sorted(run(build, preview=True).names()) == sorted(run(build).names())
