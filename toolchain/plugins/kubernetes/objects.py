"""Kubernetes objects as dictionaries: where their parts are, and the one spelling in which two of them compare."""

from __future__ import annotations

import base64
import binascii
import copy
from typing import TYPE_CHECKING, NamedTuple

from plugins.kubernetes.quantities import canonical

if TYPE_CHECKING:
    from plugins.kubernetes.values import Object, Value

TRUE = "true"
READ_ONLY_METADATA = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)
QUANTITY_MAPS = frozenset(
    {"limits", "requests", "hard", "capacity", "max", "min", "default", "defaultRequest", "maxLimitRequestRatio"},
)
QUANTITY_FIELDS = frozenset({"sizeLimit", "averageValue", "divisor"})
DASHED = {
    "x_kubernetes_embedded_resource": "x-kubernetes-embedded-resource",
    "x_kubernetes_int_or_string": "x-kubernetes-int-or-string",
    "x_kubernetes_list_map_keys": "x-kubernetes-list-map-keys",
    "x_kubernetes_list_type": "x-kubernetes-list-type",
    "x_kubernetes_map_type": "x-kubernetes-map-type",
    "x_kubernetes_preserve_unknown_fields": "x-kubernetes-preserve-unknown-fields",
    "x_kubernetes_validations": "x-kubernetes-validations",
}
UNDERSCORED = {dashed: underscored for underscored, dashed in DASHED.items()}


class Gvk(NamedTuple):
    """What kind an object is of: API group ("" for core), version and kind."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        """The group and version as manifests write them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def built_in(self) -> bool:
        """Whether Kubernetes itself defines the group, as opposed to a CustomResourceDefinition."""
        return "." not in self.group or (self.group.endswith(".k8s.io") and self.group.count(".") <= 3)  # noqa: PLR2004


def gvk_of(obj: Object) -> Gvk:
    """Read an object's kind; `core/v1` is another spelling of `v1`."""
    api_version = str(obj.get("apiVersion", ""))
    group, _, version = api_version.rpartition("/")
    return Gvk("" if group == "core" else group, version, str(obj.get("kind", "")))


def gvk_from_type(type_token: str) -> Gvk:
    """Read the kind from a Pulumi type such as `kubernetes:apps/v1:Deployment`."""
    _, module, kind = type_token.split(":", 2)
    group, separator, version = module.rpartition("/")
    if not separator:
        raise ValueError(f"type {type_token!r} does not name both a group and a version")
    return Gvk("" if group == "core" else group, version, kind)


def is_patch_type(type_token: str, kind: str) -> bool:
    """Tell the SDK's `...Patch` resources, which change parts of an object that somebody else owns."""
    name = type_token.rpartition(":")[2]
    return name.endswith("Patch") and name != kind


def pluck(obj: Value, *path: str) -> Value:
    """Read a field by its path, None where any step is missing."""
    for step in path:
        if not isinstance(obj, dict):
            return None
        obj = obj.get(step)
    return obj


def metadata(obj: Object) -> Object:
    """Read an object's metadata, empty if unknown or missing."""
    found = obj.get("metadata")
    return found if isinstance(found, dict) else {}


def name_of(obj: Object) -> str:
    """Read an object's name, empty if unknown or missing."""
    name = metadata(obj).get("name")
    return name if isinstance(name, str) else ""


def namespace_of(obj: Object) -> str:
    """Read an object's namespace, empty if unknown or missing."""
    namespace = metadata(obj).get("namespace")
    return namespace if isinstance(namespace, str) else ""


def annotation(obj: Object, key: str) -> str:
    """Read an annotation, empty if unknown or missing."""
    value = pluck(obj, "metadata", "annotations", key)
    return value if isinstance(value, str) else ""


def id_of(obj: Object) -> str:
    """Name an object as Pulumi's resource ids do: `namespace/name`, or only the name for cluster-wide kinds."""
    namespace = namespace_of(obj)
    return f"{namespace}/{name_of(obj)}" if namespace else name_of(obj)


def parse_id(resource_id: str) -> tuple[str, str]:
    """Split a resource id into namespace (may be empty) and name."""
    namespace, _, name = resource_id.rpartition("/")
    return namespace, name


def rename_keys(value: Value, names: dict[str, str]) -> Value:
    """Spell the `x-kubernetes-*` keys of schemas as manifests (`DASHED`) or as Pulumi (`UNDERSCORED`) do."""
    if isinstance(value, dict):
        return {names.get(key, key): rename_keys(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [rename_keys(item, names) for item in value]
    return value


def normalize(obj: Object) -> Object:
    """Spell an object as the API server will store it, so that equal objects compare equal."""
    result = copy.deepcopy(obj)
    gvk = gvk_of(result)
    if (gvk.group, gvk.kind) == ("", "Secret"):
        _normalize_secret(result)
    elif (gvk.group, gvk.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition"):
        result.pop("status", None)
        if pluck(result, "spec", "preserveUnknownFields") is False:
            del result["spec"]["preserveUnknownFields"]
    elif gvk.built_in:
        result = _normalize_quantities(result)
    if isinstance(result.get("metadata"), dict):
        for field in READ_ONLY_METADATA:
            result["metadata"].pop(field, None)
    return result


def _normalize_secret(secret: Object) -> None:
    texts = secret.get("stringData")
    data: Value = secret.get("data")
    data = data if isinstance(data, dict) else {}
    if isinstance(texts, dict) and texts and all(isinstance(text, str) for text in texts.values()):
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
        secret["data"] = {**data, **encoded}
        del secret["stringData"]
    elif data:
        secret["data"] = {key: _reencode(item) for key, item in data.items()}


def _reencode(item: Value) -> Value:
    if not isinstance(item, str):
        return item
    try:
        return base64.b64encode(base64.b64decode(item)).decode()
    except (binascii.Error, ValueError):
        return item  # the API server says what is wrong with it


def _normalize_quantities(value: Value, key: str = "", parent: str = "") -> Value:
    if isinstance(value, dict):
        return {name: _normalize_quantities(item, name, key) for name, item in value.items()}
    if isinstance(value, list):
        return [_normalize_quantities(item, "", key) for item in value]
    if parent in QUANTITY_MAPS or key in QUANTITY_FIELDS or (key == "value" and parent == "target"):
        return canonical(value)
    return value
