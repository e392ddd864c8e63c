"""`KubernetesApp` and its secrets: where they may stand, and how they rotate."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from support.cluster_app import (
    CANARIES,
    CONFIG_MAP,
    DEPLOYMENT,
    JOB,
    SECRET,
    arguments,
    container,
    kubernetes_app,
    object_name,
    spec,
)
from support.recorder import Recording, Secret

from flaskstack import FlaskApp, SettingsError
from flaskstack.kubernetes.identity import content_hash
from flaskstack.kubernetes.plan import Plan

RANDOM_STRING = "random:index/randomString:RandomString"


def references(recording: Recording, kind: str = DEPLOYMENT) -> dict[str, dict[str, Any]]:
    return {
        item["name"]: item["valueFrom"]["secretKeyRef"]
        for item in container(recording, kind)["env"]
        if "valueFrom" in item
    }


def suffix_depends_on(recording: Recording, role: str) -> str:
    return str(recording.one(f"{role}-name").plain["keepers"]["content"])


def test_the_secret_has_the_contracts_keys_and_is_registered_as_secret() -> None:
    (found,) = kubernetes_app().of(SECRET)
    assert found.inputs["stringData"] == Secret(
        {
            "secret-key": CANARIES["secret_key"],
            "database-url": CANARIES["database_url"],
            "redis-url": CANARIES["redis_url"],
        }
    )
    assert found.plain["immutable"] is True


@pytest.mark.parametrize("kind", [DEPLOYMENT, JOB])
def test_pods_get_secrets_by_reference(kind: str) -> None:
    recording = kubernetes_app()
    name = object_name(recording, SECRET)
    assert references(recording, kind) == {
        "SECRET_KEY": {"name": name, "key": "secret-key"},
        "DATABASE_URL": {"name": name, "key": "database-url"},
        "REDIS_URL": {"name": name, "key": "redis-url"},
    }


def test_former_keys_are_one_more_key() -> None:
    recording = kubernetes_app(secret_key_fallbacks=["canary-newer", "canary-older"])
    (found,) = recording.of(SECRET)
    assert found.plain["stringData"]["secret-key-fallbacks"] == "canary-newer,canary-older"
    assert references(recording)["SECRET_KEY_FALLBACKS"]["key"] == "secret-key-fallbacks"


def test_no_plain_input_of_anything_holds_a_secret() -> None:
    for part in kubernetes_app(secret_key_fallbacks=["canary-old"]).resources:
        shown = {key: value for key, value in part.inputs.items() if not isinstance(value, Secret)}
        assert "canary" not in repr(shown), part.name
        assert not part.secret_texts or part.type == SECRET, f"{part.name}: only the Secret needs to be secret"


@pytest.mark.parametrize(
    "change",
    [{"secret_key": "canary-other"}, {"database_url": "postgresql://x:y@z/w"}, {"secret_key_fallbacks": ["canary"]}],
    ids=["secret key", "database URL", "fallbacks"],
)
def test_another_content_is_another_secret_another_migration_and_other_pods(change: dict[str, Any]) -> None:
    before, after = kubernetes_app(), kubernetes_app(**change)
    assert object_name(before, SECRET) != object_name(after, SECRET)
    for kind in (DEPLOYMENT, JOB):
        assert references(before, kind)["SECRET_KEY"]["name"] != references(after, kind)["SECRET_KEY"]["name"]
    assert suffix_depends_on(before, "migration") != suffix_depends_on(after, "migration")


def test_the_same_content_is_the_same_secret() -> None:
    assert object_name(kubernetes_app(), SECRET) == object_name(kubernetes_app(), SECRET)


def test_each_replacement_gets_a_name_that_was_never_used() -> None:
    recording = kubernetes_app()
    assert {part.name.rsplit("-", 2)[1] for part in recording.of(RANDOM_STRING)} == {"secret", "config", "migration"}
    for kind in (SECRET, CONFIG_MAP, JOB):
        assert object_name(recording, kind).endswith("-x1y2z")
    assert suffix_depends_on(recording, "secret") in object_name(recording, SECRET)
    assert suffix_depends_on(recording, "config") in object_name(recording, CONFIG_MAP)


def test_another_image_is_another_migration() -> None:
    other = kubernetes_app(image=f"registry.example/shop@sha256:{'cd' * 32}")
    assert "cdcdcdcdcdcd" in object_name(other, JOB)
    assert suffix_depends_on(kubernetes_app(), "migration") != suffix_depends_on(other, "migration")
    assert object_name(other, SECRET) == object_name(kubernetes_app(), SECRET)


def test_a_name_says_nothing_of_what_it_is_of() -> None:
    content = {"secret-key": "k" * 64, "database-url": "postgresql://me:1234@db/shop"}
    hashes = {
        content_hash({**content, **change}, salt)
        for change, salt in itertools.product(({}, {"secret-key": "l" * 64}), ("shop", "other"))
    }
    assert len(hashes) == 4, "the key and the application are hashed along"
    assert all(len(each) == 10 for each in hashes)


def test_a_secret_that_exists_is_referred_to_and_none_is_made() -> None:
    recording = kubernetes_app(
        secret_key=None, database_url=None, redis_url=None, secret_name="from-vault", secret_version="7"
    )
    assert recording.of(SECRET) == []
    assert references(recording) == {
        "SECRET_KEY": {"name": "from-vault", "key": "secret-key", "optional": False},
        "SECRET_KEY_FALLBACKS": {"name": "from-vault", "key": "secret-key-fallbacks", "optional": True},
        "DATABASE_URL": {"name": "from-vault", "key": "database-url", "optional": False},
        "REDIS_URL": {"name": "from-vault", "key": "redis-url", "optional": True},
    }
    assert spec(recording, DEPLOYMENT)["template"]["metadata"]["annotations"] == {"flaskstack.dev/secret-version": "7"}
    assert recording.value["secret"] == "from-vault"


def test_without_redis_there_is_no_such_key() -> None:
    recording = kubernetes_app(redis_url=None)
    (found,) = recording.of(SECRET)
    assert set(found.plain["stringData"]) == {"secret-key", "database-url"}
    assert "REDIS_URL" not in references(recording)


def refused(**changes: Any) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        Plan.of("x", arguments(**changes))
    return {problem.key: str(problem) for problem in caught.value.problems}


def test_a_secret_that_exists_beside_values_of_ones_own_is_refused() -> None:
    found = refused(secret_name="from-vault")
    assert "give either" in found["secret_key"]
    assert "canary" not in str(found)


def test_missing_secrets_are_all_named() -> None:
    assert set(refused(secret_key=None, database_url=None)) == {"secret_key", "database_url"}


def test_an_application_without_a_database_needs_no_url() -> None:
    assert Plan.of("x", arguments(app=FlaskApp(postgres=False), database_url=None)).database_url is None


def test_a_version_without_a_secret_that_exists_is_refused() -> None:
    assert "leave it out" in refused(secret_version="2")["secret_version"]


def test_a_plan_shows_no_secret() -> None:
    assert "canary" not in repr(Plan.of("x", arguments()))


def test_further_secrets_are_keys_of_the_secret_under_their_own_names() -> None:
    app = FlaskApp(name="shop", migrate=("true",), secrets=("API_KEY",))
    recording = kubernetes_app(app=app, secrets={"API_KEY": "canary-api", "MORE": "canary-more"})
    (found,) = recording.of(SECRET)
    assert isinstance(found.inputs["stringData"], Secret)
    assert {"API_KEY": "canary-api", "MORE": "canary-more"}.items() <= found.plain["stringData"].items()
    for kind in (DEPLOYMENT, JOB):
        assert references(recording, kind)["API_KEY"] == {"name": object_name(recording, SECRET), "key": "API_KEY"}
    for part in recording.resources:
        shown = {key: value for key, value in part.inputs.items() if not isinstance(value, Secret)}
        assert "canary" not in repr(shown), part.name


def test_another_value_of_a_further_secret_is_another_secret() -> None:
    before, after = (kubernetes_app(secrets={"API_KEY": value}) for value in ("canary-a", "canary-b"))
    assert object_name(before, SECRET) != object_name(after, SECRET)


def test_a_secret_that_exists_must_hold_the_further_ones() -> None:
    recording = kubernetes_app(
        app=FlaskApp(name="shop", secrets=("API_KEY",)),
        secret_key=None,
        database_url=None,
        redis_url=None,
        secret_name="from-vault",
    )
    assert references(recording)["API_KEY"] == {"name": "from-vault", "key": "API_KEY", "optional": False}


def test_further_secrets_that_are_missing_or_beside_a_secret_that_exists_are_refused() -> None:
    needy = FlaskApp(name="shop", secrets=("API_KEY",))
    assert "the application needs it" in refused(app=needy)["secrets.API_KEY"]
    found = refused(
        app=needy,
        secret_key=None,
        database_url=None,
        redis_url=None,
        secret_name="from-vault",
        secrets={"API_KEY": "canary"},
    )
    assert "give either" in found["secrets"]
    assert "canary" not in str(found)
