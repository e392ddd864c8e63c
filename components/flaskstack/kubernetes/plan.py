"""What `KubernetesApp` was asked for, with the defaults and without contradictions: the parts read nothing else."""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from flaskstack import secret
from flaskstack.errors import HIDDEN, Problem, SettingsError
from flaskstack.kubernetes import rollout as arithmetic
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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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

    from flaskstack.app import FlaskApp

SECRETS = ("secret_key", "secret_key_fallbacks", "database_url", "redis_url", "secrets")
"""Arguments whose values are never shown."""


@dataclass(frozen=True)
class Plan:
    """Every argument of `KubernetesApp`, with its default. What each means is said in `KubernetesAppArgs`."""

    name: str
    app: FlaskApp
    image: pulumi.Input[str]
    host: str
    tls_secret: str | None = None
    secret_key: pulumi.Input[str] | None = field(default=None, repr=False)
    secret_key_fallbacks: Sequence[pulumi.Input[str]] = field(default=(), repr=False)
    database_url: pulumi.Input[str] | None = field(default=None, repr=False)
    redis_url: pulumi.Input[str] | None = field(default=None, repr=False)
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict, repr=False)
    secret_name: pulumi.Input[str] | None = None
    secret_version: str | None = None
    namespace: pulumi.Input[str] = "default"
    create_namespace: bool = False
    namespace_provider: pulumi.ProviderResource | None = None
    replicas: int | None = None
    autoscaling: Autoscaling | None = None
    resources: Resources = field(default_factory=Resources)
    probes: Probes = field(default_factory=Probes)
    rollout: Rollout = field(default_factory=Rollout)
    migration: Migration = field(default_factory=Migration)
    max_disrupted: int | None = 1
    storage: Storage = field(default_factory=Storage)
    storage_provider: pulumi.ProviderResource | None = None
    network: Network = field(default_factory=Network)
    network_ingress: Sequence[NetworkPolicyIngressRuleArgs] = ()
    network_egress: Sequence[NetworkPolicyEgressRuleArgs] = ()
    ingress: Ingress = field(default_factory=Ingress)
    proxy_hops: int = 1
    priority_class: str | None = None
    image_pull_secrets: Sequence[str] = ()
    service_account_annotations: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Sequence[EnvVarArgs] = ()
    volumes: Sequence[VolumeArgs] = ()
    volume_mounts: Sequence[VolumeMountArgs] = ()
    containers: Sequence[ContainerArgs] = ()
    init_containers: Sequence[ContainerArgs] = ()
    pod_template: PodTemplateSpecPatchArgs | None = None
    container: ContainerPatchArgs | None = None

    @classmethod
    def of(cls, name: str, args: Mapping[str, Any]) -> Self:
        """Return the plan for `args`. Raises `SettingsError` with everything that is wrong with them."""
        known = {part.name for part in dataclasses.fields(cls)} - {"name"}
        found = [_unknown(key, known) for key in args if key not in known]
        found += [
            Problem(key, "not set", "required", f"give {key}") for key in ("app", "image", "host") if key not in args
        ]
        if found:
            raise SettingsError(found)
        plan = cls(name=name, **{key: value for key, value in args.items() if value is not None})
        if found := plan.contradictions():
            raise SettingsError(found)
        return plan._derived()

    def _derived(self) -> Self:
        """Return the plan with what follows from other arguments said once: trusted host, keep-alive, replicas."""
        server = self.app.server.model_copy(update={"keep_alive": arithmetic.kept_alive(self.rollout, self.app.server)})
        app = self.app.model_copy(update={"server": server, "trusted_hosts": self.app.trusted_hosts or (self.host,)})
        first = self.autoscaling.min_replicas if self.autoscaling else 1 if self.app.data else 3
        replicas = self.replicas or first
        return dataclasses.replace(self, app=app, replicas=replicas)

    def contradictions(self) -> list[Problem]:
        """Return what is wrong with arguments that are each valid."""
        found = arithmetic.contradictions(self.rollout, self.probes, self.app.server)
        found += self._secrets()
        found += replica_problems(self.app, self.replicas, self.autoscaling)
        if self.container is not None and any(key in vars(self.container) for key in ("name", "image", "env")):
            reason = "name, image and env of the web container are decided by image and environment"
            found.append(Problem("container", "overrides one of them", reason, "use image and environment"))
        spec = getattr(self.pod_template, "spec", None)
        if spec is not None and any(key in vars(spec) for key in ("containers", "volumes", "init_containers")):
            reason = "containers and volumes are added to the application's own, not put in their place"
            found.append(Problem("pod_template", "has some", reason, "use containers, init_containers and volumes"))
        return found

    def _secrets(self) -> list[Problem]:
        """Return what is wrong with where the secrets come from."""
        given = [key for key in SECRETS if getattr(self, key)]
        if self.secret_name is not None:
            reason = f"the Secret that exists holds it; given were both, secret_name and {', '.join(given)}"
            return [Problem(given[0], HIDDEN, reason, "give either")] if given else []
        found = secret.problems(self.app, self.secrets)
        if self.secret_version is not None:
            reason = "tells versions of a Secret that exists apart; the component's own has its content in its name"
            found.append(Problem("secret_version", self.secret_version, reason, "leave it out, or give secret_name"))
        if self.secret_key is None:
            found.append(Problem("secret_key", "not set", "required", "give it, or secret_name"))
        if self.app.postgres and self.database_url is None:
            found.append(Problem("database_url", "not set", "the application needs it", "give it, or secret_name"))
        return found


def replica_problems(
    app: FlaskApp, replicas: int | None, autoscaling: Autoscaling | None, prefix: str = arithmetic.PREFIX
) -> list[Problem]:
    """Return what is wrong with the number of web pods."""
    if app.data and (autoscaling or (replicas or 1) > 1):
        key, value = ("autoscaling", "set") if autoscaling else ("replicas", str(replicas))
        reason = f"with a data folder (app.data {app.data}) there is one web pod: its volume is for one node at a time"
        fix = f"pulumi config rm --path {prefix}{key}   # or keep the data in PostgreSQL, and remove app.data"
        return [Problem(f"{prefix}{key}", value, reason, fix)]
    if autoscaling and replicas is not None:
        reason = "the autoscaler owns the number of replicas, and the two would fight"
        fix = f"pulumi config rm --path {prefix}replicas"
        return [Problem(f"{prefix}replicas", str(replicas), reason, fix)]
    if replicas is not None and replicas < 1:
        fix = f"pulumi config set --path {prefix}replicas 3"
        return [Problem(f"{prefix}replicas", str(replicas), "nothing would serve", fix)]
    return []


def _unknown(key: str, known: set[str]) -> Problem:
    close = difflib.get_close_matches(key, known, n=1)
    return Problem(key, "given", "unknown argument", f"rename it to {close[0]}" if close else "remove it")
