"""The only reader of `pulumi.Config`: a stack's file -> frozen `Settings`, or every problem at once.

Problems are found before anything is registered.
"""

from __future__ import annotations

import ipaddress
import json
import math
import string
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import pulumi
import pydantic

from flaskstack import (
    DEFAULT_IMAGES,
    AppImageArgs,
    EdgePolicy,
    FlaskApp,
    Health,
    Limits,
    LocalStackArgs,
    Problem,
    SettingsError,
    nginx,
)
from flaskstack.errors import HIDDEN
from flaskstack.model import Model, problems

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRETS: Final = frozenset({"secretKey", "secretKeyFallbacks", "databaseUrl", "redisUrl"})
"""Keys that must be set with --secret, and whose values are never shown."""
SECRET_KEY_BITS: Final = 256
"""Entropy that a SECRET_KEY must be able to hold: 32 bytes, what `secrets.token_hex()` makes."""
KNOWN_KEYS: Final = (
    "changeme",
    "secret",
    "your-secret-key",
    "your_secret_key",
    "insecure",
    "example",
    # The two that Flask's own documentation has shown over the years.
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "_5#y2L",
)
POSTGRES_HOST: Final = "postgres"
"""Host in a DATABASE_URL that means the stack's own PostgreSQL."""


class ImageSettings(Model):
    """How the image is come by."""

    ref: str | None = None
    """An image that exists, instead of a build. In production by digest: `repository@sha256:...`. Default: build it."""
    repository: str | None = None
    """Where to push what is built. Default: nowhere."""
    base: str = DEFAULT_IMAGES["base"]
    """Image to build on."""
    ca_bundle: str | None = None
    """File of CA certificates for the build's downloads. Default: what SSL_CERT_FILE names."""
    platforms: tuple[str, ...] = ()
    """Platforms to build for. Default: the builder's own."""


class LocalSettings(Model):
    """The local stack."""

    address: str = "127.0.0.1"
    """Address of this machine that nginx listens on. Default 127.0.0.1."""
    port: Annotated[int, pydantic.Field(ge=1, le=65_535)] = 8080
    """Port of this machine that nginx listens on. Default 8080."""
    replicas: Annotated[int, pydantic.Field(ge=1, le=32)] | None = None
    """Web replicas. Default 2; in development 1."""
    keep_data: bool = True
    """Whether the data volumes outlive `pulumi destroy`. Default true."""
    limits: Limits = Limits()
    """What each container may take."""
    health: Health = Health()
    """How the engine watches each container."""
    images: dict[Literal["nginx", "postgres", "redis"], str] = pydantic.Field(default_factory=dict)
    """Other images than the default ones, by these names."""

    @pydantic.field_validator("address")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        ipaddress.ip_address(value)
        return value


class Settings(Model):
    """All settings of a stack."""

    mode: Literal["dev", "prod"] = "prod"
    """dev: live reload and debugger. prod, the default: none of it, and nothing weak."""
    app: FlaskApp = FlaskApp()
    """The application."""
    image: ImageSettings = ImageSettings()
    """Its image."""
    local: LocalSettings = LocalSettings()
    """The local stack."""
    edge: EdgePolicy = EdgePolicy()
    """What the edge does for it."""
    secret_key: str | None = None
    """Flask's SECRET_KEY. Default in dev: one is made. Required in prod."""
    secret_key_fallbacks: tuple[str, ...] = ()
    """Former secret keys whose sessions still count, newest first."""
    database_url: str | None = None
    """URL of the database; the host `postgres` is the stack's own. Default in dev: its own. Required in prod."""
    redis_url: str | None = None
    """URL of Redis. Default: the stack's own."""

    @property
    def dev(self) -> bool:
        """Whether this is development."""
        return self.mode == "dev"

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
        if self.secret_key is not None:
            args["secret_key"] = pulumi.Output.secret(self.secret_key)
        if self.database_url is not None:
            args["database_url"] = pulumi.Output.secret(self.database_url)
        if self.redis_url is not None:
            args["redis_url"] = pulumi.Output.secret(self.redis_url)
        return args


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
            f"pulumi config set --secret {prefix}{key} ...",
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
        found += _contradictions(settings, prefix)
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


