"""The one Gunicorn configuration: every target mounts this file, and sets it through the environment.

It stands alone: it is executed by Gunicorn inside the application's container and imports nothing of flaskstack. A
variable that is not set leaves Gunicorn's own default, so that the file also works by hand.
"""

from __future__ import annotations

import datetime as dt
import functools
import gc
import json
import logging
import math
import os
import sysconfig
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

WORKER_CLASS = os.environ.get("GUNICORN_WORKER_CLASS", "gthread")
if WORKER_CLASS == "gevent":
    # First of all: the application is loaded before the fork, and what it imports must already be cooperative.
    from gevent import monkey  # type: ignore[import-untyped]

    monkey.patch_all()

from gunicorn import reloader, util  # noqa: E402  # after the patch
from gunicorn.glogging import Logger  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from gunicorn.arbiter import Arbiter
    from gunicorn.config import Config
    from gunicorn.http.message import Request
    from gunicorn.http.wsgi import Response
    from gunicorn.workers.base import Worker

MAX_WORKERS = 5
CGROUP = Path("/sys/fs/cgroup")


def cpu_limit(root: Path = CGROUP) -> float:
    """Return the CPUs that the container may use: the cgroup's quota (v2, then v1), else what the scheduler gives us.

    Not `os.cpu_count()`: in a container that is the host's; workers for a whole host in half a CPU only take memory.
    """
    try:
        quota, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            quota, period = "max", "1"
    if quota not in ("max", "-1"):
        return int(quota) / int(period)
    return float(len(os.sched_getaffinity(0)))


def default_workers(cpus: float) -> int:
    """Return two workers a CPU plus one (Gunicorn's own rule of thumb), bounded: threads do the rest."""
    return min(MAX_WORKERS, math.ceil(cpus) * 2 + 1)


class JsonLogger(Logger):  # type: ignore[misc]  # Gunicorn has no types
    """Access log as one JSON object a line, valid whatever a client sends: `json` does the escaping."""

    def access(self, resp: Response, req: Request, environ: dict[str, Any], request_time: dt.timedelta) -> None:
        """Write one line for an answered request."""
        headers = {name.upper(): value for name, value in req.headers}
        line = {
            "@timestamp": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            "remote_addr": environ.get("REMOTE_ADDR"),
            "protocol": environ.get("SERVER_PROTOCOL"),
            "host": environ.get("HTTP_HOST"),
            "request_method": environ.get("REQUEST_METHOD"),
            "request_path": environ.get("PATH_INFO"),
            "status_code": int(str(resp.status).split(maxsplit=1)[0]),
            "response_length": getattr(resp, "sent", None),
            "referer": environ.get("HTTP_REFERER"),
            "user_agent": environ.get("HTTP_USER_AGENT"),
            "x_tracking_id": headers.get("X-TRACKING-ID") or headers.get("X-REQUEST-ID"),
            "request_time": round(request_time.total_seconds(), 6),
        }
        # ASCII only: WSGI strings are Latin-1 decoded bytes, and no terminal or collector can trip over \uXXXX.
        self.access_log.info(json.dumps(line, ensure_ascii=True))

    def setup(self, cfg: Config) -> None:
        """Set up as Gunicorn does, then make its own messages JSON lines too."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())


class JsonFormatter(logging.Formatter):
    """Gunicorn's own messages as JSON lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        stamp = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        line = {"@timestamp": stamp, "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def when_ready(server: Arbiter) -> None:
    """Say how much was started: the number of workers is derived, so it is worth a line.

    What was loaded before the fork is not looked at by the garbage collector again. Each worker's collector would write
    to every object, and so copy 50 MB that all share; at its end alone that took a worker 0.3 seconds of CPU.
    """
    if server.cfg.preload_app:
        gc.collect()
        gc.freeze()
    server.log.info("ready: %s %s workers", server.num_workers, server.cfg.worker_class_str)


def post_fork(server: Arbiter, worker: Worker) -> None:  # noqa: ARG001  # Gunicorn's signature
    """In development, have a worker explain code that cannot be loaded instead of dying of it."""
    if DEBUG:
        worker.load_wsgi = functools.partial(load_or_explain, worker, worker.load_wsgi)


def load_or_explain(worker: Worker, load: Callable[[], None]) -> None:
    """Load the application; when that fails, serve the traceback, and look for edits in each file that it names.

    Gunicorn does so for a SyntaxError only. After any other error it would stop, and with it the container, whose
    restarts the engine delays more each time.
    """
    try:
        load()
    except Exception as error:
        worker.log.exception("the application cannot be loaded")
        for frame in traceback.extract_tb(error.__traceback__):
            worker.reloader.add_extra_file(frame.filename)
        worker.wsgi = util.make_fail_app(traceback.format_exc())


