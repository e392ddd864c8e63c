"""The arithmetic of a rollout."""

from __future__ import annotations

import pytest

from flaskstack import Server
from flaskstack.kubernetes.rollout import contradictions, kept_alive, startup_budget, termination_grace
from flaskstack.kubernetes.settings import Probes, Readiness, Rollout, Startup


def problems(rollout: Rollout, probes: Probes | None = None, server: Server | None = None) -> dict[str, str]:
    found = contradictions(rollout, probes or Probes(), server or Server(), "flaskstack:kubernetes.")
    return {problem.key.removeprefix("flaskstack:kubernetes.rollout."): str(problem) for problem in found}


def test_the_grace_period_is_the_sum_of_the_pre_stop_sleep_the_graceful_timeout_and_five_seconds() -> None:
    assert termination_grace(Rollout(), Server()) == 10 + 30 + 5
    assert termination_grace(Rollout(pre_stop_s=0), Server(graceful_timeout=90)) == 95
    assert termination_grace(Rollout(pre_stop_s=20), Server(graceful_timeout=1)) == 26


def test_a_longer_grace_period_can_be_given() -> None:
    rollout = Rollout(termination_grace_s=120)
    assert termination_grace(rollout, Server()) == 120
    assert problems(rollout) == {}


@pytest.mark.parametrize("given", [1, 44])
def test_a_grace_period_in_which_requests_would_be_killed_is_refused_with_the_sum(given: int) -> None:
    found = problems(Rollout(termination_grace_s=given))
    assert set(found) == {"terminationGraceS"}
    assert "preStopS 10 + app.server.gracefulTimeout 30 + 5 are 45" in found["terminationGraceS"]
    assert "pulumi config set --path flaskstack:kubernetes.rollout.terminationGraceS 45" in found["terminationGraceS"]


def test_the_defaults_contradict_nothing() -> None:
    assert problems(Rollout()) == {}


def test_a_rollout_that_could_replace_no_pod_is_refused() -> None:
    assert "no pod could ever be replaced" in problems(Rollout(max_surge=0))["maxSurge"]
    assert problems(Rollout(max_surge=0, max_unavailable=1)) == {}


def test_a_pod_may_take_as_long_to_start_as_its_probes_allow() -> None:
    assert startup_budget(Probes()) == 5 * 30 + 5
    slow = Probes(startup=Startup(delay_s=60), readiness=Readiness(delay_s=300, period_s=1))
    assert startup_budget(slow) == 300 + 1


def test_a_timeout_shorter_than_a_start_may_take_is_refused() -> None:
    found = problems(Rollout(timeout_s=155))
    assert "still give 155 s" in found["timeoutS"]
    assert problems(Rollout(timeout_s=156)) == {}
    assert "185 s" in problems(Rollout(timeout_s=180, min_ready_s=30))["timeoutS"]


def test_everything_wrong_is_found_at_once() -> None:
    assert set(problems(Rollout(termination_grace_s=1, max_surge=0, timeout_s=1))) == {
        "terminationGraceS",
        "maxSurge",
        "timeoutS",
    }


def test_gunicorn_keeps_an_idle_connection_longer_than_the_edge() -> None:
    assert kept_alive(Rollout(), Server()) == 95
    assert kept_alive(Rollout(edge_idle_s=60), Server()) == 65
    assert kept_alive(Rollout(edge_idle_s=60), Server(keep_alive=120)) == 120
