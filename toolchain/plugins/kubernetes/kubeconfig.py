"""How to reach a cluster: from a kubeconfig's text, path or usual places, as kubectl finds it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from plugins.kubernetes.values import Object, Value


_IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class KubeconfigError(Exception):
    """No way to a cluster: what is missing or wrong, without any credential."""


@dataclass(frozen=True)
class Access:
    """An API server and the credentials for it."""

    server: str
    namespace: str = "default"
    authority: bytes | None = None
    verify: bool = True
    server_name: str | None = None
    certificate: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)


def load(
    text_or_path: str, *, context: str = "", cluster: str = "", environment: dict[str, str] | None = None
) -> Access:
    """Find the way to a cluster.

    `text_or_path` is the provider's setting; empty means KUBECONFIG, then ~/.kube/config, then the pod's own account.
    """
    config, folder = read(text_or_path, environment)
    if not config.get("contexts") and not text_or_path and not context and not cluster and _IN_CLUSTER.is_dir():
        return _in_cluster()
    return _access(config, folder, context, cluster)


def read(text_or_path: str, environment: dict[str, str] | None = None) -> tuple[Object, Path]:
    """Read a kubeconfig and the folder that its relative paths start from; empty if there is none."""
    if text_or_path:
        path = Path(text_or_path).expanduser()
        if _is_file(path):
            return _parse(path.read_text(encoding="utf-8"), str(path)), path.parent
        return _parse(text_or_path, "the kubeconfig setting"), Path.cwd()
    variables = os.environ if environment is None else environment
    listed = variables.get("KUBECONFIG", "")
    paths = [Path(item) for item in listed.split(os.pathsep) if item] or [Path.home() / ".kube" / "config"]
    merged: Object = {}
    folder = paths[0].parent
    for path in paths:
        if path.is_file():
            folder = folder if merged else path.parent
            merged = _merge(merged, _parse(path.read_text(encoding="utf-8"), str(path)))
    return merged, folder


def active_cluster(config: Object, context: str = "", cluster: str = "") -> Object | None:
    """Read the settings of the cluster that a kubeconfig points to, None if it points to none."""
    chosen = _named(config, "contexts", "context", context or str(config.get("current-context") or ""))
    name = cluster or str((chosen or {}).get("cluster") or "")
    return _named(config, "clusters", "cluster", name) if chosen is not None else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False  # a kubeconfig's text is too long for a path


def _parse(text: str, origin: str) -> Object:
    try:
        parsed = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or "not YAML"
        raise KubeconfigError(f"{origin} is no kubeconfig: {problem}") from None
    if not isinstance(parsed, dict):
        raise KubeconfigError(f"{origin} is neither a kubeconfig nor the path of one")
    return parsed


def _merge(first: Object, second: Object) -> Object:
    merged = {**second, **first}
    for key in ("clusters", "contexts", "users"):
        known = {item.get("name") for item in first.get(key) or []}
        merged[key] = [
            *(first.get(key) or []),
            *(item for item in second.get(key) or [] if item.get("name") not in known),
        ]
    return merged


def _named(config: Object, group: str, kind: str, name: str) -> Object | None:
    for item in config.get(group) or []:
        if isinstance(item, dict) and item.get("name") == name:
            found = item.get(kind) or {}
            return found if isinstance(found, dict) else {}
    return None


def _access(config: Object, folder: Path, context: str, cluster: str) -> Access:
    wanted = context or str(config.get("current-context") or "")
    chosen = _named(config, "contexts", "context", wanted)
    if chosen is None:
        known = ", ".join(sorted(str(item.get("name")) for item in config.get("contexts") or [])) or "none"
        raise KubeconfigError(f"no kubeconfig context {wanted!r} (known: {known})" if wanted else "no kubeconfig found")
    settings = active_cluster(config, context, cluster)
    if settings is None or not settings.get("server"):
        raise KubeconfigError(
            f"context {wanted!r}: cluster {cluster or chosen.get('cluster')!r} is not in the kubeconfig"
        )
    if settings.get("proxy-url"):
        raise KubeconfigError("proxy-url is not supported by this plugin; use the official one")
    user = _named(config, "users", "user", str(chosen.get("user") or "")) or {}
    headers, certificate, key = _credentials(user, folder)
    return Access(
        server=str(settings["server"]).rstrip("/"),
        namespace=str(chosen.get("namespace") or "default"),
        authority=_bytes(settings, "certificate-authority", folder),
        verify=not settings.get("insecure-skip-tls-verify"),
        server_name=settings.get("tls-server-name"),
        certificate=certificate,
        key=key,
        headers=headers,
    )


def _credentials(user: Object, folder: Path) -> tuple[dict[str, str], bytes | None, bytes | None]:
    certificate, key = _bytes(user, "client-certificate", folder), _bytes(user, "client-key", folder)
    if user.get("exec"):
        status = _execute(user["exec"])
        token = status.get("token")
        certificate = (
            str(status["clientCertificateData"]).encode() if "clientCertificateData" in status else certificate
        )
        key = str(status["clientKeyData"]).encode() if "clientKeyData" in status else key
        return ({"Authorization": f"Bearer {token}"} if token else {}), certificate, key
    if user.get("auth-provider"):
        raise KubeconfigError("auth-provider is not supported by this plugin; use an exec credential plugin")
    if user.get("tokenFile"):
        return {"Authorization": f"Bearer {(folder / user['tokenFile']).read_text('utf-8').strip()}"}, certificate, key
    if user.get("token"):
        return {"Authorization": f"Bearer {user['token']}"}, certificate, key
    if user.get("username"):
        pair = base64.b64encode(f"{user['username']}:{user.get('password', '')}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}, certificate, key
    return {}, certificate, key


def _bytes(settings: Object, name: str, folder: Path) -> bytes | None:
    if settings.get(f"{name}-data"):
        return base64.b64decode(str(settings[f"{name}-data"]))
    if settings.get(name):
        path = folder / str(settings[name])
        try:
            return path.read_bytes()
        except OSError as error:
            raise KubeconfigError(f"{name}: cannot read {path}: {error.strerror}") from None
    return None


def _execute(spec: Value) -> Object:
    """Run a credential plugin and read the status that it prints."""
    command = [str(spec.get("command")), *(str(item) for item in spec.get("args") or [])]
    extra = {str(item["name"]): str(item["value"]) for item in spec.get("env") or []}
    extra["KUBERNETES_EXEC_INFO"] = json.dumps(
        {"apiVersion": spec.get("apiVersion"), "kind": "ExecCredential", "spec": {"interactive": False}},
    )
    try:
        done = subprocess.run(command, env={**os.environ, **extra}, capture_output=True, check=True, timeout=60)
        status = json.loads(done.stdout).get("status") or {}
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise KubeconfigError(f"credential plugin {command[0]!r} failed: {type(error).__name__}") from None
    return status if isinstance(status, dict) else {}


def _in_cluster() -> Access:
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise KubeconfigError("no kubeconfig found")
    return Access(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        namespace=(_IN_CLUSTER / "namespace").read_text("utf-8").strip(),
        authority=(_IN_CLUSTER / "ca.crt").read_bytes(),
        headers={"Authorization": f"Bearer {(_IN_CLUSTER / 'token').read_text('utf-8').strip()}"},
    )
