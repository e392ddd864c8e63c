"""A container as the engine reports it, in the plugin's fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plugins.docker_request import MIB
from plugins.durations import go_duration

if TYPE_CHECKING:
    from plugins.resource import Values


def state(container: dict[str, Any]) -> Values:
    """Return the fields that are read back. The rest stays as the program said it."""
    config, host, network = container["Config"], container["HostConfig"], container["NetworkSettings"]
    running = container["State"]["Running"]
    swap = host["MemorySwap"]
    found: Values = {
        "bridge": network.get("Bridge", ""),
        "command": config["Cmd"] or [],
        "cpuSet": host["CpusetCpus"],
        "cpuShares": host["CpuShares"],
        "cpus": _cpus(host["NanoCpus"]),
        "devices": [_device(item) for item in host["Devices"] or []],
        "dns": host["Dns"] or [],
        "dnsOpts": host["DnsOptions"] or [],
        "dnsSearches": host["DnsSearch"] or [],
        "domainname": config["Domainname"],
        "entrypoints": config["Entrypoint"] or [],
        "groupAdds": host["GroupAdd"] or [],
        "hostname": config["Hostname"],
        "hosts": [dict(zip(("host", "ip"), item.split(":", 1), strict=True)) for item in host["ExtraHosts"] or []],
        "image": container["Image"],
        "init": bool(host.get("Init")),
        "ipcMode": host["IpcMode"],
        "logDriver": host["LogConfig"]["Type"],
        "logOpts": host["LogConfig"]["Config"] or {},
        "maxRetryCount": host["RestartPolicy"]["MaximumRetryCount"],
        "memory": host["Memory"] // MIB,
        "memoryReservation": host["MemoryReservation"] // MIB,
        "memorySwap": swap // MIB if swap > 0 else swap,
        "mounts": [_mount(item) for item in host.get("Mounts") or []],
        "name": container["Name"].lstrip("/"),
        "networkDatas": [_network(name, item) for name, item in (network["Networks"] or {}).items()],
        "networkMode": host["NetworkMode"],
        "pidMode": host["PidMode"],
        "ports": _ports(network.get("Ports") or {}),
        "privileged": host["Privileged"],
        "publishAllPorts": host["PublishAllPorts"],
        "readOnly": host["ReadonlyRootfs"],
        "restart": host["RestartPolicy"]["Name"] or "no",
        "rm": host["AutoRemove"],
        "runtime": host["Runtime"],
        "securityOpts": host["SecurityOpt"] or [],
        "shmSize": host["ShmSize"] // MIB,
        "stdinOpen": config["OpenStdin"],
        "stopSignal": config.get("StopSignal", ""),
        "stopTimeout": config.get("StopTimeout") or 0,
        "storageOpts": host.get("StorageOpt") or {},
        "sysctls": host.get("Sysctls") or {},
        "tmpfs": host.get("Tmpfs") or {},
        "tty": config["Tty"],
        "ulimits": [
            {"name": item["Name"], "soft": item["Soft"], "hard": item["Hard"]} for item in host["Ulimits"] or []
        ],
        "user": config["User"],
        "usernsMode": host["UsernsMode"],
        "workingDir": config["WorkingDir"],
    }
    if not running:
        found["exitCode"] = container["State"]["ExitCode"]
    if host["CapAdd"] or host["CapDrop"]:
        found["capabilities"] = {"adds": host["CapAdd"] or [], "drops": host["CapDrop"] or []}
    if config.get("Healthcheck"):
        found["healthcheck"] = _health(config["Healthcheck"])
    return found


def _cpus(count: int) -> str:
    """Return CPUs with one decimal at least: the official plugin reads "2.0" back for "2"."""
    if not count:
        return ""
    whole, rest = divmod(count, 10**9)
    return f"{whole}.{str(rest).rjust(9, '0').rstrip('0') or '0'}"


def _health(health: dict[str, Any]) -> Values:
    return {
        "tests": health.get("Test") or [],
        "interval": go_duration(health.get("Interval", 0)),
        "timeout": go_duration(health.get("Timeout", 0)),
        "startPeriod": go_duration(health.get("StartPeriod", 0)),
        "startInterval": go_duration(health.get("StartInterval", 0)),
        "retries": health.get("Retries", 0),
    }


def _ports(ports: dict[str, Any]) -> list[Values]:
    found: list[Values] = []
    for inside in sorted(ports, key=lambda key: int(key.partition("/")[0])):
        internal, _, protocol = inside.partition("/")
        found.extend(
            {"internal": int(internal), "external": int(item["HostPort"]), "ip": item["HostIp"], "protocol": protocol}
            for item in ports[inside] or []
        )
    return found


def _network(name: str, network: dict[str, Any]) -> Values:
    return {
        "networkName": name,
        "ipAddress": network["IPAddress"],
        "ipPrefixLength": network["IPPrefixLen"],
        "gateway": network["Gateway"],
        "globalIpv6Address": network["GlobalIPv6Address"],
        "globalIpv6PrefixLength": network["GlobalIPv6PrefixLen"],
        "ipv6Gateway": network["IPv6Gateway"],
        "macAddress": network.get("MacAddress", ""),
    }


def _device(device: dict[str, str]) -> Values:
    return {
        "hostPath": device["PathOnHost"],
        "containerPath": device["PathInContainer"],
        "permissions": device["CgroupPermissions"],
    }


def _mount(mount: dict[str, Any]) -> Values:
    found: Values = {
        "target": mount["Target"],
        "source": mount.get("Source", ""),
        "type": mount["Type"],
        "readOnly": mount.get("ReadOnly", False),
    }
    if mount.get("BindOptions"):
        found["bindOptions"] = {"propagation": mount["BindOptions"].get("Propagation", "")}
    if mount.get("TmpfsOptions"):
        options = mount["TmpfsOptions"]
        found["tmpfsOptions"] = {"sizeBytes": options.get("SizeBytes", 0), "mode": options.get("Mode", 0)}
    if mount.get("VolumeOptions"):
        options = mount["VolumeOptions"]
        driver = options.get("DriverConfig") or {}
        found["volumeOptions"] = {
            "noCopy": options.get("NoCopy", False),
            "labels": [{"label": key, "value": value} for key, value in (options.get("Labels") or {}).items()],
            "driverName": driver.get("Name", ""),
            "driverOptions": driver.get("Options") or {},
        }
    return found
