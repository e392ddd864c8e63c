"""The contract of an application: its defaults, what derives from it, and what it refuses."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from flaskstack import FlaskApp, Server, SettingsError
from flaskstack.app import SERVER_CONFIG_SOURCE
from flaskstack.model import parse

HOSTILE = ('a"b', "a'b", "a b", "a\nb", "a$b", "a`b`", "a;b", "a{b}", "a\\b", "a|b", "a(b)", "a<b", "é", "a\x00b")


def refused(values: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(FlaskApp, values)
    return str(caught.value)


def test_the_defaults_are_those_of_the_contract() -> None:
    app = FlaskApp()
    assert (app.entry, app.port, app.liveness, app.readiness) == ("app:create_app()", 8000, "/health", "/ready")
    server = app.server
    assert (server.worker_class, server.threads, server.worker_connections) == ("gthread", 8, 2000)
    assert (server.keep_alive, server.max_requests, server.workers) == (10, 0, None)


def test_gunicorn_keeps_a_connection_longer_than_the_edge() -> None:
    from flaskstack.nginx import UPSTREAM_KEEP_ALIVE  # noqa: PLC0415  # beside the fact that it is compared with

    assert Server().keep_alive > UPSTREAM_KEEP_ALIVE


def test_the_gunicorn_configuration_is_shipped() -> None:
    compile(SERVER_CONFIG_SOURCE.read_text(), str(SERVER_CONFIG_SOURCE), "exec")


@pytest.mark.parametrize("field", ["liveness", "readiness", "static_url"])
@pytest.mark.parametrize("text", HOSTILE)
def test_a_path_that_could_be_syntax_is_refused(field: str, text: str) -> None:
    assert f"{field} = " in refused({field: f"/{text}"})


@pytest.mark.parametrize("path", ["/health", "/-/healthy", "/static/v1.2/", "/a_b~c", "/", "/%20", "/@x:y"])
def test_an_ordinary_path_is_taken(path: str) -> None:
    assert parse(FlaskApp, {"liveness": path}).liveness == path


@pytest.mark.parametrize("path", ["", "health", "https://elsewhere.example/"])
def test_a_path_starts_with_a_slash(path: str) -> None:
    refused({"readiness": path})


@pytest.mark.parametrize("text", [*HOSTILE, "", "-x", "x-", "http://x", "a/b", "a:port"])
def test_a_trusted_host_that_could_be_syntax_is_refused(text: str) -> None:
    refused({"trusted_hosts": [text]})


@pytest.mark.parametrize(
    "host", ["localhost", "shop.example", ".shop.example", "127.0.0.1", "[::1]", "shop.example:8443", "a_b"]
)
def test_an_ordinary_host_is_taken(host: str) -> None:
    assert parse(FlaskApp, {"trusted_hosts": [host]}).trusted_hosts == (host,)


@pytest.mark.parametrize(
    ("hosts", "probe"),
    [((), "localhost"), (("shop.example", "x"), "shop.example"), ((".shop.example",), "shop.example")],
)
def test_a_probe_says_a_host_that_is_trusted(hosts: tuple[str, ...], probe: str) -> None:
    app = FlaskApp(trusted_hosts=hosts)
    assert app.probe_host == probe
    assert f"'Host': '{probe}'" in app.liveness_command


@pytest.mark.parametrize("entry", ["app:app", "app:create_app()", "shop.web.wsgi:application", "app:create_app(1)"])
def test_an_entry_as_gunicorn_takes_it(entry: str) -> None:
    assert parse(FlaskApp, {"entry": entry}).command[-1] == entry


@pytest.mark.parametrize(
    "entry", ["app", "app.py", "app:", ":app", "--help:x", "app:create_app('x')", "app:a;b", "app:$(id)"]
)
def test_an_entry_that_gunicorn_cannot_take_is_refused(entry: str) -> None:
    refused({"entry": entry})


@pytest.mark.parametrize("name", ["A", "1a", "a_b", "", "a" * 41, "ä"])
def test_a_name_that_no_image_could_have_is_refused(name: str) -> None:
    refused({"name": name})


@pytest.mark.parametrize("port", [0, 80, 1023, 65_536, "http"])
def test_a_port_that_needs_a_privilege_or_does_not_exist_is_refused(port: object) -> None:
    refused({"port": port})


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS",
        "DATABASE_URL",
        "REDIS_URL",
        "FLASK_SECRET_KEY",
        "FLASK_SQLALCHEMY_DATABASE_URI",
    ],
)
def test_a_secret_cannot_stand_in_the_plain_environment(name: str) -> None:
    message = refused({"environment": {name: "x"}})
    assert f"{name} must not stand here in plain text" in message


@pytest.mark.parametrize("name", ["FLASK_DEBUG", "PORT", "PROXY_HOPS"])
def test_what_the_target_decides_cannot_be_set_beside_it(name: str) -> None:
    message = refused({"environment": {name: "1"}})
    assert f"{name} cannot be set here" in message


@pytest.mark.parametrize("name", ["", "A=B", "1A", "A B", "A\n"])
def test_a_variable_has_a_name_that_a_process_can_read(name: str) -> None:
    refused({"environment": {name: "x"}})


def test_the_environment_carries_what_is_said_and_what_derives() -> None:
    app = FlaskApp(
        port=9000,
        trusted_hosts=("a.example", "b.example"),
        environment={"FEATURE": "on"},
        server=Server(workers=3, threads=4),
    )
    variables = app.process_environment(proxy_hops=2)
    assert variables["PORT"] == "9000"
    assert variables["PROXY_HOPS"] == "2"
    assert variables["TRUSTED_HOSTS"] == "a.example,b.example"
    assert variables["FEATURE"] == "on"
    assert (variables["WEB_CONCURRENCY"], variables["GUNICORN_THREADS"]) == ("3", "4")
    assert variables["PYTHONUNBUFFERED"] == "1"
    assert all(isinstance(value, str) for value in variables.values())


@pytest.mark.parametrize(("kind", "threads"), [("gthread", "8"), ("sync", None), ("gevent", None)])
def test_only_gthread_is_told_of_threads_which_would_make_it_of_sync(kind: Any, threads: str | None) -> None:
    assert Server(worker_class=kind).environment().get("GUNICORN_THREADS") == threads


def test_a_server_of_its_own_takes_the_place_of_gunicorn() -> None:
    assert FlaskApp(web_command=("waitress-serve", "shop:app")).command == ["waitress-serve", "shop:app"]


def test_a_folder_of_static_files_needs_a_url_and_gunicorn() -> None:
    assert "static_url, which is null" in refused({"static_folder": "dist", "static_url": None})
    assert "web_command takes its place" in refused({"static_folder": "dist", "web_command": ["waitress-serve"]})
    assert "static_folder" in refused({"static_folder": "../outside"})


@pytest.mark.parametrize("names", [["SECRET_KEY"], ["PORT"], ["A-B"], ["FEATURE"]])
def test_further_secrets_are_named_and_are_none_that_is_known_or_plain(names: list[str]) -> None:
    assert "secrets" in refused({"secrets": names, "environment": {"FEATURE": "on"}})


@pytest.mark.parametrize("path", ["/abs.txt", "../up.txt", "a b.txt", "a;b", "", "-r.txt", "a//b.txt"])
def test_a_file_of_dependencies_is_inside_the_folder(path: str) -> None:
    refused({"dependencies": path})


def test_what_is_not_said_is_not_in_the_environment() -> None:
    variables = FlaskApp().process_environment(proxy_hops=0)
    assert not {"TRUSTED_HOSTS", "WEB_CONCURRENCY", "FLASK_DEBUG", "SECRET_KEY", "DATABASE_URL"} & variables.keys()


def test_the_health_check_is_one_shell_command_of_valid_python() -> None:
    for probe in ("/alive", "tcp"):
        program, option, code = shlex.split(FlaskApp(port=8123, liveness=probe).liveness_command)
        assert (program, option) == ("python", "-c")
        compile(code, "check", "exec")
        assert "8123" in code
        assert ("/alive" in code) is (probe == "/alive")


def test_an_application_cannot_change_once_made() -> None:
    with pytest.raises(ValueError, match="frozen"):
        FlaskApp().port = 9000  # type: ignore[misc]
