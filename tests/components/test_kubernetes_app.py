"""`KubernetesApp`: what it registers, whole, and in which order."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from support.cluster_app import (
    CONFIG_MAP,
    DEPLOYMENT,
    IMAGE,
    INGRESS,
    NAME,
    SECRET,
    SERVICE,
    arguments,
    container,
    kubernetes_app,
    object_name,
    pod,
    spec,
)
from support.recorder import Recording, record

from flaskstack import FlaskApp, KubernetesApp, Server
from flaskstack.app import SERVER_CONFIG_SOURCE
from flaskstack.kubernetes.settings import Ingress, Liveness, Probes, Rollout

SELECTOR = {
    "app.kubernetes.io/name": "shop",
    "app.kubernetes.io/instance": NAME,
    "app.kubernetes.io/component": "web",
}
HOST_HEADER = [{"name": "Host", "value": "shop.example"}]


@pytest.fixture(scope="module")
def app() -> Recording:
    return kubernetes_app()


def environment(recording: Recording, kind: str = DEPLOYMENT) -> dict[str, Any]:
    return {item["name"]: item.get("value", item.get("valueFrom")) for item in container(recording, kind)["env"]}


def test_the_deployment_is_this_and_nothing_else(app: Recording) -> None:
    found = spec(app, DEPLOYMENT)
    found["template"]["spec"]["containers"][0].pop("env")
    assert found == {
        "replicas": 3,
        "selector": {"matchLabels": SELECTOR},
        "progressDeadlineSeconds": 600,
        "revisionHistoryLimit": 3,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {
            "metadata": {"labels": SELECTOR},
            "spec": {
                "serviceAccountName": "shop",
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "terminationGracePeriodSeconds": 45,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 1000,
                    "runAsGroup": 1000,
                    "fsGroup": 1000,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "affinity": {
                    "podAntiAffinity": {
                        "preferredDuringSchedulingIgnoredDuringExecution": [
                            {
                                "weight": 100,
                                "podAffinityTerm": {
                                    "topologyKey": "kubernetes.io/hostname",
                                    "labelSelector": {"matchLabels": SELECTOR},
                                },
                            }
                        ]
                    }
                },
                "topologySpreadConstraints": [
                    {
                        "maxSkew": 1,
                        "topologyKey": "topology.kubernetes.io/zone",
                        "whenUnsatisfiable": "ScheduleAnyway",
                        "labelSelector": {"matchLabels": SELECTOR},
                        "matchLabelKeys": ["pod-template-hash"],
                    }
                ],
                "volumes": [
                    {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "100Mi"}},
                    {"name": "server-config", "configMap": {"name": object_name(app, CONFIG_MAP)}},
                ],
                "containers": [
                    {
                        "name": "web",
                        "image": IMAGE,
                        "imagePullPolicy": "IfNotPresent",
                        "args": ["gunicorn", "--config", "/etc/flaskstack/gunicorn.conf.py", "app:create_app()"],
                        "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}],
                        "lifecycle": {"preStop": {"sleep": {"seconds": 10}}},
                        "resources": {
                            "requests": {"cpu": "100m", "memory": "256Mi"},
                            "limits": {"cpu": "500m", "memory": "512Mi"},
                        },
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "terminationMessagePolicy": "FallbackToLogsOnError",
                        "volumeMounts": [
                            {"name": "tmp", "mountPath": "/tmp"},
                            {"name": "server-config", "mountPath": "/etc/flaskstack", "readOnly": True},
                        ],
                        "livenessProbe": {
                            "initialDelaySeconds": 30,
                            "periodSeconds": 10,
                            "timeoutSeconds": 3,
                            "failureThreshold": 3,
                            "tcpSocket": {"port": 8000},
                        },
                        "readinessProbe": {
                            "initialDelaySeconds": 10,
                            "periodSeconds": 5,
                            "timeoutSeconds": 2,
                            "failureThreshold": 3,
                            "httpGet": {"path": "/ready", "port": 8000, "scheme": "HTTP", "httpHeaders": HOST_HEADER},
                        },
                        "startupProbe": {
                            "periodSeconds": 5,
                            "timeoutSeconds": 3,
                            "failureThreshold": 30,
                            "httpGet": {"path": "/health", "port": 8000, "scheme": "HTTP", "httpHeaders": HOST_HEADER},
                        },
                    }
                ],
            },
        },
    }


def test_the_process_is_told_of_the_proxy_https_and_its_one_host(app: Recording) -> None:
    variables = environment(app)
    assert variables["PROXY_HOPS"] == "1"
    assert variables["FLASK_SESSION_COOKIE_SECURE"] == "true"
    assert variables["FLASK_PREFERRED_URL_SCHEME"] == "https"
    assert variables["TRUSTED_HOSTS"] == "shop.example"
    assert variables["APP_VERSION"] == "abababababab"
    assert "FLASK_DEBUG" not in variables


def test_gunicorn_keeps_connections_longer_than_the_edge_does(app: Recording) -> None:
    assert environment(app)["GUNICORN_KEEPALIVE"] == "95"
    shorter = kubernetes_app(rollout=Rollout(edge_idle_s=60))
    assert environment(shorter)["GUNICORN_KEEPALIVE"] == "65"


def test_the_service_leads_from_80_to_the_applications_port(app: Recording) -> None:
    assert spec(app, SERVICE) == {
        "type": "ClusterIP",
        "selector": SELECTOR,
        "ports": [{"name": "http", "port": 80, "targetPort": 8000, "protocol": "TCP"}],
    }


def test_the_ingress_has_a_tls_secret_and_a_host_rule(app: Recording) -> None:
    assert spec(app, INGRESS) == {
        "tls": [{"hosts": ["shop.example"], "secretName": "shop-tls"}],
        "rules": [
            {
                "host": "shop.example",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "shop", "port": {"number": 80}}},
                        }
                    ]
                },
            }
        ],
    }


def test_without_a_tls_secret_it_is_the_controllers_certificate_and_still_tls() -> None:
    assert spec(kubernetes_app(tls_secret=None), INGRESS)["tls"] == [{"hosts": ["shop.example"]}]


def test_the_ingress_takes_class_and_annotations_and_need_not_be_waited_for() -> None:
    wanted = Ingress(class_name="traefik", annotations={"cert-manager.io/cluster-issuer": "acme"}, wait=False)
    recording = kubernetes_app(ingress=wanted)
    (found,) = recording.of(INGRESS)
    assert found.plain["spec"]["ingressClassName"] == "traefik"
    assert found.plain["metadata"]["annotations"] == {
        "pulumi.com/patchForce": "true",
        "pulumi.com/skipAwait": "true",
        "cert-manager.io/cluster-issuer": "acme",
    }


def test_without_an_ingress_the_url_is_the_services() -> None:
    recording = kubernetes_app(ingress=Ingress(enabled=False), namespace="apps")
    assert recording.of(INGRESS) == []
    assert recording.value["url"] == "http://shop.apps.svc"


def test_the_configuration_is_the_one_of_every_target_under_a_name_of_its_content(app: Recording) -> None:
    (config,) = app.of(CONFIG_MAP)
    assert config.plain["data"] == {"gunicorn.conf.py": SERVER_CONFIG_SOURCE.read_text()}
    assert config.plain["immutable"] is True


def test_liveness_can_be_asked_over_http() -> None:
    probes = Probes(liveness=Liveness(kind="http"))
    probe = container(kubernetes_app(probes=probes))["livenessProbe"]
    assert probe["httpGet"] == {"path": "/health", "port": 8000, "scheme": "HTTP", "httpHeaders": HOST_HEADER}
    assert "tcpSocket" not in probe


def test_an_application_without_a_health_route_is_asked_by_a_connection() -> None:
    web = container(kubernetes_app(app=FlaskApp(name="shop", liveness="tcp", readiness="tcp")))
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        assert web[probe]["tcpSocket"] == {"port": 8000}
        assert "httpGet" not in web[probe]
    assert web["readinessProbe"]["periodSeconds"] == 5


def test_an_application_that_brings_its_own_server_runs_it() -> None:
    app = FlaskApp(name="shop", web_command=("waitress-serve", "--port=8000", "shop:app"))
    assert container(kubernetes_app(app=app))["args"] == ["waitress-serve", "--port=8000", "shop:app"]


def test_probes_send_a_host_that_the_application_trusts() -> None:
    trusting = FlaskApp(name="shop", trusted_hosts=(".shop.example", "other.example"))
    recording = kubernetes_app(app=trusting)
    header = container(recording)["readinessProbe"]["httpGet"]["httpHeaders"]
    assert header == HOST_HEADER
    assert environment(recording)["TRUSTED_HOSTS"] == ".shop.example,other.example"


def test_what_gunicorn_may_take_to_stop_is_in_the_pods_grace_period() -> None:
    slow = FlaskApp(name="shop", server=Server(graceful_timeout=120))
    assert pod(kubernetes_app(app=slow))["terminationGracePeriodSeconds"] == 135


def test_without_a_pre_stop_sleep_there_is_no_hook() -> None:
    assert container(kubernetes_app(rollout=Rollout(pre_stop_s=0))).get("lifecycle", {}) == {}


def test_outputs_name_what_to_open_and_what_runs(app: Recording) -> None:
    assert app.value == {
        "url": "https://shop.example",
        "image": IMAGE,
        "namespace": "default",
        "deployment": "shop",
        "service": "shop",
        "secret": object_name(app, SECRET),
    }
    assert app.outputs[app.one(NAME).urn] == app.value


def test_an_edge_on_another_port_is_in_the_url() -> None:
    assert kubernetes_app(ingress=Ingress(port=8443)).value["url"] == "https://shop.example:8443"


def test_everything_is_a_child_of_the_component(app: Recording) -> None:
    component = app.one(NAME)
    assert component.type == "flaskstack:index:KubernetesApp"
    assert all(part.parent == component.urn for part in app.resources if part is not component)
    assert all(part.name.startswith(f"{NAME}-") for part in app.resources if part is not component)


def test_a_preview_registers_everything_too() -> None:
    assert sorted(kubernetes_app(preview=True).names()) == sorted(kubernetes_app().names())


def test_a_bad_argument_registers_nothing() -> None:
    def build() -> None:
        with pytest.raises(pulumi.RunError):
            KubernetesApp(NAME, arguments(replicas=0))

    assert record(build).resources == []
