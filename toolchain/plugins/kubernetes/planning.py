"""What a program asks for: its inputs completed, and compared with the object as it was last seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from plugins.kubernetes import checkpoint, naming
from plugins.kubernetes.api import ApiError, Unreachable
from plugins.kubernetes.diff import FieldDiff, compare, ignored, parse_path, prune
from plugins.kubernetes.discovery import NoMatch
from plugins.kubernetes.objects import (
    UNDERSCORED,
    gvk_of,
    is_patch_type,
    metadata,
    name_of,
    namespace_of,
    normalize,
    rename_keys,
)
from plugins.kubernetes.replacement import replaced_by
from plugins.kubernetes.target import ProviderError, Resource, Target
from plugins.kubernetes.values import Object, has_secret, mark_secrets
from plugins.kubernetes.waits.workloads import job

if TYPE_CHECKING:
    from plugins.kubernetes.settings import Settings

LIST_HELP = (
    "list resources exist for compatibility with YAML manifests and Helm charts, and cannot be created directly. "
    "Use the underlying resource type instead"
)


class Autoname(NamedTuple):
    """How the engine wants names to be made."""

    seed: bytes = b""
    proposed: str = ""
    disabled: bool = False


class Diff(NamedTuple):
    """What an update would change."""

    fields: list[FieldDiff]
    replaces: list[str]
    delete_first: bool
    changed: bool


def check(target: Target, resource: Resource, news: Object, olds: Object, autoname: Autoname) -> Object:
    """Complete a program's inputs: name, namespace, labels, one spelling."""
    if target.unreachable and target.settings.skip_update_unreachable and olds:
        resource.log.line(
            "warning", "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping..."
        )
        return olds
    inputs, old_inputs = normalize(checkpoint.manifest(news)), checkpoint.manifest(olds)
    _refuse(inputs, resource.type, target.settings)
    naming.adopt_autoname(inputs, old_inputs)
    if not naming.is_named(inputs) and not naming.is_generate_name(inputs):
        if autoname.disabled:
            raise ProviderError("autonaming is disabled, resource requires the .metadata.name field to be set")
        naming.set_autoname(inputs, autoname.proposed or naming.unique_name(f"{resource.name}-", autoname.seed))
    _label(inputs, old_inputs, target.settings)
    given = inputs.setdefault("metadata", {})
    if isinstance(given, dict) and not given.get("namespace") and target.namespaced(gvk_of(inputs)):
        given["namespace"] = target.namespace
    if target.directory and has_secret(news):
        resource.log.line("warning", "rendered YAML will contain a secret value in plaintext")
    return mark_secrets(rename_keys(inputs, UNDERSCORED), news)


def _refuse(inputs: Object, type_token: str, settings: Settings) -> None:
    kind = str(inputs.get("kind", ""))
    if kind.endswith("List") and "items" in inputs:
        raise ProviderError(LIST_HELP)
    if is_patch_type(type_token, kind):
        if not settings.server_side_apply:
            raise ProviderError("patch resources require Server-Side Apply mode (enableServerSideApply)")
        if not naming.is_named(inputs):
            raise ProviderError("patch resources require the `.metadata.name` field to be set")
    if naming.is_generate_name(inputs) and (settings.server_side_apply or settings.render_directory):
        mode = "YAML rendering" if settings.render_directory else "Server-Side Apply"
        raise ProviderError(f"the `.metadata.generateName` field is not supported in {mode} mode")


def _label(inputs: Object, old_inputs: Object, settings: Settings) -> None:
    """Objects made without server-side apply carry the label that tells who made them."""
    before = metadata(old_inputs).get("labels") or {}
    wanted = before.get(naming.MANAGED_BY) == "pulumi" if old_inputs else not settings.server_side_apply
    if wanted and isinstance(inputs.get("metadata"), dict):
        labels = inputs["metadata"].setdefault("labels", {})
        if isinstance(labels, dict):
            labels.setdefault(naming.MANAGED_BY, "pulumi")


def diff(target: Target, resource: Resource, state: Object, news: Object, ignore_changes: list[str]) -> Diff:
    """Compare a program's inputs with the object as it was last seen."""
    old_inputs, old_live = checkpoint.split(state)
    inputs, old_inputs = normalize(checkpoint.manifest(news)), normalize(old_inputs)
    live = normalize(prune(old_live, old_inputs))
    namespaced = target.namespaced(gvk_of(inputs))
    for obj in (live, inputs, old_inputs):
        given = obj.setdefault("metadata", {})
        if isinstance(given, dict) and namespaced:
            given.setdefault("namespace", "default")
        elif isinstance(given, dict):
            given.pop("namespace", None)
    for key in ("apiVersion", "kind"):
        live.setdefault(key, inputs.get(key))
    if name_of(inputs):
        live["metadata"]["name"] = name_of(old_live)
    forcing = replaced_by(
        inputs,
        patch=is_patch_type(resource.type, gvk_of(inputs).kind),
        config_map_mutable=target.settings.config_map_mutable,
        secret_mutable=target.settings.secret_mutable,
    )
    patterns = [parse_path(text) for text in ignore_changes]
    fields = [field for field in compare(live, inputs, old_inputs, forcing) if not ignored(field.path, patterns)]
    replaces = [field.name for field in fields if field.replaces]
    if naming.is_true(inputs, naming.REPLACE_UNREADY) and _unready(target, resource, old_live):
        replaces.append('.metadata.annotations["pulumi.com/replaceUnready"]')
    rendered = bool(target.directory) and target.settings.always_render
    return Diff(
        fields,
        replaces,
        delete_first=bool(replaces) and _keeps_its_place(inputs, old_live),
        changed=bool(fields or replaces) or rendered,
    )


def _keeps_its_place(inputs: Object, old_live: Object) -> bool:
    """Tell whether the new object would stand where the old one still does."""
    return (
        naming.is_named(inputs)
        and not naming.is_true(inputs, naming.AUTONAMED)
        and name_of(inputs) == name_of(old_live)
        and metadata(inputs).get("namespace", "") == namespace_of(old_live)
    )


def _unready(target: Target, resource: Resource, old_live: Object) -> bool:
    if gvk_of(old_live).kind != "Job":
        resource.log.line("warning", "replaceUnready annotation is not supported for this resource")
        return False
    if target.cluster is None:
        resource.log.line("warning", "Cluster is unreachable, skipping replaceUnready check")
        return False
    try:
        return not job(target.cluster.read(old_live)).ready
    except (ApiError, Unreachable, NoMatch):
        return False
