"""nginx of the local stack, and the release that points it at new web replicas.

nginx holds the published port, which no two containers can: a release must not replace it. Its configuration is in a
volume; a one-shot in nginx's process namespace writes there and reloads.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pulumi
import pulumi_docker as docker

from flaskstack import naming, nginx
from flaskstack.local.container import Health, Limits, environment, hardened, health_check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flaskstack.app import FlaskApp

_RELEASE: Final = (Path(__file__).parent.parent / "scripts" / "release.sh").read_text()
_START: Final = f"""
until [ -s {nginx.LIVE}/nginx.conf ]; do sleep 0.1; done
exec nginx -c {nginx.LIVE}/nginx.conf -g 'daemon off;'
"""


def container(  # noqa: PLR0913  # keyword arguments, each with its name at the call
    name: str,
    opts: pulumi.ResourceOptions,
    *,
    image_id: pulumi.Input[str],
    network: pulumi.Input[str],
    live_volume: pulumi.Input[str],
    address: str,
    port: int,
    limits: Limits,
    health: Health,
) -> docker.Container:
    """Return the nginx container. It waits for its first configuration, which the first release brings."""
    return docker.Container(
        name,
        **{
            **hardened("nginx", limits, network),
            "image": image_id,
            "user": "nginx",
            "entrypoints": ["/bin/sh", "-ec", _START],
            "healthcheck": health_check(f"curl -fsS --max-time 4 http://127.0.0.1:{nginx.STATUS_PORT}/health", health),
            "ports": [docker.ContainerPortArgs(internal=nginx.PORT, external=port, ip=address, protocol="tcp")],
            "restart": "unless-stopped",
            "stop_signal": "SIGQUIT",
            "destroy_grace_seconds": 30,
            "volumes": [docker.ContainerVolumeArgs(volume_name=live_volume, container_path=nginx.LIVE, read_only=True)],
        },
        opts=opts,
    )


def release(  # noqa: PLR0913
    name: str,
    opts: pulumi.ResourceOptions,
    *,
    app: FlaskApp,
    edge: docker.Container,
    image_id: pulumi.Input[str],
    network: pulumi.Input[str],
    live_volume: pulumi.Input[str],
    web: Sequence[docker.Container],
    configuration: str,
    deadline_s: int,
    limits: Limits,
) -> docker.Container:
    """Return the one-shot that points nginx at `web` once each of them can serve. `job.run` runs it."""
    names = [replica.name for replica in web]
    servers = pulumi.Output.all(*names).apply(lambda found: nginx.servers([str(item) for item in found], app.port))
    return docker.Container(
        name,
        **{
            **hardened("release", limits, network),
            "image": image_id,
            "user": "root",
            # Root without capabilities owns the volume's files, and may signal nginx, which is another user's. No more.
            "capabilities": docker.ContainerCapabilitiesArgs(adds=["KILL"], drops=["ALL"]),
            # Files are uploaded below, which a read-only root refuses.
            "read_only": False,
            "entrypoints": ["/bin/sh", "/release/release.sh"],
            "envs": environment(
                {
                    "DRAIN": str(nginx.DRAIN),
                    "EDGE": pulumi.Output.concat(edge.name, f":{nginx.STATUS_PORT}"),
                    "PROBE_HOST": app.probe_host,
                    "READINESS": app.readiness,
                    "SERVERS": pulumi.Output.all(*names).apply(
                        lambda found: " ".join(f"{item}:{app.port}" for item in found)
                    ),
                    "SITE": pulumi.Output.concat(edge.name, f":{nginx.PORT}"),
                    "TIMEOUT": str(deadline_s),
                }
            ),
            "must_run": False,
            "start": False,
            "pid_mode": pulumi.Output.concat("container:", edge.id),
            "uploads": [
                docker.ContainerUploadArgs(file="/release/release.sh", content=_RELEASE),
                docker.ContainerUploadArgs(file="/release/nginx.conf", content=configuration),
                docker.ContainerUploadArgs(file="/release/servers.conf", content=servers),
            ],
            "volumes": [docker.ContainerVolumeArgs(volume_name=live_volume, container_path=nginx.LIVE)],
        },
        opts=opts,
    )


def live_volume(name: str, opts: pulumi.ResourceOptions) -> docker.Volume:
    """Return the volume of nginx's live configuration. It holds nothing that a release does not write again."""
    return docker.Volume(
        f"{name}-edge-config",
        labels=[
            docker.VolumeLabelArgs(label=label, value=value) for label, value in naming.labels("edge-config").items()
        ],
        opts=opts,
    )


def worker_processes(limits: Limits) -> int:
    """Return as many nginx workers as the container has CPUs."""
    return max(1, math.ceil(limits.cpus))
