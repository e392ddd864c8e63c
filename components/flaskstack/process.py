"""An extra process of an application: a worker or a scheduler, from the same image as the web process."""

from __future__ import annotations

from typing import Annotated

import pydantic

from flaskstack.model import Model

RESERVED = frozenset(
    {"data", "edge-config", "migration", "network", "nginx", "postgres", "redis", "release", "server-config", "web"}
)
"""Roles that the targets' own parts play. `make logs ROLE=...` finds a process by its name too."""


def _not_reserved(name: str) -> str:
    if name in RESERVED:
        message = f"{name} is a part of the targets' own; taken are {', '.join(sorted(RESERVED))}"
        raise ValueError(message)
    return name


ProcessName = Annotated[
    str, pydantic.Field(pattern=r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$"), pydantic.AfterValidator(_not_reserved)
]


class Process(Model):
    """A process beside the web process: same image, variables, secrets and data; no port, no requests.

    It is started once the migration has succeeded, and replaced at each release. On SIGTERM it finishes what it does.
    """

    command: Annotated[tuple[str, ...], pydantic.Field(min_length=1)]
    """What it runs, for example `[rq, worker]`. Required."""
    singleton: bool = False
    """Whether it must never run twice, as a scheduler: the old one has ended before the new one starts. Default false:
    old and new run beside each other for a moment."""
    replicas: Annotated[int, pydantic.Field(ge=1, le=1000)] = 1
    """How many of it. Default 1."""
    probe: tuple[str, ...] = ()
    """Command, run in its container, that fails when it is to be started anew. A release waits until it succeeds.
    Default none: only a process that ends is started anew."""
    stop_grace: Annotated[int, pydantic.Field(ge=1, le=86_400)] = 30
    """Seconds between SIGTERM and its end by force. Default 30."""
    cpus: Annotated[float, pydantic.Field(gt=0, le=1024)] | None = None
    """CPUs at most. Default: as a web process of the target."""
    memory_mib: Annotated[int, pydantic.Field(ge=16, le=1_048_576)] | None = None
    """Memory at most, in MiB. Default: as a web process of the target."""

    @pydantic.field_validator("replicas")
    @classmethod
    def _once_is_once(cls, value: int, info: pydantic.ValidationInfo) -> int:
        if value != 1 and info.data.get("singleton"):
            raise ValueError("a singleton runs once: set it to 1, or singleton to false")
        return value
