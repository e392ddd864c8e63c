"""`KubernetesApp`, a Flask application on a Kubernetes cluster: Ingress -> Service -> pods, behind a migration.

Deliberately not here: building the image (`AppImage`), PostgreSQL and Redis (their URLs are arguments), and what the
edge does beyond TLS and a host rule.

Importing this module imports pulumi_kubernetes, which costs half a second: do so only where there is a cluster.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    ContainerPatchArgs,
    EnvVarArgs,
    PodTemplateSpecPatchArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgs, NetworkPolicyIngressRuleArgs

from flaskstack import naming
from flaskstack.app import FlaskApp
from flaskstack.kubernetes import config, pod, policy, processes, service, storage, workload
from flaskstack.kubernetes.plan import Plan
from flaskstack.kubernetes.settings import (
    Autoscaling,
    Ingress,
    Migration,
    Network,
    Probes,
    Resources,
    Rollout,
    Storage,
)


class KubernetesAppArgs(TypedDict):
    """Arguments of `KubernetesApp`."""

    app: FlaskApp
    """The application. Its name is the name of the Deployment, the Service and the Ingress."""
    image: pulumi.Input[str]
    """Its image, by digest, for example `AppImage.ref`."""
    host: str
    """Host name that it is reached by. The application trusts it, and no other unless `app.trusted_hosts` says so."""
    tls_secret: NotRequired[str]
    """Secret of type kubernetes.io/tls with the host's certificate. Default: the ingress controller's certificate."""
    secret_key: NotRequired[pulumi.Input[str]]
    """Flask's SECRET_KEY. Required, unless `secret_name` is given."""
    secret_key_fallbacks: NotRequired[Sequence[pulumi.Input[str]]]
    """Former secret keys whose sessions still count, newest first. Default none."""
    database_url: NotRequired[pulumi.Input[str]]
    """URL of PostgreSQL. Required when the application needs it, unless `secret_name` is given."""
    redis_url: NotRequired[pulumi.Input[str]]
    """URL of Redis. Default: none is used."""
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Further secret variables of the application's processes, by name. Each of `app.secrets` is required, unless
    `secret_name` is given. Default none."""
    secret_name: NotRequired[pulumi.Input[str]]
    """A Secret that exists, or that an ExternalSecret makes, instead of the five above. Its keys: secret-key,
    database-url, where wanted redis-url and secret-key-fallbacks, and each name of `app.secrets`."""
    secret_version: NotRequired[str]
    """What is changed to roll the pods when the content of `secret_name` has changed. Default: nothing."""
    namespace: NotRequired[pulumi.Input[str]]
    """Namespace. Default: default."""
    create_namespace: NotRequired[bool]
    """Whether the namespace is made, labelled to admit only the restricted Pod Security Standard. It stays when the
    stack goes: others may have objects there. Default false."""
    namespace_provider: NotRequired[pulumi.ProviderResource]
    """Provider that makes it. One with `upsert_existing_objects` finds it again when the stack comes back, where the
    default one would say that it exists already. Default: the component's."""
    replicas: NotRequired[int]
    """Web pods. Default 3; with a data folder (`app.data`) 1, which no other number may replace."""
    autoscaling: NotRequired[Autoscaling]
    """An autoscaler, which then owns the number of web pods. Default none."""
    resources: NotRequired[Resources]
    """What a pod asks for and may take. Default: see `Resources`."""
    probes: NotRequired[Probes]
    """How pods are asked whether they live and can serve. Default: see `Probes`."""
    rollout: NotRequired[Rollout]
    """How pods are replaced. Default: see `Rollout`."""
    migration: NotRequired[Migration]
    """How `app.migrate` is run before a rollout. Default: see `Migration`."""
    max_disrupted: NotRequired[int]
    """Web pods that a drain may take away at a time (PodDisruptionBudget). Default 1."""
    storage: NotRequired[Storage]
    """The volume of the data folder (`app.data`). Default: see `Storage`."""
    storage_provider: NotRequired[pulumi.ProviderResource]
    """Provider that makes its claim, which outlives the stack: see `namespace_provider`. Default: the component's."""
    network: NotRequired[Network]
    """What pods may reach and be reached by. Default: see `Network`."""
    network_ingress: NotRequired[Sequence[NetworkPolicyIngressRuleArgs]]
    """Further rules of who may reach the pods. Default none."""
    network_egress: NotRequired[Sequence[NetworkPolicyEgressRuleArgs]]
    """Further rules of what the pods may reach. Default none."""
    ingress: NotRequired[Ingress]
    """The Ingress. Default: see `Ingress`."""
    proxy_hops: NotRequired[int]
    """Proxies in front of the pods whose forwarded headers count. Default 1, the ingress controller."""
    priority_class: NotRequired[str]
    """PriorityClass of the pods. Default: the cluster's default."""
    image_pull_secrets: NotRequired[Sequence[str]]
    """Secrets of type kubernetes.io/dockerconfigjson for the image's registry. Default none."""
    service_account_annotations: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Annotations of the ServiceAccount, as clouds bind roles to it. Default none."""
    labels: NotRequired[Mapping[str, str]]
    """Further labels of every object. Default none."""
    environment: NotRequired[Sequence[EnvVarArgs]]
    """Further variables, for example from Secrets of your own. Plain ones belong in `app.environment`. Default none."""
    volumes: NotRequired[Sequence[VolumeArgs]]
    """Further volumes of the pods, migration included. Default none."""
    volume_mounts: NotRequired[Sequence[VolumeMountArgs]]
    """Where the application's container mounts them. Default none."""
    containers: NotRequired[Sequence[ContainerArgs]]
    """Further containers of the web pods. They get SIGTERM together with the application, after its preStop sleep only
    if they have one themselves. Default none."""
    init_containers: NotRequired[Sequence[ContainerArgs]]
    """Init containers of the web pods, and native sidecars (`restart_policy="Always"`). Default none."""
    pod_template: NotRequired[PodTemplateSpecPatchArgs]
    """Fields of the pods' template that take the place of ours, migration included; labels and annotations are added.
    Default none."""
    container: NotRequired[ContainerPatchArgs]
    """Fields of the web container that take the place of ours. Default none."""


