"""A container's inputs as the engine's creation request."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from plugins.durations import nanoseconds
from plugins.resource import PluginError

if TYPE_CHECKING:
    from plugins.resource import Values

MIB: Final = 1024 * 1024
_START_INTERVAL_API: Final = (1, 44)


def creation(inputs: Values, api: tuple[int, int]) -> dict[str, Any]:
    """Return the body of the creation request. What is left out is the engine's or the image's to say."""
    exposed, bindings = _ports(inputs.get("ports", []))
    anonymous, binds, borrowed = _volumes(inputs.get("volumes", []))
    command = _texts(inputs.get("command"))
    if "" in command:
        raise PluginError("values for command may not be empty")
    body: dict[str, Any] = {
        "Image": inputs["image"],
        "Hostname": inputs.get("hostname", ""),
        "Domainname": inputs.get("domainname", ""),
        "User": inputs.get("user", ""),
        "WorkingDir": inputs.get("workingDir", ""),
        "Tty": inputs.get("tty", False),
        "OpenStdin": inputs.get("stdinOpen", False),
        "Env": _texts(inputs.get("envs")) or None,
        "Cmd": command or None,
        "Entrypoint": _texts(inputs.get("entrypoints")) or None,
        "ExposedPorts": exposed,
        "Volumes": anonymous,
        "Labels": _labels(inputs.get("labels")),
        "HostConfig": {
            **_host(inputs),
            **_resources(inputs),
            "PortBindings": bindings,
            "Binds": binds,
            "VolumesFrom": borrowed,
            "Mounts": [_mount(item) for item in inputs.get("mounts", [])],
        },
    }
    if inputs.get("stopSignal"):
        body["StopSignal"] = inputs["stopSignal"]
    if inputs.get("stopTimeout"):
        body["StopTimeout"] = int(inputs["stopTimeout"])
    if inputs.get("healthcheck"):
        body["Healthcheck"] = _health(inputs["healthcheck"], api)
    return body


def limits(inputs: Values) -> dict[str, Any]:
    """Return what the engine can change of a container that exists."""
    swap = int(inputs.get("memorySwap") or 0)
    return {
        "RestartPolicy": _restart(inputs),
        "CpuShares": int(inputs.get("cpuShares") or 0),
        "Memory": int(inputs.get("memory") or 0) * MIB,
        "MemorySwap": swap * MIB if swap > 0 else swap,
        "CpusetCpus": inputs.get("cpuSet") or "",
    }


def _restart(inputs: Values) -> dict[str, Any]:
    return {"Name": inputs.get("restart", "no"), "MaximumRetryCount": int(inputs.get("maxRetryCount") or 0)}


def _resources(inputs: Values) -> dict[str, Any]:
    found = {
        **limits(inputs),
        "MemoryReservation": int(inputs.get("memoryReservation") or 0) * MIB,
        "ShmSize": int(inputs.get("shmSize") or 0) * MIB,
        "Ulimits": [
            {"Name": item["name"], "Soft": int(item["soft"]), "Hard": int(item["hard"])}
            for item in inputs.get("ulimits", [])
        ],
    }
    if inputs.get("cpus"):
        found["NanoCpus"] = int(Decimal(str(inputs["cpus"])) * 10**9)
    return found


def _host(inputs: Values) -> dict[str, Any]:
    capabilities = inputs.get("capabilities") or {}
    host: dict[str, Any] = {
        "AutoRemove": inputs.get("rm", False),
        "CapAdd": _texts(capabilities.get("adds")),
        "CapDrop": _texts(capabilities.get("drops")),
        "Devices": [_device(item) for item in inputs.get("devices", [])],
        "Dns": _texts(inputs.get("dns")),
        "DnsOptions": _texts(inputs.get("dnsOpts")),
        "DnsSearch": _texts(inputs.get("dnsSearches")),
        "ExtraHosts": [f"{item['host']}:{item['ip']}" for item in inputs.get("hosts", [])],
        "GroupAdd": _texts(inputs.get("groupAdds")),
        "LogConfig": {"Type": inputs.get("logDriver", ""), "Config": _map(inputs.get("logOpts"))},
        "Privileged": inputs.get("privileged", False),
        "PublishAllPorts": inputs.get("publishAllPorts", False),
        "ReadonlyRootfs": inputs.get("readOnly", False),
        "SecurityOpt": _texts(inputs.get("securityOpts")),
    }
    if inputs.get("init") is not None:
        host["Init"] = inputs["init"]
    texts = {
        "networkMode": "NetworkMode",
        "pidMode": "PidMode",
        "ipcMode": "IpcMode",
        "usernsMode": "UsernsMode",
        "runtime": "Runtime",
    }
    maps = {"tmpfs": "Tmpfs", "sysctls": "Sysctls", "storageOpts": "StorageOpt"}
    host.update({theirs: inputs[ours] for ours, theirs in texts.items() if inputs.get(ours)})
    host.update({theirs: _map(inputs[ours]) for ours, theirs in maps.items() if inputs.get(ours)})
    return host


def _ports(ports: list[Values]) -> tuple[dict[str, Any], dict[str, list[dict[str, str]]]]:
    exposed: dict[str, Any] = {}
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in ports:
        inside = f"{int(port['internal'])}/{port.get('protocol') or 'tcp'}"
        exposed[inside] = {}
        # No port outside: the engine picks a free one.
        outside = str(int(port.get("external") or 0))
        bindings.setdefault(inside, []).append({"HostIp": port.get("ip") or "0.0.0.0", "HostPort": outside})  # noqa: S104
    return exposed, bindings


def _volumes(volumes: list[Values]) -> tuple[dict[str, Any], list[str], list[str]]:
    anonymous: dict[str, Any] = {}
    binds: list[str] = []
    borrowed: list[str] = []
    for volume in volumes:
        inside, source = volume.get("containerPath") or "", volume.get("fromContainer") or ""
        if not inside and not source:
            raise PluginError("Unable to parse volumes: Volume entry without container path or source container")
        if inside and source:
            raise PluginError("Unable to parse volumes: Both a container and a path specified in a volume entry")
        if source:
            borrowed.append(source)
            continue
        anonymous[inside] = {}
        outside = volume.get("volumeName") or volume.get("hostPath")
        if outside:
            binds.append(f"{outside}:{inside}:{'ro' if volume.get('readOnly') else 'rw'}")
    return anonymous, binds, borrowed


def _mount(mount: Values) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Type": mount["type"],
        "Target": mount["target"],
        "Source": mount.get("source", ""),
        "ReadOnly": mount.get("readOnly", False),
    }
    options = {"bind": "bindOptions", "volume": "volumeOptions", "tmpfs": "tmpfsOptions"}
    chosen = mount.get(options[mount["type"]])
    if not chosen:
        return found
    if mount["type"] == "bind":
        found["BindOptions"] = {"Propagation": chosen.get("propagation", "")}
    elif mount["type"] == "tmpfs":
        found["TmpfsOptions"] = {"SizeBytes": int(chosen.get("sizeBytes") or 0), "Mode": int(chosen.get("mode") or 0)}
    else:
        found["VolumeOptions"] = {
            "NoCopy": chosen.get("noCopy", False),
            "Labels": _labels(chosen.get("labels")),
            "DriverConfig": {"Name": chosen.get("driverName", ""), "Options": _map(chosen.get("driverOptions"))},
        }
    return found


def _device(device: Values) -> dict[str, str]:
    return {
        "PathOnHost": device["hostPath"],
        "PathInContainer": device.get("containerPath") or device["hostPath"],
        "CgroupPermissions": device.get("permissions") or "rwm",
    }


def _health(health: Values, api: tuple[int, int]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Test": _texts(health.get("tests")),
        "Interval": nanoseconds(health.get("interval", "0s")),
        "Timeout": nanoseconds(health.get("timeout", "0s")),
        "StartPeriod": nanoseconds(health.get("startPeriod", "0s")),
        "Retries": int(health.get("retries") or 0),
    }
    often = nanoseconds(health.get("startInterval", "0s"))
    if often:
        if api < _START_INTERVAL_API:
            raise PluginError(
                'Unable to create container: "specify health-check start interval" requires API version 1.44, '
                f"but the Docker daemon API version is {api[0]}.{api[1]}"
            )
        found["StartInterval"] = often
    return found


def _texts(values: list[Any] | None) -> list[str]:
    return ["" if value is None else str(value) for value in values or []]


def _map(values: dict[str, Any] | None) -> dict[str, str]:
    return {key: str(value) for key, value in (values or {}).items()}


def _labels(labels: list[Values] | None) -> dict[str, str]:
    return {item["label"]: item["value"] for item in labels or []}