def post_worker_init(worker: Worker) -> None:
    """Serve the folder of static files beside the application, where the contract names one.

    In development, wrap it all in Werkzeug's debugger. FLASK_DEBUG is never set in production.
    """
    if STATIC_FOLDER:
        from werkzeug.middleware.shared_data import SharedDataMiddleware  # noqa: PLC0415  # where it is asked for

        if not Path(STATIC_FOLDER).is_dir():
            worker.log.warning("there is no folder %s to serve under %s", STATIC_FOLDER, STATIC_URL)
        # No time to keep a file: like Flask itself, browsers ask whether it is still the same. The edge may say more.
        worker.wsgi = SharedDataMiddleware(worker.wsgi, {STATIC_URL: STATIC_FOLDER}, cache_timeout=0)
    if DEBUG:
        from werkzeug.debug import DebuggedApplication  # noqa: PLC0415  # development only

        debugged = DebuggedApplication(worker.wsgi, evalex=True)
        worker.log.info("debugger PIN: %s", debugged.pin)
        worker.wsgi = debugged


def child_exit(server: Arbiter, worker: Worker) -> None:  # noqa: ARG001  # Gunicorn's signature
    """Take a dead worker's gauges out of the metrics."""
    if METRICS:
        try:
            from prometheus_client import multiprocess  # noqa: PLC0415  # an application may do without it
        except ImportError:
            return
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


# An application may name a Gunicorn before 26, whose only class is the base of ours just as well.
_RELOADER: Any = getattr(reloader, "ReloaderBase", None) or reloader.Reloader


class PromptReloader(_RELOADER):  # type: ignore[misc]  # Gunicorn has no types
    """Looks for edited files five times a second, not once: an edit shows within a second, a worker's start included.

    It also sees an edit made while the worker was starting, which Gunicorn's own takes for the file as it was loaded.
    """

    interval = 0.2
    installed = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    """Python and the dependencies. Nobody edits there; to look at a thousand files takes 7 % of a CPU, all the time."""

    def __init__(self, **arguments: Any) -> None:  # noqa: ANN401  # Gunicorn's own
        """Take Gunicorn's arguments. It is made before the application is loaded."""
        super().__init__(**arguments)
        self.started = time.time()

    def get_files(self) -> list[str]:
        """Return the source files that may be edited: of loaded modules, and what a traceback named."""
        own = {file for file in super().get_files() if not file.startswith(self.installed)}
        return sorted(own | self._extra_files)

    def run(self) -> None:
        """Look for edits until the worker ends."""
        # Of a file seen for the first time. A time to come is no edit, or a wrong clock would reload without end.
        known: dict[str, float] = {}
        while True:
            for name in self.get_files():
                try:
                    edited = Path(name).stat().st_mtime
                except OSError:
                    continue
                if edited > known.get(name, self.started if edited <= time.time() else edited):
                    self._callback(name)
                known[name] = edited
            time.sleep(self.interval)


DEBUG = os.environ.get("FLASK_DEBUG", "").lower() in ("1", "true", "yes")
METRICS = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
STATIC_FOLDER = os.environ.get("FLASKSTACK_STATIC_FOLDER", "")
STATIC_URL = os.environ.get("FLASKSTACK_STATIC_URL", "/static/")
if DEBUG:
    reloader.reloader_engines["auto"] = PromptReloader
if METRICS:
    Path(METRICS).mkdir(parents=True, exist_ok=True)

bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
worker_class = WORKER_CLASS
workers = int(os.environ.get("WEB_CONCURRENCY", "0")) or default_workers(cpu_limit())
threads = int(os.environ.get("GUNICORN_THREADS", "1"))
worker_connections = int(os.environ.get("GUNICORN_WORKER_CONNECTIONS", "1000"))
timeout = int(os.environ.get("GUNICORN_TIMEOUT", "30"))
graceful_timeout = int(os.environ.get("GUNICORN_GRACEFUL_TIMEOUT", "30"))
# A stopping worker waits 2 s for requests on kept connections, and an edit would show that much later.
keepalive = 0 if DEBUG else int(os.environ.get("GUNICORN_KEEPALIVE", "2"))
max_requests = int(os.environ.get("GUNICORN_MAX_REQUESTS", "0"))
max_requests_jitter = max_requests // 10
# Heartbeat files in memory: on a disk that stalls, a healthy worker would look dead.
worker_tmp_dir = "/dev/shm"  # noqa: S108
reload = DEBUG
# The application is loaded once, before the fork, and its memory shared. A reload has to load it in the worker.
preload_app = not reload
# No socket for remote commands: the root file system is read-only, and nobody is to command it.
control_socket_disable = True
logger_class = JsonLogger
accesslog = "-"
errorlog = "-"
# Forwarded headers are believed from loopback only (Gunicorn's default, or FORWARDED_ALLOW_IPS): behind a proxy Flask's
# ProxyFix counts the hops, and nothing else here may act on a header that a client can write.
