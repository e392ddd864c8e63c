"""nginx's configuration: each intent as text, and the whole as nginx itself reads it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from support.access_log import FIELDS
from support.stack import docker

from flaskstack import DEFAULT_IMAGES, EdgePolicy, FlaskApp, RateLimit, SecurityHeaders, SettingsError
from flaskstack.nginx import _CLAIMED, _UTF8, configuration, refused, servers

HTTP = EdgePolicy(https=False)


def conf(app: FlaskApp | None = None, *, workers: int = 2, cache_static: bool = True, **policy: Any) -> str:
    return configuration(
        app or FlaskApp(),
        EdgePolicy.model_validate({"https": False, **policy}),
        workers=workers,
        cache_static=cache_static,
    )


def directives(text: str, name: str) -> list[str]:
    """The values of each directive of this name."""
    return re.findall(rf"^\s*{name}\s+([^;{{]+);", text, re.MULTILINE)


def block(text: str, head: str) -> str:
    """The innards of the block that starts with `head`."""
    start = text.index(f"{head} {{") + len(head) + 2
    depth, end = 1, start
    while depth:
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    return text[start : end - 1]


def test_https_is_refused_by_name_because_there_is_no_certificate() -> None:
    with pytest.raises(SettingsError, match=r"edge.https = true: nginx in the local stack has no certificate"):
        configuration(FlaskApp(), EdgePolicy(), workers=1)
    assert refused(HTTP) == []


def test_the_rate_is_limited_by_client_address_and_answers_429() -> None:
    text = conf()
    assert "limit_req_zone $binary_remote_addr zone=clients:10m rate=10r/s;" in text
    assert "limit_req zone=clients burst=20 nodelay;" in block(text, "location /")
    assert directives(text, "limit_req_status") == ["429"]


def test_static_files_do_not_count_against_the_rate() -> None:
    assert "limit_req zone" not in block(conf(), "location /static/")


def test_other_rates_and_none() -> None:
    assert "rate=3r/s" in conf(rate_limit=RateLimit(requests_per_second=3, burst=1))
    assert "burst=1 " in conf(rate_limit=RateLimit(requests_per_second=3, burst=1))
    assert "limit_req zone" not in conf(rate_limit=None)
    assert "limit_req_zone" not in conf(rate_limit=None)


def test_what_a_client_claims_of_itself_ends_at_the_edge() -> None:
    sent = dict(value.split(maxsplit=1) for value in directives(conf(), "proxy_set_header"))
    assert sent["X-Forwarded-For"] == "$remote_addr"
    assert sent["X-Forwarded-Proto"] == "$scheme"
    assert sent["X-Forwarded-Host"] == sent["Host"] == "$http_host"
    assert sent["Forwarded"] == sent["X-Forwarded-Prefix"] == '""'
    assert "$proxy_add_x_forwarded_for" not in conf()


def test_the_clients_address_comes_from_named_proxies_only() -> None:
    assert "real_ip" not in conf()
    text = conf(trusted_proxies=("10.0.0.0/8", "fd00::/8"))
    assert directives(text, "set_real_ip_from") == ["10.0.0.0/8", "fd00::/8"]
    assert directives(text, "real_ip_header") == ["X-Forwarded-For"]
    assert directives(text, "real_ip_recursive") == ["on"]


@pytest.mark.parametrize("name", ["connect", "send", "read"])
def test_timeouts_are_the_contracts(name: str) -> None:
    assert directives(conf(), f"proxy_{name}_timeout") == ["60s"]
    assert directives(conf(connect_timeout=5, send_timeout=5, read_timeout=5), f"proxy_{name}_timeout") == ["5s"]


def test_response_buffers_are_the_contracts() -> None:
    assert directives(conf(), "proxy_buffers") == ["4 16k"]
    assert directives(conf(buffers=8, buffer_kib=32), "proxy_buffers") == ["8 32k"]


def test_compression_is_the_contracts() -> None:
    text = conf()
    assert (directives(text, "gzip_comp_level"), directives(text, "gzip_min_length")) == (["6"], ["1024"])
    types = directives(text, "gzip_types")[0].split()
    assert {"text/plain", "text/css", "application/json", "application/javascript", "application/xml"} <= set(types)
    assert "text/html" not in types, "always on; naming it is a warning"
    assert "gzip on" not in conf(gzip_level=0)


def test_bodies_are_limited() -> None:
    assert directives(conf(), "client_max_body_size") == ["10m"]


@pytest.mark.parametrize("place", ["server", "location /static/"])
@pytest.mark.parametrize("name", EdgePolicy().headers.named())
def test_every_security_header_is_sent_with_every_answer(place: str, name: str) -> None:
    inside = block(conf(), place)
    lines = [line for line in directives(inside.split("location")[0], "add_header") if line.startswith(f"{name} ")]
    assert len(lines) == 1
    assert lines[0].endswith(" always"), "errors too"


def test_no_block_with_a_header_of_its_own_loses_the_security_headers() -> None:
    text = conf()
    for head in re.findall(r"^\s*(location [^{]+?) \{", text, re.MULTILINE):
        added = directives(block(text, head), "add_header")
        assert not added or len(added) >= len(EdgePolicy().headers.named()), head


def test_the_applications_own_word_on_a_header_goes_before_the_edges() -> None:
    values = block(conf(), "map $upstream_http_x_frame_options $edge_x_frame_options")
    assert values.split() == ["default", '"";', '""', '"SAMEORIGIN";']


def test_a_header_can_be_left_out() -> None:
    text = conf(headers=SecurityHeaders(content_security_policy=""))
    assert "Content-Security-Policy" not in text


def test_static_files_are_cached_for_thirty_days_unless_the_application_says_otherwise() -> None:
    text = conf()
    assert "proxy_cache static;" in block(text, "location /static/")
    assert directives(text, "proxy_cache_valid") == ["200 30d"]
    values = block(text, "map $upstream_http_cache_control $static_cache_control")
    assert '"" "public, max-age=2592000"' in values
    assert "default $upstream_http_cache_control" in values


def test_static_files_are_where_the_application_says() -> None:
    assert "location /assets/ {" in conf(FlaskApp(static_url="/assets/"))


@pytest.mark.parametrize("policy", [{"cache_static": False}, {"static_days": 0}])
def test_caching_can_be_off(policy: dict[str, Any]) -> None:
    assert "proxy_cache static;" not in conf(**policy)


def test_metrics_are_not_for_clients() -> None:
    assert block(conf(), "location = /metrics").split() == ["return", "404;"]
    assert "location = /metrics" not in conf(private_paths=())


def test_health_and_release_are_on_a_port_that_is_never_published() -> None:
    first, second = re.findall(r"listen (\d+)", conf())
    assert (first, second) == ("8080", "8081")
    assert "location = /release" not in block(conf(), "server")


def test_connections_to_the_application_are_kept_and_end_before_gunicorn_ends_them() -> None:
    upstream = block(conf(), "upstream web")
    assert directives(upstream, "keepalive") == ["32"]
    assert int(directives(upstream, "keepalive_timeout")[0].removesuffix("s")) < FlaskApp().server.keep_alive
    assert directives(conf(), "proxy_http_version") == ["1.1"]
    assert 'Connection ""' in directives(conf(), "proxy_set_header")


def test_a_request_that_may_have_had_an_effect_is_never_sent_twice() -> None:
    assert directives(conf(), "proxy_next_upstream") == ["error timeout"], "non_idempotent is not among them"


def test_nothing_is_written_but_to_the_memory_file_system() -> None:
    paths = re.findall(r"(?:_temp_path|pid|proxy_cache_path) (/\S+?);?(?:\s|$)", conf())
    assert len(paths) >= 7
    assert all(path.startswith("/tmp/") for path in paths)


def test_replicas_are_named_each_on_a_line_and_asked_for_again() -> None:
    assert servers(["a", "b"], 9000) == (
        "server a:9000 resolve fail_timeout=2s;\nserver b:9000 resolve fail_timeout=2s;\n"
    )


def test_the_log_is_json_with_the_fields_of_the_contract() -> None:
    found = re.search(r"log_format json escape=json '(.*)';", conf())
    assert found
    assert re.findall(r'"([^"]+)": ', found[1]) == list(FIELDS)
    for claim in _CLAIMED.values():
        assert f'"{claim}"' not in found[1], "a client's claim is looked at before it is logged"


@pytest.mark.parametrize(
    "claim",
    [b"", b"plain", b'quotes " and \\', b"\x01\x1f\n", "grün ✓ 𝄞".encode(), b"\xf4\x8f\xbf\xbf", b"x" * 8000],
)
def test_what_json_can_hold_is_logged_as_it_is(claim: bytes) -> None:
    claim.decode()
    assert re.search(_UTF8.encode(), claim)


@pytest.mark.parametrize(
    "claim",
    [
        b"\xff",
        b"\xc3\x28",
        b"abc\x80",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
        b"x" * 8000 + b"\xfe",
    ],
)
def test_what_json_cannot_hold_is_not(claim: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        claim.decode()
    assert not re.search(_UTF8.encode(), claim)


def test_braces_are_balanced_whatever_the_policy() -> None:
    policies: list[dict[str, Any]] = [
        {},
        {"rate_limit": None},
        {"gzip_level": 0},
        {"static_days": 0},
        {"private_paths": ()},
    ]
    for policy in policies:
        outside = re.sub(r'"[^"]*"|\'[^\']*\'|#.*', "", conf(**policy))
        assert outside.count("{") == outside.count("}")


def in_nginx(text: str, command: str) -> str:
    """What `command` prints in a container of nginx that holds the configuration."""
    text = text.replace("resolver 127.0.0.11", "resolver 127.0.0.1")
    files = {"nginx.conf": text, "servers.conf": servers(["web-0"], 8000), "release.conf": "return 200 one;\n"}
    put = "\n".join(f"cat >$live/{name} <<'END_OF_FILE'\n{content}\nEND_OF_FILE" for name, content in files.items())
    script = f"set -e; live=/etc/nginx/flaskstack; mkdir -p $live\n{put}\n{command}"
    run = ["run", "--rm", "--interactive", "--network", "none", "--entrypoint", "sh"]
    return docker(*run, DEFAULT_IMAGES["nginx"], "-s", text=script)


@pytest.mark.engine
@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"rate_limit": None, "gzip_level": 0, "static_days": 0, "private_paths": ()},
        {"trusted_proxies": ("10.0.0.0/8", "fd00::/8"), "private_paths": ("/metrics", "/admin/x.y")},
        {
            "headers": {
                "content_security_policy": "default-src 'self'; img-src * data:; report-uri https://r.example/?a=b#c"
            }
        },
        {"buffers": 1024, "buffer_kib": 4, "max_body_mib": 10_240, "static_days": 365, "gzip_level": 9},
    ],
    ids=["defaults", "all off", "proxies", "headers", "extremes"],
)
def test_nginx_itself_takes_the_configuration(policy: dict[str, Any]) -> None:
    said = in_nginx(conf(**policy), "nginx -t -c $live/nginx.conf 2>&1")
    assert "test is successful" in said
    assert "[warn]" not in said
    assert "[emerg]" not in said


@pytest.mark.engine
def test_nginx_itself_logs_valid_json_whatever_a_client_sends() -> None:
    claims = {"bytes": r"\377\376 \303\050", "quotes": r"\042 \134 {}", "text": r"gr\303\274n", "tab": r"a\tb"}
    asked = "\n".join(
        f'c=$(printf \'{claim}\'); curl -s -o /dev/null -A "$c" -e "$c" http://127.0.0.1:8080/{name}%ff </dev/null'
        for name, claim in claims.items()
    )
    started = (
        "nginx -c $live/nginx.conf 2>/dev/null\nuntil curl -fs 127.0.0.1:8081/health >/dev/null; do sleep 0.1; done"
    )
    said = in_nginx(conf(), f"{started}\n{asked}\nnginx -c $live/nginx.conf -s quit 2>/dev/null; sleep 1")
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [line["user_agent"] for line in lines] == ["(not UTF-8)", '" \\ {}', "grün", "a\tb"]
    assert [line["referer"] for line in lines] == [line["user_agent"] for line in lines]
    assert {line["request_path"] for line in lines} == {"(not UTF-8)"}
    assert {line["status_code"] for line in lines} == {502}
