"""The intents of an edge: defaults of the contract, and values that no configuration may hold."""

from __future__ import annotations

import pytest

from flaskstack import EdgePolicy, RateLimit, SecurityHeaders, SettingsError
from flaskstack.model import parse


def test_the_defaults_are_those_of_the_contract() -> None:
    policy = EdgePolicy()
    assert policy.https
    assert policy.rate_limit == RateLimit(requests_per_second=10, burst=20)
    assert (policy.connect_timeout, policy.send_timeout, policy.read_timeout) == (60, 60, 60)
    assert (policy.buffers, policy.buffer_kib) == (4, 16)
    assert (policy.gzip_level, policy.gzip_min_length) == (6, 1024)
    assert (policy.static_days, policy.trusted_proxies) == (30, ())
    assert policy.headers.named() == {
        "X-Frame-Options": "SAMEORIGIN",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Content-Security-Policy": "default-src 'self'",
    }


def test_an_empty_header_is_left_out() -> None:
    assert "X-Frame-Options" not in SecurityHeaders(frame_options="").named()


@pytest.mark.parametrize(
    "field", ["frame_options", "content_type_options", "referrer_policy", "content_security_policy"]
)
@pytest.mark.parametrize("value", ['a"; b', "a\r\nSet-Cookie: x", "a\nb", "$host", "a\\", "tab\t", "nul\x00", "é"])
def test_a_header_that_could_be_syntax_is_refused(field: str, value: str) -> None:
    with pytest.raises(SettingsError):
        parse(SecurityHeaders, {field: value})


def test_an_ordinary_content_policy_is_taken() -> None:
    policy = "default-src 'self'; img-src * data:; report-uri https://r.example/?a=b&c=d; script-src 'sha256-a+b/c='"
    assert parse(SecurityHeaders, {"content_security_policy": policy}).content_security_policy == policy


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "10.0.0.1/0"])
def test_trusting_everyone_as_a_proxy_is_refused(network: str) -> None:
    with pytest.raises(SettingsError, match="trusts everyone"):
        parse(EdgePolicy, {"trusted_proxies": [network]})


@pytest.mark.parametrize(
    "network", ["", "....", "999.1.1.1", "10.0.0.0/33", "proxy.example", "10.0.0.1; deny all", "::/129"]
)
def test_what_is_no_network_is_refused(network: str) -> None:
    with pytest.raises(SettingsError):
        parse(EdgePolicy, {"trusted_proxies": [network]})


@pytest.mark.parametrize("network", ["10.0.0.1", "10.0.0.0/8", "10.1.2.3/8", "fd00::/8", "::1"])
def test_a_network_is_taken(network: str) -> None:
    assert parse(EdgePolicy, {"trusted_proxies": [network]}).trusted_proxies == (network,)


@pytest.mark.parametrize("path", ["metrics", "/a b", "/a;b", "/{x}", "/$x", '/"', "/a\n", "/~"])
def test_a_private_path_that_could_be_syntax_is_refused(path: str) -> None:
    with pytest.raises(SettingsError):
        parse(EdgePolicy, {"private_paths": [path]})


@pytest.mark.parametrize(
    "values",
    [
        {"gzip_level": 10},
        {"gzip_level": -1},
        {"buffers": 1},
        {"buffer_kib": 3},
        {"max_body_mib": 0},
        {"static_days": 366},
        {"read_timeout": 0},
        {"rate_limit": {"requests_per_second": 0}},
        {"rate_limit": {"burst": -1}},
        {"headers": {"unknown": "x"}},
    ],
)
def test_a_figure_outside_its_bounds_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        parse(EdgePolicy, values)


def test_no_rate_limit_is_an_answer() -> None:
    assert parse(EdgePolicy, {"rateLimit": None}).rate_limit is None