def _contradictions(settings: Settings, prefix: str) -> list[Problem]:
    """Return what is wrong with settings that are each valid."""
    found = [problem for problem in (_database(settings.database_url, prefix), _source(settings, prefix)) if problem]
    # Asked here too: the image is registered before the edge could refuse.
    found += nginx.refused(settings.edge)
    if settings.dev:
        if settings.local.replicas not in (None, 1):
            reason = "the debugger lives in one process, so development has one replica"
            found.append(
                Problem(
                    f"{prefix}local.replicas",
                    str(settings.local.replicas),
                    reason,
                    f"pulumi config rm --path {prefix}local.replicas",
                )
            )
        return found
    generate = f'pulumi config set --secret {prefix}secretKey "$(openssl rand -hex 32)"'
    if settings.secret_key is None:
        found.append(Problem(f"{prefix}secretKey", "not set", "required in production", generate))
    elif weakness := weak_key(settings.secret_key):
        found.append(Problem(f"{prefix}secretKey", HIDDEN, weakness, generate))
    if settings.app.postgres and settings.database_url is None:
        example = f"pulumi config set --secret {prefix}databaseUrl postgresql://USER:PASSWORD@HOST/DATABASE"
        found.append(Problem(f"{prefix}databaseUrl", "not set", "required in production", example))
    if settings.image.ref and "@sha256:" not in settings.image.ref:
        fix = f"pulumi config set --path {prefix}image.ref REPOSITORY@sha256:DIGEST"
        found.append(Problem(f"{prefix}image.ref", settings.image.ref, "a tag can be moved to another image", fix))
    if not settings.edge.https and not ipaddress.ip_address(settings.local.address).is_loopback:
        fix = f"pulumi config set --path {prefix}local.address 127.0.0.1"
        found.append(
            Problem(
                f"{prefix}local.address",
                settings.local.address,
                "plain HTTP must not leave this machine in production",
                fix,
            )
        )
    return found


def _database(url: str | None, prefix: str) -> Problem | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        sound = bool(
            parts.scheme.split("+")[0] in ("postgres", "postgresql", "sqlite")
            and (parts.hostname or parts.scheme == "sqlite")
        )
        sound = sound and (parts.port is None or parts.port > 0)
        reason = "not a database URL" if not sound else None
        if sound and parts.hostname == POSTGRES_HOST and not parts.password:
            reason = f"without a password, which the stack's own PostgreSQL (host {POSTGRES_HOST}) must have"
    except ValueError:
        reason = "not a database URL"
    fix = f"pulumi config set --secret {prefix}databaseUrl postgresql://USER:PASSWORD@HOST:5432/DATABASE"
    return Problem(f"{prefix}databaseUrl", HIDDEN, reason, fix) if reason else None


def _source(settings: Settings, prefix: str) -> Problem | None:
    if settings.image.ref or settings.app.source.is_dir():
        return None
    return Problem(
        f"{prefix}app.path", settings.app.path, "no such folder", f"pulumi config set --path {prefix}app.path FOLDER"
    )


def weak_key(key: str) -> str | None:
    """Return why a SECRET_KEY is too weak for production, None when it is not."""
    if any(example in key for example in KNOWN_KEYS if len(example) > 8) or key.lower() in KNOWN_KEYS:  # noqa: PLR2004
        return "a known example, not a secret"
    alphabets = (
        string.digits,
        string.hexdigits[:16],
        string.hexdigits[:10] + string.hexdigits[16:],
        string.ascii_lowercase,
        string.ascii_letters,
        string.ascii_letters + string.digits,
        string.ascii_letters + string.digits + "-_",
        string.printable,
    )
    size = next((len(alphabet) for alphabet in alphabets if set(key) <= set(alphabet)), 256)
    # What is only said again adds nothing: the shortest part that makes the whole by repetition is all there is.
    bits = (key + key).find(key, 1) * math.log2(size)
    if bits < SECRET_KEY_BITS or len(set(key)) < 10:  # noqa: PLR2004  # ten different characters: fewer is a pattern, not chance
        return f"too weak: it can hold {math.floor(bits) // 8} bytes of entropy, {SECRET_KEY_BITS // 8} are needed"
    return None
