"""`renderYamlToDirectory`: manifests in files instead of objects in a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from plugins.kubernetes.objects import gvk_of, name_of, namespace_of

if TYPE_CHECKING:
    from plugins.kubernetes.values import Object

DEFINITIONS = "0-crd"
MANIFESTS = "1-manifest"


def path_of(obj: Object, directory: str) -> Path:
    """Name an object's file; definitions of kinds come in a folder that sorts first."""
    gvk = gvk_of(obj)
    definition = (gvk.group, gvk.kind) == ("apiextensions.k8s.io", "CustomResourceDefinition")
    api_version = str(obj.get("apiVersion")).replace("/", "_").replace(":", "_")
    name = f"{api_version}-{gvk.kind.lower()}-{namespace_of(obj) or 'default'}-{name_of(obj)}.yaml"
    return Path(directory) / (DEFINITIONS if definition else MANIFESTS) / name


def write(obj: Object, directory: str) -> Path:
    """Write an object's file, readable by its owner only: it may hold secrets."""
    for folder in (DEFINITIONS, MANIFESTS):
        (Path(directory) / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    path = path_of(obj, directory)
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(obj, allow_unicode=True), encoding="utf-8")
    return path


def remove(obj: Object, directory: str) -> Path:
    """Remove an object's file, if it is there."""
    path = path_of(obj, directory)
    path.unlink(missing_ok=True)
    return path
