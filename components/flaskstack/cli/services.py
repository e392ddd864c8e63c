"""Containers of a `LocalStack` as services of a compose file: each input of each container, or an error.

An input that has no counterpart here is an error and not left out: what a component says must not be lost on the way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from flaskstack import nginx
from flaskstack.naming import LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flaskstack.cli.registered import Resource

CONTAINER: Final = "docker:index/container:Container"
COMMAND: Final = "command:local:Command"
NGINX: Final = "nginx"
RELEASE: Final = "release"
FILES: Final = "./compose"
"""Folder of the files that services mount, beside the compose file."""
SERVERS: Final = "servers.conf"
_SAME: Final = {
    "cpuShares": "cpu_shares",
    "image": "image",
    "readOnly": "read_only",
    "restart": "restart",
    "securityOpts": "security_opt",
    "stopSignal": "stop_signal",
    "user": "user",
}
"""Inputs that need only another name."""
_LEFT_OUT: Final = frozenset({"labels", "mustRun", "start", "stopTimeout", "uploads", "logDriver"})
"""Labels are for finding what Pulumi made; depends_on says what starts when; destroyGraceSeconds says the stop timeout
too; uploads are files that are mounted; logDriver stands with logOpts."""


@dataclass
class Project:
    """What a compose file holds."""

    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    volumes: set[str] = field(default_factory=set)
    files: dict[str, str] = field(default_factory=dict)
    """Path below `FILES` -> content."""


def reference(name: str) -> str:
    """Return what stands for a secret variable while recording. It can be part of a URL."""
    return f"flaskstack.{name}.reference"


def text(value: str) -> str:
    """Return text as compose takes it, which replaces `$`; a secret becomes a reference to the environment."""
    return re.sub(r"flaskstack\.(\w+)\.reference", r"${\1:?set it in .env}", value.replace("$", "$$"))


def project(resources: Sequence[Resource], prefix: str) -> Project:
    """Return the compose project of a stack's resources. `prefix`: start of the names that carry the stack's."""
    made = Project()
    containers = [each for each in resources if each.type == CONTAINER]
    mounted = _uploaded(containers, made)
    groups: dict[str, list[Resource]] = {}
    for each in containers:
        if role(each) != RELEASE and not _carries(each):
            groups.setdefault(role(each), []).append(each)
    for name, group in groups.items():
        (service, *others) = [_service(each, made, mounted, prefix) for each in group]
        if any(other != service for other in others):
            raise NotImplementedError(f"replicas of {name} differ")
        if others:
            service["deploy"] = {"replicas": len(group)}
        made.services[name] = service
    for name, group in groups.items():
        if needed := _dependencies(group[0], resources):
            made.services[name]["depends_on"] = needed
    return made


def role(container: Resource) -> str:
    """Return the part that a container plays."""
    return next(str(each["value"]) for each in container.inputs["labels"] if each["label"] == f"{LABEL}.role")


def _carries(container: Resource) -> bool:
    """Return whether a container only brings files into a volume."""
    return bool(container.inputs.get("uploads")) and not container.inputs.get("start", True)


def _uploaded(containers: Sequence[Resource], made: Project) -> dict[str, str]:
    """Note the files that containers bring into volumes. Return volume -> the folder that stands for it."""
    stands_for = {}
    for each in filter(_carries, containers):
        (volume,) = each.inputs["volumes"]
        folder = NGINX if role(each) == RELEASE else role(each)
        stands_for[volume["volumeName"]] = f"{FILES}/{folder}"
        for upload in each.inputs["uploads"]:
            made.files[f"{folder}/{upload['file'].rpartition('/')[2]}"] = upload["content"]
        if role(each) == RELEASE:
            # Compose gives all replicas the service's name, and nginx asks for their addresses again and again.
            port = next(entry for entry in each.inputs["envs"] if entry.startswith("SERVERS=")).rpartition(":")[2]
            made.files[f"{folder}/{SERVERS}"] = nginx.servers(["web"], int(port))
            made.files[f"{folder}/release.conf"] = "return 200 compose;\n"
            del made.files[f"{folder}/release.sh"]
    return stands_for


def _service(container: Resource, made: Project, mounted: dict[str, str], prefix: str) -> dict[str, Any]:
    service: dict[str, Any] = {}
    for key, value in sorted(container.inputs.items()):
        if key in _SAME:
            service[_SAME[key]] = text(value) if isinstance(value, str) else value
        elif key in _TRANSLATED:
            service |= _TRANSLATED[key](value)
        elif key == "logOpts":
            service["logging"] = {"driver": container.inputs["logDriver"], "options": value}
        elif key == "networkMode":
            # Any other is the private network of all services, which needs no word.
            service |= {"network_mode": value} if value == "none" else {}
        elif key == "volumes":
            service["volumes"] = [_mount(each, made, mounted, prefix) for each in value]
        elif key == "networksAdvanced":
            # A service is reached by its name.
            aliases = [alias for each in value for alias in each.get("aliases", []) if alias != role(container)]
            service |= {"networks": {"default": {"aliases": aliases}}} if aliases else {}
        elif key not in _LEFT_OUT:
            raise NotImplementedError(f"{container.name}: {key} has no counterpart in a compose file")
    return service


def _texts(values: list[str]) -> list[str]:
    return [text(each) for each in values]


def _environment(lines: list[str]) -> dict[str, Any]:
    pairs = (line.partition("=") for line in lines)
    return {"environment": {name: text(content) for name, _, content in pairs}}


def _health(check: dict[str, Any]) -> dict[str, Any]:
    timing = {"interval": check["interval"], "timeout": check["timeout"], "start_period": check["startPeriod"]}
    return {"healthcheck": {"test": _texts(check["tests"]), **timing, "retries": check["retries"]}}


_TRANSLATED: Final[dict[str, Callable[[Any], dict[str, Any]]]] = {
    "capabilities": lambda value: {
        f"cap_{verb}": value[f"{verb}s"] for verb in ("add", "drop") if value.get(f"{verb}s")
    },
    "command": lambda value: {"command": _texts(value)},
    "cpus": lambda value: {"cpus": float(value)},
    "destroyGraceSeconds": lambda value: {"stop_grace_period": f"{value}s"},
    "entrypoints": lambda value: {"entrypoint": _texts(value)},
    "envs": _environment,
    "healthcheck": _health,
    "memory": lambda value: {"mem_limit": f"{value}m"},
    "memoryReservation": lambda value: {"mem_reservation": f"{value}m"},
    "memorySwap": lambda value: {"memswap_limit": f"{value}m"},
    "ports": lambda value: {"ports": [f"{each['ip']}:{each['external']}:{each['internal']}" for each in value]},
    "shmSize": lambda value: {"shm_size": f"{value}m"},
    "tmpfs": lambda value: {"tmpfs": [f"{path}:{options}" for path, options in sorted(value.items())]},
    "ulimits": lambda value: {
        "ulimits": {each["name"]: {"soft": each["soft"], "hard": each["hard"]} for each in value}
    },
}
"""Inputs that compose writes in another way."""


def _mount(volume: dict[str, Any], made: Project, mounted: dict[str, str], prefix: str) -> dict[str, Any]:
    read_only = {"read_only": True} if volume.get("readOnly") else {}
    target = volume["containerPath"]
    host = volume.get("hostPath") or mounted.get(volume["volumeName"])
    if host:
        bind = {"bind": {"create_host_path": False}}
        return {"type": "bind", "source": host, "target": target, **read_only, **bind}
    name = str(volume["volumeName"]).removeprefix(prefix)
    made.volumes.add(name)
    return {"type": "volume", "source": name, "target": target, **read_only}


def _dependencies(container: Resource, resources: Sequence[Resource]) -> dict[str, dict[str, str]]:
    """Return what must have happened before a service starts, as the steps between the containers say it."""
    steps = [each for each in resources if each.type == COMMAND]
    roles = {each.id: role(each) for each in resources if each.type == CONTAINER}
    needed: dict[str, str] = {}
    for step in steps:
        jobs = [roles[each] for each in step.inputs["environment"]["JOBS"].split()]
        waited = {roles[each]: "service_healthy" for each in step.inputs["environment"]["WAIT_FOR"].split()}
        # nginx has the release in its files, so it starts when the release would have run.
        own = RELEASE if role(container) == NGINX else role(container)
        if own in jobs:
            # Jobs run one after the other.
            needed |= waited | dict.fromkeys(jobs[: jobs.index(own)], "service_completed_successfully")
        elif step.name in container.after:
            needed |= dict.fromkeys(jobs, "service_completed_successfully") if jobs else waited
    return {name: {"condition": condition} for name, condition in sorted(needed.items())}


def secrets(services: Iterable[dict[str, Any]]) -> list[str]:
    """Return the names of the secret variables that services refer to."""
    values = [value for each in services for value in each.get("environment", {}).values()]
    return sorted({name for value in values for name in re.findall(r"(?<!\$)\$\{(\w+):\?", value)})
