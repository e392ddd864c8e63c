"""The provider: what each of Pulumi's operations means for a Kubernetes object."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from plugins.kubernetes import checkpoint, naming, render
from plugins.kubernetes.api import Api, ApiError, Unreachable
from plugins.kubernetes.cluster import Cluster, PreviewImpossible, Style
from plugins.kubernetes.diff import FieldDiff, compare, ignored, keep_dropped_zeros, parse_path, prune
from plugins.kubernetes.discovery import CLUSTER_WIDE, NoMatch
from plugins.kubernetes.fields import CLIENT_SIDE_NAME
from plugins.kubernetes.kubeconfig import KubeconfigError, load
from plugins.kubernetes.objects import (
    UNDERSCORED,
    Gvk,
    annotation,
    gvk_from_type,
    gvk_of,
    id_of,
    is_patch_type,
    metadata,
    name_of,
    namespace_of,
    normalize,
    parse_id,
    rename_keys,
)
from plugins.kubernetes.replacement import replaced_by
from plugins.kubernetes.settings import Settings
from plugins.kubernetes.values import Object, has_secret, has_unknown, mark_secrets
from plugins.kubernetes.waits.dispatch import Waits
from plugins.kubernetes.waits.verdict import WaitError
from plugins.kubernetes.waits.workloads import job

if TYPE_CHECKING:
    from plugins.kubernetes.enginelog import ResourceLog

PROBE_SECONDS = 10.0
FORGET_HELP = (
    "If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation with the "
    'PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"'
)


class ProviderError(Exception):
    """An operation that cannot be done, in words for the user."""


class PartialError(Exception):
    """An object that was made or changed, but is not what it should be: the state keeps both."""

    def __init__(
        self, resource_id: str, text: str, reasons: list[str], outputs: Object, inputs: Object | None = None
    ) -> None:
        """Keep what the engine records."""
        super().__init__(text)
        self.resource_id = resource_id
        self.reasons = reasons
        self.outputs = outputs
        self.inputs = inputs


class Resource(NamedTuple):
    """The resource that an operation is about."""

    urn: str
    type: str
    name: str
    log: ResourceLog


class Diff(NamedTuple):
    """What an update would change."""

    fields: list[FieldDiff]
    replaces: list[str]
    delete_first: bool
    changed: bool


class Provider:
    """One configured provider: a cluster, an unreachable one, or a folder of manifests."""

    def __init__(self, cancelled: threading.Event) -> None:
        """Wait for `configure`."""
        self.settings = Settings()
        self.namespace = "default"
        self.unreachable = "the provider is not configured"
        self.cluster: Cluster | None = None
        self.waits: Waits | None = None
        self._cancelled = cancelled
        self._warned = threading.Event()

    def configure(self, settings: Settings) -> None:
        """Find the cluster; one that cannot be reached is no error yet, a preview works without."""
        self.settings, self.unreachable = settings, ""
        self.namespace = settings.namespace or "default"
        try:
            access = load(settings.kubeconfig, context=settings.context, cluster=settings.cluster)
            self.namespace = settings.namespace or access.namespace
            if not settings.render_directory:
                Api(access, PROBE_SECONDS).get("/api/v1")
            api = Api(access)
        except KubeconfigError as error:
            self.unreachable = f"unable to load Kubernetes client configuration from kubeconfig file: {error}"
        except (Unreachable, ApiError, OSError, ValueError) as error:
            self.unreachable = f"unable to load schema information from the API server: {error}"
        else:
            style = Style(
                server_side=settings.server_side_apply,
                upsert=settings.upsert_existing_objects,
                force=settings.patch_force,
                quiet_deprecations=settings.suppress_deprecation_warnings,
            )
            self.cluster = Cluster(api, style, self._cancelled)
            self.waits = Waits(self.cluster, self._cancelled)

    # What a program asks for.

    def check(self, resource: Resource, news: Object, olds: Object, seed: bytes, proposed: str | None) -> Object:
        """Complete a program's inputs: name, namespace, one spelling. `proposed` is the engine's own autoname, if any."""
        if self.unreachable and self.settings.skip_update_unreachable and olds:
            resource.log.line(
                "warning", "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping..."
            )
            return olds
        inputs = normalize(checkpoint.manifest(news))
        kind, patch = str(inputs.get("kind", "")), is_patch_type(resource.type, str(inputs.get("kind", "")))
        if kind.endswith("List") and "items" in inputs:
            raise ProviderError(
                "list resources exist for compatibility with YAML manifests and Helm charts, and cannot be created "
                "directly. Use the underlying resource type instead",
            )
        if patch and not self.settings.server_side_apply:
            raise ProviderError("patch resources require Server-Side Apply mode (enableServerSideApply)")
        if patch and not naming.is_named(inputs):
            raise ProviderError("patch resources require the `.metadata.name` field to be set")
        old_inputs = checkpoint.manifest(olds)
        if old_inputs:
            naming.adopt_autoname(inputs, old_inputs)
        if not naming.is_named(inputs) and not naming.is_generate_name(inputs) and not old_inputs:
            self._autoname(resource, inputs, seed, proposed)
        elif not naming.is_named(inputs) and not naming.is_generate_name(inputs):
            self._autoname(resource, inputs, seed, proposed)  # a name was given before and is not any more
        self._label(inputs, old_inputs)
        if naming.is_generate_name(inputs) and (self.settings.server_side_apply or self.settings.render_directory):
            mode = "YAML rendering" if self.settings.render_directory else "Server-Side Apply"
            raise ProviderError(f"the `.metadata.generateName` field is not supported in {mode} mode")
        if self.namespace and not metadata(inputs).get("namespace") and self._namespaced(gvk_of(inputs)):
            inputs.setdefault("metadata", {})
            if isinstance(inputs["metadata"], dict):
                inputs["metadata"]["namespace"] = self.namespace
        if self.settings.render_directory and has_secret(news):
            resource.log.line("warning", "rendered YAML will contain a secret value in plaintext")
        return mark_secrets(rename_keys(inputs, UNDERSCORED), news)

    def _autoname(self, resource: Resource, inputs: Object, seed: bytes, proposed: str | None) -> None:
        if proposed == "":
            raise ProviderError("autonaming is disabled, resource requires the .metadata.name field to be set")
        naming.set_autoname(inputs, proposed or naming.unique_name(f"{resource.name}-", seed))

    def _label(self, inputs: Object, old_inputs: Object) -> None:
        """Objects made without server-side apply carry the label that tells who made them."""
        before = metadata(old_inputs).get("labels") or {}
        wanted = before.get(naming.MANAGED_BY) == "pulumi" if old_inputs else not self.settings.server_side_apply
        if wanted and isinstance(inputs.get("metadata"), dict):
            labels = inputs["metadata"].setdefault("labels", {})
            if isinstance(labels, dict):
                labels.setdefault(naming.MANAGED_BY, "pulumi")

    def _namespaced(self, gvk: Gvk) -> bool:
        if self.cluster is not None and not self.unreachable:
            try:
                return self.cluster.discovery.mapping(gvk).namespaced
            except (NoMatch, ApiError, Unreachable):
                pass  # a kind that is yet to come: corrected when the object is made
        return not (gvk.built_in and gvk.kind in CLUSTER_WIDE)

    def diff(self, resource: Resource, state: Object, news: Object, ignore_changes: list[str]) -> Diff:
        """Compare a program's inputs with the object as it was last seen."""
        old_inputs, old_live = checkpoint.split(state)
        inputs, old_inputs = normalize(checkpoint.manifest(news)), normalize(old_inputs)
        live = normalize(prune(old_live, old_inputs))
        namespaced = self._namespaced(gvk_of(inputs))
        for obj in (live, inputs, old_inputs):
            meta = obj.setdefault("metadata", {})
            if isinstance(meta, dict) and namespaced:
                meta.setdefault("namespace", "default")
            elif isinstance(meta, dict):
                meta.pop("namespace", None)
        for key in ("apiVersion", "kind"):
            live.setdefault(key, inputs.get(key))
        if name_of(inputs):
            live["metadata"]["name"] = name_of(old_live)
        forcing = replaced_by(
            inputs,
            patch=is_patch_type(resource.type, gvk_of(inputs).kind),
            config_map_mutable=self.settings.config_map_mutable,
            secret_mutable=self.settings.secret_mutable,
        )
        patterns = [parse_path(text) for text in ignore_changes]
        fields = [field for field in compare(live, inputs, old_inputs, forcing) if not ignored(field.path, patterns)]
        replaces = [field.name for field in fields if field.replaces]
        if naming.is_true(inputs, naming.REPLACE_UNREADY) and self._unready(resource, old_live):
            replaces.append('metadata.annotations["pulumi.com/replaceUnready"]')
        delete_first = (
            bool(replaces)
            and naming.is_named(inputs)
            and not naming.is_true(inputs, naming.AUTONAMED)
            and name_of(inputs) == name_of(old_live)
            and metadata(inputs).get("namespace", "") == namespace_of(old_live)
        )
        rendered = bool(self.settings.render_directory) and self.settings.always_render
        return Diff(fields, replaces, delete_first, changed=bool(fields or replaces) or rendered)

    def _unready(self, resource: Resource, old_live: Object) -> bool:
        if gvk_of(old_live).kind != "Job":
            resource.log.line("warning", "replaceUnready annotation is not supported for this resource")
            return False
        if self.unreachable or self.cluster is None:
            resource.log.line("warning", "Cluster is unreachable, skipping replaceUnready check")
            return False
        try:
            return not job(self.cluster.read(old_live)).ready
        except (ApiError, Unreachable, NoMatch):
            return False

    def manager(self, state: Object, inputs: Object, seed: bytes = b"") -> str:
        """Name the field manager: the annotation's, the state's, or a new one."""
        if not self.settings.server_side_apply:
            return CLIENT_SIDE_NAME
        chosen = annotation(inputs, naming.PATCH_FIELD_MANAGER) or state.get(checkpoint.FIELD_MANAGER)
        return str(chosen) if chosen else naming.unique_name("pulumi-kubernetes-", seed)

    # What the cluster does.

    def create(self, resource: Resource, news: Object, timeout: float, *, preview: bool) -> tuple[str, Object]:
        """Make an object and wait until it is ready."""
        inputs = checkpoint.manifest(news)
        patch = is_patch_type(resource.type, gvk_of(inputs).kind)
        manager = self.manager({}, inputs)
        if self.settings.render_directory:
            return self._render(resource, inputs, news, manager, preview=preview)
        if preview and self._cannot_preview(resource, inputs, patch=patch):
            return "", news
        cluster, waits = self._reached()
        try:
            live = cluster.create(inputs, manager, resource.log, preview=preview, patch=patch)
        except PreviewImpossible:
            return "", news
        except ApiError as error:
            if preview and error.forbidden:
                return "", news
            raise ProviderError(
                f"resource {resource.urn!r} was not successfully created by the Kubernetes API server: {error}"
            ) from None
        except NoMatch as error:
            raise ProviderError(
                f"creation of resource {resource.urn!r} failed because the Kubernetes API server reported that the "
                f"apiVersion for this resource does not exist. Verify that any required CRDs have been created: {error}",
            ) from None
        if preview:
            live.pop("status", None)
            return "", checkpoint.write(inputs, live, news, str(inputs.get("apiVersion")), manager)
        failure = self._await(waits, live, inputs, timeout, resource)
        live = self._again(cluster, live)
        outputs = checkpoint.write(inputs, live, news, str(inputs.get("apiVersion")), manager)
        if failure is not None:
            text = (
                f"resource {resource.urn!r} was successfully created, but the Kubernetes API server reported that it "
                f"failed to fully initialize or become live: {failure.text}"
            )
            raise PartialError(id_of(live), text, [text, *failure.reasons], outputs)
        return id_of(live), outputs

    def update(
        self,
        resource: Resource,
        state: Object,
        news: Object,
        ignore_changes: list[str],
        timeout: float,
        *,
        preview: bool,
    ) -> Object:
        """Change an object and wait until it is ready again."""
        inputs = normalize(checkpoint.manifest(news))
        old_inputs, old_live = checkpoint.split(state)
        manager, former = self.manager(state, inputs), self.manager(state, old_inputs)
        if self.settings.render_directory:
            return self._render(resource, inputs, news, manager, preview=preview)[1]
        if preview and self._cannot_preview(resource, inputs, patch=False):
            return news
        cluster, waits = self._reached()
        api_version = str(state.get(checkpoint.INITIAL_API_VERSION) or inputs.get("apiVersion"))
        failure: WaitError | None = None
        try:
            before = cluster.read(inputs, name_of(old_live))
            base = prune(before, old_inputs)
            live = cluster.update(
                inputs, before, base, manager, resource.log, preview=preview, ignore_changes=ignore_changes
            )
            if preview:
                live.pop("status", None)
                return checkpoint.write(inputs, live, news, api_version, manager)
        except (ApiError, NoMatch) as error:
            if preview and isinstance(error, ApiError) and error.forbidden:
                return news
            if preview or isinstance(error, NoMatch) or error.not_found:
                raise ProviderError(f"update of resource {resource.urn!r} failed: {error}") from None
            failure, live = WaitError(str(error)), before
        failure = failure or self._await(waits, live, inputs, timeout, resource)
        live = self._again(cluster, live)
        outputs = checkpoint.write(inputs, live, news, api_version, manager)
        if failure is not None:
            text = (
                f"the Kubernetes API server reported that {id_of(live)!r} failed to fully initialize or become live: "
                f"{failure.text}"
            )
            raise PartialError(id_of(live), text, [text, *failure.reasons], outputs)
        if manager != former and self.settings.server_side_apply:
            cluster.relinquish(live, former)
        return outputs

    def read(
        self, resource: Resource, resource_id: str, state: Object, inputs: Object
    ) -> tuple[str, Object, Object] | None:
        """Look at an object again; None when it is gone."""
        if self.unreachable and not self.settings.render_directory:
            return self._read_unreachable(resource, resource_id, state, inputs)
        old_inputs, (_, old_live) = normalize(checkpoint.manifest(inputs)), checkpoint.split(state)
        if self.settings.render_directory:
            return resource_id, state, inputs
        namespace, name = parse_id(resource_id)
        described, imported = old_inputs or old_live, not (old_inputs.get("kind") or old_live.get("kind"))
        if not described.get("kind"):
            gvk = gvk_from_type(resource.type)
            kind = gvk.kind.removesuffix("Patch") if is_patch_type(resource.type, "") else gvk.kind
            described = {"apiVersion": gvk.api_version, "kind": kind, "metadata": {"name": name}}
        if namespace:
            described = {**described, "metadata": {**metadata(described), "namespace": namespace}}
        cluster, waits = self._reached()
        try:
            live = cluster.read(described, name)
        except NoMatch:
            return None
        except ApiError as error:
            if error.not_found:
                return None
            raise ProviderError(f"reading {resource_id!r} failed: {error}") from None
        if imported:
            live_inputs = checkpoint.imported_inputs(live)
        else:
            live_inputs = keep_dropped_zeros(prune(normalize(live), old_inputs), old_inputs, old_live, live)
        api_version = str(state.get(checkpoint.INITIAL_API_VERSION) or live.get("apiVersion"))
        outputs = checkpoint.write(live_inputs, live, inputs, api_version, self.manager(state, old_inputs))
        new_inputs = mark_secrets(rename_keys(live_inputs, UNDERSCORED), inputs)
        if not imported:
            try:
                waits.check(live, old_inputs)
            except WaitError as failure:
                raise PartialError(
                    resource_id, failure.text, [failure.text, *failure.reasons], outputs, new_inputs
                ) from None
        return resource_id, outputs, new_inputs

    def delete(self, resource: Resource, resource_id: str, state: Object, timeout: float) -> None:
        """Remove an object and wait until it is gone."""
        inputs, live = checkpoint.split(state)
        _, name = parse_id(resource_id)
        if self.settings.render_directory:
            resource.log.status(f"deleted {render.remove(live, self.settings.render_directory)}")
            return
        if self.unreachable:
            resource.log.line("warning", f"configured Kubernetes cluster is unreachable: {self.unreachable}")
            if self.settings.delete_unreachable:
                resource.log.line(
                    "info", "deleteUnreachable is set: deleting the unreachable resource from Pulumi state"
                )
                return
            raise ProviderError(f"configured Kubernetes cluster is unreachable. {FORGET_HELP}")
        cluster, waits = self._reached()
        if is_patch_type(resource.type, gvk_of(live).kind):
            cluster.relinquish(live, self.manager(state, inputs))
            return
        try:
            if cluster.delete(live, name, inputs):
                waits.until_gone(live, name, inputs, timeout, resource.log)
        except WaitError as error:
            raise ProviderError(error.text) from None
        except ApiError as error:
            if error.forbidden and "may not be deleted" in error.message:
                cluster.relinquish(live, self.manager(state, inputs))  # one of the cluster's own, such as kube-system
                return
            raise ProviderError(f"deleting {resource_id!r} failed: {error}") from None

    # Helpers.

    def _reached(self) -> tuple[Cluster, Waits]:
        if self.unreachable or self.cluster is None or self.waits is None:
            raise ProviderError(f"configured Kubernetes cluster is unreachable: {self.unreachable}")
        return self.cluster, self.waits

    def _cannot_preview(self, resource: Resource, inputs: Object, *, patch: bool) -> bool:
        """Tell whether a preview shows the inputs: the cluster, the kind or a value is not there yet."""
        if self.unreachable or self.cluster is None:
            if not self._warned.is_set():
                self._warned.set()
                resource.log.line(
                    "warning",
                    f"configured Kubernetes cluster is unreachable, previewing without it: {self.unreachable}",
                )
            return True
        if patch or not self.settings.server_side_apply or has_unknown(inputs):
            return True
        return not self.cluster.discovery.exists(gvk_of(inputs))

    def _await(
        self, waits: Waits, live: Object, inputs: Object, timeout: float, resource: Resource
    ) -> WaitError | None:
        try:
            waits.until_ready(live, inputs, timeout, resource.log)
        except WaitError as error:
            return error
        except (ApiError, Unreachable, ValueError) as error:
            return WaitError(str(error))
        return None

    def _again(self, cluster: Cluster, live: Object) -> Object:
        """Read an object once more; if that fails, what is known of it must not be lost."""
        try:
            return cluster.read(live)
        except (ApiError, Unreachable):
            return live

    def _render(
        self, resource: Resource, inputs: Object, news: Object, manager: str, *, preview: bool
    ) -> tuple[str, Object]:
        if preview and has_unknown(inputs):
            return "", news
        outputs = checkpoint.write(inputs, inputs, news, str(inputs.get("apiVersion")), manager)
        if preview:
            return "", outputs
        path = render.write(inputs, self.settings.render_directory)
        if has_secret(news):
            resource.log.line("warning", f"rendered file {path} contains a secret value in plaintext")
        resource.log.status(f"rendered {path}")
        return id_of(inputs), outputs

    def _read_unreachable(
        self, resource: Resource, resource_id: str, state: Object, inputs: Object
    ) -> tuple[str, Object, Object] | None:
        resource.log.line("warning", f"configured Kubernetes cluster is unreachable: {self.unreachable}")
        if self.settings.delete_unreachable:
            resource.log.line("info", "deleteUnreachable is set: deleting the unreachable resource from Pulumi state")
            return None
        if self.settings.skip_update_unreachable:
            resource.log.line("info", "skipUpdateUnreachable is set: the state may not be what the cluster has")
            return resource_id, state, inputs
        raise ProviderError(f"failed to read resource state due to unreachable cluster. {FORGET_HELP}")
