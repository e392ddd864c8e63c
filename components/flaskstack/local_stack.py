"""`LocalStack`, a compose file as objects: nginx -> Gunicorn -> Flask, PostgreSQL, Redis on one Docker engine.

Deliberately not here: building the image (`AppImage`), and any other machine than the engine's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict, cast

import pulumi
import pulumi_docker as docker

from flaskstack import naming, nginx, secret
from flaskstack.app import FlaskApp
from flaskstack.edge import EdgePolicy
from flaskstack.errors import Problem, SettingsError
from flaskstack.images import DEFAULT_IMAGES
from flaskstack.local import edge, files, hints, job, processes, services, web
from flaskstack.local.container import Health, Limits
from flaskstack.local.variables import variables

LOOPBACK: Final = ("127.0.0.1", "::1")
"""Addresses on which plain HTTP leaves no machine."""
DEFAULTS: Final[Mapping[str, Any]] = {"dev": False, "address": LOOPBACK[0], "port": 8080, "keep_data": True}
"""Defaults that hold whatever the other arguments are."""


class LocalStackArgs(TypedDict):
    """Arguments of `LocalStack`."""

    app: FlaskApp
    """The application."""
    image: pulumi.Input[str]
    """Its image: an id or a reference that the engine has, for example `AppImage.ref`."""
    secret_key: NotRequired[pulumi.Input[str]]
    """Flask's SECRET_KEY. Default: one is made, and kept encrypted in the state."""
    secret_key_fallbacks: NotRequired[Sequence[pulumi.Input[str]]]
    """Former secret keys whose sessions still count, newest first. Default none."""
    database_url: NotRequired[pulumi.Input[str]]
    """URL of the database. Default: the stack's own PostgreSQL, with a password that is made and kept encrypted in the
    state."""
    own_postgres: NotRequired[bool]
    """Whether the stack runs PostgreSQL. Default: when the application needs it and no `database_url` is given. With
    both, the stack's PostgreSQL gets the role, password and database of the URL, whose host is then `postgres`."""
    redis_url: NotRequired[pulumi.Input[str]]
    """URL of Redis. Default: the stack's own, when the application needs it."""
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Further secret variables of the application's processes, by name. Each of `app.secrets` is required. Default
    none."""
    dev: NotRequired[bool]
    """Development: live reload of the source, Werkzeug's debugger, one replica with one worker. Default false."""
    replicas: NotRequired[int]
    """Web replicas behind nginx. Default 2; in development, and with a data folder (`app.data`), 1."""
    address: NotRequired[str]
    """Address of this machine that nginx listens on. Default 127.0.0.1."""
    port: NotRequired[int]
    """Port of this machine that nginx listens on. Default 8080."""
    edge: NotRequired[EdgePolicy]
    """What nginx does for the application. Default: all of `EdgePolicy` but HTTPS, for which it has no certificate."""
    limits: NotRequired[Limits]
    """What each container may take. Default: see `Limits`."""
    health: NotRequired[Health]
    """How the engine watches each container. Default: see `Health`."""
    images: NotRequired[Mapping[str, str]]
    """References of the nginx, postgres and redis images, by these names. Default: see `images.DEFAULT_IMAGES`."""
    keep_data: NotRequired[bool]
    """Whether the data volumes outlive `pulumi destroy`. Default true."""


