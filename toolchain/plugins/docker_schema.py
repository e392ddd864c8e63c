"""Fields of the docker plugin's resources, version 5.2.0: kinds, defaults, and what a change does."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from plugins.durations import nanoseconds
from plugins.schema import Field

if TYPE_CHECKING:
    from collections.abc import Callable


def _matches(pattern: str) -> Callable[[str], str | None]:
    return lambda value: None if re.search(pattern, value) else f"must match {pattern}, and is {value!r}"


def _at_least(least: int) -> Callable[[int], str | None]:
    return lambda value: None if value >= least else f"must be at least {least}, and is {value}"


def _duration(value: str) -> str | None:
    try:
        nanoseconds(value)
    except ValueError:
        return f"must be a duration such as 30s or 1m30s, and is {value!r}"
    return None


def _base64(value: str) -> str | None:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        return "must be base64"
    return None


def _host_path(value: str) -> str | None:
    return None if re.match(r"^([a-zA-Z]:\\|/)", value) else f"must be an absolute path, and is {value!r}"


_TEXT: Final = Field("string")
_UNSUPPORTED: Final = Field("string", unsupported=True)
LABELS: Final = {"label": Field("string", required=True), "value": Field("string", required=True)}

_MOUNT: Final = {
    "target": Field("string", required=True),
    "source": _TEXT,
    "type": Field("string", required=True, check=_matches(r"^(bind|volume|tmpfs)$")),
    "readOnly": Field("bool"),
    "bindOptions": Field(
        "object",
        fields={"propagation": Field("string", check=_matches(r"^(private|rprivate|shared|rshared|slave|rslave)$"))},
    ),
    "volumeOptions": Field(
        "object",
        fields={
            "noCopy": Field("bool"),
            "labels": Field("set", fields=LABELS),
            "driverName": _TEXT,
            "driverOptions": Field("map"),
            "subpath": _UNSUPPORTED,
        },
    ),
    "tmpfsOptions": Field("object", fields={"sizeBytes": Field("int"), "mode": Field("int")}),
}

_HEALTHCHECK: Final = {
    "tests": Field("list"),
    **{
        name: Field("string", default="0s", check=_duration)
        for name in ("interval", "timeout", "startPeriod", "startInterval")
    },
    "retries": Field("int", default=0, check=_at_least(0)),
}

CONTAINER: Final = {
    "attach": Field("bool", updates=True, default=False),
    "bridge": Field("string", output=True),
    "capabilities": Field("object", fields={"adds": Field("set"), "drops": Field("set")}),
    "command": Field("list", computed=True),
    "containerLogs": Field("string", output=True),
    "containerReadRefreshTimeoutMilliseconds": Field("int", updates=True, default=15000),
    "cpuSet": Field("string", updates=True, check=_matches(r"^\d+([,-]\d+)*$")),
    "cpuShares": Field("int", updates=True, check=_at_least(0)),
    "cpus": _TEXT,
    "destroyGraceSeconds": Field("int", updates=True),
    "devices": Field(
        "set",
        fields={"hostPath": Field("string", required=True), "containerPath": _TEXT, "permissions": _TEXT},
    ),
    "dns": Field("set"),
    "dnsOpts": Field("set"),
    "dnsSearches": Field("set"),
    "domainname": _TEXT,
    "entrypoints": Field("list", computed=True),
    "envs": Field("set", computed=True),
    "exitCode": Field("int", output=True),
    "groupAdds": Field("set"),
    "healthcheck": Field("object", computed=True, fields=_HEALTHCHECK),
    "hostname": Field("string", computed=True),
    "hosts": Field("set", fields={"host": Field("string", required=True), "ip": Field("string", required=True)}),
    "image": Field("string", required=True),
    "init": Field("bool", computed=True, updates=True),
    "ipcMode": Field("string", computed=True),
    "labels": Field("set", computed=True, fields=LABELS),
    "logDriver": Field("string", computed=True),
    "logOpts": Field("map"),
    "logs": Field("bool", updates=True, default=False),
    "maxRetryCount": Field("int", updates=True),
    "memory": Field("int", updates=True, check=_at_least(0)),
    "memoryReservation": Field("int", check=_at_least(0)),
    "memorySwap": Field("int", updates=True, check=_at_least(-1)),
    "mounts": Field("set", fields=_MOUNT),
    "mustRun": Field("bool", updates=True, default=True),
    "name": Field("string"),
    "networkDatas": Field("list", output=True),
    "networkMode": _TEXT,
    "networksAdvanced": Field(
        "set",
        fields={
            "name": Field("string", required=True),
            "aliases": Field("set"),
            "ipv4Address": _TEXT,
            "ipv6Address": _TEXT,
            **dict.fromkeys(("driverOpts", "gwPriority", "linkLocalIps", "macAddress"), _UNSUPPORTED),
        },
    ),
    "pidMode": _TEXT,
    "platform": _TEXT,
    "ports": Field(
        "list",
        fields={
            "internal": Field("int", required=True),
            "external": Field("int", computed=True),
            "ip": Field("string", default="0.0.0.0"),  # noqa: S104  # the official default
            "protocol": Field("string", default="tcp"),
        },
    ),
    "privileged": Field("bool"),
    "publishAllPorts": Field("bool"),
    "readOnly": Field("bool", default=False),
    "removeVolumes": Field("bool", updates=True, default=True),
    "restart": Field("string", updates=True, default="no", check=_matches(r"^(no|on-failure|always|unless-stopped)$")),
    "rm": Field("bool", updates=True, default=False),
    "runtime": Field("string", computed=True),
    "securityOpts": Field("set", computed=True),
    "shmSize": Field("int", computed=True, check=_at_least(0)),
    "start": Field("bool", updates=True, default=True),
    "stdinOpen": Field("bool", default=False),
    "stopSignal": Field("string", computed=True),
    "stopTimeout": Field("int", computed=True),
    "storageOpts": Field("map"),
    "sysctls": Field("map"),
    "tmpfs": Field("map", updates=True),
    "tty": Field("bool", default=False),
    "ulimits": Field(
        "set",
        fields={
            "name": Field("string", required=True),
            "soft": Field("int", required=True),
            "hard": Field("int", required=True),
        },
    ),
    "uploads": Field(
        "set",
        fields={
            "content": _TEXT,
            "contentBase64": Field("string", check=_base64),
            "executable": Field("bool", default=False),
            "file": Field("string", required=True),
            "permissions": Field("string", check=_matches(r"^0[0-7]{3}$")),
            "source": _TEXT,
            "sourceHash": _TEXT,
            **dict.fromkeys(("group", "owner"), _UNSUPPORTED),
        },
    ),
    "user": Field("string", empty_is_unset=True),
    "usernsMode": _TEXT,
    "volumes": Field(
        "set",
        fields={
            "containerPath": _TEXT,
            "fromContainer": _TEXT,
            "hostPath": Field("string", check=_host_path),
            "readOnly": Field("bool"),
            "selinuxRelabel": _UNSUPPORTED,
            "volumeName": _TEXT,
        },
    ),
    "wait": Field("bool", updates=True, default=False),
    "waitTimeout": Field("int", updates=True, default=60),
    "workingDir": Field("string", empty_is_unset=True),
    **dict.fromkeys(
        (
            "cgroupParent",
            "cgroupnsMode",
            "cpuPeriod",
            "cpuQuota",
            "deviceCgroupRules",
            "deviceReadBps",
            "deviceReadIops",
            "deviceRequests",
            "deviceWriteBps",
            "deviceWriteIops",
            "gpus",
        ),
        _UNSUPPORTED,
    ),
}
