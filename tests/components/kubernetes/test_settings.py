"""Groups of settings of the Kubernetes target: their figures, and what cannot be."""

from __future__ import annotations

import subprocess
import sys

import pydantic
import pytest

from flaskstack.kubernetes.settings import Autoscaling, Network, Probes, Resources, amount


@pytest.mark.parametrize(
    ("quantity", "number"),
    [("500m", 0.5), ("2", 2), ("1.5", 1.5), ("256Mi", 256 * 2**20), ("1Gi", 2**30), ("1k", 1000)],
)
def test_a_quantity_is_a_number(quantity: str, number: float) -> None:
    assert amount(quantity) == number


@pytest.mark.parametrize("quantity", ["", "lots", "5 Mi", "-1", "1MiB", "0x1"])
def test_what_is_no_quantity_is_refused(quantity: str) -> None:
    with pytest.raises(pydantic.ValidationError, match="String should match pattern"):
        Resources(cpu_limit=quantity)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cpu_request": "2"}, "cpuRequest 2 is more than cpuLimit 500m"),
        ({"memory_request": "1Gi"}, "memoryRequest 1Gi is more than memoryLimit 512Mi"),
        ({"tmp": "1Gi"}, "tmp 1Gi is more than memoryLimit 512Mi"),
    ],
)
def test_more_asked_for_than_allowed_is_refused(values: dict[str, str], message: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=message):
        Resources.model_validate(values)


def test_one_figure_of_a_probe_leaves_the_others_of_its_kind() -> None:
    probes = Probes.model_validate({"readiness": {"periodS": 1}, "startup": {"failures": 60}})
    assert (probes.readiness.delay_s, probes.readiness.period_s, probes.readiness.timeout_s) == (10, 1, 2)
    assert (probes.startup.period_s, probes.startup.failures) == (5, 60)


def test_an_autoscaler_without_room_is_refused() -> None:
    with pytest.raises(pydantic.ValidationError, match="minReplicas 5 is more than maxReplicas 4"):
        Autoscaling(min_replicas=5, max_replicas=4)


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(pydantic.ValidationError, match="does not appear to be an IPv4 or IPv6 network"):
        Network(database_networks=("db.example",))


def test_programs_without_a_cluster_do_not_import_the_kubernetes_sdk() -> None:
    program = (
        "import sys, flaskstack, flaskstack.kubernetes.settings, flaskstack.kubernetes.rollout, "
        "flaskstack.kubernetes.plan; assert 'pulumi_kubernetes' not in sys.modules; "
        "from flaskstack import KubernetesApp; assert 'pulumi_kubernetes' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
