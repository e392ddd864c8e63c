"""The only reader of `pulumi.Config`: a stack's file -> frozen `Settings`, or every problem at once.

Problems are found before anything is registered.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal, cast
from urllib.parse import urlsplit

import pulumi
import pydantic

from flaskstack import AppImageArgs, EdgePolicy, FlaskApp, LocalStackArgs, Problem, SettingsError
from flaskstack.app import Variable  # pydantic reads it at run time
from flaskstack.errors import HIDDEN
from flaskstack.model import Model, problems
from stacks.checks import POSTGRES_HOST, contradictions
from stacks.groups import ImageSettings, KubernetesSettings, LocalSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flaskstack.kubernetes_app import KubernetesAppArgs

SECRETS: Final = frozenset({"secretKey", "secretKeyFallbacks", "databaseUrl", "redisUrl", "secrets"})
"""Keys that must be set with --secret, and whose values are never shown."""


class Settings(Model):
    """All settings of a stack."""

    mode: Literal["dev", "prod"] = "prod"
    """dev: live reload and debugger. prod, the default: none of it, and nothing weak."""
    target: Literal["local", "kubernetes"] = "local"
    """Where it runs: on this machine's Docker engine, the default, or on a Kubernetes cluster."""
    app: FlaskApp = FlaskApp()
    """The application."""
    image: ImageSettings = ImageSettings()
    """Its image."""
    local: LocalSettings = LocalSettings()
    """The local stack."""
    kubernetes: KubernetesSettings = KubernetesSettings()
    """The cluster."""
    edge: EdgePolicy = EdgePolicy()
    """What the edge does for it."""
    secret_key: str | None = None
    """Flask's SECRET_KEY. Default in dev: one is made. Required in prod."""
    secret_key_fallbacks: tuple[str, ...] = ()
    """Former secret keys whose sessions still count, newest first."""
    database_url: str | None = None
    """URL of the database; the host `postgres` is the local stack's own. Default in dev: its own. Required in prod."""
    redis_url: str | None = None
    """URL of Redis. Default: the local stack's own; on a cluster none."""

    secrets: dict[Variable, str] = pydantic.Field(default_factory=dict)
    """Further secret variables of the application, by name: see `app.secrets`. Default none."""

    @property
    def dev(self) -> bool:
        """Whether this is development."""
        return self.mode == "dev"

    @property
    def secret_elsewhere(self) -> bool:
        """Whether a Secret that exists in the cluster holds the secrets."""
        return self.target == "kubernetes" and self.kubernetes.secret_name is not None

    @property
    def own_postgres(self) -> bool:
        """Whether the stack runs its own PostgreSQL."""
        return self.app.postgres and (
            self.database_url is None or urlsplit(self.database_url).hostname == POSTGRES_HOST
        )

    def image_args(self) -> AppImageArgs:
        """Return the arguments of `AppImage`."""
        args = AppImageArgs(app=self.app, base_image=self.image.base, platforms=self.image.platforms)
        if self.image.repository:
            args["repository"] = self.image.repository
        if self.image.ca_bundle:
            args["ca_bundle"] = self.image.ca_bundle
        return args

    def local_args(self, image: pulumi.Input[str]) -> LocalStackArgs:
        """Return the arguments of `LocalStack` that runs `image`. Secrets become secret outputs here."""
        args = LocalStackArgs(
            app=self.app,
            image=image,
            dev=self.dev,
            address=self.local.address,
            port=self.local.port,
            edge=self.edge,
            limits=self.local.limits,
            health=self.local.health,
            images={str(role): reference for role, reference in self.local.images.items()},
            keep_data=self.local.keep_data,
            own_postgres=self.own_postgres,
            secret_key_fallbacks=[pulumi.Output.secret(key) for key in self.secret_key_fallbacks],
        )
        if self.local.replicas is not None:
            args["replicas"] = self.local.replicas
        self._add_secrets(args)
        return args

    def kubernetes_args(self, image: pulumi.Input[str]) -> KubernetesAppArgs:
        """Return the arguments of `KubernetesApp` that runs `image`. Secrets become secret outputs here."""
        # Each field of the group but those of the provider is an argument of the same name.
        same = {name: value for name, value in self.kubernetes if name not in ("context", "kubeconfig")}
        args: Any = {
            "app": self.app,
            "image": image,
            **{name: value for name, value in same.items() if value is not None},
        }
        if self.secret_key_fallbacks:
            args["secret_key_fallbacks"] = [pulumi.Output.secret(key) for key in self.secret_key_fallbacks]
        self._add_secrets(args)
        return cast("KubernetesAppArgs", args)

    def _add_secrets(self, args: KubernetesAppArgs | LocalStackArgs) -> None:
        """Add the secrets that are set to a target's arguments, as secret outputs."""
        if self.secret_key is not None:
            args["secret_key"] = pulumi.Output.secret(self.secret_key)
        if self.database_url is not None:
            args["database_url"] = pulumi.Output.secret(self.database_url)
        if self.redis_url is not None:
            args["redis_url"] = pulumi.Output.secret(self.redis_url)
        if self.secrets:
            args["secrets"] = {name: pulumi.Output.secret(value) for name, value in self.secrets.items()}


def load() -> Settings:
    """Return the settings of the selected stack. Raises `SettingsError` with every problem found."""
    namespace = pulumi.get_project()
    prefix = f"{namespace}:"
    known = {**pulumi.runtime.config.get_config_env(), **pulumi.runtime.config.CONFIG.get()}
    values = {key.removeprefix(prefix): value for key, value in known.items() if key.startswith(prefix)}
    plain = {key for key in SECRETS & values.keys() if not pulumi.runtime.is_config_secret(prefix + key)}
    marked = {key for key in values if pulumi.runtime.is_config_secret(prefix + key)}
    return check(values, plain, prefix, SECRETS | marked)


def check(
    values: Mapping[str, Any],
    plain: set[str] | frozenset[str] = frozenset(),
    prefix: str = "flaskstack:",
    hidden: frozenset[str] = SECRETS,
) -> Settings:
    """Return `values`, a stack's keys without their `prefix`, as settings.

    `plain` names the secrets that were not set as such, `hidden` the keys whose values no message may show.
    """
    found = [
        Problem(
            prefix + key,
            HIDDEN,
            "stands in plain text in the stack's file",
            f"pulumi config set --secret {'--path ' if key == 'secrets' else ''}{prefix}{key}"
            f"{'.NAME' if key == 'secrets' else ''} ...",
        )
        for key in sorted(plain)
    ]
    settings = None
    try:
        # One spelling a key: `secret_key` beside `secretKey` would pass by the check for plain text.
        decoded = {key: _structured(key, value) for key, value in values.items()}
        settings = Settings.model_validate(decoded, by_alias=True, by_name=False)
    except pydantic.ValidationError as error:
        found += problems(Settings, error, prefix, hidden)
    if settings is not None:
        found += contradictions(settings, prefix)
    if settings is None or found:
        raise SettingsError(found)
    return settings


def _structured(key: str, value: object) -> object:
    """Return an object's value decoded: the engine hands objects and lists over as JSON text."""
    annotation = next(
        (str(field.annotation) for name, field in Settings.model_fields.items() if key in (name, field.alias)), "str"
    )
    if isinstance(value, str) and value.startswith(("{", "[")) and "str | None" not in annotation:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
