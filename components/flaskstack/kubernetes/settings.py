"""Groups of settings of the Kubernetes target: every figure that it uses, with its default.

Deliberately without pulumi_kubernetes, whose import costs a program half a second: settings are read for every target.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Final, Literal, Self

import pydantic

from flaskstack.model import Model

QUANTITY: Final = r"^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"
_UNITS: Final = {
    "m": 1e-3,
    "": 1,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}

Quantity = Annotated[str, pydantic.Field(pattern=QUANTITY)]
Count = Annotated[int, pydantic.Field(ge=1, le=10_000)]
Wait = Annotated[int, pydantic.Field(ge=0, le=86_400)]
ObjectName = Annotated[str, pydantic.Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=253)]
Port = Annotated[int, pydantic.Field(ge=1, le=65_535)]


def _cidr(value: str) -> str:
    return str(ipaddress.ip_network(value))


Cidr = Annotated[str, pydantic.AfterValidator(_cidr)]


def amount(quantity: str) -> float:
    """Return a quantity as a number: `500m` -> 0.5, `1Ki` -> 1024."""
    found = re.fullmatch(r"([\d.]+)(\D*)", quantity)
    if found is None:
        raise ValueError(quantity)
    return float(found[1]) * _UNITS[found[2]]


class Resources(Model):
    """What a pod asks for and may take."""

    cpu_request: Quantity = "100m"
    """CPU that the scheduler keeps for a pod. Default 100m."""
    memory_request: Quantity = "256Mi"
    """Memory that the scheduler keeps for a pod. Default 256Mi."""
    cpu_limit: Quantity = "500m"
    """CPU at most. Default 500m. Gunicorn's number of workers derives from it."""
    memory_limit: Quantity = "512Mi"
    """Memory at most, /tmp included; above it the kernel stops the process. Default 512Mi."""
    tmp: Quantity = "100Mi"
    """Size of /tmp, which is memory. Default 100Mi."""

    @pydantic.model_validator(mode="after")
    def _fits(self) -> Self:
        for less, more in (("cpu_request", "cpu_limit"), ("memory_request", "memory_limit"), ("tmp", "memory_limit")):
            small, large = getattr(self, less), getattr(self, more)
            if amount(small) > amount(large):
                names = [str(type(self).model_fields[field].alias) for field in (less, more)]
                message = f"{names[0]} {small} is more than {names[1]} {large}"
                raise ValueError(message)
        return self


class Probe(Model):
    """How the kubelet asks a pod. Each kind has defaults of its own."""

    delay_s: Wait = 0
    """Seconds after the container's start before it is asked."""
    period_s: Count = 10
    """Seconds between two questions."""
    timeout_s: Count = 3
    """Seconds that an answer may take."""
    failures: Count = 3
    """Failures in a row that count."""


class Liveness(Probe):
    """When a container is started anew."""

    delay_s: Wait = 30
    """Seconds after the container's start before it is asked. Default 30."""
    kind: Literal["tcp", "http"] = "tcp"
    """tcp, the default: Gunicorn accepts a connection. http: a thread of it answers `app.liveness` too, which a busy
    but sound pod cannot do in time: it would be killed under load, and its load would kill the next one. With
    `app.liveness` tcp there is no path to ask, and http changes nothing."""


class Readiness(Probe):
    """When a pod gets requests, by `app.readiness`."""

    delay_s: Wait = 10
    """Seconds after the container's start before it is asked. Default 10."""
    period_s: Count = 5
    """Seconds between two questions. Default 5; 1 or 2 make a rollout faster."""
    timeout_s: Count = 2
    """Seconds that an answer may take. Default 2."""


class Startup(Probe):
    """How long a container may take to start, by `app.liveness`; the other two wait for it."""

    period_s: Count = 5
    """Seconds between two questions. Default 5."""
    failures: Count = 30
    """Failures in a row until the container is started anew. Default 30, so 150 s to start."""


class Probes(Model):
    """The three probes."""

    liveness: Liveness = Liveness()
    """Default: after 30 s, every 10 s, timeout 3 s, 3 failures."""
    readiness: Readiness = Readiness()
    """Default: after 10 s, every 5 s, timeout 2 s, 3 failures."""
    startup: Startup = Startup()
    """Default: every 5 s, timeout 3 s, 30 failures."""


