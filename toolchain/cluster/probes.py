"""How one sees that a program serves: by what it answers."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from lib.progress import StepError

from cluster import builds, certificates, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def http(url: str) -> Callable[[], bool]:
    """Return a probe that a URL answers with 200. Certificates are not looked at: only this machine is asked."""

    def probe() -> bool:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)]
            with urllib.request.build_opener(*handlers).open(url, timeout=5) as answer:
                return bool(answer.status == 200)  # noqa: PLR2004  # OK
        except (OSError, urllib.error.URLError):
            return False

    return probe


def port(number: int, host: str = "127.0.0.1") -> Callable[[], bool]:
    """Return a probe that a TCP port accepts."""

    def probe() -> bool:
        try:
            socket.create_connection((host, number), timeout=2).close()
        except OSError:
            return False
        return True

    return probe


def taken(numbers: list[int]) -> list[int]:
    """Return the ports of this machine's loopback on which somebody listens."""
    return [number for number in numbers if port(number)()]


def kubectl(*arguments: str, content: object = None, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run kubectl as the administrator, with an object or a text on its standard input."""
    given = content if isinstance(content, str) or content is None else json.dumps(content)
    command: list[str | Path] = [
        builds.program("kubectl"),
        "--kubeconfig",
        certificates.client_config("admin"),
        *arguments,
    ]
    return subprocess.run(command, input=given, capture_output=True, check=False, text=True, timeout=timeout)


def apply(content: object, what: str) -> None:
    """Apply manifests, as the manager `flaskstack-cluster`."""
    done = kubectl(
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=flaskstack-cluster",
        "--filename=-",
        content=content,
    )
    if done.returncode:
        message = f"{what}: {done.stderr.strip()}"
        raise StepError(message)


def get(*arguments: str) -> Any:  # noqa: ANN401  # JSON
    """Return what `kubectl get` shows; None when there is nothing."""
    done = kubectl("get", *arguments, "--output=json")
    return json.loads(done.stdout) if done.returncode == 0 else None


def node_ready() -> bool:
    """Return whether the node takes pods."""
    node = get("node", settings.NAME)
    conditions = node["status"].get("conditions", []) if node else []
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)