class KubernetesApp(pulumi.ComponentResource):
    """A Flask application on Kubernetes.

    A new image, secret or setting is rolled out once its migration has succeeded, pod by pod, and no request is lost;
    a release that cannot serve leaves the former one serving and fails with the pod's own reason.
    """

    url: pulumi.Output[str]
    """What to open."""
    image: pulumi.Output[str]
    """What runs, by digest."""
    namespace: pulumi.Output[str]
    """Namespace that it runs in."""
    deployment: pulumi.Output[str]
    """Name of the Deployment."""
    service: pulumi.Output[str]
    """Name of the Service."""
    secret: pulumi.Output[str]
    """Name of the Secret that the pods read."""

    def __init__(self, name: str, args: KubernetesAppArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the application. Raises `SettingsError` with everything that is wrong with the arguments."""
        plan = Plan.of(name, args)

        super().__init__("flaskstack:index:KubernetesApp", name, {}, naming.known_as("KubernetesApp", name, opts))
        child = pulumi.ResourceOptions(parent=self)
        if plan.create_namespace:
            made = policy.namespace(plan, self)
            plan = dataclasses.replace(plan, namespace=made.metadata.apply(lambda found: str(found.name)))

        account = policy.service_account(plan, child)
        source = pod.Source(
            secret_name=config.secret(plan, child),
            config_name=config.server_config(plan, child),
            service_account=account.metadata.apply(lambda found: str(found.name)),
            claim_name=storage.claim(plan, self),
        )
        network = policy.network(plan, child)
        bounds = [network] if network else []
        migration = workload.migration(plan, source, self, bounds)
        first = [*bounds, *([migration] if migration else [])]
        web = workload.deployment(plan, source, self, first)
        processes.deployments(plan, source, self, first)
        web_name = web.metadata.apply(lambda found: str(found.name))
        policy.disruption_budget(plan, child)
        policy.autoscaler(plan, child, web_name)
        front = service.service(plan, self, web)
        front_name = front.metadata.apply(lambda found: str(found.name))
        edge = service.ingress(plan, self, front_name)

        self.namespace = pulumi.Output.from_input(plan.namespace)
        self.url = (
            edge.id.apply(lambda _: service.url(plan))
            if edge
            else pulumi.Output.concat("http://", front_name, ".", self.namespace, ".svc")
        )
        self.image = pulumi.Output.from_input(plan.image)
        self.deployment = web_name
        self.service = front_name
        self.secret = source.secret_name
        self.register_outputs(
            {
                "url": self.url,
                "image": self.image,
                "namespace": self.namespace,
                "deployment": self.deployment,
                "service": self.service,
                "secret": self.secret,
            }
        )
