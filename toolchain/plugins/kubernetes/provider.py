"""What Pulumi's operations do to a Kubernetes object."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from plugins.kubernetes import checkpoint, naming, render
from plugins.kubernetes.api import ApiError, Unreachable
from plugins.kubernetes.cluster import Cluster, PreviewImpossible, Write
from plugins.kubernetes.diff import keep_dropped_zeros, prune
from plugins.kubernetes.discovery import NoMatch
from plugins.kubernetes.fields import CLIENT_SIDE_NAME
from plugins.kubernetes.objects import (
    UNDERSCORED,
    annotation,
    gvk_from_type,
    gvk_of,
    id_of,
    is_patch_type,
    metadata,
    name_of,
    normalize,
    parse_id,
    rename_keys,
)
from plugins.kubernetes.target import PartialError, ProviderError, Resource, Target
from plugins.kubernetes.values import Object, has_secret, has_unknown, mark_secrets
from plugins.kubernetes.waits.verdict import WaitError

if TYPE_CHECKING:
    from plugins.kubernetes.waits.dispatch import Waits

FORGET_HELP = (
    "If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation with the "
    'PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"'
)
MISSING_KIND = (
    "failed because the Kubernetes API server reported that the apiVersion for this resource does not exist. Verify "
    "that any required CRDs have been created"
)


class Found(NamedTuple):
    """What a look at an object gives back."""

    resource_id: str
    outputs: Object
    inputs: Object


class Options(NamedTuple):
    """How an operation is to be done."""

    preview: bool = False
    timeout: float = 0.0
    ignore_changes: tuple[str, ...] = ()


class Provider:
    """Makes, changes, reads and removes objects at a target."""

    def __init__(self, target: Target) -> None:
        """Work at a target."""
        self._target = target

    def create(self, resource: Resource, news: Object, options: Options) -> tuple[str, Object]:
        """Make an object and wait until it is ready."""
        inputs = checkpoint.manifest(news)
        manager, api_version = self._manager({}, inputs), str(inputs.get("apiVersion"))
        if self._target.directory:
            outputs = self._render(resource, inputs, news, manager, preview=options.preview)
            return "" if options.preview else id_of(inputs), outputs
        patch = is_patch_type(resource.type, gvk_of(inputs).kind)
        if options.preview and (patch or self._cannot_preview(resource, inputs)):
            return "", news
        cluster, waits = self._target.reached()
        try:
            live = cluster.create(inputs, Write(manager, resource.log, options.preview, patch))
        except PreviewImpossible:
            return "", news
        except ApiError as error:
            if options.preview and error.forbidden:
                return "", news
            text = f"resource {resource.urn!r} was not successfully created by the Kubernetes API server: {error}"
            raise ProviderError(text) from None
        except NoMatch as error:
            raise ProviderError(f"creation of resource {resource.urn!r} {MISSING_KIND}: {error}") from None
        if options.preview:
            live.pop("status", None)
            return "", checkpoint.write(inputs, live, news, api_version, manager)
        failure = _await(waits, live, inputs, options.timeout, resource)
        live = _again(cluster, live)
        outputs = checkpoint.write(inputs, live, news, api_version, manager)
        if failure is not None:
            text = (
                f"resource {resource.urn!r} was successfully created, but the Kubernetes API server reported that it "
                f"failed to fully initialize or become live: {failure.summary}"
            )
            raise PartialError(id_of(live), [text, *failure.reasons], outputs)
        return id_of(live), outputs

    def update(self, resource: Resource, state: Object, news: Object, options: Options) -> Object:
        """Change an object and wait until it is ready again."""
        inputs = normalize(checkpoint.manifest(news))
        old_inputs, old_live = checkpoint.split(state)
        manager = self._manager(state, inputs)
        if self._target.directory:
            return self._render(resource, inputs, news, manager, preview=options.preview)
        if options.preview and self._cannot_preview(resource, inputs):
            return news
        cluster, waits = self._target.reached()
        api_version = str(state.get(checkpoint.INITIAL_API_VERSION) or inputs.get("apiVersion"))
        failure: WaitError | None = None
        before: Object | None = None
        try:
            before = cluster.read(inputs, name_of(old_live))
            patch = is_patch_type(resource.type, gvk_of(inputs).kind)
            write = Write(manager, resource.log, options.preview, patch)
            live = cluster.update(inputs, (before, prune(before, old_inputs)), write, options.ignore_changes)
        except (ApiError, NoMatch) as error:
            if options.preview and isinstance(error, ApiError) and error.forbidden:
                return news
            if options.preview or before is None:
                raise ProviderError(f"update of resource {resource.urn!r} failed: {error}") from None
            failure, live = WaitError(str(error)), before
        if options.preview:
            live.pop("status", None)
            return checkpoint.write(inputs, live, news, api_version, manager)
        failure = failure or _await(waits, live, inputs, options.timeout, resource)
        live = _again(cluster, live)
        outputs = checkpoint.write(inputs, live, news, api_version, manager)
        if failure is not None:
            text = (
                f"the Kubernetes API server reported that {id_of(live)!r} failed to fully initialize or become live: "
                f"{failure.summary}"
            )
            raise PartialError(id_of(live), [text, *failure.reasons], outputs)
        former = self._manager(state, old_inputs)
        if manager != former and self._target.settings.server_side_apply:
            cluster.relinquish(live, former)
        return outputs

    def read(self, resource: Resource, resource_id: str, state: Object, inputs: Object) -> Found | None:
        """Look at an object again; None when it is gone."""
        if self._target.directory:
            return Found(resource_id, state, inputs)
        if self._target.unreachable:
            return self._read_unreachable(resource, Found(resource_id, state, inputs))
        old_inputs, (_, old_live) = normalize(checkpoint.manifest(inputs)), checkpoint.split(state)
        described = old_inputs if old_inputs.get("kind") else old_live
        imported = not described.get("kind")
        cluster, waits = self._target.reached()
        try:
            live = cluster.read(_described(resource.type, resource_id, described), parse_id(resource_id)[1])
        except NoMatch:
            return None  # its kind is gone, and so is every object of it
        except ApiError as error:
            if error.not_found:
                return None
            raise ProviderError(f"reading {resource_id!r} failed: {error}") from None
        if imported:
            live_inputs = checkpoint.imported_inputs(live)
        else:
            live_inputs = keep_dropped_zeros(prune(normalize(live), old_inputs), old_inputs, old_live, live)
        api_version = str(state.get(checkpoint.INITIAL_API_VERSION) or live.get("apiVersion"))
        outputs = checkpoint.write(live_inputs, live, inputs, api_version, self._manager(state, old_inputs))
        found = Found(resource_id, outputs, mark_secrets(rename_keys(live_inputs, UNDERSCORED), inputs))
        if not imported:
            try:
                waits.check(live, old_inputs)
            except WaitError as failure:
                raise PartialError(resource_id, [failure.summary, *failure.reasons], outputs, found.inputs) from None
        return found

    def delete(self, resource: Resource, resource_id: str, state: Object, timeout: float) -> None:
        """Remove an object and wait until it is gone."""
        inputs, live = checkpoint.split(state)
        name = parse_id(resource_id)[1]
        if self._target.directory:
            resource.log.status(f"deleted {render.remove(live, self._target.directory)}")
            return
        if self._target.unreachable:
            if self._forget(resource):
                return
            raise ProviderError(f"configured Kubernetes cluster is unreachable. {FORGET_HELP}")
        cluster, waits = self._target.reached()
        if is_patch_type(resource.type, gvk_of(live).kind):
            cluster.relinquish(live, self._manager(state, inputs))
            return
        try:
            if cluster.delete(live, name, inputs):
                waits.until_gone(live, name, inputs, timeout, resource.log)
        except WaitError as error:
            raise ProviderError(error.text) from None
        except ApiError as error:
            if not (error.forbidden and "may not be deleted" in error.message):
                raise ProviderError(f"deleting {resource_id!r} failed: {error}") from None
            cluster.relinquish(live, self._manager(state, inputs))  # one of the cluster's own, such as kube-system

    def _manager(self, state: Object, inputs: Object) -> str:
        """Name the field manager: the annotation's, the state's, or a new one."""
        if not self._target.settings.server_side_apply:
            return CLIENT_SIDE_NAME
        chosen = annotation(inputs, naming.PATCH_FIELD_MANAGER) or state.get(checkpoint.FIELD_MANAGER)
        return str(chosen) if chosen else naming.unique_name("pulumi-kubernetes-")

    def _cannot_preview(self, resource: Resource, inputs: Object) -> bool:
        """Tell whether a preview shows the inputs: the cluster, the kind or a value is not there yet."""
        if self._target.cluster is None:
            self._target.warn_unreachable(resource)
            return True
        if not self._target.settings.server_side_apply or has_unknown(inputs):
            return True
        return not self._target.cluster.discovery.exists(gvk_of(inputs))

    def _render(self, resource: Resource, inputs: Object, news: Object, manager: str, *, preview: bool) -> Object:
        if preview:
            return (
                news
                if has_unknown(inputs)
                else checkpoint.write(inputs, inputs, news, str(inputs["apiVersion"]), manager)
            )
        path = render.write(inputs, self._target.directory)
        if has_secret(news):
            resource.log.line("warning", f"rendered file {path} contains a secret value in plaintext")
        resource.log.status(f"rendered {path}")
        return checkpoint.write(inputs, inputs, news, str(inputs["apiVersion"]), manager)

    def _read_unreachable(self, resource: Resource, former: Found) -> Found | None:
        if self._forget(resource):
            return None
        if self._target.settings.skip_update_unreachable:
            resource.log.line("info", "skipUpdateUnreachable is set: the state may not be what the cluster has")
            return former
        raise ProviderError(f"failed to read resource state due to unreachable cluster. {FORGET_HELP}")

    def _forget(self, resource: Resource) -> bool:
        resource.log.line("warning", f"configured Kubernetes cluster is unreachable: {self._target.unreachable}")
        if self._target.settings.delete_unreachable:
            resource.log.line("info", "deleteUnreachable is set: deleting the unreachable resource from Pulumi state")
        return self._target.settings.delete_unreachable


def _described(type_token: str, resource_id: str, known: Object) -> Object:
    """Describe an object to look for: by what is known of it, else by its type."""
    namespace, name = parse_id(resource_id)
    if not known.get("kind"):
        gvk = gvk_from_type(type_token)
        kind = gvk.kind.removesuffix("Patch") if is_patch_type(type_token, "") else gvk.kind
        known = {"apiVersion": gvk.api_version, "kind": kind, "metadata": {"name": name}}
    return {**known, "metadata": {**metadata(known), **({"namespace": namespace} if namespace else {})}}


def _await(waits: Waits, live: Object, inputs: Object, timeout: float, resource: Resource) -> WaitError | None:
    try:
        waits.until_ready(live, inputs, timeout, resource.log)
    except WaitError as error:
        return error
    except (ApiError, Unreachable, ValueError) as error:
        return WaitError(str(error))
    return None


def _again(cluster: Cluster, live: Object) -> Object:
    """Read an object once more; if that fails, what is known of it must not be lost."""
    try:
        return cluster.read(live)
    except (ApiError, Unreachable):
        return live
