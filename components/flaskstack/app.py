"""The contract of a Flask application: what flaskstack must know of it, said once for every target.

Deliberately not here: secrets and addresses of services. They belong to a target, which hands them to the process in
the environment under the names below.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import pydantic

from flaskstack import probe
from flaskstack.model import Model
from flaskstack.process import Process, ProcessName  # pydantic reads them at run time

UID: Final = 1000
"""User and group that the application runs as, in every target."""
CODE: Final = "/app"
"""Folder of the code in the image, and the working directory."""
SERVER_CONFIG: Final = "/etc/flaskstack/gunicorn.conf.py"
"""Where every target mounts the Gunicorn configuration, read-only."""
SERVER_CONFIG_SOURCE: Final = Path(__file__).with_name("server") / "gunicorn.conf.py"
"""The one Gunicorn configuration, shipped with this package."""
TMP: Final = "/tmp"  # noqa: S108  # a memory file system of the container's own, in every target
METRICS_FOLDER: Final = f"{TMP}/metrics"
"""Where the workers share their counters (prometheus_client's multiprocess mode)."""

Seconds = Annotated[int, pydantic.Field(ge=1, le=86_400)]
# These end in shell commands, in nginx's configuration and in headers: what is syntax to one of them is refused.
AbsolutePath = Annotated[str, pydantic.Field(pattern=r"^/[A-Za-z0-9._~!&*+,=:@%/-]*$")]
Host = Annotated[
    str, pydantic.Field(pattern=r"^(\.?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$")
]
Variable = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
File = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)*$")]
Folder = Annotated[str, pydantic.Field(pattern=r"^(/\.?[A-Za-z0-9_-][A-Za-z0-9._-]*)+$")]

SECRET_VARIABLES: Final = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "REDIS_URL")
"""Variables that hold the secrets which every target knows by arguments of their own."""
DECIDED: Final = frozenset({"FLASK_DEBUG", "PORT", "PROXY_HOPS"})
"""Variables that mode, port and target decide."""


class Server(Model):
    """Gunicorn's knobs."""

    worker_class: Literal["gthread", "sync", "gevent"] = "gthread"
    """Kind of worker. Default gthread: several requests a worker, at the memory of few processes."""
    workers: Annotated[int, pydantic.Field(ge=1, le=256)] | None = None
    """Number of worker processes. Default: from the container's CPU limit, two a CPU plus one, at most five."""
    threads: Annotated[int, pydantic.Field(ge=1, le=512)] = 8
    """Threads a worker, with gthread. Default 8."""
    worker_connections: Annotated[int, pydantic.Field(ge=1)] = 2000
    """Connections a worker, with gevent. Default 2,000."""
    timeout: Seconds = 30
    """Seconds without a heartbeat after which a worker is replaced (with sync: the longest request). Default 30."""
    graceful_timeout: Seconds = 30
    """Seconds that requests under way get to finish when a worker stops. Default 30. Stop periods derive from it."""
    keep_alive: Seconds = 10
    """Seconds an idle connection stays open. Default 10: longer than the edge's 5, or reuse meets a closed one."""
    max_requests: Annotated[int, pydantic.Field(ge=0)] = 0
    """Requests after which a worker is replaced; 0, the default, never: with gthread that can reset connections."""

    def environment(self) -> dict[str, str]:
        """Return the variables that `server/gunicorn.conf.py` reads."""
        values: dict[str, object] = {
            "GUNICORN_WORKER_CLASS": self.worker_class,
            # Given threads, Gunicorn makes a gthread worker of a sync one.
            "GUNICORN_THREADS": self.threads if self.worker_class == "gthread" else None,
            "GUNICORN_WORKER_CONNECTIONS": self.worker_connections,
            "GUNICORN_TIMEOUT": self.timeout,
            "GUNICORN_GRACEFUL_TIMEOUT": self.graceful_timeout,
            "GUNICORN_KEEPALIVE": self.keep_alive,
            "GUNICORN_MAX_REQUESTS": self.max_requests,
            "WEB_CONCURRENCY": self.workers,
        }
        return {name: str(value) for name, value in values.items() if value is not None}


