"""Workers, schedulers and other processes beside the web replicas, from the same image."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_docker as docker

from flaskstack.local.container import health_check

if TYPE_CHECKING:
    from collections.abc import Callable

    from flaskstack.app import FlaskApp
    from flaskstack.local.container import Health, Limits
    from flaskstack.process import Process


def register(  # noqa: PLR0913  # keyword arguments, each with its name at the call
    name: str,
    app: FlaskApp,
    arguments: Callable[[str, Limits], dict[str, Any]],
    *,
    limits: Limits,
    health: Health,
    options: dict[str, Any],
) -> list[docker.Container]:
    """Register the processes, and return those that a release waits for: the ones with a probe.

    `arguments` makes what all of the application's containers share, `options` are the replicas' resource options.
    """
    probed = []
    for role, process in app.processes.items():
        # A release makes the new one first, as for web replicas, unless two of it must never run.
        opts = pulumi.ResourceOptions(**options, delete_before_replace=process.singleton)
        made = [
            docker.Container(
                f"{name}-{role}-{number}",
                **{**arguments(role, limited(process, limits)), **_running(process, health)},
                opts=opts,
            )
            for number in range(process.replicas)
        ]
        probed += made if process.probe else []
    return probed


def limited(process: Process, limits: Limits) -> Limits:
    """Return the limits of a process: the stack's, but for what it says itself. A reservation never exceeds them."""
    cpus, memory = process.cpus or limits.cpus, process.memory_mib or limits.memory_mib
    return limits.model_copy(
        update={
            "cpus": cpus,
            "memory_mib": memory,
            "reserved_cpus": min(limits.reserved_cpus, cpus),
            "reserved_memory_mib": min(limits.reserved_memory_mib, memory),
        }
    )


def _running(process: Process, health: Health) -> dict[str, Any]:
    watched = {"healthcheck": health_check(shlex.join(process.probe), health)} if process.probe else {}
    return {
        "command": list(process.command),
        "restart": "unless-stopped",
        "stop_signal": "SIGTERM",
        "stop_timeout": process.stop_grace,
        "destroy_grace_seconds": process.stop_grace,
        **watched,
    }
