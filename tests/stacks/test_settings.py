"""Settings: what a stack's file becomes, and what is refused before anything is registered."""

from __future__ import annotations

import json
import re
import secrets as generator
from pathlib import Path
from typing import Any

import pytest
import yaml

from flaskstack import SettingsError
from stacks.checks import weak_key
from stacks.settings import SECRETS, Settings, check

ROOT = Path(__file__).parents[2]
# Not those that a test on the real engine is making meanwhile.
COMMITTED = sorted(
    path.name for path in (ROOT / "stacks").glob("Pulumi.*.yaml") if not re.search(r"\.t[0-9a-f]{8}\.", path.name)
)
KEY = "5f4dcc3b5aa765d61d8327deb882cf99b2a1e9c04f6d7e8a1b3c5d7e9f0a2b4c"
PROD: dict[str, Any] = {
    "secretKey": KEY,
    "databaseUrl": "postgresql://me:pw@db.example/shop",
    "edge": {"https": False},
    "image": {"ref": f"registry.example/shop@sha256:{'0' * 64}"},
}
DEV: dict[str, Any] = {"mode": "dev", "edge": {"https": False}, "image": {"ref": "shop:dev"}}


def refused(values: dict[str, Any], plain: frozenset[str] = frozenset()) -> dict[str, str]:
    """Key -> whole text of each problem."""
    with pytest.raises(SettingsError) as caught:
        check(values, plain)
    return {problem.key.removeprefix("flaskstack:"): str(problem) for problem in caught.value.problems}


def changed(base: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {key: value for key, value in {**base, **values}.items() if value is not None}


def test_production_is_the_default_and_needs_both_secrets() -> None:
    assert Settings().mode == "prod"
    problems = refused({"edge": {"https": False}, "image": PROD["image"]})
    assert set(problems) == {"secretKey", "databaseUrl"}
    assert all("required in production" in text for text in problems.values())
    assert "openssl rand -hex 32" in problems["secretKey"]


def test_sound_production_settings_pass() -> None:
    settings = check(PROD)
    assert not settings.dev
    assert not settings.own_postgres


def test_development_makes_its_own_secrets() -> None:
    settings = check(DEV)
    assert settings.dev
    assert settings.own_postgres
    assert settings.secret_key is None


@pytest.mark.parametrize("stack", COMMITTED)
def test_the_committed_stacks_are_sound_once_their_secrets_are_set(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    config = yaml.safe_load((ROOT / "stacks" / stack).read_text())["config"]
    values = {key.removeprefix("flaskstack:"): value for key, value in config.items() if key.startswith("flaskstack:")}
    if values.get("mode") != "dev":
        values |= {"secretKey": KEY, "databaseUrl": "postgresql://me:pw@postgres/shop"}
    assert check(values)


@pytest.mark.parametrize("stack", COMMITTED)
def test_no_committed_stack_holds_a_secret_in_plain(stack: str) -> None:
    config = yaml.safe_load((ROOT / "stacks" / stack).read_text()).get("config") or {}
    plain = {key for key, value in config.items() if not isinstance(value, dict) or "secure" not in value}
    assert not {f"flaskstack:{key}" for key in SECRETS} & plain


class TestWhatProductionRefuses:
    @pytest.mark.parametrize(
        "key",
        [
            "",
            "x",
            "changeme",
            "CHANGEME",
            "your-secret-key",
            "dev",
            "a" * 64,
            "ab" * 40,
            "0123456789abcdef" * 4,
            "abcdefghij" * 8,
            "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
            "prefix-192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
            "12345678901234567890123456789012",
            "f" * 31 + "0123456789abcdef",
        ],
    )
    def test_a_weak_secret_key(self, key: str) -> None:
        problems = refused(changed(PROD, secretKey=key))
        assert set(problems) == {"secretKey"}
        assert "[secret]" in problems["secretKey"]
        assert len(key) < 8 or key not in problems["secretKey"]

    def test_no_postgres_url_but_for_an_application_without_a_database(self) -> None:
        assert "databaseUrl" in refused(changed(PROD, databaseUrl=None))
        assert check(changed(PROD, databaseUrl=None, app={"postgres": False}))

    @pytest.mark.parametrize("ref", ["shop", "shop:1.0", "registry.example/shop:latest"])
    def test_a_tag_that_can_move(self, ref: str) -> None:
        assert "image.ref" in refused(changed(PROD, image={"ref": ref}))

    @pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104  # it is refused
    def test_plain_http_that_leaves_the_machine(self, address: str) -> None:
        assert "local.address" in refused(changed(PROD, local={"address": address}))

    @pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1"])
    def test_not_plain_http_on_loopback(self, address: str) -> None:
        assert check(changed(PROD, local={"address": address}))

    @pytest.mark.parametrize("value", ["1", "0", "true"])
    def test_the_debugger_by_the_applications_environment(self, value: str) -> None:
        assert refused(changed(PROD, app={"environment": {"FLASK_DEBUG": value}}))

    def test_another_word_for_dev(self) -> None:
        problems = refused(changed(PROD, mode="development"))
        assert "'dev' or 'prod'" in problems["mode"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not a url",
        "mysql://me:canary@db.example/x",
        "postgresql://",
        "postgresql://me:canary@db.example:notaport/x",
        "postgresql://me:canary@db.example:99999/x",
        "postgresql://me:canary@[::1/x",
        "http://db.example",
    ],
)
@pytest.mark.parametrize("base", [PROD, DEV], ids=["prod", "dev"])
def test_a_database_url_that_does_not_parse_is_refused_without_being_shown(base: dict[str, Any], url: str) -> None:
    problems = refused(changed(base, databaseUrl=url))
    assert set(problems) == {"databaseUrl"}
    assert "canary" not in problems["databaseUrl"]


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("postgresql://me:pw@postgres/shop", True),
        ("postgresql+psycopg://me:pw@postgres:5432/shop", True),
        ("postgres://me:pw@db.example/shop?sslmode=require", False),
        ("postgresql://me:p%40ss@10.0.0.5:6432/shop", False),
    ],
)
def test_the_host_postgres_means_the_stacks_own(url: str, own: bool) -> None:
    assert check(changed(PROD, databaseUrl=url)).own_postgres is own


