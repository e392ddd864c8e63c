"""PostgreSQL and Redis of the local stack, each with a volume that outlives it.

Deliberately not here: upgrades of PostgreSQL's data to another major version. A volume's name carries the major
version, so that a new major never starts on a former one's folder: dump with the former, restore into the new
(`make backup`, `make restore`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import pulumi
import pulumi_docker as docker

from flaskstack import naming
from flaskstack.app import TMP
from flaskstack.local.container import Health, Limits, environment, hardened, health_check

if TYPE_CHECKING:
    from collections.abc import Mapping

POSTGRES_HOST: Final = "postgres"
REDIS_HOST: Final = "redis"
POSTGRES_PORT: Final = 5432
REDIS_PORT: Final = 6379
ROLE: Final = "app"
"""PostgreSQL role and database of the stack's own database."""
REDIS_URL: Final = f"redis://{REDIS_HOST}:{REDIS_PORT}/0"

# The image sets up role, password and database only when it makes the data folder. A volume that outlived its stack, a
# rotated password or another role need them set again: in single-user mode, before anything can connect, and through
# standard input, so that no password is an argument. That mode takes a statement a line and has no variables, hence the
# quoting by sed.
_POSTGRES_START: Final = r"""
single() { postgres --single -D "$PGDATA" postgres; }
literal() { printf %s "$1" | sed "s/'/''/g"; }
name() { printf %s "$1" | sed 's/"/""/g'; }

if [ -s "$PGDATA/PG_VERSION" ]; then
    role=$(name "$POSTGRES_USER")
    found="SELECT 'found' FROM pg_roles WHERE rolname = '$(literal "$POSTGRES_USER")'"
    if ! echo "$found" | single | grep -q found; then
        echo "CREATE ROLE \"$role\" LOGIN SUPERUSER" | single >/dev/null
    fi
    found="SELECT 'found' FROM pg_database WHERE datname = '$(literal "$POSTGRES_DB")'"
    if ! echo "$found" | single | grep -q found; then
        echo "CREATE DATABASE \"$(name "$POSTGRES_DB")\" OWNER \"$role\"" | single >/dev/null
    fi
    echo "ALTER ROLE \"$role\" PASSWORD '$(literal "$POSTGRES_PASSWORD")'" | single >/dev/null
fi
exec docker-entrypoint.sh postgres -c listen_addresses='*'
"""


def own_database_url(password: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the URL of the stack's own database. A secret, as the password is."""
    return pulumi.Output.secret(
        pulumi.Output.concat(f"postgresql://{ROLE}:", password, f"@{POSTGRES_HOST}:{POSTGRES_PORT}/{ROLE}")
    )


def postgres_major(image: str) -> int:
    """Return the major version in an image's tag, 0 when it says none: `postgres:17-alpine` -> 17."""
    found = re.search(r":(\d+)[^/]*$", image)
    return int(found[1]) if found else 0


def postgres_folder(image: str) -> str:
    """Return where the image keeps its data. From major 18 on, the official image's volume is the parent folder."""
    newer = 18
    return "/var/lib/postgresql/data" if 0 < postgres_major(image) < newer else "/var/lib/postgresql"


def volume(name: str, role: str, version: str, opts: pulumi.ResourceOptions) -> docker.Volume:
    """Return the volume of `role`. Its name is fixed, so that a stack that comes back finds its data again."""
    return docker.Volume(
        f"{name}-{role}-data",
        name=naming.unique(name, f"{role}-{version}" if version else role),
        labels=[docker.VolumeLabelArgs(label=label, value=value) for label, value in naming.labels(role).items()],
        opts=opts,
    )


def postgres(  # noqa: PLR0913  # keyword arguments, each with its name at the call
    name: str,
    opts: pulumi.ResourceOptions,
    *,
    reference: str,
    image_id: pulumi.Input[str],
    volume_name: pulumi.Input[str],
    network: pulumi.Input[str],
    url: pulumi.Output[str],
    limits: Limits,
    health: Health,
) -> docker.Container:
    """Return a PostgreSQL container that serves the database, role and password of `url`."""

    def part(pick: str) -> pulumi.Output[str]:
        return url.apply(lambda text: connection(text)[pick])

    return docker.Container(
        name,
        **{
            **hardened("postgres", limits, network, aliases=(POSTGRES_HOST,)),
            "image": image_id,
            "user": "postgres",
            "entrypoints": ["/bin/sh", "-ec", _POSTGRES_START],
            "envs": environment(
                {
                    "POSTGRES_USER": part("user"),
                    "POSTGRES_PASSWORD": part("password"),
                    "POSTGRES_DB": part("database"),
                }
            ),
            "healthcheck": health_check(
                # Over TCP: while the image prepares a new folder it already answers on its Unix socket.
                'pg_isready --quiet --host 127.0.0.1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB"',
                health,
            ),
            "shm_size": 128,
            "stop_signal": "SIGINT",
            "tmpfs": {
                TMP: f"rw,noexec,nosuid,size={limits.tmp_mib}m",
                "/var/run/postgresql": "rw,noexec,nosuid,size=1m,mode=1777",
            },
            "volumes": [docker.ContainerVolumeArgs(volume_name=volume_name, container_path=postgres_folder(reference))],
            "restart": "unless-stopped",
            "destroy_grace_seconds": 60,
        },
        opts=opts,
    )


def connection(url: str) -> Mapping[str, str]:
    """Return user, password and database of a database URL."""
    parts = urlsplit(url)
    return {
        "user": unquote(parts.username or ROLE),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.lstrip("/")) or ROLE,
    }


def redis(  # noqa: PLR0913
    name: str,
    opts: pulumi.ResourceOptions,
    *,
    image_id: pulumi.Input[str],
    volume_name: pulumi.Input[str],
    network: pulumi.Input[str],
    limits: Limits,
    health: Health,
) -> docker.Container:
    """Return a Redis container that writes what it holds to its volume every second. Reached in its network only."""
    return docker.Container(
        name,
        **{
            **hardened("redis", limits, network, aliases=(REDIS_HOST,)),
            "image": image_id,
            "user": "redis",
            "entrypoints": ["redis-server"],
            "command": ["--appendonly", "yes", "--dir", "/data", "--protected-mode", "no", "--bind", "0.0.0.0"],  # noqa: S104
            "healthcheck": health_check("redis-cli ping | grep -q PONG", health),
            "volumes": [docker.ContainerVolumeArgs(volume_name=volume_name, container_path="/data")],
            "restart": "unless-stopped",
            "destroy_grace_seconds": 30,
        },
        opts=opts,
    )
