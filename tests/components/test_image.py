"""The image's build as it is registered."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
from support.building import folder
from support.recorder import IMAGE, REMOTE_IMAGE, Recording, Resource, Secret, record

from flaskstack import AppImage, FlaskApp, SettingsError
from flaskstack.image import AppImageArgs


@pytest.fixture(autouse=True)
def no_bundle_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)


@pytest.fixture
def app(tmp_path: Path) -> FlaskApp:
    return folder(tmp_path / "source", requirements__txt="flask\n")


def image(app: FlaskApp, **args: Any) -> Recording:
    def build() -> pulumi.Output[str]:
        return AppImage("shop-dev-app", cast("AppImageArgs", {"app": app, **args})).ref

    return record(build)


def built(app: FlaskApp, **args: Any) -> Resource:
    (found,) = image(app, **args).of(IMAGE)
    return found


def test_an_own_dockerfile_is_used(app: FlaskApp) -> None:
    (app.source / "Dockerfile").write_text("FROM scratch\n")
    assert built(app).plain["dockerfile"] == {"location": str(app.source / "Dockerfile")}


def test_a_dockerfile_is_generated_for_an_application_without(app: FlaskApp) -> None:
    assert built(app).plain["dockerfile"]["inline"].startswith("ARG BASE_IMAGE\n")


def test_a_file_of_secrets_that_would_end_in_a_layer_is_refused(app: FlaskApp) -> None:
    (app.source / ".env").write_text("SECRET_KEY=canary")
    with pytest.raises(SettingsError, match=r"\.env lies in it, and no \.dockerignore leaves it out") as caught:
        AppImage("shop", {"app": app})
    assert "canary" not in str(caught.value)
    (app.source / ".dockerignore").write_text(".env\n")
    assert built(app)


def test_with_a_dockerfile_of_its_own_such_a_file_is_only_said(app: FlaskApp, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    (app.source / ".env").write_text("SECRET_KEY=canary")
    (app.source / "Dockerfile").write_text("FROM scratch\n")
    assert built(app)
    assert [".env lies in it" in text for text in said] == [True]


def test_clutter_in_the_context_is_said(app: FlaskApp, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    (app.source / ".venv").mkdir()
    assert built(app)
    (text,) = said
    assert text.startswith(f".venv of {app.path} is sent to each build")
    assert text.endswith(f"list it in {app.path}/.dockerignore")


def test_an_application_that_cannot_be_built_registers_nothing(tmp_path: Path) -> None:
    recordings: list[Recording] = []

    def build() -> None:
        with pytest.raises(SettingsError):
            AppImage("x", {"app": folder(tmp_path / "empty")})

    recordings.append(record(build))
    assert recordings[0].resources == []


def test_without_a_repository_it_is_loaded_and_run_by_the_engines_id(app: FlaskApp) -> None:
    recording = image(app)
    (made,), (loaded,) = recording.of(IMAGE), recording.of(REMOTE_IMAGE)
    assert (made.plain["load"], made.plain["push"], made.plain["tags"]) == (True, False, ["shop-dev-app:latest"])
    assert loaded.plain["name"] == "shop-dev-app:latest"
    assert loaded.plain["keepLocally"] is True
    assert loaded.plain["triggers"] == {"digest": "sha256:" + "d" * 64}
    assert made.name in recording.after(loaded), "the tag is in the engine only after the build"
    assert recording.value == "sha256:shop-dev-app-loaded"


def test_with_a_repository_it_is_pushed_and_run_by_its_digest(app: FlaskApp) -> None:
    recording = image(app, repository="registry.example/team/shop")
    (made,) = recording.of(IMAGE)
    assert (made.plain["load"], made.plain["push"]) == (False, True)
    assert made.plain["tags"] == ["registry.example/team/shop:latest"]
    assert recording.value == "registry.example/team/shop@sha256:" + "d" * 64
    assert recording.of(REMOTE_IMAGE) == []


def test_a_preview_builds_nothing(app: FlaskApp) -> None:
    assert built(app).plain["buildOnPreview"] is False


def test_the_context_is_the_applications_folder_alone(app: FlaskApp) -> None:
    assert built(app).plain["context"] == {"location": app.path}


def test_the_base_image_is_an_argument(app: FlaskApp) -> None:
    assert built(app).plain["buildArgs"] == {"BASE_IMAGE": "python:3.13-slim"}
    args = built(app, base_image="registry.example/python:3.12", build_args={"X": "1"}).plain["buildArgs"]
    assert args == {"BASE_IMAGE": "registry.example/python:3.12", "X": "1"}


def test_build_secrets_are_secrets_to_the_engine_and_no_arguments(app: FlaskApp) -> None:
    made = built(app, build_secrets={"pip_conf": "canary"})
    assert made.inputs["secrets"] == Secret({"pip_conf": "canary"})
    assert "canary" not in str({key: value for key, value in made.inputs.items() if key != "secrets"})


def test_a_ca_bundle_is_a_build_secret_whose_content_rebuilds_nothing(app: FlaskApp, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("certificates")
    made = built(app, ca_bundle=str(bundle))
    assert made.inputs["secrets"] == Secret({"ca": "certificates"})
    assert made.plain["ignoreSecretsInDiffCalculation"] == ["ca"]


def test_the_machines_own_bundle_is_found(app: FlaskApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("certificates")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert built(app).inputs["secrets"] == Secret({"ca": "certificates"})


def test_no_bundle_is_no_secret(app: FlaskApp) -> None:
    assert built(app).plain.get("secrets", {}) == {}


def test_several_platforms_without_a_repository_are_refused(app: FlaskApp) -> None:
    with pytest.raises(SettingsError, match=r"image\.platforms = linux/amd64, linux/arm64: a Docker engine holds"):
        AppImage("shop", {"app": app, "platforms": ["linux/amd64", "linux/arm64"]})


def test_platforms_caches_and_labels_are_handed_on(app: FlaskApp) -> None:
    made = built(
        app,
        platforms=["linux/amd64", "linux/arm64"],
        repository="registry.example/shop",
        labels={"org.opencontainers.image.vendor": "me"},
        cache_from=[{"registry": {"ref": "registry.example/cache"}}],
        cache_to=[{"inline": {}}],
    ).plain
    assert made["platforms"] == ["linux/amd64", "linux/arm64"]
    assert made["labels"] == {"org.opencontainers.image.title": "app", "org.opencontainers.image.vendor": "me"}
    assert made["cacheFrom"] == [{"registry": {"ref": "registry.example/cache"}}]
    assert made["cacheTo"] == [{"inline": {}}]


def test_the_ref_is_the_components_output(app: FlaskApp) -> None:
    recording = image(app)
    assert recording.outputs[recording.one("shop-dev-app").urn] == {"ref": "sha256:shop-dev-app-loaded"}
