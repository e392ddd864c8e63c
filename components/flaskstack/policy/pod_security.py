"""The restricted Pod Security Standard, before an API server sees the pod.

As written for Linux in Kubernetes 1.36 (concepts/security/pod-security-standards), and for every kind of workload: a
namespace that does not enforce it would admit them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flaskstack.policy.model import Finding, Level, Rule
from flaskstack.policy.pods import Part, containers, pod
from flaskstack.policy.resource import Opaque, dig, items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flaskstack.policy.resource import Resource

VOLUMES: Final = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
"""Kinds of volumes that a restricted pod may have."""
SYSCTLS: Final = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    }
)
"""Kernel parameters that are a pod's own."""
SELINUX_TYPES: Final = frozenset({"container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
PROFILES: Final = ("RuntimeDefault", "Localhost")
NOT_ROOT: Final = "set it to true: the image has to run as a user other than root"
ENFORCE: Final = "pod-security.kubernetes.io/enforce"


def _check(resource: Resource) -> Iterator[Finding]:
    found = pod(resource)
    if found is None:
        return
    yield from _of_pod(found)
    for container in containers(resource):
        yield from _of_container(container, found)


def _of_pod(part: Part) -> Iterator[Finding]:
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if part.at(name) is True:
            yield _found(part, (name,), "the pod would share it with its node", "leave it out")
    for number, volume in enumerate(items(part.spec, "volumes")):
        if isinstance(volume, dict) and (kinds := volume.keys() - VOLUMES - {"name"}):
            where = f"{part.where}.volumes[{volume.get('name', number)}]"
            yield Finding(
                where,
                ", ".join(sorted(kinds)),
                "a kind of volume that a restricted pod may not have",
                "use a PersistentVolumeClaim, an emptyDir, a ConfigMap or a Secret",
            )
    for item in items(part.spec, "securityContext", "sysctls"):
        name = dig(item, "name")
        if isinstance(name, str) and name not in SYSCTLS:
            yield Finding(f"{part.where}.securityContext.sysctls", name, "it is the node's, not the pod's", "leave it")
    yield from _of_context(part)


def _of_container(part: Part, around: Part) -> Iterator[Finding]:
    context = "securityContext"
    if part.at(context, "privileged") is True:
        yield _found(part, (context, "privileged"), "the container would own its node", "leave it out")
    if not _is(part.at(context, "allowPrivilegeEscalation"), value=False):
        yield _found(part, (context, "allowPrivilegeEscalation"), "a process could gain privileges", "set it to false")
    drops = part.at(context, "capabilities", "drop")
    if not isinstance(drops, Opaque) and not any(item == "ALL" or isinstance(item, Opaque) for item in drops or ()):
        yield _found(part, (context, "capabilities", "drop"), "capabilities are kept", "drop ALL")
    for name in items(part.spec, context, "capabilities", "add"):
        if isinstance(name, str) and name != "NET_BIND_SERVICE":
            where = f"{part.where}.{context}.capabilities.add"
            yield Finding(where, name, "a capability that a restricted container may not have", "leave it out")
    if part.at(context, "procMount") not in (None, "Default") and not part.hidden(context, "procMount"):
        yield _found(part, (context, "procMount"), "it shows more of /proc than the runtime's default", "leave it out")
    if not _is(_inherited(part, around, "runAsNonRoot"), value=True):
        yield _found(part, (context, "runAsNonRoot"), "neither the container nor its pod forbids root", NOT_ROOT)
    profile = _inherited(part, around, "seccompProfile", "type")
    if profile not in PROFILES and not isinstance(profile, Opaque):
        fix = "set it to RuntimeDefault, for the pod"
        yield _found(part, (context, "seccompProfile", "type"), "system calls are not filtered", fix)
    yield from _of_context(part)


def _of_context(part: Part) -> Iterator[Finding]:
    """Yield what may stand wrong in a pod's security context and in a container's alike."""
    context = "securityContext"
    if part.at(context, "runAsUser") == 0:
        yield _found(part, (context, "runAsUser"), "it is root", "name another user, for example 1000")
    if part.at(context, "runAsNonRoot") is False:
        yield _found(part, (context, "runAsNonRoot"), "it allows root", NOT_ROOT)
    if part.at(context, "seccompProfile", "type") == "Unconfined":
        yield _found(part, (context, "seccompProfile", "type"), "system calls are not filtered", "use RuntimeDefault")
    if part.at(context, "appArmorProfile", "type") == "Unconfined":
        yield _found(part, (context, "appArmorProfile", "type"), "AppArmor is switched off", "use RuntimeDefault")
    if part.at(context, "windowsOptions", "hostProcess") is True:
        yield _found(part, (context, "windowsOptions", "hostProcess"), "it runs on its node", "leave it out")
    kind = part.at(context, "seLinuxOptions", "type")
    if isinstance(kind, str) and kind and kind not in SELINUX_TYPES:
        yield _found(part, (context, "seLinuxOptions", "type"), "not a container's type", "leave it out")
    for name in ("user", "role"):
        if part.at(context, "seLinuxOptions", name):
            yield _found(part, (context, "seLinuxOptions", name), "it may not be chosen", "leave it out")


def _inherited(part: Part, around: Part, *path: str) -> Any:  # noqa: ANN401
    """Return what holds for a container: its own word, else its pod's."""
    own = part.at("securityContext", *path)
    return around.at("securityContext", *path) if own is None else own


def _is(found: Any, *, value: bool) -> bool:  # noqa: ANN401
    """Whether it is so, or cannot be seen."""
    return found is value or isinstance(found, Opaque)


def _found(part: Part, path: tuple[str, ...], reason: str, fix: str) -> Finding:
    value = part.at(*path)
    shown = "not set" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return Finding(".".join((part.where, *path)), shown, reason, fix)


def _admits(resource: Resource) -> Iterator[Finding]:
    if resource.kubernetes != "Namespace":
        return
    level = dig(resource.inputs, "metadata", "labels", ENFORCE)
    if level != "restricted" and not isinstance(level, Opaque):
        where = f'metadata.labels["{ENFORCE}"]'
        yield Finding(where, str(level or "not set"), "it admits pods that are not restricted", "set it to restricted")


RULE: Final = Rule(
    "restricted-pods",
    "Pods meet the restricted Pod Security Standard: no root, no privileges, nothing of the node's.",
    Level.MANDATORY,
    _check,
)
NAMESPACE_RULE: Final = Rule("restricted-namespace", "Namespaces admit restricted pods only.", Level.ADVISORY, _admits)
