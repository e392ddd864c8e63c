"""The contract of a Flask application: what flaskstack must know of it, said once for every target.

Deliberately not here: secrets and addresses of services. They belong to a target, which hands them to the process in
the environment under the names below.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import pydantic

from flaskstack.model import Model

UID: Final = 1000
"""User and group that the application runs as, in every target."""
CODE: Final = "/app"
"""Folder of the code in the image, and the working directory."""
SERVER_CONFIG: Final = "/etc/flaskstack/gunicorn.conf.py"
"""Where every target mounts the Gunicorn configuration, read-only."""
SERVER_CONFIG_SOURCE: Final = Path(__file__).with_name("server") / "gunicorn.conf.py"
"""The one Gunicorn configuration, shipped with this package."""
METRICS_FOLDER: Final = "/tmp/metrics"  # noqa: S108  # a memory file system of the container's own
"""Where the workers share their counters (prometheus_client's multiprocess mode)."""

Seconds = Annotated[int, pydantic.Field(ge=1, le=86_400)]
# These end in shell commands, in nginx's configuration and in headers: what is syntax to one of them is refused.
AbsolutePath = Annotated[str, pydantic.Field(pattern=r"^/[A-Za-z0-9._~!&*+,=:@%/-]*$")]
Host = Annotated[
    str, pydantic.Field(pattern=r"^(\.?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$")
]
Variable = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


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
            "GUNICORN_THREADS": self.threads,
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
    port: Annotated[int, pydantic.Field(ge=1024, le=65_535)] = 8000
    """Port that Gunicorn listens on in the container. Default 8000; under 1024 would need a privilege."""
    liveness: AbsolutePath = "/health"
    """Path that answers 200 while the process can answer. Default /health."""
    readiness: AbsolutePath = "/ready"
    """Path that answers 200 while the application can serve, else 503. Default /ready."""
    static_url: AbsolutePath = "/static/"
    """URL path that static files are under. Default /static/."""
    migrate: tuple[str, ...] = ()
    """Command that brings the database's schema up to date, run once before the code that needs it. Default none."""
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

    @pydantic.field_validator("environment")
    @classmethod
    def _keeps_off_the_contract(cls, value: dict[str, str]) -> dict[str, str]:
        secret = {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "REDIS_URL", "SQLALCHEMY_DATABASE_URI"}
        # With FLASK_ before it, the application reads each of them just as well.
        taken = sorted(name for name in value if name.removeprefix("FLASK_") in secret)
        if taken:
            message = f"{', '.join(taken)} must not stand here in plain text; they have settings of their own"
            raise ValueError(message)
        if derived := sorted({"FLASK_DEBUG", "PORT", "PROXY_HOPS"} & value.keys()):
            message = f"{', '.join(derived)} cannot be set here: mode, app.port and the target decide it"
            raise ValueError(message)
        return value

    @property
    def source(self) -> Path:
        """The source folder, absolute."""
        return Path(self.path).resolve()

    @property
    def command(self) -> list[str]:
        """The web process's command."""
        return ["gunicorn", "--config", SERVER_CONFIG, self.entry]

    @property
    def probe_host(self) -> str:
        """Host header that a probe sends: one that trusted hosts let through."""
        return self.trusted_hosts[0].lstrip(".") if self.trusted_hosts else "localhost"

    @property
    def liveness_command(self) -> str:
        """Shell command that fails unless the process answers. Needs only the Python that runs the application."""
        url = f"http://127.0.0.1:{self.port}{self.liveness}"
        request = f"urllib.request.Request('{url}', headers={{'Host': '{self.probe_host}'}})"
        return f'python -c "import urllib.request; urllib.request.urlopen({request}, timeout=4)"'

    def process_environment(self, *, proxy_hops: int) -> dict[str, str]:
        """Return the plain variables of its process, behind `proxy_hops` proxies."""
        return {
            **self.server.environment(),
            **({"TRUSTED_HOSTS": ",".join(self.trusted_hosts)} if self.trusted_hosts else {}),
            "PORT": str(self.port),
            "PROMETHEUS_MULTIPROC_DIR": METRICS_FOLDER,
            "PROXY_HOPS": str(proxy_hops),
            "PYTHONUNBUFFERED": "1",
            **self.environment,
        }
