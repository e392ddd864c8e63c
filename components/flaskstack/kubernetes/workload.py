"""What runs: the migration, and once it has succeeded, the web pods."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes.apps.v1 import (
    Deployment,
    DeploymentSpecArgs,
    DeploymentStrategyArgs,
    RollingUpdateDeploymentArgs,
)
from pulumi_kubernetes.batch.v1 import Job, JobSpecArgs
from pulumi_kubernetes.core.v1 import (
    AffinityArgs,
    ContainerPortArgs,
    HTTPGetActionArgs,
    HTTPHeaderArgs,
    LifecycleArgs,
    LifecycleHandlerArgs,
    PodAffinityTermArgs,
    PodAntiAffinityArgs,
    ProbeArgs,
    SleepActionArgs,
    TCPSocketActionArgs,
    TopologySpreadConstraintArgs,
    WeightedPodAffinityTermArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs

from flaskstack.kubernetes import identity, pod, storage
from flaskstack.kubernetes.identity import HOST, MIGRATION, WEB
from flaskstack.kubernetes.rollout import termination_grace
from flaskstack.probe import TCP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flaskstack.kubernetes.plan import Plan
    from flaskstack.kubernetes.settings import Probe

ZONE: str = "topology.kubernetes.io/zone"
NAME_ROOM: int = 36
"""Characters of the application's name in a Job's, which may have 63."""


def migration(plan: Plan, source: pod.Source, parent: pulumi.Resource, before: Sequence[pulumi.Resource]) -> Job | None:
    """Return the Job that runs the application's migration, None when it has none or shall not run it.

    Its name carries the image's digest. Another image, Secret or anything else of the pod is another Job; one that
    failed is made again at the next `up`. None is deleted once finished: it is the record that the migration ran.
    """
    if not (plan.app.migrate and plan.migration.enabled):
        return None
    template = pod.template(
        plan,
        source,
        MIGRATION,
        [pod.container(plan, source, MIGRATION, plan.app.migrate)],
        restart_policy="Never",
        affinity=storage.affinity(plan),
    )
    content = pulumi.Output.unsecret(
        pulumi.Output.from_input(template).apply(
            lambda resolved: identity.content_hash({"template": json.dumps(resolved, default=vars)}, plan.app.name)
        )
    )
    digest = pulumi.Output.from_input(plan.image).apply(identity.short_digest)
    prefix = pulumi.Output.concat(f"{plan.app.name[:NAME_ROOM]}-migrate-", digest)
    logical = f"{plan.name}-migration"
    name = identity.fresh_name(logical, prefix, content, pulumi.ResourceOptions(parent=parent))
    seconds = plan.migration.timeout_s
    return Job(
        logical,
        metadata=identity.metadata(plan, name, MIGRATION, annotations={"pulumi.com/replaceUnready": "true"}),
        spec=JobSpecArgs(
            backoff_limit=plan.migration.retries,
            # An image that cannot be pulled is no failure to a Job: without this it would wait for ever.
            active_deadline_seconds=seconds,
            template=template,
        ),
        opts=pulumi.ResourceOptions(
            parent=parent,
            # No pod runs without the policy that says what it may reach.
            depends_on=list(before),
            # The Job's own deadline comes first, and is the better message.
            custom_timeouts=pulumi.CustomTimeouts(create=f"{seconds + 30}s"),
        ),
    )


def deployment(
    plan: Plan, source: pod.Source, parent: pulumi.Resource, before: Sequence[pulumi.Resource]
) -> Deployment:
    """Return the web pods, rolled out without losing a request."""
    rollout = plan.rollout
    web = pod.container(
        plan,
        source,
        WEB,
        plan.app.command,
        ports=[ContainerPortArgs(name="http", container_port=plan.app.port, protocol="TCP")],
        lifecycle=LifecycleArgs(
            pre_stop=LifecycleHandlerArgs(sleep=SleepActionArgs(seconds=rollout.pre_stop_s))
            if rollout.pre_stop_s
            else None
        ),
        **_probes(plan),
    )
    template = pod.template(
        plan,
        source,
        WEB,
        [pod.overridden(web, plan.container), *plan.containers],
        init_containers=list(plan.init_containers) or None,
        termination_grace_period_seconds=termination_grace(rollout, plan.app.server),
        affinity=AffinityArgs(
            pod_affinity=storage.together(plan),
            pod_anti_affinity=PodAntiAffinityArgs(
                preferred_during_scheduling_ignored_during_execution=[
                    WeightedPodAffinityTermArgs(
                        weight=100,
                        pod_affinity_term=PodAffinityTermArgs(topology_key=HOST, label_selector=_selected(plan)),
                    )
                ]
            ),
        ),
        topology_spread_constraints=[
            TopologySpreadConstraintArgs(
                max_skew=1,
                topology_key=ZONE,
                when_unsatisfiable="ScheduleAnyway",
                label_selector=_selected(plan),
                # Each release by itself: pods that are about to go must not decide where new ones come.
                match_label_keys=["pod-template-hash"],
            )
        ],
    )
    timeout = f"{rollout.timeout_s}s"
    return Deployment(
        f"{plan.name}-web",
        metadata=identity.metadata(plan, plan.app.name, WEB),
        spec=DeploymentSpecArgs(
            replicas=plan.replicas,
            selector=_selected(plan),
            min_ready_seconds=rollout.min_ready_s or None,
            progress_deadline_seconds=rollout.timeout_s,
            revision_history_limit=rollout.revisions,
            strategy=strategy(plan, once=plan.app.data is not None),
            template=template,
        ),
        opts=pulumi.ResourceOptions(
            parent=parent,
            # The schema before the code that needs it, and the policy before the pods: neither is an input of theirs.
            depends_on=list(before),
            custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
            # The autoscaler sets it from then on. Left out, it would be 1 until the autoscaler looks: at the start, and
            # when it takes over from a fixed number, because what server-side apply no longer names it takes back.
            ignore_changes=["spec.replicas"] if plan.autoscaling else None,
        ),
    )


def strategy(plan: Plan, *, once: bool) -> DeploymentStrategyArgs:
    """Return how pods are replaced. `once`: the old one has ended before the new one starts."""
    if once:
        return DeploymentStrategyArgs(type="Recreate")
    rollout = plan.rollout
    return DeploymentStrategyArgs(
        type="RollingUpdate",
        rolling_update=RollingUpdateDeploymentArgs(
            max_surge=rollout.max_surge, max_unavailable=rollout.max_unavailable
        ),
    )


def _selected(plan: Plan) -> LabelSelectorArgs:
    return LabelSelectorArgs(match_labels=identity.selector(plan, WEB))


def _probes(plan: Plan) -> dict[str, Any]:
    """Return the probes as fields of a container."""
    app, probes = plan.app, plan.probes

    def asked(path: str) -> dict[str, Any]:
        if path == TCP:
            return {"tcp_socket": TCPSocketActionArgs(port=app.port)}
        # Trusted hosts let no other through, and the kubelet's own would be the pod's address.
        headers = [HTTPHeaderArgs(name="Host", value=app.probe_host)]
        return {"http_get": HTTPGetActionArgs(path=path, port=app.port, scheme="HTTP", http_headers=headers)}

    lives = app.liveness if probes.liveness.kind == "http" else TCP
    return {
        "liveness_probe": ProbeArgs(**timing(probes.liveness), **asked(lives)),
        "readiness_probe": ProbeArgs(**timing(probes.readiness), **asked(app.readiness)),
        "startup_probe": ProbeArgs(**timing(probes.startup), **asked(app.liveness)),
    }


def timing(probe: Probe) -> dict[str, Any]:
    """Return when a probe asks, as fields of the SDK's args."""
    values = {
        "initial_delay_seconds": probe.delay_s,
        "period_seconds": probe.period_s,
        "timeout_seconds": probe.timeout_s,
        "failure_threshold": probe.failures,
    }
    return values if probe.delay_s else {key: value for key, value in values.items() if key != "initial_delay_seconds"}
