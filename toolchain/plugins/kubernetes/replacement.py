"""Which fields cannot change in place, so that the object is replaced: the official plugin's list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.kubernetes.objects import Gvk, gvk_of

if TYPE_CHECKING:
    from plugins.kubernetes.values import Object

_SELECTOR = (".spec.selector",)
_POD_FIELDS = (
    "affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC hostNetwork "
    "hostPID hostname imagePullSecrets nodeName nodeSelector overhead preemptionPolicy priority priorityClassName "
    "readinessGates restartPolicy runtimeClassName schedulerName securityContext serviceAccount serviceAccountName "
    "shareProcessNamespace subdomain terminationGracePeriodSeconds volumes"
)
_CONTAINER_FIELDS = (
    "args command env image imagePullPolicy lifecycle livenessProbe ports readinessProbe resources securityContext "
    "stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir"
)
_VOLUME_SOURCES = (
    "awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk glusterfs "
    "hostPath iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume"
)
_FIELDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "DaemonSet"): _SELECTOR,
    ("apps", "Deployment"): _SELECTOR,
    ("apps", "StatefulSet"): (
        *_SELECTOR,
        ".spec.podManagementPolicy",
        ".spec.revisionHistoryLimit",
        ".spec.serviceName",
        ".spec.volumeClaimTemplates",
    ),
    ("", "PersistentVolume"): tuple(f".spec.{field}" for field in _VOLUME_SOURCES.split()),
    ("", "PersistentVolumeClaim"): (
        *_SELECTOR,
        ".spec.accessModes",
        ".spec.storageClassName",
        ".spec.volumeName",
    ),
    ("", "Pod"): (
        *(f".spec.{field}" for field in _POD_FIELDS.split()),
        *(
            f".spec.{list_}[*].{field}"
            for list_ in ("containers", "initContainers")
            for field in _CONTAINER_FIELDS.split()
        ),
    ),
    ("", "ResourceQuota"): (".spec.scopes",),
    ("", "Service"): (".spec.clusterIP",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (".roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): (".roleRef",),
    ("storage.k8s.io", "StorageClass"): (".parameters", ".provisioner"),
    ("batch", "Job"): (*_SELECTOR, ".spec.completions", ".spec.parallelism", ".spec.template"),
}
IDENTITY = (".metadata.name", ".metadata.namespace")


def replaced_by(
    inputs: Object,
    *,
    patch: bool = False,
    config_map_mutable: bool = False,
    secret_mutable: bool = False,
) -> tuple[tuple[str, ...], ...]:
    """List the paths, as steps with `*` for any element, whose change replaces an object of this kind."""
    gvk = gvk_of(inputs)
    paths: tuple[str, ...] = IDENTITY
    if not patch:
        paths += _kind_fields(
            gvk,
            immutable=inputs.get("immutable") is True,
            config_map_mutable=config_map_mutable,
            secret_mutable=secret_mutable,
        )
    return tuple(tuple(path.replace("[*]", ".*").strip(".").split(".")) for path in paths)


def _kind_fields(gvk: Gvk, *, immutable: bool, config_map_mutable: bool, secret_mutable: bool) -> tuple[str, ...]:
    if (gvk.group, gvk.kind) == ("", "Secret"):
        return (".type", ".stringData", ".data") if immutable or not secret_mutable else (".type",)
    if (gvk.group, gvk.kind) == ("", "ConfigMap"):
        return (".binaryData", ".data") if immutable or not config_map_mutable else ()
    return _FIELDS.get((gvk.group, gvk.kind), ())


def forces(path: tuple[str | int, ...], value: object, paths: tuple[tuple[str, ...], ...]) -> bool:
    """Tell whether a changed field is, lies in or contains a field that replaces the object."""
    return any(_meets(path, value, wanted) for wanted in paths)


def _meets(path: tuple[str | int, ...], value: object, wanted: tuple[str, ...]) -> bool:
    for index, step in enumerate(wanted):
        if index >= len(path):
            return _contains(value, wanted[index:])
        if path[index] != step and not (step == "*" and isinstance(path[index], int)):
            return False
    return True


def _contains(value: object, wanted: tuple[str, ...]) -> bool:
    if not wanted:
        return True
    if wanted[0] == "*" and isinstance(value, list):
        return any(_contains(item, wanted[1:]) for item in value)
    if isinstance(value, dict) and wanted[0] in value:
        return _contains(value[wanted[0]], wanted[1:])
    return False
