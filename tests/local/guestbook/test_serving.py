"""What a client sees of a running stack."""

from __future__ import annotations

import gzip
import json
import re
import socket

import pytest
from support.access_log import FIELDS
from support.stack import Stack, docker, fetch


def note(stack: Stack, text: str) -> dict[str, object]:
    body = json.dumps({"author": "test", "text": text}).encode()
    answer = fetch(f"{stack.url}/api/notes", method="POST", headers={"Content-Type": "application/json"}, body=body)
    assert answer.status == 201, answer.body
    return dict(answer.json())


def test_the_page_comes_through_nginx_and_says_who_served_it(stack: Stack) -> None:
    served_by = set()
    for _ in range(20):
        answer = fetch(stack.url)
        assert answer.status == 200
        assert answer.headers["Server"] == "nginx"
        served_by |= {container[:12] for container in stack.containers("web") if container[:12].encode() in answer.body}
    assert len(served_by) == 2, "both replicas serve"


def test_the_page_names_the_image_that_runs(stack: Stack) -> None:
    image = stack.outputs()["image"]
    assert image.startswith("sha256:")
    assert image.removeprefix("sha256:")[:12].encode() in fetch(stack.url).body


def test_a_note_is_written_to_postgresql_and_read_back(stack: Stack) -> None:
    written = note(stack, "kept in PostgreSQL")
    notes = fetch(f"{stack.url}/api/notes").json()
    assert str(written["text"]) in json.dumps(notes)
    (postgres,) = stack.containers("postgres")
    rows = docker("exec", postgres, "sh", "-c", 'pg_dump --data-only -U "$POSTGRES_USER" "$POSTGRES_DB"')
    assert "kept in PostgreSQL" in rows


@pytest.mark.parametrize("path", ["/health", "/healthz", "/ready"])
def test_the_health_routes_answer(stack: Stack, path: str) -> None:
    assert fetch(stack.url + path).status == 200


def test_metrics_are_not_for_clients_but_there_inside(stack: Stack) -> None:
    assert fetch(f"{stack.url}/metrics").status == 404
    web = stack.containers("web")[0]
    read = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/metrics').read().decode())"
    assert "# HELP" in docker("exec", web, "python", "-c", read)


def static_file(stack: Stack) -> str:
    found = re.search(rb'href="(/static/[^"]+\.css)"', fetch(stack.url).body)
    assert found
    return stack.url + found[1].decode()


def test_static_files_have_hashed_names_and_are_cached_for_thirty_days(stack: Stack) -> None:
    url = static_file(stack)
    assert re.search(r"\.[0-9a-f]{8,}\.css$", url)
    answer = fetch(url)
    assert answer.headers["Cache-Control"] == "public, max-age=2592000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_static_file_is_answered_by_nginx_while_no_replica_runs(stack: Stack) -> None:
    url = static_file(stack)
    before = fetch(url).body
    replicas = stack.containers("web")
    docker("pause", *replicas)
    try:
        assert fetch(url, timeout=3).body == before
    finally:
        docker("unpause", *replicas)


def test_text_is_compressed_when_the_client_takes_it(stack: Stack) -> None:
    plain = fetch(stack.url)
    packed = fetch(stack.url, headers={"Accept-Encoding": "gzip"})
    assert plain.headers["Content-Encoding"] is None
    assert packed.headers["Content-Encoding"] == "gzip"
    assert b"<html" in gzip.decompress(packed.body)


def test_every_answer_carries_the_security_headers_once(stack: Stack) -> None:
    for path in ("/", "/no-such-page", "/metrics"):
        headers = fetch(stack.url + path).headers
        for name, value in {
            "X-Frame-Options": "SAMEORIGIN",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "strict-origin-when-cross-origin",
        }.items():
            assert headers.get_all(name) == [value], f"{name} of {path}"
        assert len(headers.get_all("Content-Security-Policy")) == 1


def test_a_body_above_the_limit_is_refused(stack: Stack) -> None:
    assert fetch(f"{stack.url}/api/notes", method="POST", body=b"x" * (10 * 1024 * 1024 + 1)).status == 413


def raw(stack: Stack, request: bytes) -> bytes:
    """Send bytes as they are, and return the whole answer."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=5) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


@pytest.mark.parametrize(
    "value",
    [
        b'quotes " and \\ backslashes',
        b"tab\tand bell \x07",
        b"\xff\xfe not UTF-8 \xc3\x28",
        b"</script>${jndi:ldap://x}",
        b"\xe2\x80\xa8",
    ],
)
def test_log_lines_are_valid_json_whatever_a_client_sends(stack: Stack, value: bytes) -> None:
    marker = f"hostile-{value.hex()[:24]}"
    raw(
        stack,
        b"GET /"
        + marker.encode()
        + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nUser-Agent: "
        + value
        + b"\r\nReferer: "
        + value
        + b"\r\nX-Tracking-ID: "
        + value
        + b"\r\n\r\n",
    )
    seen = 0
    for container in stack.containers("web") + stack.containers("nginx"):
        for line in logged(container):
            entry = json.loads(line)
            if entry.get("request_path") == f"/{marker}":
                seen += 1
                assert set(FIELDS) <= entry.keys()
    # nginx answers a control character itself, with 400; the others reach a replica too.
    assert seen >= 1


def logged(container: str) -> list[str]:
    """Return the lines that a container wrote. Only a line feed ends one: U+2028 may stand in JSON."""
    return [line for line in docker("logs", container).split("\n") if line]


def test_a_forged_client_address_is_not_believed(stack: Stack) -> None:
    fetch(f"{stack.url}/forged", headers={"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"})
    entries = [json.loads(line) for container in stack.containers("web") for line in logged(container)]
    (entry,) = [entry for entry in entries if entry.get("request_path") == "/forged"]
    assert entry["remote_addr"] != "203.0.113.9"


def test_clients_above_the_rate_get_429(stack: Stack) -> None:
    stack.set(edge={"rateLimit": {"requestsPerSecond": 1, "burst": 2}})
    try:
        stack.up().expect()
        answers = [fetch(f"{stack.url}/health").status for _ in range(6)]
        assert answers[0] == 200
        assert 429 in answers
    finally:
        stack.set(edge={"rateLimit": None})
        stack.up().expect()