def test_the_stacks_own_postgres_wants_a_password() -> None:
    problems = refused(changed(PROD, databaseUrl="postgresql://me@postgres/shop"))
    assert "must have" in problems["databaseUrl"]


@pytest.mark.parametrize("key", sorted(SECRETS))
def test_a_secret_that_was_not_set_as_one_is_refused_without_being_shown(key: str) -> None:
    value = {"secretKeyFallbacks": '["canary"]', "secrets": '{"API_KEY": "canary"}'}.get(key, "canary")
    problems = refused(changed(PROD, **{key: value}), frozenset({key}))
    command = "pulumi config set --secret --path flaskstack:secrets.NAME" if key == "secrets" else None
    assert (command or f"pulumi config set --secret flaskstack:{key}") in problems[key]
    assert "canary" not in str(problems)


def test_each_secret_that_the_application_names_must_be_set() -> None:
    app = {"secrets": ["API_KEY", "MAIL_PASSWORD"]}
    problems = refused(changed(PROD, app=app, secrets='{"API_KEY": "canary"}'))
    assert set(problems) == {"secrets.MAIL_PASSWORD"}
    assert "pulumi config set --secret --path flaskstack:secrets.MAIL_PASSWORD" in problems["secrets.MAIL_PASSWORD"]
    assert check(changed(PROD, app=app, secrets='{"API_KEY": "x", "MAIL_PASSWORD": "y"}')).secrets["API_KEY"] == "x"


@pytest.mark.parametrize("name", ["DATABASE_URL", "PORT", "1A", "A-B"])
def test_a_secret_has_a_name_that_a_process_can_read_and_no_other_key_decides(name: str) -> None:
    problems = refused(changed(PROD, secrets=json.dumps({name: "canary"})))
    assert name in str(problems)
    assert "canary" not in str(problems)


@pytest.mark.parametrize("key", ["secret_key", "databaseURL", "database_url", "secretkey", "redisURL", "DatabaseUrl"])
def test_a_misspelt_secret_is_unknown_and_its_value_not_shown(key: str) -> None:
    problems = refused(changed(PROD, **{key: "canary"}))
    assert "rename it to" in problems[key]
    assert "canary" not in str(problems)


