"""Workers, schedulers and other processes beside the web pods: a Deployment each, from the same image.

They get no requests: no Service, no preStop sleep, and no disruption budget, which only a lost request would justify.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment, DeploymentSpecArgs
from pulumi_kubernetes.core.v1 import ExecActionArgs, ProbeArgs
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs

from flaskstack.kubernetes import identity, pod, storage, workload
from flaskstack.kubernetes.rollout import MARGIN
from flaskstack.kubernetes.settings import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flaskstack.kubernetes.plan import Plan
    from flaskstack.kubernetes.settings import Resources
    from flaskstack.process import Process


def deployments(
    plan: Plan, source: pod.Source, parent: pulumi.Resource, before: Sequence[pulumi.Resource]
) -> list[Deployment]:
    """Return the processes' Deployments, each named after application and process."""
    return [
        _deployment(plan, source, parent, before, name, process) for name, process in sorted(plan.app.processes.items())
    ]


def resources(plan: Plan, process: Process) -> Resources:
    """Return what a process asks for and may take: as a web pod, but for its own limits, which bound the requests."""
    wanted = plan.resources
    cpu = f"{round(process.cpus * 1000)}m" if process.cpus else wanted.cpu_limit
    memory = f"{process.memory_mib}Mi" if process.memory_mib else wanted.memory_limit
    return wanted.model_copy(
        update={
            "cpu_limit": cpu,
            "memory_limit": memory,
            "cpu_request": min(wanted.cpu_request, cpu, key=amount),
            "memory_request": min(wanted.memory_request, memory, key=amount),
        }
    )


def _deployment(  # noqa: PLR0913, PLR0917  # private, one caller
    plan: Plan,
    source: pod.Source,
    parent: pulumi.Resource,
    before: Sequence[pulumi.Resource],
    name: str,
    process: Process,
) -> Deployment:
    selected = identity.selector(plan, name)
    template = pod.template(
        plan,
        source,
        name,
        [pod.container(plan, source, name, process.command, resources(plan, process), **_probes(plan, process))],
        termination_grace_period_seconds=process.stop_grace + MARGIN,
        affinity=storage.affinity(plan),
    )
    rollout = plan.rollout
    timeout = f"{rollout.timeout_s}s"
    return Deployment(
        f"{plan.name}-{name}",
        metadata=identity.metadata(plan, f"{plan.app.name}-{name}", name),
        spec=DeploymentSpecArgs(
            replicas=process.replicas,
            selector=LabelSelectorArgs(match_labels=selected),
            min_ready_seconds=rollout.min_ready_s or None,
            progress_deadline_seconds=rollout.timeout_s,
            revision_history_limit=rollout.revisions,
            strategy=workload.strategy(plan, once=process.singleton),
            template=template,
        ),
        opts=pulumi.ResourceOptions(
            parent=parent,
            # As for the web pods: the schema and the policy come first.
            depends_on=list(before),
            custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
        ),
    )


def _probes(plan: Plan, process: Process) -> dict[str, Any]:
    """Return the probes of a process that has a command for it. Without requests there is no readiness to ask for."""
    if not process.probe:
        return {}
    asked = ExecActionArgs(command=list(process.probe))
    probes = plan.probes
    return {
        "liveness_probe": ProbeArgs(**workload.timing(probes.liveness), exec_=asked),
        "startup_probe": ProbeArgs(**workload.timing(probes.startup), exec_=asked),
    }