class Rollout(Model):
    """How pods are replaced so that no request is lost. The arithmetic is in `rollout.py`."""

    max_surge: Wait = 1
    """Pods above the wanted number during a rollout. Default 1."""
    max_unavailable: Wait = 0
    """Pods that may be missing during a rollout. Default 0: an old pod goes only when a new one is ready."""
    pre_stop_s: Wait = 10
    """Seconds that a stopping pod serves on, while the edge learns that it goes. Default 10."""
    termination_grace_s: Count | None = None
    """Seconds until a stopping pod is killed. Default: preStopS + app.server.gracefulTimeout + 5."""
    edge_idle_s: Count = 90
    """Seconds that the ingress controller keeps an idle connection to a pod. Gunicorn keeps it 5 s longer, or a reused
    connection would meet a closed one. Default 90, Traefik's; ingress-nginx has 60."""
    min_ready_s: Wait = 0
    """Seconds that a new pod must stay ready before it counts. Default 0."""
    timeout_s: Count = 600
    """Seconds until `pulumi up` gives up on a release that does not get ready. Default 600."""
    revisions: Count = 3
    """Former ReplicaSets kept, for `kubectl rollout history`. Default 3."""


class Migration(Model):
    """The Job that runs `app.migrate` before a rollout."""

    enabled: bool = True
    """Whether it is run. Default true. False for a return to an image that does not know the schema's newest revision:
    it could not bring the schema up to date, which already is newer."""
    retries: Wait = 2
    """Times that it is tried again, after 10 s, 20 s, ... Default 2."""
    timeout_s: Count = 300
    """Seconds until it is given up, retries included. Default 300."""


class Storage(Model):
    """The volume of the application's data folder (`app.data`), for one node at a time (ReadWriteOnce)."""

    size: Quantity = "1Gi"
    """How much it holds. Default 1Gi. It can grow where the storage class lets it, never shrink."""
    storage_class: ObjectName | None = None
    """StorageClass. Default: the cluster's default class. Another one is another volume, and moves no data."""
    keep: bool = True
    """Whether the data outlives `pulumi destroy`. Default true."""


class Autoscaling(Model):
    """A HorizontalPodAutoscaler by CPU, which owns the number of replicas then.

    It starts with `minReplicas`, or with the number that was fixed before. When it goes, the number that it had set
    stays; `pulumi up --refresh` then sets the fixed one. Metrics come from the cluster's metrics-server.
    """

    min_replicas: Count = 3
    """Replicas at least. Default 3."""
    max_replicas: Count = 10
    """Replicas at most. Default 10."""
    cpu_percent: Annotated[int, pydantic.Field(ge=1, le=1000)] = 70
    """Average CPU, in percent of what pods request, that it aims at. Default 70."""

    @pydantic.model_validator(mode="after")
    def _has_room(self) -> Self:
        if self.min_replicas > self.max_replicas:
            message = f"minReplicas {self.min_replicas} is more than maxReplicas {self.max_replicas}"
            raise ValueError(message)
        return self


class Ingress(Model):
    """The Ingress: TLS and a host rule."""

    enabled: bool = True
    """Whether there is one. Default true."""
    class_name: ObjectName | None = None
    """IngressClass, which selects the controller. Default: the cluster's default class."""
    annotations: dict[str, str] = pydantic.Field(default_factory=dict)
    """Annotations, for example cert-manager's `cert-manager.io/cluster-issuer`. Default none."""
    port: Port = 443
    """Port of the controller as clients reach it, for the URL. Default 443."""
    wait: bool = True
    """Whether `pulumi up` waits until the controller has published an address. Default true; false for controllers
    that publish none, behind no load balancer."""


class Network(Model):
    """The NetworkPolicy: nothing in or out but what is said here. It needs an agent in the cluster that enforces it."""

    enabled: bool = True
    """Whether there is one. Default true."""
    ingress_namespaces: tuple[ObjectName, ...] = ("traefik",)
    """Namespaces whose pods may send requests: the ingress controller's. Default traefik."""
    ingress_networks: tuple[Cidr, ...] = ()
    """Networks that may, for a controller outside the pods' network. Default none."""
    dns_namespace: ObjectName = "kube-system"
    """Namespace of the cluster's DNS. Default kube-system."""
    database_port: Port = 5432
    """Port of PostgreSQL. Default 5432."""
    database_networks: tuple[Cidr, ...] = ()
    """Networks that PostgreSQL may be in. Default: anywhere, on that port."""
    redis_port: Port = 6379
    """Port of Redis. Default 6379."""
    redis_networks: tuple[Cidr, ...] = ()
    """Networks that Redis may be in. Default: anywhere, on that port."""
