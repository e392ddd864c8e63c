"""The provider's own configuration: read, checked, and compared when it changes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugins.kubernetes import kubeconfig
from plugins.kubernetes.values import UNKNOWN, Object, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "kubernetes:config:"
ENVIRONMENT = {
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
    "enableServerSideApply": "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "suppressDeprecationWarnings": "PULUMI_K8S_SUPPRESS_DEPRECATION_WARNINGS",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
}
CLUSTER_KEYS = ("kubeconfig", "context", "cluster")


@dataclass(frozen=True)
class Settings:
    """What a provider is told; the defaults are the official plugin's."""

    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    namespace: str = ""
    render_directory: str = ""
    always_render: bool = False
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    server_side_apply: bool = True
    config_map_mutable: bool = False
    secret_mutable: bool = False
    patch_force: bool = False
    suppress_deprecation_warnings: bool = False
    upsert_existing_objects: bool = False


def parse(variables: Mapping[str, str]) -> Settings:
    """Read the settings as the engine sends them: texts, with a variable of the environment behind each switch."""

    def text(name: str) -> str:
        return variables.get(PREFIX + name, "")

    def switch(name: str, *, default: bool = False) -> bool:
        found = text(name) or os.environ.get(ENVIRONMENT.get(name, ""), "")
        return found == "true" if found else default

    return Settings(
        kubeconfig=text("kubeconfig"),
        context=text("context"),
        cluster=text("cluster"),
        namespace=text("namespace"),
        render_directory=text("renderYamlToDirectory"),
        always_render=switch("alwaysRender"),
        delete_unreachable=switch("deleteUnreachable"),
        skip_update_unreachable=switch("skipUpdateUnreachable"),
        server_side_apply=switch("enableServerSideApply", default=True),
        config_map_mutable=switch("enableConfigMapMutable"),
        secret_mutable=switch("enableSecretMutable"),
        patch_force=switch("enablePatchForce"),
        suppress_deprecation_warnings=switch("suppressDeprecationWarnings"),
        upsert_existing_objects=switch("upsertExistingObjects"),
    )


def failures(urn: str, given: Object) -> list[tuple[str, str]]:
    """Check settings against each other; a list of (setting, reason)."""
    found: list[tuple[str, str]] = []
    if _strict(given):
        name = urn.rpartition("::")[2]
        if name == "default" or name.startswith("default_"):
            found.append(("", "strict mode prohibits default provider"))
        found += [
            (key, f'strict mode requires Provider "{key}" argument')
            for key in ("kubeconfig", "context")
            if not given.get(key)
        ]
    if given.get("renderYamlToDirectory"):
        found += [
            (key, f'"{key}" arg is not compatible with "renderYamlToDirectory" arg')
            for key in CLUSTER_KEYS[::-1]
            if given.get(key) and given[key] is not UNKNOWN
        ]
    return found


def _strict(given: Object) -> bool:
    if "strictMode" in given:
        return given["strictMode"] in (True, "true")
    try:
        project = json.loads(os.environ.get("PULUMI_CONFIG") or "{}")
    except ValueError:
        return False
    return isinstance(project, dict) and project.get("strictMode") == "true"


def changed(old: Object, new: Object) -> tuple[list[str], list[str]]:
    """Compare two configurations: what changed, and what of it means another cluster, whose objects are all new."""
    diffs = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    if not diffs:
        return [], []
    identified = "clusterIdentifier" in old and "clusterIdentifier" in new
    if identified:
        return diffs, [key for key in ("clusterIdentifier",) if key in diffs]
    replaces = [key for key in ("renderYamlToDirectory",) if key in diffs]
    unknown = [key for key in CLUSTER_KEYS if new.get(key) is UNKNOWN]
    if unknown:
        return diffs, [*replaces, *unknown]
    before, after = _active(old), _active(new)
    if before is not None and after is not None and before != after:
        replaces += [key for key in CLUSTER_KEYS if key in diffs]
    return diffs, replaces


def _active(config: Object) -> Object | None:
    given: Value = config.get("kubeconfig")
    if not given or given is UNKNOWN:
        return None
    try:
        parsed, _ = kubeconfig.read(json.dumps(given) if isinstance(given, dict) else str(given))
    except (kubeconfig.KubeconfigError, OSError):
        return None
    return kubeconfig.active_cluster(parsed, str(config.get("context") or ""), str(config.get("cluster") or ""))
