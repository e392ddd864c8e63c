"""The one Gunicorn configuration, executed as Gunicorn does: by its path, with an environment."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import io
import json
import logging
import os
import runpy
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent.monkey  # type: ignore[import-untyped]
import gunicorn.reloader
import pytest
from gunicorn.config import Config
from support.access_log import FIELDS
from werkzeug.test import Client
from werkzeug.wrappers import Response

from flaskstack import FlaskApp, Server
from flaskstack.app import SERVER_CONFIG_SOURCE

PATCHED: list[bool] = []
"""One for each time that the configuration made the process cooperative."""


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FLASK_DEBUG", "PORT", "WEB_CONCURRENCY", "PROMETHEUS_MULTIPROC_DIR", *Server().environment()):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(gunicorn.reloader, "reloader_engines", dict(gunicorn.reloader.reloader_engines))


def load(**environment: str) -> dict[str, Any]:
    """The configuration's names, as Gunicorn reads them, in this environment."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        # For a process that serves. A process that tests would have its threads exchanged, and wait for ever.
        patched.setattr(gevent.monkey, "patch_all", lambda: PATCHED.append(True))
        return runpy.run_path(str(SERVER_CONFIG_SOURCE))


def cgroup(root: Path, **files: str) -> Path:
    """A cgroup folder with these files; two underscores stand for a slash, the first of one for a dot."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("cpu_max", "cpu.max").replace("cpu_cfs", "cpu.cfs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({"cpu_max": "200000 100000\n"}, 2.0),
        ({"cpu_max": "50000 100000\n"}, 0.5),
        ({"cpu_max": "150000 100000\n"}, 1.5),
        ({"cpu__cpu_cfs_quota_us": "200000\n", "cpu__cpu_cfs_period_us": "100000\n"}, 2.0),
        ({"cpu__cpu_cfs_quota_us": "25000\n", "cpu__cpu_cfs_period_us": "50000\n"}, 0.5),
    ],
    ids=["v2", "v2 half", "v2 one and a half", "v1", "v1 half"],
)
def test_the_cpu_limit_is_the_containers_own(tmp_path: Path, files: dict[str, str], cpus: float) -> None:
    assert load()["cpu_limit"](cgroup(tmp_path, **files)) == cpus


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"cpu_max": "max 100000\n"},
        {"cpu_max": ""},
        {"cpu__cpu_cfs_quota_us": "-1\n", "cpu__cpu_cfs_period_us": "100000\n"},
    ],
    ids=["none", "v2 without limit", "v2 empty", "v1 without limit"],
)
def test_without_a_limit_the_cpus_are_those_that_the_scheduler_gives(
    tmp_path: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2})
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert load()["cpu_limit"](cgroup(tmp_path, **files)) == 3.0


@pytest.mark.parametrize(("cpus", "workers"), [(0.1, 3), (0.5, 3), (1, 3), (1.5, 5), (2, 5), (4, 5), (64, 5)])
def test_workers_derive_from_cpus_and_are_bounded(cpus: float, workers: int) -> None:
    assert load()["default_workers"](cpus) == workers


def test_the_number_of_workers_can_be_said() -> None:
    assert load(WEB_CONCURRENCY="9")["workers"] == 9
    assert load()["workers"] in (3, 5)


def test_the_contract_of_an_application_reaches_gunicorn() -> None:
    server = Server(
        worker_class="gevent",
        workers=4,
        threads=3,
        worker_connections=500,
        timeout=11,
        graceful_timeout=12,
        keep_alive=13,
        max_requests=1000,
    )
    app = FlaskApp(server=server, port=9000)
    names = load(**{**app.process_environment(proxy_hops=1), "PROMETHEUS_MULTIPROC_DIR": ""})
    assert names["bind"] == "0.0.0.0:9000"
    assert (names["worker_class"], names["workers"], names["threads"]) == ("gevent", 4, 1), "threads are for gthread"
    assert (names["worker_connections"], names["max_requests"], names["max_requests_jitter"]) == (500, 1000, 100)
    assert (names["timeout"], names["graceful_timeout"], names["keepalive"]) == (11, 12, 13)


@pytest.mark.parametrize(("worker_class", "times"), [("gevent", 1), ("gthread", 0), ("sync", 0)])
def test_only_gevent_makes_the_process_cooperative_and_before_gunicorn_is_read(worker_class: str, times: int) -> None:
    PATCHED.clear()
    load(GUNICORN_WORKER_CLASS=worker_class)
    assert len(PATCHED) == times
    text = SERVER_CONFIG_SOURCE.read_text()
    assert text.index("monkey.patch_all()") < text.index("from gunicorn")


def test_in_development_code_that_cannot_be_loaded_is_explained_and_watched(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0\n")
    watched: list[str] = []

    def load_wsgi() -> None:
        runpy.run_path(str(broken))

    def worker() -> SimpleNamespace:
        reloader = SimpleNamespace(add_extra_file=watched.append)
        log = SimpleNamespace(exception=lambda _: None)
        return SimpleNamespace(load_wsgi=load_wsgi, reloader=reloader, log=log, wsgi=None)

    explaining = worker()
    load(FLASK_DEBUG="1")["post_fork"](None, explaining)
    explaining.load_wsgi()
    assert str(broken) in watched
    answered = b"".join(explaining.wsgi({}, lambda *_: None))
    assert b"ZeroDivisionError" in answered

    dying = worker()
    load()["post_fork"](None, dying)
    with pytest.raises(ZeroDivisionError):
        dying.load_wsgi()


def test_every_variable_of_the_contract_is_read() -> None:
    text = SERVER_CONFIG_SOURCE.read_text()
    for name in Server(workers=1).environment():
        assert f'"{name}"' in text


def test_gunicorn_takes_every_setting() -> None:
    names = load()
    config = Config()
    for name, value in names.items():
        if name in config.settings:
            config.set(name, value)
    assert config.settings["control_socket_disable"].get() is True
    assert config.worker_tmp_dir == "/dev/shm"
    assert config.preload_app is True
    assert config.reload is False


def test_forwarded_headers_are_believed_from_loopback_only() -> None:
    assert "forwarded_allow_ips" not in load()
    assert set(Config().forwarded_allow_ips) <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("value", ["1", "true", "True", "YES"])
def test_development_reloads_and_so_cannot_preload(value: str) -> None:
    names = load(FLASK_DEBUG=value)
    assert (names["reload"], names["preload_app"]) == (True, False)
    assert gunicorn.reloader.reloader_engines["auto"].__name__ == "PromptReloader"


class Seen(Exception):  # noqa: N818  # it ends a loop
    """An edit was reported."""


def look(file: Path, *, age: float) -> None:
    """Make a reloader, edit a file `age` seconds after that (before, when negative), and look once."""

    def changed(name: str) -> None:
        if name == str(file):
            raise Seen

    def pause(_: float) -> None:
        raise TimeoutError

    names = load()
    looking = names["PromptReloader"](extra_files=[str(file)], callback=changed)
    looking.started -= 10
    os.utime(file, (looking.started + age, looking.started + age))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(time, "sleep", pause)
        looking.run()


def test_an_edit_made_while_a_worker_starts_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.touch()
    with pytest.raises(Seen):
        look(file, age=5)


@pytest.mark.parametrize("age", [-5, 3600], ids=["older than the worker", "of a time to come"])
def test_a_file_that_was_not_edited_reloads_nothing(tmp_path: Path, age: float) -> None:
    file = tmp_path / "app.py"
    file.touch()
    with pytest.raises(TimeoutError):
        look(file, age=age)


def test_the_files_of_python_and_of_the_dependencies_are_not_looked_at(tmp_path: Path) -> None:
    named = str(tmp_path / "named_by_a_traceback.py")
    files = load()["PromptReloader"](extra_files=[named]).get_files()
    assert {named, __file__} <= set(files)
    assert not {str(module.__file__) for module in (os, logging, gunicorn.reloader, pytest)} & set(files)


@pytest.mark.parametrize("value", ["", "0", "false", "no"])
def test_production_does_not(value: str) -> None:
    names = load(FLASK_DEBUG=value)
    assert (names["reload"], names["preload_app"]) == (False, True)
    assert gunicorn.reloader.reloader_engines["auto"].__name__ != "PromptReloader"


def test_the_debugger_wraps_the_application_in_development_only() -> None:
    def application(environ: Any, start: Any) -> list[bytes]:
        raise NotImplementedError

    for debug, wrapped in (("1", True), ("", False)):
        worker = SimpleNamespace(wsgi=application, log=logging.getLogger("test"))
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("WERKZEUG_DEBUG_PIN", "off")
            load(FLASK_DEBUG=debug)["post_worker_init"](worker)
        assert (worker.wsgi is not application) is wrapped


def ask(application: Any, path: str) -> tuple[int, str, dict[str, str]]:
    with contextlib.closing(Client(application).get(path)) as answer:
        return answer.status_code, answer.text, dict(answer.headers)


def test_a_folder_of_static_files_is_served_beside_the_application(tmp_path: Path) -> None:
    def application(environ: Any, start: Any) -> Any:
        return Response(f"application {environ['PATH_INFO']}")(environ, start)

    (tmp_path / "app.js").write_text("let a")
    (tmp_path.parent / "secret.txt").write_text("secret")
    app = FlaskApp(static_folder="dist", static_url="/assets/")
    variables = app.process_environment(proxy_hops=1)
    assert variables["FLASKSTACK_STATIC_FOLDER"] == "/app/dist"
    variables |= {"FLASKSTACK_STATIC_FOLDER": str(tmp_path), "PROMETHEUS_MULTIPROC_DIR": ""}
    worker = SimpleNamespace(wsgi=application, log=logging.getLogger("test"))
    load(**variables)["post_worker_init"](worker)
    status, text, headers = ask(worker.wsgi, "/assets/app.js")
    assert (status, text, headers["Cache-Control"]) == (200, "let a", "max-age=0, public")
    assert Client(worker.wsgi).get("/assets/app.js", headers={"If-None-Match": headers["Etag"]}).status_code == 304
    for path in ("/", "/assets/", "/assets/none.js", "/assets/../secret.txt", "/assets/%2e%2e/secret.txt"):
        assert ask(worker.wsgi, path)[1].startswith("application"), path


def test_a_folder_of_static_files_that_is_not_there_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    worker = SimpleNamespace(wsgi=None, log=logging.getLogger("test"))
    load(FLASKSTACK_STATIC_FOLDER=str(tmp_path / "dist"), FLASKSTACK_STATIC_URL="/assets/")["post_worker_init"](worker)
    assert f"no folder {tmp_path / 'dist'} to serve under /assets/" in caplog.text


def test_an_application_that_serves_its_own_files_is_left_as_it_is() -> None:
    worker = SimpleNamespace(wsgi=len, log=logging.getLogger("test"))
    load(**{**FlaskApp().process_environment(proxy_hops=1), "PROMETHEUS_MULTIPROC_DIR": ""})["post_worker_init"](worker)
    assert worker.wsgi is len


def test_the_folder_of_metrics_is_made(tmp_path: Path) -> None:
    load(PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b").is_dir()


HOSTILE = {
    "quotes": 'a "quoted" \\ value\'',
    "control": "a\x00b\x07\x1b[31m\x7f\tx",
    "line breaks": 'a\r\n{"level": "forged"}\n',
    "invalid UTF-8 as WSGI hands it over": b"\xff\xfe\xc3\x28".decode("latin-1"),
    "line separators": "\u2028\u2029",
    "lone surrogate": "\udcff",
    "long": "x" * 9000,
    "empty": "",
}


def logged(environ: dict[str, Any], headers: list[tuple[str, str]], status: object = "200 OK") -> str:
    """The access line of a request, as it leaves the process."""
    names = load()
    logger = names["JsonLogger"](Config().set("accesslog", "-") or Config())
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    logger.access_log.handlers = [logging.StreamHandler(stream)]
    logger.access(
        SimpleNamespace(status=status, sent=12),
        SimpleNamespace(headers=headers),
        environ,
        dt.timedelta(seconds=1.5),
    )
    stream.flush()
    written = stream.buffer.getvalue()
    return str(written.decode("utf-8"))


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_an_access_line_is_one_line_of_valid_json_whatever_a_client_sends(value: str) -> None:
    environ = {
        "REMOTE_ADDR": "192.0.2.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": value,
        "REQUEST_METHOD": value,
        "PATH_INFO": f"/{value}",
        "HTTP_REFERER": value,
        "HTTP_USER_AGENT": value,
    }
    text = logged(environ, [("X-TRACKING-ID", value)])
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1
    assert text.isascii()
    entry = json.loads(text)
    assert entry.keys() == set(FIELDS)
    assert entry["user_agent"] == entry["referer"] == entry["host"] == value
    assert entry["request_path"] == f"/{value}"
    assert (entry["x_tracking_id"] or "") == value
    assert "level" not in entry


def test_an_access_line_says_when_how_long_and_how_much() -> None:
    entry = json.loads(logged({"REMOTE_ADDR": "192.0.2.1"}, [("x-request-id", "abc")], "404 NOT FOUND"))
    assert dt.datetime.fromisoformat(entry["@timestamp"]).tzinfo is not None
    assert (entry["status_code"], entry["response_length"], entry["request_time"]) == (404, 12, 1.5)
    assert entry["x_tracking_id"] == "abc"
    assert entry["user_agent"] is None


def test_gunicorns_own_messages_are_json_lines_too() -> None:
    formatter = load()["JsonFormatter"]()
    try:
        int("a\nb")
    except ValueError:
        information = sys.exc_info()
    record = logging.LogRecord("gunicorn.error", logging.ERROR, "f", 1, 'said "%s"', ("x\ny",), information)
    text = formatter.format(record)
    assert len(text.splitlines()) == 1
    entry = json.loads(text)
    assert (entry["level"], entry["logger"], entry["message"]) == ("ERROR", "gunicorn.error", 'said "x\ny"')
    assert "ValueError" in entry["exception"]


@pytest.mark.parametrize("preloaded", [True, False])
def test_what_is_loaded_before_the_fork_is_left_alone_by_the_workers_garbage_collectors(*, preloaded: bool) -> None:
    server = SimpleNamespace(
        cfg=SimpleNamespace(preload_app=preloaded, worker_class_str="gthread"),
        num_workers=2,
        log=logging.getLogger("gunicorn.error"),
    )
    gc.unfreeze()
    try:
        load()["when_ready"](server)
        assert (gc.get_freeze_count() > 1000) is preloaded
    finally:
        gc.unfreeze()


def test_a_dead_worker_is_taken_out_of_the_metrics_only_where_there_are_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead: list[int] = []
    monkeypatch.setattr("prometheus_client.multiprocess.mark_process_dead", dead.append)
    load()["child_exit"](None, SimpleNamespace(pid=7))
    assert dead == []
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    load()["child_exit"](None, SimpleNamespace(pid=7))
    assert dead == [7]
