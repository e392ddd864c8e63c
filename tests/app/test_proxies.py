"""What is believed of forwarded headers, hosts and HTTPS."""

from __future__ import annotations

import pytest
from flask import jsonify, request

FORWARDED = {
    "X-Forwarded-For": "203.0.113.9, 198.51.100.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "book.example.org:8443",
    "X-Forwarded-Port": "8080",
    "X-Forwarded-Prefix": "/forged",
}


@pytest.fixture
def seen(make_app):
    """Return what an application behind some proxies makes of a request."""

    def see(**config):
        app = make_app(**config)
        app.add_url_rule("/seen", view_func=lambda: jsonify([request.remote_addr, request.url]))
        return app.test_client().get("/seen", headers=FORWARDED).json

    return see


@pytest.mark.parametrize(
    ("hops", "address", "url"),
    [
        (0, "127.0.0.1", "http://localhost/seen"),
        (1, "198.51.100.7", "https://book.example.org:8443/seen"),
        (2, "203.0.113.9", "http://localhost/seen"),
    ],
)
def test_exactly_as_many_proxies_are_believed_as_there_are(seen, hops, address, url):
    assert seen(PROXY_HOPS=hops) == [address, url]


@pytest.mark.parametrize(
    ("base", "config", "expected"),
    [
        ("https://localhost", {}, "max-age=31536000"),
        ("http://localhost", {}, None),
        ("https://localhost", {"DEBUG": True}, None),
    ],
)
def test_browsers_stay_on_https_once_they_came_by_it_in_production(make_app, base, config, expected):
    answer = make_app(**config).test_client().get("/health", base_url=base)
    assert answer.headers.get("Strict-Transport-Security") == expected


def test_only_trusted_hosts_are_answered_and_probes_name_one(make_app):
    client = make_app(TRUSTED_HOSTS=["book.example.org", "localhost"]).test_client()
    for path in ("/", "/health", "/ready", "/api/notes", "/nowhere"):
        refused = client.get(path, headers={"Host": "evil.example.net"})
        assert refused.status_code == 400
        assert "evil" not in refused.text
    for host in ("book.example.org", "book.example.org:8443", "localhost"):
        assert client.get("/ready", headers={"Host": host}).status_code == 200


def test_cookies_are_for_https_only_in_production(make_app):
    assert "Secure" in make_app().test_client().get("/", base_url="https://localhost").headers["Set-Cookie"]