@pytest.mark.parametrize(
    ("values", "key", "fix"),
    [
        ({"locl": {}}, "locl", "rename it to local"),
        ({"local": {"prot": 1}}, "local.prot", "rename it to port"),
        ({"local": {"keep_data": True}}, "local.keep_data", "rename it to keepData"),
        ({"local": {"limits": {"nofiles": 1}}}, "local.limits.nofiles", "rename it to nofile"),
        ({"edge": {"https": False, "rateLimit": {"brust": 1}}}, "edge.rateLimit.brust", "rename it to burst"),
        ({"app": {"server": {"worker": 1}}}, "app.server.worker", "rename it to workers"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_one_that_was_meant(
    values: dict[str, Any], key: str, fix: str
) -> None:
    assert fix in refused(changed(PROD, **values))[key]


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"local": {"port": 0}}, "local.port"),
        ({"local": {"port": "http"}}, "local.port"),
        ({"local": {"port": 65_536}}, "local.port"),
        ({"local": {"address": "localhost"}}, "local.address"),
        ({"local": {"replicas": 0}}, "local.replicas"),
        ({"local": {"limits": {"memoryMib": "much"}}}, "local.limits.memoryMib"),
        ({"local": "8080"}, "local"),
        ({"edge": {"https": False, "gzipLevel": 10}}, "edge.gzipLevel"),
        ({"app": {"port": 80}}, "app.port"),
        ({"app": {"server": {"workerClass": "tornado"}}}, "app.server.workerClass"),
    ],
)
def test_a_wrong_value_is_told_with_its_key_and_a_command(values: dict[str, Any], key: str) -> None:
    assert f"flaskstack:{key}" in refused(changed(PROD, **values))[key]


def test_an_image_for_an_unknown_role_is_refused() -> None:
    assert refused(changed(PROD, local={"images": {"mysql": "mysql:9"}}))


@pytest.mark.parametrize("base", [PROD, DEV], ids=["prod", "dev"])
def test_an_intent_that_the_edge_cannot_deliver_is_refused_with_the_edges_name(base: dict[str, Any]) -> None:
    assert "nginx in the local stack has no certificate" in refused(changed(base, edge={}))["edge.https"]


def test_every_problem_is_told_at_once() -> None:
    problems = refused(
        {"mode": "prod", "nonsense": 1, "local": {"port": 0}, "edge": {"gzipLevel": 99}}, frozenset({"secretKey"})
    )
    assert {"nonsense", "local.port", "edge.gzipLevel", "secretKey"} <= set(problems)


def test_development_has_one_replica() -> None:
    assert "local.replicas" in refused(changed(DEV, local={"replicas": 2}))
    assert check(changed(DEV, local={"replicas": 1}))


def test_a_source_folder_that_is_missing_is_told_unless_an_image_is_named() -> None:
    assert "no such folder" in refused(changed(DEV, image=None, app={"path": "nowhere"}))["app.path"]
    assert check(changed(DEV, app={"path": "nowhere"}))


def test_groups_come_from_the_engine_as_json_text() -> None:
    settings = check(changed(PROD, local=json.dumps({"port": 9000}), secretKeyFallbacks='["one", "two"]'))
    assert settings.local.port == 9000
    assert settings.secret_key_fallbacks == ("one", "two")


def test_a_secret_that_looks_like_json_stays_text() -> None:
    key = "{" + KEY + "}"
    assert check(changed(PROD, secretKey=key)).secret_key == key


def test_broken_json_is_a_problem_of_its_key() -> None:
    assert "local" in refused(changed(PROD, local='{"port": '))


@pytest.mark.parametrize("number", range(20))
@pytest.mark.parametrize("make", [generator.token_hex, generator.token_urlsafe])
def test_a_generated_key_is_never_weak(make: Any, number: int) -> None:
    assert weak_key(make(32)) is None, number


@pytest.mark.parametrize("make", [generator.token_hex, generator.token_urlsafe])
def test_half_a_generated_key_is_weak(make: Any) -> None:
    assert "entropy" in str(weak_key(make(16)))
