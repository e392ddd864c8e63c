"""PostgreSQL and Redis, where the application needs them and nothing else provides them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_random as random

from flaskstack.local import data

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pulumi_docker as docker

    from flaskstack.local.container import Health, Limits
    from flaskstack.local_stack import LocalStackArgs


@dataclass(frozen=True)
class Services:
    """What the stack runs for its application, and where the application finds it."""

    containers: tuple[docker.Container, ...]
    """Those that must be healthy before the application starts."""
    volumes: tuple[pulumi.Output[str], ...]
    """Names of the volumes that hold data."""
    database_url: pulumi.Input[str] | None
    """URL of the database, the stack's own or the one that was given."""
    redis_url: pulumi.Input[str] | None
    """Likewise of Redis."""


def register(  # noqa: PLR0913  # keyword arguments, each with its name at the call
    name: str,
    args: LocalStackArgs,
    *,
    references: Mapping[str, str],
    image_id: Callable[[str], pulumi.Output[str]],
    network: pulumi.Input[str],
    limits: Limits,
    health: Health,
    child: pulumi.ResourceOptions,
    alone: pulumi.ResourceOptions,
    kept: pulumi.ResourceOptions,
) -> Services:
    """Register the services. Options: `child` for what has none of its own, `alone` for containers, `kept` for data."""
    app = args["app"]
    containers: list[docker.Container] = []
    volumes: list[pulumi.Output[str]] = []
    database_url, redis_url = args.get("database_url"), args.get("redis_url")
    if args.get("own_postgres", app.postgres and database_url is None):
        if database_url is None:
            password = random.RandomPassword(f"{name}-postgres-password", length=32, special=False, opts=child)
            database_url = data.own_database_url(password.result)
        reference = references["postgres"]
        folder = data.volume(name, "postgres", str(data.postgres_major(reference) or ""), kept)
        volumes.append(folder.name)
        containers.append(
            data.postgres(
                f"{name}-postgres",
                alone,
                reference=reference,
                image_id=image_id("postgres"),
                volume_name=folder.name,
                network=network,
                url=pulumi.Output.secret(database_url),
                limits=limits,
                health=health,
            )
        )
    if app.redis and redis_url is None:
        redis_url = data.REDIS_URL
        folder = data.volume(name, "redis", "", kept)
        volumes.append(folder.name)
        containers.append(
            data.redis(
                f"{name}-redis",
                alone,
                image_id=image_id("redis"),
                volume_name=folder.name,
                network=network,
                limits=limits,
                health=health,
            )
        )
    return Services(tuple(containers), tuple(volumes), database_url, redis_url)
