"""The arithmetic of a rollout: how long a pod takes to stop and to start, and what then contradicts what.

A stopping pod: the edge is told, and at the same moment the clock of the termination grace period starts. For the
preStop sleep the pod serves as before, so that requests of an edge that has not heard yet are answered. Then Gunicorn
gets SIGTERM, takes nothing new, and finishes what is under way within its graceful timeout. What is left is killed.

    termination grace >= preStop sleep + graceful timeout + 5 s for Python to exit
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flaskstack.errors import Problem

if TYPE_CHECKING:
    from flaskstack.app import Server
    from flaskstack.kubernetes.settings import Probes, Rollout

MARGIN: Final = 5
"""Seconds above a sum, for a process to exit, or for a connection's end to be noticed."""
PREFIX: Final = "kubernetes."


def needed_grace(rollout: Rollout, server: Server) -> int:
    """Return the seconds that a pod may need to stop without losing a request."""
    return rollout.pre_stop_s + server.graceful_timeout + MARGIN


def termination_grace(rollout: Rollout, server: Server) -> int:
    """Return terminationGracePeriodSeconds."""
    return rollout.termination_grace_s or needed_grace(rollout, server)


def startup_budget(probes: Probes) -> int:
    """Return the seconds that a pod may take until it is ready, as its probes allow."""
    startup, readiness = probes.startup, probes.readiness
    started = startup.delay_s + startup.period_s * startup.failures
    return max(started, readiness.delay_s) + readiness.period_s


def kept_alive(rollout: Rollout, server: Server) -> int:
    """Return the seconds that Gunicorn keeps an idle connection: longer than the edge, which has to close it first."""
    return max(server.keep_alive, rollout.edge_idle_s + MARGIN)


def contradictions(rollout: Rollout, probes: Probes, server: Server, prefix: str = PREFIX) -> list[Problem]:
    """Return what is wrong with figures that are each valid. `prefix` stands before each key."""
    found = []

    def problem(field: str, value: object, reason: str, fix: object) -> None:
        key = f"{prefix}rollout.{field}"
        found.append(Problem(key, str(value), reason, f"pulumi config set --path {key} {fix}"))

    needed = needed_grace(rollout, server)
    if termination_grace(rollout, server) < needed:
        reason = (
            f"a pod would be killed with requests under way: preStopS {rollout.pre_stop_s} + "
            f"app.server.gracefulTimeout {server.graceful_timeout} + {MARGIN} are {needed}"
        )
        problem("terminationGraceS", rollout.termination_grace_s, reason, needed)
    if rollout.max_surge == 0 and rollout.max_unavailable == 0:
        problem("maxSurge", 0, "with maxUnavailable 0 no pod could ever be replaced", 1)
    budget = startup_budget(probes) + rollout.min_ready_s
    if rollout.timeout_s <= budget:
        reason = f"`up` would give up on a pod that its probes and minReadyS still give {budget} s to get ready"
        problem("timeoutS", rollout.timeout_s, reason, budget + 60)
    return found
