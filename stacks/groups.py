"""Groups of a stack's settings: the image, the local stack, the cluster."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Annotated, Literal

import pydantic

from flaskstack import DEFAULT_IMAGES, Health, Limits
from flaskstack.app import Host
from flaskstack.kubernetes import kubeconfig
from flaskstack.kubernetes.settings import (
    Autoscaling,
    Count,
    Ingress,
    Migration,
    Network,
    ObjectName,
    Probes,
    Resources,
    Rollout,
    Storage,
)
from flaskstack.model import Model

if TYPE_CHECKING:
    import pulumi_kubernetes


class ImageSettings(Model):
    """How the image is come by."""

    ref: str | None = None
    """An image that exists, instead of a build. In production by digest: `repository@sha256:...`. Default: build it."""
    repository: str | None = None
    """Where to push what is built. Default: nowhere."""
    base: str = DEFAULT_IMAGES["base"]
    """Image to build on."""
    ca_bundle: str | None = None
    """File of CA certificates for the build's downloads. Default: what SSL_CERT_FILE names."""
    platforms: tuple[str, ...] = ()
    """Platforms to build for. Default: the builder's own."""


class LocalSettings(Model):
    """The local stack."""

    address: str = "127.0.0.1"
    """Address of this machine that nginx listens on. Default 127.0.0.1."""
    port: Annotated[int, pydantic.Field(ge=1, le=65_535)] = 8080
    """Port of this machine that nginx listens on. Default 8080."""
    replicas: Annotated[int, pydantic.Field(ge=1, le=32)] | None = None
    """Web replicas. Default 2; in development, and with `app.data`, 1."""
    keep_data: bool = True
    """Whether the data volumes outlive `pulumi destroy`. Default true."""
    limits: Limits = Limits()
    """What each container may take."""
    health: Health = Health()
    """How the engine watches each container."""
    images: dict[Literal["nginx", "postgres", "redis"], str] = pydantic.Field(default_factory=dict)
    """Other images than the default ones, by these names."""

    @pydantic.field_validator("address")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        ipaddress.ip_address(value)
        return value


class KubernetesSettings(Model):
    """The cluster, and how the application runs there."""

    context: str | None = None
    """Context of the kubeconfig. Required: production is never whatever cluster happens to be the current one."""
    kubeconfig: str | None = None
    """File of the kubeconfig. Default: what KUBECONFIG names (of several files, the one with the context), else
    ~/.kube/config."""
    namespace: ObjectName = "default"
    """Namespace. Default: default."""
    create_namespace: bool = False
    """Whether the stack makes it, admitting only the restricted Pod Security Standard. It outlives the stack. Default
    false."""
    host: Host | None = None
    """Host name that the application is reached by. Required."""
    tls_secret: ObjectName | None = None
    """Secret of the namespace with the host's certificate. Required in production."""
    secret_name: ObjectName | None = None
    """A Secret that exists, instead of the settings `secretKey` and `databaseUrl`: see `KubernetesAppArgs`."""
    secret_version: str | None = None
    """What is changed to roll the pods when its content has changed."""
    replicas: Annotated[int, pydantic.Field(ge=1, le=1000)] | None = None
    """Web pods. Default 3; with `app.data` 1."""
    autoscaling: Autoscaling | None = None
    """An autoscaler, which then owns the number of web pods. Default none."""
    resources: Resources = Resources()
    """What a pod asks for and may take."""
    probes: Probes = Probes()
    """How pods are asked whether they live and can serve."""
    rollout: Rollout = Rollout()
    """How pods are replaced."""
    migration: Migration = Migration()
    """How `app.migrate` is run before a rollout."""
    storage: Storage = Storage()
    """The volume of `app.data`."""
    max_disrupted: Count = 1
    """Web pods that a drain may take away at a time. Default 1."""
    network: Network = Network()
    """What pods may reach and be reached by."""
    ingress: Ingress = Ingress()
    """The Ingress."""
    proxy_hops: Annotated[int, pydantic.Field(ge=0, le=10)] = 1
    """Proxies in front of the pods whose forwarded headers count. Default 1, the ingress controller."""
    priority_class: ObjectName | None = None
    """PriorityClass of the pods. Default: the cluster's default."""
    image_pull_secrets: tuple[ObjectName, ...] = ()
    """Secrets for the image's registry. Default none."""
    service_account_annotations: dict[str, str] = pydantic.Field(default_factory=dict)
    """Annotations of the ServiceAccount, as clouds bind roles to it. Default none."""
    labels: dict[str, str] = pydantic.Field(default_factory=dict)
    """Further labels of every object. Default none."""

    def provider(self, name: str = "cluster", *, adopts: bool = False) -> pulumi_kubernetes.Provider:
        """Register the provider of this cluster. `adopts`: whether it takes over objects that exist already."""
        import pulumi_kubernetes  # noqa: PLC0415  # half a second, which only this target pays

        return pulumi_kubernetes.Provider(
            name,
            context=self.context,
            kubeconfig=self.kubeconfig or kubeconfig.holding(self.context),
            enable_server_side_apply=True,
            upsert_existing_objects=adopts or None,
        )
