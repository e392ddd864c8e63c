"""Where a provider puts its objects: a cluster, one that cannot be reached, or a folder of manifests."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from plugins.kubernetes.api import Api, ApiError, Unreachable
from plugins.kubernetes.cluster import Cluster, Style
from plugins.kubernetes.discovery import CLUSTER_WIDE, NoMatch
from plugins.kubernetes.kubeconfig import KubeconfigError, load
from plugins.kubernetes.settings import Settings
from plugins.kubernetes.waits.dispatch import Waits

if TYPE_CHECKING:
    from plugins.kubernetes.enginelog import ResourceLog
    from plugins.kubernetes.kubeconfig import Access
    from plugins.kubernetes.objects import Gvk
    from plugins.kubernetes.values import Object

PROBE_SECONDS = 10.0


class ProviderError(Exception):
    """An operation that cannot be done, in words for the user."""


class PartialError(Exception):
    """An object that was made or changed, but is not what it should be: the state keeps both."""

    def __init__(self, resource_id: str, reasons: list[str], outputs: Object, inputs: Object | None = None) -> None:
        """Keep what the engine records; the first reason is the message."""
        super().__init__(reasons[0])
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


class Target:
    """What the provider's settings lead to."""

    def __init__(self, cancelled: threading.Event) -> None:
        """Wait for `configure`."""
        self.settings = Settings()
        self.namespace = "default"
        self.unreachable = "the provider is not configured"
        self.cluster: Cluster | None = None
        self._waits: Waits | None = None
        self._cancelled = cancelled
        self._warned = threading.Event()

    def configure(self, settings: Settings) -> None:
        """Find the cluster; one that cannot be reached is no error yet, a preview works without."""
        self.settings, self.unreachable = settings, ""
        self.namespace = settings.namespace or "default"
        try:
            access = load(settings.kubeconfig, context=settings.context, cluster=settings.cluster)
            self.namespace = settings.namespace or access.namespace
            _probe(access)
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
            self._waits = Waits(self.cluster, self._cancelled)

    @property
    def directory(self) -> str:
        """The folder of manifests, empty where objects go to the cluster."""
        return self.settings.render_directory

    def reached(self) -> tuple[Cluster, Waits]:
        """Give the cluster; raises if there is none."""
        if self.cluster is None or self._waits is None:
            raise ProviderError(f"configured Kubernetes cluster is unreachable: {self.unreachable}")
        return self.cluster, self._waits

    def warn_unreachable(self, resource: Resource) -> None:
        """Say once a run that a preview does without the cluster."""
        if not self._warned.is_set():
            self._warned.set()
            text = f"configured Kubernetes cluster is unreachable, previewing without it: {self.unreachable}"
            resource.log.line("warning", text)

    def close(self) -> None:
        """Close what is open."""
        if self.cluster is not None:
            self.cluster.api.close()

    def namespaced(self, gvk: Gvk) -> bool:
        """Tell whether objects of a kind have a namespace."""
        if self.cluster is not None:
            try:
                return self.cluster.discovery.mapping(gvk).namespaced
            except (NoMatch, ApiError, Unreachable):
                pass  # a kind that is yet to come: where its objects live shows when they are made
        return not (gvk.built_in and gvk.kind in CLUSTER_WIDE)


def _probe(access: Access) -> None:
    """See that the API server answers this user; for an answer nobody waits long."""
    api = Api(access, PROBE_SECONDS)
    try:
        api.get("/api/v1")
    finally:
        api.close()
