"""What is wrong with settings that are each valid: contradictions, and what production refuses."""

from __future__ import annotations

import ipaddress
import math
import string
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flaskstack import Problem, nginx, secret
from flaskstack.errors import HIDDEN
from flaskstack.kubernetes import plan, rollout
from flaskstack.local import files

if TYPE_CHECKING:
    from stacks.settings import Settings

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
"""Host in a DATABASE_URL that means the local stack's own PostgreSQL."""


def contradictions(settings: Settings, prefix: str) -> list[Problem]:
    """Return everything that is wrong with the settings as a whole."""
    found = [problem for problem in (_database(settings, prefix), _source(settings, prefix)) if problem]
    if not settings.secret_elsewhere:
        found += secret.problems(settings.app, settings.secrets, prefix)
    found += _local(settings, prefix) if settings.target == "local" else _kubernetes(settings, prefix)
    if not settings.dev:
        found += _production(settings, prefix)
    return found


def _local(settings: Settings, prefix: str) -> list[Problem]:
    """Return what the local stack refuses."""
    # Asked here too: the image is registered before the edge could refuse.
    found = nginx.refused(settings.edge)
    found += files.problems(settings.app, dev=settings.dev, prefix=prefix)
    if settings.dev and settings.local.replicas not in (None, 1):
        reason = "the debugger lives in one process, so development has one replica"
        fix = f"pulumi config rm --path {prefix}local.replicas"
        found.append(Problem(f"{prefix}local.replicas", str(settings.local.replicas), reason, fix))
    if not settings.dev and not settings.edge.https and not ipaddress.ip_address(settings.local.address).is_loopback:
        fix = f"pulumi config set --path {prefix}local.address 127.0.0.1"
        reason = "plain HTTP must not leave this machine in production"
        found.append(Problem(f"{prefix}local.address", settings.local.address, reason, fix))
    return found


def _kubernetes(settings: Settings, prefix: str) -> list[Problem]:
    """Return what a cluster needs, and what it refuses."""
    found = []

    def problem(key: str, value: object, reason: str, fix: str) -> None:
        found.append(Problem(prefix + key, str(value), reason, fix))

    def missing(key: str, reason: str, example: str) -> None:
        problem(key, "not set", reason, f"pulumi config set --path {prefix}{key} {example}")

    cluster = settings.kubernetes
    if settings.dev:
        reason = "live reload and debugger are for this machine, never for a cluster"
        problem("mode", settings.mode, reason, f"pulumi config set {prefix}mode prod")
    if not cluster.context:
        reason = "a cluster must be named, so that nobody deploys to the wrong one by accident"
        missing("kubernetes.context", reason, "CONTEXT   # one of: kubectl config get-contexts -o name")
    if not cluster.host:
        missing("kubernetes.host", "required: the name that the application is reached by", "www.example.org")
    if not settings.image.ref and not settings.image.repository:
        missing("image.repository", "a cluster pulls from a registry", "REGISTRY/TEAM/NAME")
    if not settings.edge.https:
        reason = "plain HTTP must not leave a cluster"
        problem("edge.https", "false", reason, f"pulumi config set --path {prefix}edge.https true")
    if cluster.ingress.enabled and not cluster.tls_secret:
        missing("kubernetes.tlsSecret", "required: a Secret with the host's certificate", "NAME")
    found += rollout.contradictions(cluster.rollout, cluster.probes, settings.app.server, f"{prefix}kubernetes.")
    found += plan.replica_problems(settings.app, cluster.replicas, cluster.autoscaling, f"{prefix}kubernetes.")
    found += _existing_secret(settings, prefix)
    return found


def _existing_secret(settings: Settings, prefix: str) -> list[Problem]:
    """Return what contradicts a Secret that exists in the cluster."""
    cluster = settings.kubernetes
    if cluster.secret_name is None:
        if cluster.secret_version is None:
            return []
        key = f"{prefix}kubernetes.secretVersion"
        reason = "tells versions of kubernetes.secretName apart, which is not set"
        return [Problem(key, cluster.secret_version, reason, f"pulumi config rm --path {key}")]
    reason = "kubernetes.secretName names the Secret that holds it"
    held = ("secret_key", "secret_key_fallbacks", "database_url", "redis_url", "secrets")
    keys = [str(type(settings).model_fields[field].alias) for field in held if getattr(settings, field)]
    return [Problem(prefix + key, HIDDEN, reason, f"pulumi config rm {prefix}{key}") for key in keys]


def _production(settings: Settings, prefix: str) -> list[Problem]:
    """Return what production refuses on every target."""
    found = []
    generate = f'pulumi config set --secret {prefix}secretKey "$(openssl rand -hex 32)"'
    if settings.secret_key is None:
        if not settings.secret_elsewhere:
            found.append(Problem(f"{prefix}secretKey", "not set", "required in production", generate))
    elif weakness := weak_key(settings.secret_key):
        found.append(Problem(f"{prefix}secretKey", HIDDEN, weakness, generate))
    if settings.app.postgres and settings.database_url is None and not settings.secret_elsewhere:
        example = f"pulumi config set --secret {prefix}databaseUrl postgresql://USER:PASSWORD@HOST/DATABASE"
        found.append(Problem(f"{prefix}databaseUrl", "not set", "required in production", example))
    if settings.image.ref and "@sha256:" not in settings.image.ref:
        fix = f"pulumi config set --path {prefix}image.ref REPOSITORY@sha256:DIGEST"
        found.append(Problem(f"{prefix}image.ref", settings.image.ref, "a tag can be moved to another image", fix))
    return found


def _database(settings: Settings, prefix: str) -> Problem | None:
    url = settings.database_url
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
        own = settings.target == "local" and parts.hostname == POSTGRES_HOST
        if sound and own and not parts.password:
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
