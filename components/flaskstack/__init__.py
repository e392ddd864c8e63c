"""Pulumi components that take a Flask application from a laptop to production."""

from flaskstack.app import FlaskApp, Server
from flaskstack.edge import EdgePolicy, RateLimit, SecurityHeaders
from flaskstack.errors import Problem, SettingsError
from flaskstack.image import AppImage, AppImageArgs
from flaskstack.images import DEFAULT_IMAGES
from flaskstack.local.container import Health, Limits
from flaskstack.local_stack import LocalStack, LocalStackArgs

__all__ = [
    "DEFAULT_IMAGES",
    "AppImage",
    "AppImageArgs",
    "EdgePolicy",
    "FlaskApp",
    "Health",
    "Limits",
    "LocalStack",
    "LocalStackArgs",
    "Problem",
    "RateLimit",
    "SecurityHeaders",
    "Server",
    "SettingsError",
]
