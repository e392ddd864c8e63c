"""Write a compose file that runs an application as LocalStack does.

nginx, Gunicorn, PostgreSQL, Redis and the migration, with the same limits, health checks, volumes and hardening, for
people without Pulumi. It needs Docker Compose 2.24 or later. Secrets are references to the environment or to a file
.env. Files that services mount are written into the folder compose beside it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flaskstack import AppImage, AppImageArgs, LocalStack, LocalStackArgs, build_context
from flaskstack.cli import detect, services, written
from flaskstack.cli.registered import STACK, registered
from flaskstack.dependencies import MANIFESTS
from flaskstack.errors import Problem, SettingsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from flaskstack.app import FlaskApp


COMMON: Final = "common"
"""Name of what all services share, which a YAML anchor says once."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    detect.arguments(parser)
    parser.add_argument("--dev", action="store_true", help="development: live reload of the source, and the debugger")
    parser.add_argument(
        "--port", type=int, default=8080, help="port of this machine that nginx listens on; default: 8080"
    )
    written.arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Write or print it."""
    app = detect.guess(options.path, entry=options.entry, name=options.name).app
    output = Path(options.output).resolve() if options.output else app.source
    files = render(app, output, dev=options.dev, port=options.port)
    if not options.output:
        sys.stdout.write(files["compose.yaml"])
        others = ", ".join(name for name in files if name != "compose.yaml")
        sys.stderr.write(f"it mounts {others}; --output DIR writes them too\n")
        return 0
    targets = {output / name: content for name, content in files.items()}
    if not options.force:
        written.refuse_collisions(targets, "move it away, or --force")
    _keep_secrets_out(app, output)
    written.write(targets)
    return 0


def render(app: FlaskApp, output: Path, *, dev: bool = False, port: int = 8080) -> dict[str, str]:
    """Return file name -> content of what runs `app` from the folder `output`."""
    name = f"{app.name}-{STACK}"

    def build() -> None:
        # A CA bundle belongs to the machine that builds, not into a file.
        AppImage(name, AppImageArgs(app=app, ca_bundle=""))
        further = {variable: services.reference(variable) for variable in app.secrets}
        LocalStack(name, LocalStackArgs(app=app, image=app.name, dev=dev, port=port, secrets=further))

    resources = registered(build, app.name, _made)
    made = services.project(resources, f"{name}-")
    (image,) = [each.inputs for each in resources if each.type == "docker-build:index:Image"]
    context = _relative(app.source, output)
    recipe = image["dockerfile"]
    web = made.services["web"]
    web["build"] = {
        "context": context,
        "args": image["buildArgs"],
        "labels": image["labels"],
        **(
            {"dockerfile_inline": recipe["inline"].replace("$", "$$")}
            if "inline" in recipe
            else {"dockerfile": "Dockerfile"}
        ),
    }
    # Development sees the source as it is; what is installed is in the image.
    watched = [file for file in ("Dockerfile", *MANIFESTS) if (app.source / file).is_file()] if dev else ["."]
    web["develop"] = {
        "watch": [{"action": "rebuild", "path": _relative(app.source / file, output)} for file in watched]
    }
    for service in made.services.values():
        for mount in service.get("volumes", ()):
            if mount["source"] == str(app.source):
                mount["source"] = context
    common = {
        key: value
        for key, value in web.items()
        if all(key in each and each[key] == value for each in made.services.values())
    }
    own = {
        role: {"<<": COMMON, **{key: value for key, value in written.arranged(service).items() if key not in common}}
        for role, service in sorted(made.services.items())
    }
    content = {
        "name": app.name,
        "x-common": written.arranged(common),
        "services": own,
        "networks": {"default": {"driver": "bridge"}},
        "volumes": {volume: {} for volume in sorted(made.volumes)},
    }
    text = written.document(content, ordered=True).replace("x-common:", f"x-common: &{COMMON}", 1)
    compose = _head(app, services.secrets(made.services.values())) + text.replace(f"'<<': {COMMON}", f"<<: *{COMMON}")
    return {
        "compose.yaml": compose,
        **{f"{services.FILES[2:]}/{file}": made.files[file] for file in sorted(made.files)},
    }


def _made(kind: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an engine would add to a resource."""
    match kind:
        case "docker:index/remoteImage:RemoteImage":
            return {"imageId": inputs["name"]}
        case "random:index/randomPassword:RandomPassword":
            variable = name.partition(f"-{STACK}-")[2].upper().replace("-", "_")
            return {"result": services.reference(variable)}
        case _:
            return {"name": inputs.get("name", name)}


def _relative(path: Path, output: Path) -> str:
    found = Path(os.path.relpath(path, output)).as_posix()
    return found if found.startswith(".") else f"./{found}"


def _keep_secrets_out(app: FlaskApp, output: Path) -> None:
    """Refuse to have a .env with secrets in the build context, from which the image would copy it."""
    if output.is_relative_to(app.source) and build_context.not_ignored(app.source, [".env"]):
        ignored = app.source / ".dockerignore"
        reason = "does not name .env, so the image would hold the secrets of the file .env beside compose.yaml"
        fix = f"echo '**/.env*' >> {written.shown(ignored)}"
        raise SettingsError([Problem(".dockerignore", "found" if ignored.exists() else "missing", reason, fix)])


def _head(app: FlaskApp, secrets: list[str]) -> str:
    """Return what a reader of the file must know first."""
    lines = "".join(f"#   echo {name}=$(openssl rand -hex 32) >> .env\n" for name in secrets)
    return f"""\
# {app.name} as flaskstack's LocalStack runs it. Needs Docker Compose 2.24 or later.
# Its secrets come from the environment or from a file .env beside this, which belongs neither into git nor an image:
{lines}# Then: docker compose up --build --wait    (and docker compose watch: a rebuild at each edit)
"""
