"""One cluster: its API, the kinds it knows, and the ways objects are made, changed and removed in it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from plugins.kubernetes.api import APPLY, JSON, JSON_PATCH, MERGE, Api, ApiError, Sent
from plugins.kubernetes.discovery import Discovery, NoMatch
from plugins.kubernetes.fields import adoption_patch, has_adoptable, without_ignored
from plugins.kubernetes.naming import DELETION_PROPAGATION, PATCH_FORCE, is_true
from plugins.kubernetes.objects import annotation, gvk_of, metadata, name_of, namespace_of

if TYPE_CHECKING:
    import threading

    from plugins.kubernetes.enginelog import Log
    from plugins.kubernetes.values import Object

RETRIES = 5
CONFLICT_HELP = (
    "Server-Side Apply field conflict detected: another manager owns a field that this resource sets. Leave the field "
    "out, or take it over with the annotation pulumi.com/patchForce"
)


class PreviewImpossible(Exception):  # noqa: N818 - no error: the preview then shows the inputs
    """The API server cannot tell yet what an object would be like."""


@dataclass(frozen=True)
class Style:
    """How objects are written."""

    server_side: bool = True
    upsert: bool = False
    force: bool = False
    quiet_deprecations: bool = False


class Write(NamedTuple):
    """How one object is written: under which manager, what is said of it where, and whether only to try."""

    manager: str
    log: Log
    preview: bool = False
    patch: bool = False
    """Somebody else's object, of which only some fields are ours (the SDK's `...Patch` resources)."""


class Cluster:
    """Makes, changes and removes objects."""

    def __init__(self, api: Api, style: Style, cancelled: threading.Event) -> None:
        """Ask nothing yet."""
        self.api = api
        self.discovery = Discovery(api)
        self._style = style
        self._cancelled = cancelled

    def read(self, obj: Object, name: str = "") -> Object:
        """Read an object that another one describes."""
        collection = self.discovery.collection(gvk_of(obj), namespace_of(obj))
        return self.api.get(f"{collection}/{name or name_of(obj)}")

    def create(self, inputs: Object, write: Write) -> Object:
        """Make an object, or say what it would be; what it needs (namespace, kind) may come a little later."""
        for attempt in range(RETRIES + 1):
            try:
                return self._create(inputs, write)
            except (ApiError, NoMatch) as error:
                if isinstance(error, ApiError):
                    missing_namespace = error.not_found and "namespaces" in error.message
                    if write.preview and (
                        error.already_exists or missing_namespace or "does not support dry run" in error.message
                    ):
                        raise PreviewImpossible(error.message) from None
                    if not error.not_found:
                        raise
                if write.preview or attempt == RETRIES:
                    raise
                write.log.status(f"Retry #{attempt}; creation failed: {error}")
                if self._cancelled.wait(2**attempt):
                    raise
        raise AssertionError  # the last attempt returns or raises

    def _create(self, inputs: Object, write: Write) -> Object:
        collection = self.discovery.collection(gvk_of(inputs), namespace_of(inputs))
        if not write.patch and not (self._style.server_side and self._style.upsert):
            return self._send("POST", collection, inputs, JSON, write)
        # Without a former state a preview of a replacement would conflict with the object that it replaces.
        force = write.preview or self._forced(inputs)
        try:
            return self._apply(f"{collection}/{name_of(inputs)}", inputs, write, force=force)
        except ApiError as error:
            if not (write.preview and error.invalid and "field is immutable" in error.message):
                raise
            # An object that will be replaced cannot be tried under its name, which the old one still has.
            name = f"{name_of(inputs)}{secrets.token_hex(3)[:5]}"
            renamed = {**inputs, "metadata": {**metadata(inputs), "name": name}}
            return self._apply(f"{collection}/{name}", renamed, write, force=force)

    def update(
        self,
        inputs: Object,
        old: tuple[Object, Object],
        write: Write,
        ignore_changes: tuple[str, ...],
    ) -> Object:
        """Change an object, or say what it would become. `old` is the live one, whole and as former inputs see it."""
        live, base = old
        path = f"{self.discovery.collection(gvk_of(inputs), namespace_of(inputs))}/{name_of(live)}"
        if gvk_of(inputs).kind == "CustomResourceDefinition":
            body = {
                **inputs,
                "metadata": {**metadata(inputs), "resourceVersion": metadata(live).get("resourceVersion")},
            }
            return self._send("PUT", path, body, JSON, write)
        if not self._style.server_side:
            return self._send("PATCH", path, merge_patch(base, inputs), MERGE, write)
        force = self._forced(inputs) or (write.preview and has_adoptable(live, write.manager))
        if not write.preview and not write.patch:
            live = self._adopt(path, live, write.manager)
        applied = without_ignored(inputs, live, ignore_changes, write.manager)
        return self._apply(path, applied, write, force=force)

    def _adopt(self, path: str, live: Object, manager: str) -> Object:
        patch = adoption_patch(live, manager)
        return live if patch is None else self.api.request("PATCH", path, {}, patch, Sent(JSON_PATCH))

    def relinquish(self, obj: Object, manager: str) -> None:
        """Give up the fields of an object that somebody else owns, without removing the object."""
        kept = {key: metadata(obj)[key] for key in ("name", "namespace") if key in metadata(obj)}
        empty = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": kept}
        try:
            self.api.request("PATCH", self.discovery.path(obj), {"fieldManager": manager}, empty, Sent(APPLY))
        except ApiError as error:
            if not error.not_found:
                raise

    def delete(self, obj: Object, name: str, inputs: Object) -> bool:
        """Ask for an object's removal; False when it was gone already."""
        policy = annotation(inputs, DELETION_PROPAGATION).lower()
        propagation = {"orphan": "Orphan", "background": "Background"}.get(policy, "Foreground")
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        try:
            path = f"{self.discovery.collection(gvk_of(obj), namespace_of(obj))}/{name}"
            self.api.request("DELETE", path, {}, options)
        except NoMatch:
            return False  # its kind is gone, and so is every object of it
        except ApiError as error:
            if error.not_found:
                return False
            raise
        return True

    def _forced(self, inputs: Object) -> bool:
        return self._style.force or is_true(inputs, PATCH_FORCE)

    def _apply(self, path: str, inputs: Object, write: Write, *, force: bool) -> Object:
        try:
            return self._send("PATCH", path, inputs, APPLY, write, force=str(force).lower())
        except ApiError as error:
            if error.conflict:
                said = (
                    f"{CONFLICT_HELP}. The resource managed by field manager {write.manager!r} had an apply conflict: "
                )
                raise ApiError(error.status, {"reason": error.reason, "message": said + error.message}) from None
            raise

    def _send(self, method: str, path: str, body: Object, content_type: str, write: Write, **query: str) -> Object:
        def warn(text: str) -> None:
            if not (self._style.quiet_deprecations and "deprecated" in text):
                write.log.line("warning", text)

        query = {**query, "fieldManager": write.manager, "fieldValidation": "Warn"}
        query |= {"dryRun": "All"} if write.preview else {}
        return self.api.request(method, path, query, body, Sent(content_type, warn))


def merge_patch(base: Object, wanted: Object) -> Object:
    """Write the JSON merge patch from one object to another."""
    patch: Object = {key: None for key in base if key not in wanted}
    for key, value in wanted.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            if base[key] != value:
                patch[key] = merge_patch(base[key], value)
        elif key not in base or base[key] != value:
            patch[key] = value
    return patch
