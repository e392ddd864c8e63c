"""The files of a Pulumi project around a Flask application, as text.

Deliberately not here: where they go, and writing them. That is `init.py`.
"""

from __future__ import annotations

import importlib.metadata
import json
from typing import TYPE_CHECKING, Final

from flaskstack.model import Model
from flaskstack.production import SETTINGS

if TYPE_CHECKING:
    from flaskstack.app import FlaskApp

_ALWAYS: Final = ("name", "path", "entry")
"""Fields that are written even with their defaults: a reader looks for them."""


def files(app: FlaskApp) -> dict[str, str]:
    """Return file name -> content of the project whose program deploys `app`."""
    return {
        "Pulumi.yaml": (
            f"name: {app.name}\n"
            f"description: {app.name} from a laptop to production, with flaskstack.\n"
            "runtime:\n  name: python\n  options:\n    virtualenv: .venv\n"
        ),
        "__main__.py": program(app),
        "Pulumi.dev.yaml": (
            "# Development on this machine's Docker engine: live reload, debugger, secrets made at the first start.\n"
            f"config:\n  {app.name}:port: 8080\n"
        ),
        "Pulumi.prod.yaml": production(app),
        "requirements.txt": f"{requirement()}\n",
        ".gitignore": ".venv/\n__pycache__/\n",
    }


def dockerignore(project: str) -> str:
    """Return a .dockerignore: what does not run must not be in the image. `project`: folder of the Pulumi project."""
    kept_out = (
        project,
        ".git",
        "**/__pycache__",
        "**/*.py[cod]",
        "**/.*_cache",
        "**/.env*",
        ".venv",
        "venv",
        "instance",
        "tests",
    )
    return "\n".join(each for each in kept_out if each) + "\n"


def program(app: FlaskApp) -> str:
    """Return the Pulumi program."""
    models: set[str] = set()
    fields = "".join(f"    {field},\n" for field in _fields(app, models, _ALWAYS))
    always = {"AppImage", "FlaskApp", "KubernetesApp", "Limits", "LocalStack", "Production"}
    imported = ", ".join(sorted(always | models))
    return f'''\
"""{app.name}: on a Kubernetes cluster where the stack's target says so, else on this machine's Docker engine."""

import pulumi
from flaskstack import {imported}

app = FlaskApp(
{fields})
name = f"{{pulumi.get_project()}}-{{pulumi.get_stack()}}"
config = pulumi.Config()

if config.get("target") == "kubernetes":
    production = Production.of(app)
    image = AppImage(name, {{"app": app, "repository": production.repository}})
    args = {{"app": app, "image": image.ref, **production.args}}
    site = KubernetesApp(name, args, pulumi.ResourceOptions(providers=[production.cluster]))
else:
    image = AppImage(name, {{"app": app}})
    args = {{"app": app, "image": image.ref, "dev": True, "port": config.get_int("port") or 8080}}
    # Docker engines that are in a container themselves cannot give the default of 65,535 open files.
    site = LocalStack(name, {{**args, "limits": Limits(nofile=16_384)}})

pulumi.export("url", site.url)
'''


def production(app: FlaskApp) -> str:
    """Return the settings of production. What only a person knows stands as comments: a preview asks for it."""
    secrets = {"secretKey": True, "databaseUrl": app.postgres, "redisUrl": app.redis}
    commands = "".join(f"#   pulumi config set --secret {key}\n" for key, wanted in secrets.items() if wanted)
    settings = "".join(f"  # {app.name}:{key}: ...  ({meaning})\n" for key, meaning in SETTINGS.items())
    return f"""\
# Production on a Kubernetes cluster. Fill in what is commented out; a preview names all that is missing. Secrets are
# kept encrypted here; each command asks for the value:
{commands}config:
  {app.name}:target: kubernetes
{settings}  # {app.name}:namespace: ...  (default: default)
  # {app.name}:tlsSecret: ...  (Secret with the host's certificate; default: the ingress controller's own certificate)
"""


def requirement() -> str:
    """Return what installs this very flaskstack: where it was installed from, if that was no package index."""
    distribution = importlib.metadata.distribution("flaskstack")
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if not origin:
        return f"flaskstack=={distribution.version}"
    if commit := origin.get("vcs_info", {}).get("commit_id"):
        part = f"#subdirectory={origin['subdirectory']}" if "subdirectory" in origin else ""
        return f"flaskstack @ git+{origin['url']}@{commit}{part}"
    return f"flaskstack @ {origin['url']}"


def _fields(value: Model, models: set[str], always: tuple[str, ...] = ()) -> list[str]:
    """Return the fields of `value` that differ from their defaults, as keyword arguments. `models`: classes of them."""
    shown = []
    for name, field in type(value).model_fields.items():
        held = getattr(value, name)
        if name in always or held != field.get_default(call_default_factory=True, validated_data={}):
            shown.append(f"{name}={_literal(held, models)}")
    return shown


def _literal(value: object, models: set[str]) -> str:
    """Return `value` as Python source, in double quotes."""
    match value:
        case Model():
            models.add(type(value).__name__)
            return f"{type(value).__name__}({', '.join(_fields(value, models))})"
        case str():
            return json.dumps(value)
        case tuple() | list():
            inside = ", ".join(_literal(each, models) for each in value)
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        case dict():
            pairs = (f"{_literal(key, models)}: {_literal(each, models)}" for key, each in value.items())
            return f"{{{', '.join(pairs)}}}"
        case _:
            return repr(value)
