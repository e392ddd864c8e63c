"""Which kinds the cluster knows, where their objects live, and whether those have a namespace."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from plugins.kubernetes.api import Api, ApiError
from plugins.kubernetes.objects import Gvk, gvk_of, name_of, namespace_of

if TYPE_CHECKING:
    from plugins.kubernetes.values import Object

# Built-in kinds without a namespace, for when no cluster can be asked.
CLUSTER_WIDE = frozenset(
    [
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustBundle",
        "ComponentStatus",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "IPAddress",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PodSecurityPolicy",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "SelfSubjectReview",
        "ServiceCIDR",
        "StorageClass",
        "StorageVersion",
        "StorageVersionMigration",
        "TokenReview",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    ],
)


class NoMatch(Exception):  # noqa: N818 - named as the API machinery names it
    """The cluster knows no such kind."""

    def __init__(self, gvk: Gvk) -> None:
        """Name the kind as kubectl does."""
        super().__init__(f'no matches for kind "{gvk.kind}" in version "{gvk.api_version}"')


class Mapping(NamedTuple):
    """Where the objects of a kind live."""

    plural: str
    namespaced: bool


class Discovery:
    """The kinds of one cluster, asked for once a group."""

    def __init__(self, api: Api) -> None:
        """Ask nothing yet."""
        self._api = api
        self._lock = threading.Lock()
        self._groups: dict[str, dict[str, Mapping]] = {}

    def mapping(self, gvk: Gvk) -> Mapping:
        """Find where a kind's objects live; a kind that was missing is asked for again, it may have come since."""
        known = self._groups.get(gvk.api_version)
        if known is None or gvk.kind not in known:
            with self._lock:
                known = self._groups[gvk.api_version] = self._fetch(gvk)
        if gvk.kind not in known:
            raise NoMatch(gvk)
        return known[gvk.kind]

    def exists(self, gvk: Gvk) -> bool:
        """Tell whether the cluster knows a kind."""
        try:
            self.mapping(gvk)
        except NoMatch:
            return False
        return True

    def path(self, obj: Object) -> str:
        """Find where an object lives."""
        return f"{self.collection(gvk_of(obj), namespace_of(obj))}/{name_of(obj)}"

    def collection(self, gvk: Gvk, namespace: str = "") -> str:
        """Find where the objects of a kind live, in a namespace if the kind has one."""
        mapping = self.mapping(gvk)
        root = f"/apis/{gvk.group}/{gvk.version}" if gvk.group else f"/api/{gvk.version}"
        return (
            f"{root}/namespaces/{namespace or 'default'}/{mapping.plural}"
            if mapping.namespaced
            else f"{root}/{mapping.plural}"
        )

    def _fetch(self, gvk: Gvk) -> dict[str, Mapping]:
        root = f"/apis/{gvk.group}/{gvk.version}" if gvk.group else f"/api/{gvk.version}"
        try:
            found = self._api.get(root)
        except ApiError as error:
            if error.not_found:
                return {}
            raise
        return {
            item["kind"]: Mapping(item["name"], bool(item["namespaced"]))
            for item in found.get("resources") or []
            if "/" not in item["name"]
        }
