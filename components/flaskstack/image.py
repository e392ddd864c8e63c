"""`AppImage`: an application's image, built with BuildKit.

Deliberately not here: secrets of the application. Nothing that it needs at run time is given to a build.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_docker as docker
import pulumi_docker_build as docker_build

from flaskstack import build_context, dockerfile, naming
from flaskstack.app import FlaskApp
from flaskstack.errors import Problem, SettingsError
from flaskstack.images import DEFAULT_IMAGES


class AppImageArgs(TypedDict):
    """Arguments of `AppImage`."""

    app: FlaskApp
    """The application to build. Its own Dockerfile is used when its folder has one, else one is generated."""
    base_image: NotRequired[str]
    """Image to build on, as the build argument BASE_IMAGE. Default python:3.13-slim."""
    repository: NotRequired[str]
    """Where to push, for example `registry.example/team/app`. Default: nowhere, the image stays in the engine."""
    build_args: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Further build arguments. They stay readable in the image: no secrets. Default none."""
    build_secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """BuildKit secrets, id -> content, for `RUN --mount=type=secret`. They never reach a layer. Default none."""
    ca_bundle: NotRequired[str]
    """File of CA certificates that the build's downloads need, given as the BuildKit secret `ca`.
    Default: the file that SSL_CERT_FILE names, as for the programs of this machine; none when it is not set."""
    platforms: NotRequired[Sequence[str]]
    """Platforms, for example `linux/amd64`. Default: the builder's own. More than one needs a repository."""
    cache_from: NotRequired[Sequence[docker_build.CacheFromArgs]]
    """External caches to read. Default none."""
    cache_to: NotRequired[Sequence[docker_build.CacheToArgs]]
    """External caches to write. Default none."""
    labels: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Further image labels."""


class AppImage(pulumi.ComponentResource):
    """The image of a Flask application.

    A preview builds nothing: it shows no change while the build context (what .dockerignore leaves) is the same.
    """

    ref: pulumi.Output[str]
    """What to run: `repository@sha256:...` of a pushed image, else its id in the engine. Never a mutable tag."""

    def __init__(self, name: str, args: AppImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the build. Raises `SettingsError` when the source folder cannot be built."""
        app = args["app"]
        recipe = _recipe(app)
        if len(args.get("platforms", ())) > 1 and not args.get("repository"):
            reason = "a Docker engine holds an image of one platform only"
            fix = "name a repository to push to, or one platform"
            raise SettingsError([Problem("image.platforms", ", ".join(args["platforms"]), reason, fix)])
        super().__init__("flaskstack:index:AppImage", name, {}, naming.known_as("AppImage", name, opts))
        child = pulumi.ResourceOptions(parent=self)
        repository = args.get("repository")
        tag = f"{repository or name}:latest"
        secrets = dict(args.get("build_secrets", {}))
        bundle = args.get("ca_bundle", os.environ.get("SSL_CERT_FILE"))
        if bundle:
            secrets.setdefault(dockerfile.CA_SECRET, Path(bundle).read_text())
        image = docker_build.Image(
            f"{name}-build",
            context=docker_build.BuildContextArgs(location=str(app.path)),
            dockerfile=recipe,
            build_args={"BASE_IMAGE": args.get("base_image", DEFAULT_IMAGES["base"]), **args.get("build_args", {})},
            secrets={key: pulumi.Output.secret(value) for key, value in secrets.items()},
            # A machine's own CA bundle says nothing about the image: a different one must not rebuild it.
            ignore_secrets_in_diff_calculation=[dockerfile.CA_SECRET],
            platforms=[docker_build.Platform(platform) for platform in args.get("platforms", ())],
            cache_from=args.get("cache_from"),
            cache_to=args.get("cache_to"),
            labels={"org.opencontainers.image.title": app.name, **args.get("labels", {})},
            tags=[tag],
            build_on_preview=False,
            push=bool(repository),
            load=not repository,
            opts=child,
        )
        if repository:
            self.ref = pulumi.Output.format("{0}@{1}", repository, image.digest)
        else:
            # The build's digest is the engine's id for some builders and a manifest's digest for others, which the
            # engine cannot run. Only the engine knows the id of what the tag now means.
            loaded = docker.RemoteImage(
                f"{name}-loaded",
                name=tag,
                keep_locally=True,
                triggers={"digest": image.digest},
                # The tag is in the engine only after the build.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[image]),
            )
            self.ref = loaded.image_id
        self.register_outputs({"ref": self.ref})


def _recipe(app: FlaskApp) -> Any:  # noqa: ANN401  # the SDK's own args class, which is untyped in places
    """Return the Dockerfile to build with. Raises `SettingsError` when it would put a file of secrets into a layer."""
    own = app.source / "Dockerfile"
    if own.is_file():
        # What it copies is its own business: only said.
        ignore = own.with_name("Dockerfile.dockerignore")
        for problem in build_context.secrets_in(app.source, app.path, ignore):
            pulumi.log.warn(str(problem))
        _warn_of_clutter(app, ignore)
        return docker_build.DockerfileArgs(location=str(Path(app.path) / "Dockerfile"))
    text = dockerfile.generate(app)
    if problems := build_context.secrets_in(app.source, app.path):
        raise SettingsError(problems)
    _warn_of_clutter(app)
    return docker_build.DockerfileArgs(inline=text)


def _warn_of_clutter(app: FlaskApp, ignore: Path | None = None) -> None:
    if clutter := build_context.clutter_in(app.source, ignore):
        pulumi.log.warn(
            f"{', '.join(clutter)} of {app.path} is sent to each build, and any change of it builds anew: "
            f"list it in {app.path}/.dockerignore"
        )
