"""The variables of the application's processes: what the contract says, what the stack adds, and the secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_random as random

if TYPE_CHECKING:
    from flaskstack.local.services import Services
    from flaskstack.local_stack import LocalStackArgs


def variables(
    name: str, args: LocalStackArgs, provided: Services, child: pulumi.ResourceOptions
) -> dict[str, pulumi.Input[str]]:
    """Return the variables. A SECRET_KEY that was not given is made here. Secrets are secret outputs."""
    app, dev = args["app"], args.get("dev", False)
    plain: dict[str, pulumi.Input[str]] = {
        # nginx here speaks plain HTTP, over which a browser would not return a Secure cookie.
        "FLASK_SESSION_COOKIE_SECURE": "false",
        **app.process_environment(proxy_hops=1),
        "APP_VERSION": pulumi.Output.from_input(args["image"]).apply(short_version),
    }
    if dev:
        plain |= {"FLASK_DEBUG": "1", "PYTHONDONTWRITEBYTECODE": "1", "WEB_CONCURRENCY": "1"}

    secret: dict[str, pulumi.Input[str] | None] = {
        **args.get("secrets", {}),
        "DATABASE_URL": provided.database_url,
        "REDIS_URL": provided.redis_url,
        "SECRET_KEY": args.get("secret_key"),
    }
    if secret["SECRET_KEY"] is None:
        made = random.RandomPassword(f"{name}-secret-key", length=64, special=False, opts=child)
        secret["SECRET_KEY"] = made.result
    if fallbacks := args.get("secret_key_fallbacks"):
        secret["SECRET_KEY_FALLBACKS"] = pulumi.Output.all(*fallbacks).apply(",".join)
    return plain | {key: pulumi.Output.secret(value) for key, value in secret.items() if value is not None}


def short_version(image: str) -> str:
    """Return what tells an image from another one to a person: the first 12 digits of its digest, else its name."""
    _, _, digest = image.rpartition("sha256:")
    return digest[:12]
