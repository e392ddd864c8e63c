"""What pods are configured by: the Secret, and the ConfigMap with the Gunicorn configuration.

Both are immutable and named after their content: another content is another object, which rolls the pods, and pods of
a former release keep theirs until no release needs it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap, Secret

from flaskstack.app import SERVER_CONFIG, SERVER_CONFIG_SOURCE
from flaskstack.kubernetes.identity import content_hash, fresh_name, metadata

if TYPE_CHECKING:
    from flaskstack.kubernetes.plan import Plan

KEYS: Final = {
    "SECRET_KEY": "secret-key",
    "SECRET_KEY_FALLBACKS": "secret-key-fallbacks",
    "DATABASE_URL": "database-url",
    "REDIS_URL": "redis-url",
}
"""Variable of the process -> key of the Secret. The keys of the application's further secrets are their variables' own
names, which no key here can be."""
CONFIG_FOLDER, _, CONFIG_FILE = SERVER_CONFIG.rpartition("/")


def keys(plan: Plan) -> dict[str, str]:
    """Return variable -> key of everything that the Secret may hold for this application."""
    return {**KEYS, **{name: name for name in sorted({*plan.app.secrets, *plan.secrets})}}


def content(plan: Plan) -> dict[str, pulumi.Input[str]]:
    """Return what the application's own Secret holds, by key."""
    values = {
        "SECRET_KEY": plan.secret_key,
        "DATABASE_URL": plan.database_url,
        "REDIS_URL": plan.redis_url,
        "SECRET_KEY_FALLBACKS": pulumi.Output.all(*plan.secret_key_fallbacks).apply(",".join)
        if plan.secret_key_fallbacks
        else None,
    }
    known = {KEYS[variable]: value for variable, value in values.items() if value is not None}
    return {**known, **plan.secrets}


def secret(plan: Plan, child: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Return the name of the Secret: the one that exists, or the component's own."""
    if plan.secret_name is not None:
        return pulumi.Output.from_input(plan.secret_name)
    everything: pulumi.Output[dict[str, Any]] = pulumi.Output.all(**content(plan))
    held: pulumi.Output[dict[str, Any]] = pulumi.Output.secret(everything)

    # Unsecreted on purpose: the name stands in every pod. `content_hash` says why it gives nothing away.
    digest = pulumi.Output.unsecret(held.apply(lambda values: content_hash(values, salt=plan.app.name)))
    made = Secret(
        f"{plan.name}-secret",
        metadata=metadata(
            plan,
            fresh_name(f"{plan.name}-secret", pulumi.Output.concat(plan.app.name, "-", digest), digest, child),
        ),
        type="Opaque",
        immutable=True,
        string_data=held,
        opts=child,
    )
    return made.metadata.apply(lambda found: str(found.name))


def server_config(plan: Plan, child: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Return the name of the ConfigMap with the Gunicorn configuration."""
    text = SERVER_CONFIG_SOURCE.read_text()
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    made = ConfigMap(
        f"{plan.name}-config",
        metadata=metadata(plan, fresh_name(f"{plan.name}-config", f"{plan.app.name}-{digest}", digest, child)),
        immutable=True,
        data={CONFIG_FILE: text},
        opts=child,
    )
    return made.metadata.apply(lambda found: str(found.name))
