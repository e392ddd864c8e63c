"""A stack of this project on the real cluster, with a state, settings and namespace of its own."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import ssl
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from support.load import Load
from support.stack import Expecting, merge

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final = "flaskstack"
SECONDS: Final = 300
TLS: Final = "of-the-host"
MIGRATE: Final = ["flask", "--app", "app:create_app", "db", "upgrade"]
QUICK: Final = {"readiness": {"delayS": 1, "periodS": 1}, "startup": {"periodS": 1, "failures": 100}}
"""Probes that make a rollout take seconds; the defaults are for production."""


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


@dataclass
class ClusterStack:
    """One stack on the cluster. `app` is a copy of the application that a test may edit."""

    folder: Path
    canary: str
    name: str = field(default_factory=lambda: f"k{secrets.token_hex(4)}")
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.app = self.folder / "app"
        shutil.copytree(ROOT / "app", self.app, ignore=shutil.ignore_patterns("__pycache__", "instance"))
        (self.folder / "state").mkdir()
        self.host = f"{self.name}.flaskstack.localhost"
        self.secret_key = f"{self.canary}-key"
        self.settings = merge(
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
            },
            self.settings,
        )
        self.write()
        self._certify()
        self.pulumi("stack", "init", self.name).expect()
        (ROOT / "stacks" / self.config_file.name).unlink(missing_ok=True)
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

    @property
    def config_file(self) -> Path:
        return self.folder / f"Pulumi.{self.name}.yaml"

    def write(self) -> None:
        """Write the settings; secrets and what the CLI keeps in the file stay."""
        kept = yaml.safe_load(self.config_file.read_text()) if self.config_file.exists() else {}
        held = {key: value for key, value in (kept.get("config") or {}).items() if isinstance(value, dict)}
        config = {key: value for key, value in held.items() if "secure" in value}
        config |= {f"{PROJECT}:{key}": value for key, value in self.settings.items()}
        self.config_file.write_text(yaml.safe_dump({**kept, "config": config}))

    def set(self, **settings: Any) -> None:
        """Change settings, group by group; a value of ... removes one."""
        self.settings = merge(self.settings, settings)
        self.write()

    def secret(self, key: str, value: str) -> None:
        self.pulumi("config", "set", "--secret", f"{PROJECT}:{key}", text=value).expect()

    def fallback(self, key: str) -> None:
        path = f"{PROJECT}:secretKeyFallbacks[0]"
        self.pulumi("config", "set", "--secret", "--path", path, text=key).expect()

    def pulumi(self, *arguments: str, text: str | None = None) -> Expecting:
        """Run the CLI on this stack."""
        environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "of a test",
            "NO_COLOR": "1",
        }
        environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        command = ["pulumi", "--non-interactive", "--color", "never", "--cwd", str(ROOT), *arguments]
        if arguments[:2] != ("stack", "init"):
            command += ["--stack", self.name]
        if arguments[0] in ("up", "preview", "destroy", "refresh", "config"):
            command += ["--config-file", str(self.config_file)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment, input=text, timeout=SECONDS
        )
        return Expecting(done.returncode, done.stdout + done.stderr)

    def up(self, *flags: str) -> Expecting:
        return self.pulumi("up", "--yes", "--skip-preview", *flags)

    def outputs(self) -> dict[str, Any]:
        return dict(json.loads(self.pulumi("stack", "output", "--json").expect().output))

    def kubectl(self, *arguments: str, text: str | None = None, check: bool = True) -> str:
        return kubectl("--namespace", self.name, *arguments, text=text, check=check)

    def objects(self, kind: str, *arguments: str) -> list[dict[str, Any]]:
        return list(json.loads(self.kubectl("get", kind, "--output", "json", *arguments))["items"])

    def web_pods(self) -> list[str]:
        """Return the names of the web pods that are not stopping."""
        found = [pod for pod in self.objects("pods") if "deletionTimestamp" not in pod["metadata"]]
        component = "app.kubernetes.io/component"
        return [pod["metadata"]["name"] for pod in found if pod["metadata"]["labels"].get(component) == "web"]

    def load(self, **more: Any) -> Load:
        """Return requests through Traefik, on HTTPS with the certificate of the stack's own host."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        url = f"https://{self.host}:18443"
        paths, post = ("/health", "/"), "/api/notes"
        return Load(url, paths=paths, post=post, context=context, address="127.0.0.1", **more)

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
