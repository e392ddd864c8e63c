"""A stack of this project on the real cluster, with a state, settings and namespace of its own."""

from __future__ import annotations

import contextlib
import json
import secrets
import ssl
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from support.load import Load, Tls
from support.stack import MIGRATE, PROJECT, ROOT, Answer, Driven

SECONDS: Final = 300
TLS: Final = "of-the-host"
QUICK: Final = {"readiness": {"delayS": 1, "periodS": 1, "failures": 15}, "startup": {"periodS": 1, "failures": 100}}
"""Probes that make a rollout take seconds; the defaults are for production.

As there, a pod that was ready leaves the Service after 15 s of failures. Readiness asks for the database: after three,
two cores on which other tests start their own would take all pods out at once.
"""


def run(*command: str, text: str | None = None, check: bool = True) -> str:
    """Run a command of the toolchain or kubectl, and return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, input=text, timeout=SECONDS, cwd=ROOT)
    if check and done.returncode:
        message = f"{' '.join(command[:4])}: {done.stderr}"
        raise AssertionError(message)
    return done.stdout.strip()


def kubectl(*arguments: str, text: str | None = None, check: bool = True) -> str:
    """Run kubectl on the project's cluster."""
    return run("kubectl", "--context", "flaskstack", *arguments, text=text, check=check)


def objects(namespace: str, kind: str, *arguments: str) -> list[dict[str, Any]]:
    """Return the objects of a kind in a namespace."""
    found = kubectl("--namespace", namespace, "get", kind, "--output", "json", *arguments)
    return list(json.loads(found)["items"])


def fetch(url: str, context: ssl.SSLContext) -> Answer:
    """Return the answer by HTTPS through the cluster's edge on this machine, whose certificate `context` checks."""
    parts = urlsplit(url)
    with contextlib.closing(Tls("127.0.0.1", parts, context)) as connection:
        connection.request("GET", parts.path, headers={"Host": parts.netloc})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())


@dataclass
class ClusterStack(Driven):
    """One stack on the cluster. `app` is a copy of the application that a test may edit."""

    folder: Path
    canary: str
    name: str = field(default_factory=lambda: f"k{secrets.token_hex(4)}")
    settings: dict[str, Any] = field(default_factory=dict)
    passphrase: str = "of a test"

    def __post_init__(self) -> None:
        self.app = self.copy_app()
        self.host = f"{self.name}.flaskstack.localhost"
        self.secret_key = f"{self.canary}-key"
        self._certify()
        self.prepare(
            {
                "mode": "prod",
                "target": "kubernetes",
                "app": {"name": "guestbook", "path": str(self.app), "migrate": MIGRATE},
                "image": {"repository": f"127.0.0.1:15000/{self.name}"},
                "kubernetes": {
                    "context": "flaskstack",
                    "namespace": self.name,
                    "createNamespace": True,
                    "host": self.host,
                    "tlsSecret": TLS,
                    "probes": QUICK,
                    "rollout": {"preStopS": 5, "timeoutS": 110},
                    "migration": {"retries": 0, "timeoutS": 60},
                    "ingress": {"className": "traefik", "port": 18443},
                },
            }
        )
        self.secret("secretKey", self.secret_key)
        # A rollout's cold start may take seconds on two busy cores; what is tested is that no request is lost to it.
        self.secret("databaseUrl", f"{run('toolchain/kube', 'database-url')}?connect_timeout=20")

    def _certify(self) -> None:
        """Make what is there before a stack on a real cluster: its namespace, and in it a certificate for its host."""
        self.certificate, key = self.folder / "tls.crt", self.folder / "tls.key"
        run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", f"/CN={self.host}", "-addext", f"subjectAltName=DNS:{self.host}",
            "-keyout", str(key), "-out", str(self.certificate),
        )  # fmt: skip
        kubectl("create", "namespace", self.name)
        self.kubectl("create", "secret", "tls", TLS, f"--cert={self.certificate}", f"--key={key}")

    def fallback(self, key: str) -> None:
        path = f"{PROJECT}:secretKeyFallbacks[0]"
        self.pulumi("config", "set", "--secret", "--path", path, text=key).expect()

    def kubectl(self, *arguments: str, text: str | None = None, check: bool = True) -> str:
        return kubectl("--namespace", self.name, *arguments, text=text, check=check)

    def objects(self, kind: str, *arguments: str) -> list[dict[str, Any]]:
        return objects(self.name, kind, *arguments)

    def web_pods(self) -> list[str]:
        """Return the names of the web pods that are not stopping."""
        found = [pod for pod in self.objects("pods") if "deletionTimestamp" not in pod["metadata"]]
        component = "app.kubernetes.io/component"
        return [pod["metadata"]["name"] for pod in found if pod["metadata"]["labels"].get(component) == "web"]

    def load(self, *, clients: int = 5) -> Load:
        """Return requests through Traefik, on HTTPS with the certificate of the stack's own host."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        url = f"https://{self.host}:18443"
        paths, post = ("/health", "/health", "/health", "/"), "/api/notes"
        return Load(url, paths=paths, post=post, clients=clients, context=context, address="127.0.0.1")

    def settle(self) -> None:
        """Wait until nothing of a change is under way: every wanted pod is ready, and no other one is left."""
        for _ in range(240):
            wanted = sum(found["spec"]["replicas"] for found in self.objects("deployments"))
            pods = self.objects("pods", "--selector=app.kubernetes.io/component=web")
            if len(pods) == wanted and all(_serves(pod) for pod in pods):
                return
            time.sleep(0.5)
        pytest.fail(self.kubectl("get", "pods,events"))

    def remove(self) -> None:
        """Destroy the stack, and the namespace that it leaves."""
        self.pulumi("destroy", "--yes", "--skip-preview")
        kubectl("delete", "namespace", self.name, "--ignore-not-found", "--wait=false", check=False)


def _serves(pod: dict[str, Any]) -> bool:
    ready = any(found["type"] == "Ready" and found["status"] == "True" for found in pod["status"]["conditions"])
    return ready and "deletionTimestamp" not in pod["metadata"]