class FlaskApp(Model):
    """One Flask application. The same object serves `AppImage`, `LocalStack` and what follows."""

    name: Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")] = "app"
    """Short name, for image tags and labels. Lower-case letters, digits and dashes, 40 at most. Default app."""
    path: str = "app"
    """Folder of the source, the build context. Relative to the Pulumi program. Default app."""
    entry: Annotated[str, pydantic.Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\([^'\"$`]*\))?$")] = (
        "app:create_app()"
    )
    """WSGI entry, as Gunicorn takes it: `package.module:app` or `package:create_app()`. Default app:create_app()."""
    web_command: tuple[str, ...] = ()
    """Command of the web process, for an application that brings its own server; `entry` and `server` are then not
    used. It must listen on all addresses, on the port that the variable PORT names. Default: Gunicorn with `entry`."""
    dependencies: File | None = None
    """File in the folder that declares the dependencies, for a generated Dockerfile. Default: the first that is there
    of requirements.txt, uv.lock, poetry.lock, Pipfile.lock, pyproject.toml."""
    port: Annotated[int, pydantic.Field(ge=1024, le=65_535)] = 8000
    """Port that Gunicorn listens on in the container. Default 8000; under 1024 would need a privilege."""
    liveness: probe.Probe = "/health"
    """Path that answers 200 to 399 while the process can answer, or `tcp`: the port takes a connection.
    Default /health."""
    readiness: probe.Probe = "/ready"
    """Path that answers 200 to 399 while the application can serve, or `tcp`. Default /ready."""
    static_url: AbsolutePath | None = "/static/"
    """URL path that static files are under, which the edge may cache. null: there are none. Default /static/."""
    static_folder: File | None = None
    """Folder of files below `path`, as `frontend/dist`, that Gunicorn's workers serve under `static_url` beside the
    application (with Werkzeug's SharedDataMiddleware). Default none: the application serves its own, as Flask does."""
    migrate: tuple[str, ...] = ()
    """Command that brings the database's schema up to date, run once before the code that needs it. Default none."""
    processes: dict[ProcessName, Process] = pydantic.Field(default_factory=dict)
    """Further processes of the same image, by name: workers, a scheduler. Default none."""
    data: Folder | None = None
    """Folder in the container for files that must outlast it, as an SQLite database's. All processes share it, and
    write it as uid 1000. Default none: nothing that a process writes stays."""
    postgres: bool = True
    """Whether it needs PostgreSQL, through `DATABASE_URL`. Default true."""
    redis: bool = True
    """Whether it needs Redis, through `REDIS_URL`. Default true."""
    trusted_hosts: tuple[Host, ...] = ()
    """Values of the Host header to answer, as Flask's TRUSTED_HOSTS. Default: any."""
    environment: dict[Variable, str] = pydantic.Field(default_factory=dict)
    """Further variables for its process. Not for secrets: they are readable in previews. Default none."""
    server: Server = Server()
    """Gunicorn's knobs."""

    secrets: tuple[Variable, ...] = ()
    """Names of further secret variables that it needs, for example [STRIPE_KEY]. Their values are given to the target,
    which refuses to start without one. Default none."""

    @pydantic.field_validator("environment")
    @classmethod
    def _keeps_off_the_contract(cls, value: dict[str, str]) -> dict[str, str]:
        secret = {*SECRET_VARIABLES, "SQLALCHEMY_DATABASE_URI"}
        # With FLASK_ before it, the application reads each of them just as well.
        taken = sorted(name for name in value if name.removeprefix("FLASK_") in secret)
        if taken:
            message = f"{', '.join(taken)} must not stand here in plain text; they have settings of their own"
            raise ValueError(message)
        if derived := sorted(DECIDED & value.keys()):
            message = f"{', '.join(derived)} cannot be set here: mode, app.port and the target decide it"
            raise ValueError(message)
        return value

    @pydantic.field_validator("secrets")
    @classmethod
    def _are_further_ones(cls, value: tuple[str, ...], info: pydantic.ValidationInfo) -> tuple[str, ...]:
        if known := sorted({*SECRET_VARIABLES, *DECIDED}.intersection(value)):
            message = f"{', '.join(known)} need not be listed: the targets know it"
            raise ValueError(message)
        if plain := sorted(set(info.data.get("environment", ())).intersection(value)):
            message = f"{', '.join(plain)} stands in app.environment in plain text too"
            raise ValueError(message)
        return value

    @pydantic.field_validator("static_folder")
    @classmethod
    def _is_served(cls, value: str | None, info: pydantic.ValidationInfo) -> str | None:
        if value and info.data.get("static_url", "") is None:
            raise ValueError("it is served under static_url, which is null; give that a path, as /static/")
        if value and info.data.get("web_command"):
            raise ValueError("it is Gunicorn that serves it, and web_command takes its place; leave one of them out")
        return value

    @pydantic.field_validator("data")
    @classmethod
    def _hides_nothing(cls, value: str | None) -> str | None:
        if value is not None:
            inside = Path(value)
            for place, what in ((TMP, "memory"), (str(Path(SERVER_CONFIG).parent), "the Gunicorn configuration")):
                if inside.is_relative_to(place):
                    message = f"{place} is {what}; take another folder, as /data"
                    raise ValueError(message)
            if Path(CODE).is_relative_to(inside):
                message = f"it would hide the code in {CODE}; take a folder beside or below it, as /data"
                raise ValueError(message)
        return value

    @property
    def source(self) -> Path:
        """The source folder, absolute."""
        return Path(self.path).resolve()

    @property
    def command(self) -> list[str]:
        """The web process's command."""
        return list(self.web_command) or ["gunicorn", "--config", SERVER_CONFIG, self.entry]

    @property
    def probe_host(self) -> str:
        """Host header that a probe sends: one that trusted hosts let through."""
        return self.trusted_hosts[0].lstrip(".") if self.trusted_hosts else "localhost"

    @property
    def liveness_command(self) -> str:
        """Shell command that fails unless the process answers: what `probe.command` says."""
        return probe.command(self.liveness, self.port, self.probe_host)

    def process_environment(self, *, proxy_hops: int) -> dict[str, str]:
        """Return the plain variables of its process, behind `proxy_hops` proxies."""
        return {
            **self.server.environment(),
            **({"TRUSTED_HOSTS": ",".join(self.trusted_hosts)} if self.trusted_hosts else {}),
            "PORT": str(self.port),
            "PROMETHEUS_MULTIPROC_DIR": METRICS_FOLDER,
            "PROXY_HOPS": str(proxy_hops),
            "PYTHONUNBUFFERED": "1",
            **self._static(),
            **self.environment,
        }

    def _static(self) -> dict[str, str]:
        if not (self.static_folder and self.static_url):
            return {}
        return {"FLASKSTACK_STATIC_FOLDER": f"{CODE}/{self.static_folder}", "FLASKSTACK_STATIC_URL": self.static_url}
