"""Pulumi components that take a Flask application from a laptop to production."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

from flaskstack.app import FlaskApp, Server
from flaskstack.edge import EdgePolicy, RateLimit, SecurityHeaders
from flaskstack.errors import Problem, SettingsError
from flaskstack.image import AppImage, AppImageArgs
from flaskstack.images import DEFAULT_IMAGES
from flaskstack.kubernetes.settings import (
    Autoscaling,
    Ingress,
    Migration,
    Network,
    Probes,
    Resources,
    Rollout,
    Storage,
)
from flaskstack.local.container import Health, Limits
from flaskstack.local_stack import LocalStack, LocalStackArgs
from flaskstack.process import Process
from flaskstack.production import Production

if TYPE_CHECKING:
    from flaskstack.kubernetes_app import KubernetesApp, KubernetesAppArgs

__all__ = [
    "DEFAULT_IMAGES",
    "AppImage",
    "AppImageArgs",
    "Autoscaling",
    "EdgePolicy",
    "FlaskApp",
    "Health",
    "Ingress",
    "KubernetesApp",
    "KubernetesAppArgs",
    "Limits",
    "LocalStack",
    "LocalStackArgs",
    "Migration",
    "Network",
    "Probes",
    "Problem",
    "Process",
    "Production",
    "RateLimit",
    "Resources",
    "Rollout",
    "SecurityHeaders",
    "Server",
    "SettingsError",
    "Storage",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  # whatever the module has
    """Import the Kubernetes target when it is first asked for: its SDK costs half a second, which others save.

    `__version__` is that of the installed distribution, which says it once.
    """
    if name in ("KubernetesApp", "KubernetesAppArgs"):
        from flaskstack import kubernetes_app  # noqa: PLC0415

        return getattr(kubernetes_app, name)
    if name == "__version__":
        return importlib.metadata.version("flaskstack")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