class LocalStack(pulumi.ComponentResource):
    """A Flask application on one Docker engine, as in production but for the cluster.

    A new image or secret comes up beside the running one, takes over once it can serve, and no request is lost; a
    release that cannot serve leaves the former one serving and fails with its own last words.
    """

    url: pulumi.Output[str]
    """What to open."""
    image: pulumi.Output[str]
    """What runs, by digest or id."""
    volumes: pulumi.Output[list[str]]
    """Names of the volumes that hold data."""

    def __init__(self, name: str, args: LocalStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the stack. Raises `SettingsError` for settings that contradict each other."""
        args = cast("LocalStackArgs", {**DEFAULTS, **args})
        app, dev = args["app"], args["dev"]
        limits = args.get("limits", Limits())
        health = args.get("health", Health())
        policy = _policy(args.get("edge", EdgePolicy(https=False)), dev=dev)
        replicas = args.get("replicas", default_replicas(app, dev=dev))
        address, port = args["address"], args["port"]
        _check(args, replicas, dev=dev)
        configuration = nginx.configuration(app, policy, workers=edge.worker_processes(limits), cache_static=not dev)

        super().__init__("flaskstack:index:LocalStack", name, {}, naming.known_as("LocalStack", name, opts))
        explained = hints.explain(name, port=port, limits=limits)
        child = pulumi.ResourceOptions(parent=self)
        # The engine may have made a container that it then could not start. The next `up` makes another.
        remade: Any = {"parent": self, "hooks": explained, "replace_on_changes": ["#initerror"]}
        container = pulumi.ResourceOptions(**remade)

        references = {**DEFAULT_IMAGES, **args.get("images", {})}
        network = docker.Network(
            f"{name}-network",
            driver="bridge",
            labels=[
                docker.NetworkLabelArgs(label=label, value=value) for label, value in naming.labels("network").items()
            ],
            opts=child,
        ).name

        def image_id(role: str) -> pulumi.Output[str]:
            return docker.RemoteImage(
                f"{name}-{role}-image", name=references[role], keep_locally=True, opts=child
            ).image_id

        # Databases hold their folder alone, and nginx its port: their successor can only start once they have stopped.
        alone = pulumi.ResourceOptions(**remade, delete_before_replace=True)
        kept = pulumi.ResourceOptions(parent=self, retain_on_delete=args["keep_data"])

        provided = services.register(
            name,
            args,
            references=references,
            image_id=image_id,
            network=network,
            limits=limits,
            health=health,
            child=child,
            alone=alone,
            kept=kept,
        )

        shown = variables(name, args, provided, child)
        nginx_id = image_id("nginx")
        config = web.server_config(name, child, nginx_id)
        folder = files.register(name, app, image_id=args["image"], limits=limits, child=child, kept=kept)

        def process(role: str, limits: Limits = limits) -> dict[str, Any]:
            return web.process(
                role,
                app,
                image_id=args["image"],
                network=network,
                config_volume=config,
                variables=shown,
                limits=limits,
                live_source=dev,
                data=files.mount(app, folder.volume) if folder else None,
            )

        first = [folder.owner] if folder else []
        if app.migrate:
            first.append(
                docker.Container(f"{name}-migration", **process("migration"), **web.once(app.migrate), opts=child)
            )
        prepared = job.run(
            f"{name}-prepare", child, wait_for=provided.containers, containers=first, deadline_s=health.deadline_s
        )

        # The schema and the services come first. Nothing of them is an input of a web replica, so it has to be said.
        after: Any = {**remade, "depends_on": [prepared]}
        replicas_made = [
            docker.Container(
                f"{name}-web-{number}",
                **process("web"),
                **web.served(app, health),
                opts=pulumi.ResourceOptions(**after),
            )
            for number in range(replicas)
        ]
        probed = processes.register(name, app, process, limits=limits, health=health, options=after)

        live = edge.live_volume(name, child)
        nginx_container = edge.container(
            # Another port is another resource: the former nginx serves on until the new one does.
            f"{name}-nginx-{port}",
            alone,
            image_id=nginx_id,
            network=network,
            live_volume=live.name,
            address=address,
            port=port,
            limits=limits,
            health=health,
        )
        release = edge.release(
            f"{name}-release",
            container,
            app=app,
            edge=nginx_container,
            image_id=nginx_id,
            network=network,
            live_volume=live.name,
            web=replicas_made,
            configuration=configuration,
            deadline_s=health.deadline_s,
            limits=limits,
        )
        released = job.run(
            f"{name}-released",
            child,
            wait_for=[*replicas_made, *probed],
            containers=[release],
            deadline_s=health.deadline_s,
        )

        host = f"[{address}]" if ":" in address else address
        # Known to be served: the release has seen it answer.
        self.url = released.id.apply(lambda _: f"http://{host}:{port}")
        self.image = pulumi.Output.from_input(args["image"])
        self.volumes = pulumi.Output.all(*provided.volumes, *([folder.volume.name] if folder else [])).apply(
            lambda names: [str(item) for item in names]
        )
        self.register_outputs({"url": self.url, "image": self.image, "volumes": self.volumes})


def _policy(policy: EdgePolicy, *, dev: bool) -> EdgePolicy:
    """Return the intents that hold. The debugger's page needs its inline script; the application's own word stays."""
    if not dev:
        return policy
    headers = policy.headers.model_copy(update={"content_security_policy": ""})
    return policy.model_copy(update={"headers": headers})


def default_replicas(app: FlaskApp, *, dev: bool) -> int:
    """Return how many web replicas there are unless it is said: a file of data has one writer."""
    return 1 if dev or app.data else 2


def _check(args: LocalStackArgs, replicas: int, *, dev: bool) -> None:
    found = [*secret.problems(args["app"], args.get("secrets", {})), *files.problems(args["app"], dev=dev)]
    if dev and replicas != 1:
        reason = "the debugger lives in one process, so development has one replica"
        found.append(Problem("local.replicas", str(replicas), reason, "set it to 1, or leave development"))
    if found:
        raise SettingsError(found)
