"""The application's own data folder, for example an SQLite database's: a volume that outlives the stack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import pulumi_docker as docker

from flaskstack.app import CODE, UID
from flaskstack.errors import Problem
from flaskstack.local import data
from flaskstack.local.container import Limits, hardened
from flaskstack.local.web import once

if TYPE_CHECKING:
    import pulumi

    from flaskstack.app import FlaskApp

# A new volume takes its owner from the image's folder, or root where there is none. What is the application's stays.
_OWN: Final = f'[ "$(stat -c %u "$0")" = {UID} ] || chown -R {UID}:{UID} "$0"'


@dataclass(frozen=True)
class Files:
    """The data folder as the stack has it."""

    volume: docker.Volume
    owner: docker.Container
    """One-shot that gives it to the application's user. It comes before anything else that mounts it."""


def register(  # noqa: PLR0913  # keyword arguments, each with its name at the call
    name: str,
    app: FlaskApp,
    *,
    image_id: pulumi.Input[str],
    limits: Limits,
    child: pulumi.ResourceOptions,
    kept: pulumi.ResourceOptions,
) -> Files | None:
    """Register the data folder, None when the application has none. Options: `kept` for data, `child` for the rest."""
    if app.data is None:
        return None
    volume = data.volume(name, "app", "", kept)
    arguments: dict[str, Any] = {
        **hardened("data", limits, None),
        **once(["-c", _OWN, app.data]),
        "image": image_id,
        "user": "root",
        "capabilities": docker.ContainerCapabilitiesArgs(adds=["CHOWN"], drops=["ALL"]),
        "network_mode": "none",
        "entrypoints": ["/bin/sh"],
        "volumes": [mount(app, volume)],
    }
    return Files(volume, docker.Container(f"{name}-data", **arguments, opts=child))


def mount(app: FlaskApp, volume: docker.Volume) -> docker.ContainerVolumeArgs:
    """Return the mount of the data folder."""
    return docker.ContainerVolumeArgs(volume_name=volume.name, container_path=app.data)


def problems(app: FlaskApp, *, dev: bool, prefix: str = "") -> list[Problem]:
    """Return what is wrong with the data folder: in development one inside the code needs a folder to be mounted on."""
    if not dev or app.data is None or not PurePosixPath(app.data).is_relative_to(CODE):
        return []
    place = app.source / PurePosixPath(app.data).relative_to(CODE)
    if place.is_dir():
        return []
    reason = f"development shows the source as it is, read-only, and it has no folder {place.name} to put data on"
    return [Problem(f"{prefix}app.data", app.data, reason, f"mkdir {place}")]
