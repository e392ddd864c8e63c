"""Settings from the selected stack to the components: nothing is lost, and secrets stay secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
from support.recorder import record

from flaskstack import SettingsError
from stacks import settings as module
from stacks.settings import Settings, check

ROOT = Path(__file__).parents[2]
KEY = "5f4dcc3b5aa765d61d8327deb882cf99b2a1e9c04f6d7e8a1b3c5d7e9f0a2b4c"
PROD: dict[str, Any] = {
    "secretKey": KEY,
    "databaseUrl": "postgresql://me:pw@db.example/shop",
    "edge": {"https": False},
    "image": {"ref": f"registry.example/shop@sha256:{'0' * 64}"},
}
DEV: dict[str, Any] = {"mode": "dev", "edge": {"https": False}, "image": {"ref": "shop:dev"}}


def changed(base: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {key: value for key, value in {**base, **values}.items() if value is not None}


def load(config: dict[str, str], secrets: tuple[str, ...] = ()) -> Settings:
    found: list[Settings] = []
    prefixed = {f"flaskstack:{key}": value for key, value in config.items()}
    record(
        lambda: found.append(module.load()),
        config={**prefixed, "aws:region": "x"},
        secrets=tuple(f"flaskstack:{key}" for key in secrets),
    )
    return found[0]


def test_settings_are_read_from_the_selected_stack_and_other_name_spaces_left_alone() -> None:
    settings = load({"mode": "dev", "edge": '{"https": false}', "image": '{"ref": "x"}'})
    assert settings.dev


@pytest.mark.parametrize("key", ["secretKey", "databaseUrl"])
def test_a_plain_secret_in_the_stacks_file_is_refused(key: str) -> None:
    config = {
        "secretKey": KEY,
        "databaseUrl": PROD["databaseUrl"],
        "edge": '{"https": false}',
        "image": '{"ref": "a@sha256:0"}',
    }
    assert load(config, ("secretKey", "databaseUrl"))
    others = tuple({"secretKey", "databaseUrl"} - {key})
    with pytest.raises(SettingsError, match=f"{key} = .*plain text"):
        load(config, others)


def test_a_group_that_was_set_as_a_secret_is_not_shown_in_errors() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"mode": "dev", "app": '{"port": "canary"}', "edge": '{"https": false}'}, ("app",))
    assert "canary" not in str(caught.value)


def test_secrets_reach_the_components_as_secrets() -> None:
    values = changed(PROD, redisUrl="redis://r.example", secretKeyFallbacks=["old"])
    checked: list[bool] = []

    def build() -> pulumi.Output[Any]:
        args = check(values).local_args("image")
        outputs = [args["secret_key"], args["database_url"], args["redis_url"], *args["secret_key_fallbacks"]]
        assert all(isinstance(each, pulumi.Output) for each in outputs)
        for each in outputs:
            assert isinstance(each, pulumi.Output)
            is_secret: Any = each.is_secret()
            pulumi.Output.from_input(is_secret).apply(checked.append)
        return pulumi.Output.all(*outputs)

    recording = record(build)
    assert recording.value == [KEY, PROD["databaseUrl"], "redis://r.example", "old"]
    assert checked == [True] * 4


def test_what_is_not_said_is_left_to_the_components_own_defaults() -> None:
    args = check(DEV).local_args("image")
    assert not {"replicas", "secret_key", "database_url", "redis_url"} & args.keys()
    image = check(DEV).image_args()
    assert not {"repository", "ca_bundle"} & image.keys()


def test_what_is_said_reaches_the_components() -> None:
    image = {
        "base": "python:3.12-slim",
        "repository": "registry.example/shop",
        "platforms": ["linux/arm64"],
        "caBundle": "ca.pem",
    }
    local = {"port": 9000, "replicas": 4, "keepData": False, "images": {"redis": "redis:7"}, "health": {"retries": 5}}
    settings = check(changed(PROD, image=image, local=local, app={"path": str(ROOT)}))
    built = settings.image_args()
    stack: dict[str, Any] = {}
    record(lambda: stack.update(settings.local_args("x")))
    assert (built["base_image"], built["repository"], built["ca_bundle"]) == (
        "python:3.12-slim",
        "registry.example/shop",
        "ca.pem",
    )
    assert (stack["port"], stack["replicas"], stack["keep_data"]) == (9000, 4, False)
    assert stack["images"] == {"redis": "redis:7"}
    assert stack["health"].retries == 5
