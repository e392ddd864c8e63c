"""The application's containers: web replicas and a migration, which run the same image with the same settings."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import pulumi
import pulumi_docker as docker

from flaskstack import naming
from flaskstack.app import CODE, SERVER_CONFIG, SERVER_CONFIG_SOURCE, UID
from flaskstack.local.container import environment, hardened, health_check, label_args

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flaskstack.app import FlaskApp
    from flaskstack.local.container import Health, Limits

_CONFIG_FOLDER: Final = SERVER_CONFIG.rpartition("/")[0]
STOP_MARGIN: Final = 5
"""Seconds that Gunicorn gets above its graceful timeout before its container is killed."""


def config_carrier(
    name: str, opts: pulumi.ResourceOptions, *, image_id: pulumi.Input[str], volume_name: pulumi.Input[str]
) -> docker.Container:
    """Return a container that never runs: making it puts the Gunicorn configuration into a volume.

    A read-only container cannot be given files any other way that also works on a remote engine.
    """
    return docker.Container(
        name,
        image=image_id,
        labels=label_args("server-config"),
        command=["true"],
        network_mode="none",
        must_run=False,
        start=False,
        uploads=[docker.ContainerUploadArgs(file=SERVER_CONFIG, content=SERVER_CONFIG_SOURCE.read_text())],
        volumes=[docker.ContainerVolumeArgs(volume_name=volume_name, container_path=_CONFIG_FOLDER)],
        opts=opts,
    )


def server_config(name: str, child: pulumi.ResourceOptions, image_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the name of a volume that holds the Gunicorn configuration; another content is another volume."""
    content = hashlib.sha256(SERVER_CONFIG_SOURCE.read_bytes()).hexdigest()[:12]
    volume = docker.Volume(
        f"{name}-server-config",
        name=naming.unique(name, f"server-config-{content}"),
        labels=[
            docker.VolumeLabelArgs(label=label, value=value) for label, value in naming.labels("server-config").items()
        ],
        opts=child,
    )
    carrier = config_carrier(f"{name}-server-config", child, image_id=image_id, volume_name=volume.name)
    # Through the carrier's id, so that whoever mounts the volume waits until it is filled.
    return pulumi.Output.all(volume.name, carrier.id).apply(lambda made: str(made[0]))


def process(  # noqa: PLR0913  # keyword arguments, each with its name at the call
    role: str,
    app: FlaskApp,
    *,
    image_id: pulumi.Input[str],
    network: pulumi.Input[str],
    config_volume: pulumi.Input[str],
    variables: dict[str, pulumi.Input[str]],
    limits: Limits,
    live_source: bool,
    data: docker.ContainerVolumeArgs | None = None,
) -> dict[str, Any]:
    """Return the arguments of a container that runs the application's image as `role`."""
    mounts = [docker.ContainerVolumeArgs(volume_name=config_volume, container_path=_CONFIG_FOLDER, read_only=True)]
    if live_source:
        # Development: the source as it is on disk, over the image's copy. Read-only: no app writes its own code.
        mounts.append(docker.ContainerVolumeArgs(host_path=str(app.source), container_path=CODE, read_only=True))
    if data is not None:
        mounts.append(data)
    return {
        **hardened(role, limits, network),
        "image": image_id,
        "user": f"{UID}:{UID}",
        "envs": environment(variables),
        "volumes": mounts,
    }


def served(app: FlaskApp, health: Health) -> dict[str, Any]:
    """Return what a web replica has above a process: a command that serves, its health, and time to finish."""
    return {
        "command": app.command,
        "healthcheck": health_check(app.liveness_command, health),
        "restart": "unless-stopped",
        "stop_signal": "SIGTERM",
        "stop_timeout": app.server.graceful_timeout + STOP_MARGIN,
        "destroy_grace_seconds": app.server.graceful_timeout + STOP_MARGIN,
    }


def once(command: Sequence[str]) -> dict[str, Any]:
    """Return what a one-shot has above a process. The plugin only makes it; `job.run` runs it."""
    return {"command": list(command), "must_run": False, "start": False, "restart": "no"}
