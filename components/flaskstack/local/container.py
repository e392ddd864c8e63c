"""What every container of the local stack has in common: limits, hardening, health, logs.

Values are written as the engine reports them back (`cpus` "2.0", `network_mode` "bridge", `memory_swap` stated), or the
official plugin would find a difference, and replace the container, at every `up`.
"""

from __future__ import annotations

from typing import Annotated, Any

import pulumi
import pulumi_docker as docker
import pydantic

from flaskstack import naming
from flaskstack.app import TMP
from flaskstack.model import Model

Mib = Annotated[int, pydantic.Field(ge=16, le=1_048_576)]
Count = Annotated[int, pydantic.Field(ge=1, le=1_048_576)]


class Limits(Model):
    """What a container may take of the machine."""

    cpus: Annotated[float, pydantic.Field(gt=0, le=1024)] = 2.0
    """CPUs at most. Default 2."""
    memory_mib: Mib = 1024
    """Memory at most, in MiB; above it the engine stops the process. Default 1024."""
    reserved_cpus: Annotated[float, pydantic.Field(gt=0, le=1024)] = 0.5
    """Share when the machine is short of CPU, in CPUs. Default 0.5."""
    reserved_memory_mib: Mib = 256
    """Memory left to it when the machine is short of memory, in MiB. Default 256."""
    nofile: Count = 65_535
    """Open files. Default 65,535; lower it where the engine answers "error setting rlimit type 7"."""
    nproc: Count = 65_535
    """Processes of its user. Default 65,535."""
    tmp_mib: Mib = 100
    """Size of the memory file system on /tmp, in MiB. It counts as memory. Default 100."""
    log_mib: Count = 10
    """Size at which a log file is rotated, in MiB. Default 10."""
    log_files: Count = 3
    """Log files kept. Default 3."""

    @pydantic.model_validator(mode="after")
    def _reservations_fit(self) -> Limits:
        if self.reserved_memory_mib > self.memory_mib:
            message = f"reservedMemoryMib {self.reserved_memory_mib} is more than memoryMib {self.memory_mib}"
            raise ValueError(message)
        if self.reserved_cpus > self.cpus:
            message = f"reservedCpus {self.reserved_cpus} is more than cpus {self.cpus}"
            raise ValueError(message)
        return self


class Health(Model):
    """How the engine watches a container."""

    interval_s: Count = 30
    """Seconds between two checks. Default 30. While a stack comes up, it is asked every 0.2 s instead."""
    timeout_s: Count = 5
    """Seconds that a check may take. Default 5."""
    start_period_s: Count = 15
    """Seconds in which failures do not count. Default 15."""
    retries: Count = 3
    """Failures in a row that make it unhealthy. Default 3."""
    deadline_s: Count = 120
    """Seconds that a new container gets to become healthy and ready before `pulumi up` gives up on it. Default 120."""


def health_check(command: str, health: Health) -> docker.ContainerHealthcheckArgs:
    """Return a health check by a shell command. `scripts/job.sh` asks it too, so the fact stands once."""
    return docker.ContainerHealthcheckArgs(
        tests=["CMD-SHELL", command],
        interval=_go_duration(health.interval_s),
        timeout=_go_duration(health.timeout_s),
        start_period=_go_duration(health.start_period_s),
        retries=health.retries,
    )


def _go_duration(seconds: int) -> str:
    """Return seconds as Go prints a duration, which is how the engine reports it: 90 -> 1m30s."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}h{minutes}m{rest}s" if hours else f"{minutes}m{rest}s" if minutes else f"{rest}s"


def hardened(
    role: str, limits: Limits, network: pulumi.Input[str] | None, *, aliases: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the arguments that all containers share, for one that plays `role` in `network` under `aliases`.

    No privileges, no capabilities, a read-only root with a small /tmp in memory, limits, rotated logs.
    """
    attached = [] if network is None else [docker.ContainerNetworksAdvancedArgs(name=network, aliases=list(aliases))]
    return {
        "capabilities": docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        "cpu_shares": round(limits.reserved_cpus * 1024),
        "cpus": str(float(limits.cpus)),
        "labels": label_args(role),
        "log_driver": "json-file",
        "log_opts": {"max-size": f"{limits.log_mib}m", "max-file": str(limits.log_files)},
        "memory": limits.memory_mib,
        "memory_reservation": limits.reserved_memory_mib,
        "memory_swap": limits.memory_mib * 2,
        "network_mode": "bridge",
        "networks_advanced": attached,
        "read_only": True,
        "security_opts": ["no-new-privileges"],
        "tmpfs": {TMP: f"rw,noexec,nosuid,size={limits.tmp_mib}m"},
        "ulimits": [
            docker.ContainerUlimitArgs(name="core", soft=0, hard=0),
            docker.ContainerUlimitArgs(name="nofile", soft=limits.nofile, hard=limits.nofile),
            docker.ContainerUlimitArgs(name="nproc", soft=limits.nproc, hard=limits.nproc),
        ],
    }


def label_args(role: str) -> list[docker.ContainerLabelArgs]:
    """Return the labels of a container."""
    return [docker.ContainerLabelArgs(label=label, value=value) for label, value in naming.labels(role).items()]


def environment(values: dict[str, pulumi.Input[str]]) -> list[pulumi.Input[str]]:
    """Return variables as the engine takes them, in a stable order."""
    return [
        pulumi.Output.concat(name, "=", value) if isinstance(value, pulumi.Output) else f"{name}={value}"
        for name, value in sorted(values.items())
    ]
