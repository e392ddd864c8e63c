"""The local stack as a whole: what it is made of, in which order it comes up, and what development changes."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from support.building import IMAGE, NAME, local_stack
from support.recorder import COMMAND, CONTAINER, GENERATED, NETWORK, PASSWORD, REMOTE_IMAGE, VOLUME, Recording, Secret
from support.recorder import record as run

from flaskstack import EdgePolicy, FlaskApp, Limits, LocalStack, SettingsError
from flaskstack.app import UID
from flaskstack.local_stack import short_version

LONG_LIVED = ("postgres", "redis", "web-0", "web-1", "nginx")
ONE_SHOTS = ("migration", "release")
DATA = ("postgres-data", "redis-data")


@pytest.fixture(scope="module")
def prod() -> Recording:
    return local_stack()


@pytest.fixture(scope="module")
def dev() -> Recording:
    return local_stack(dev=True)


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


@pytest.mark.parametrize("role", LONG_LIVED)
class TestEveryLongLivedContainer:
    def test_has_no_privileges(self, prod: Recording, role: str) -> None:
        inputs = prod.container(role).plain
        assert inputs["capabilities"] == {"drops": ["ALL"]}
        assert inputs["securityOpts"] == ["no-new-privileges"]
        assert inputs["user"] not in ("root", "0", "0:0")
        assert "privileged" not in inputs

    def test_has_a_read_only_root_and_a_small_tmp_in_memory(self, prod: Recording, role: str) -> None:
        inputs = prod.container(role).plain
        assert inputs["readOnly"] is True
        options = set(inputs["tmpfs"]["/tmp"].split(","))
        assert {"noexec", "nosuid", "size=100m"} <= options

    def test_has_limits_and_reservations(self, prod: Recording, role: str) -> None:
        inputs = prod.container(role).plain
        assert (inputs["cpus"], inputs["memory"]) == ("2.0", 1024)
        assert (inputs["cpuShares"], inputs["memoryReservation"]) == (512, 256)
        assert inputs["memorySwap"] == 2 * inputs["memory"], "the engine reports this when it is left out"

    def test_has_ulimits(self, prod: Recording, role: str) -> None:
        limits = {item["name"]: (item["soft"], item["hard"]) for item in prod.container(role).plain["ulimits"]}
        assert limits == {"nproc": (65535, 65535), "nofile": (65535, 65535), "core": (0, 0)}

    def test_rotates_its_logs(self, prod: Recording, role: str) -> None:
        inputs = prod.container(role).plain
        assert inputs["logDriver"] == "json-file"
        assert inputs["logOpts"] == {"max-size": "10m", "max-file": "3"}

    def test_restarts_unless_stopped(self, prod: Recording, role: str) -> None:
        assert prod.container(role).plain["restart"] == "unless-stopped"

    def test_has_the_health_figures_of_the_contract(self, prod: Recording, role: str) -> None:
        check = dict(prod.container(role).plain["healthcheck"])
        kind, command = check.pop("tests")
        assert (kind, bool(command)) == ("CMD-SHELL", True)
        assert check == {"interval": "30s", "timeout": "5s", "startPeriod": "15s", "retries": 3}

    def test_is_in_the_stacks_own_network_only(self, prod: Recording, role: str) -> None:
        (network,) = prod.of(NETWORK)
        inputs = prod.container(role).plain
        assert inputs["networkMode"] == "bridge", "left out, the official plugin finds a difference at every `up`"
        assert [item["name"] for item in inputs["networksAdvanced"]] == [f"{network.name}-0abc123"]

    def test_is_found_by_its_labels(self, prod: Recording, role: str) -> None:
        labels = {item["label"]: item["value"] for item in prod.container(role).plain["labels"]}
        assert labels == {
            "dev.flaskstack.project": "flaskstack",
            "dev.flaskstack.stack": "test",
            "dev.flaskstack.role": role.rstrip("-012"),
        }

    def test_gets_time_to_stop(self, prod: Recording, role: str) -> None:
        assert prod.container(role).plain["destroyGraceSeconds"] >= 30


def test_only_nginx_publishes_a_port_and_only_on_loopback(prod: Recording) -> None:
    publishing = {part.name: part.plain["ports"] for part in prod.of(CONTAINER) if part.plain.get("ports")}
    assert publishing == {
        f"{NAME}-nginx-8080": [{"internal": 8080, "external": 8080, "ip": "127.0.0.1", "protocol": "tcp"}]
    }


def test_no_container_shares_a_name_space_with_the_machine(prod: Recording) -> None:
    for part in prod.of(CONTAINER):
        assert "host" not in (part.plain.get("networkMode"), part.plain.get("pidMode"), part.plain.get("ipcMode"))
        assert "host" not in part.plain.get("usernsMode", "")


def test_the_network_is_a_private_bridge(prod: Recording) -> None:
    (network,) = prod.of(NETWORK)
    assert network.plain["driver"] == "bridge"
    assert "name" not in network.plain, "autonamed: two stacks of one machine must not meet"


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
    assert prepare.plain["environment"]["JOB"] == prod.container("migration").id


def test_the_url_is_known_only_once_it_answers(prod: Recording) -> None:
    released = prod.one("released")
    assert set(released.plain["environment"]["WAIT_FOR"].split()) == {
        prod.container("web-0").id,
        prod.container("web-1").id,
    }
    assert released.plain["environment"]["JOB"] == prod.container("release").id
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
    assert recording.one("prepare").plain["environment"]["JOB"] == ""
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


class TestDevelopment:
    def test_shows_the_source_as_it_is_on_disk_read_only(self, dev: Recording) -> None:
        mounts = {item["containerPath"]: item for item in dev.container("web-0").plain["volumes"]}
        assert mounts["/app"]["hostPath"] == str(FlaskApp().source)
        assert mounts["/app"]["readOnly"] is True

    def test_has_the_debugger_and_one_worker_in_one_replica(self, dev: Recording) -> None:
        variables = dev.container("web-0").environment()
        assert (variables["FLASK_DEBUG"], variables["WEB_CONCURRENCY"]) == ("1", "1")
        assert f"{NAME}-web-1" not in dev.names()

    def test_is_as_hardened_as_production(self, dev: Recording, prod: Recording) -> None:
        for key in ("capabilities", "securityOpts", "readOnly", "tmpfs", "ulimits", "memory", "cpus", "user"):
            assert dev.container("web-0").plain[key] == prod.container("web-0").plain[key]

    def test_refuses_more_than_one_replica_before_anything_is_registered(self) -> None:
        with pytest.raises(SettingsError, match="development has one replica"):
            local_stack(dev=True, replicas=2)

    def test_leaves_no_trace_in_production(self, prod: Recording) -> None:
        for part in prod.of(CONTAINER):
            assert not {"FLASK_DEBUG", "PYTHONDONTWRITEBYTECODE"} & part.environment().keys()
            assert not [item for item in part.plain.get("volumes", []) if "hostPath" in item]

    def test_has_no_content_policy_that_would_stop_the_debuggers_page(self, dev: Recording, prod: Recording) -> None:
        def configuration(recording: Recording) -> str:
            files = {item["file"]: item["content"] for item in recording.container("release").plain["uploads"]}
            return str(files["/release/nginx.conf"])

        assert "Content-Security-Policy" not in configuration(dev)
        assert "Content-Security-Policy" in configuration(prod)
        assert "proxy_cache static" not in configuration(dev), "an edit shows at once"


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


def test_limits_reach_every_container() -> None:
    limits = Limits(cpus=1.5, memory_mib=512, nofile=16384, tmp_mib=32, log_mib=5, log_files=2)
    recording = local_stack(limits=limits)
    for part in recording.of(CONTAINER):
        if part.name.endswith("server-config"):
            continue
        assert (part.plain["cpus"], part.plain["memory"], part.plain["memorySwap"]) == ("1.5", 512, 1024)
        assert {"name": "nofile", "soft": 16384, "hard": 16384} in part.plain["ulimits"]
        assert "size=32m" in part.plain["tmpfs"]["/tmp"]
        assert part.plain["logOpts"] == {"max-size": "5m", "max-file": "2"}


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
