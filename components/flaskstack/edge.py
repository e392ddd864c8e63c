"""What the edge does for an application, said once, whatever serves it.

Deliberately not here: how. Each edge has an adapter (`nginx.py` for the local stack) that delivers an intent or
refuses it.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated

import pydantic

from flaskstack.app import Seconds
from flaskstack.model import Model

# What an nginx configuration or a header would take as syntax must not stand in a value that ends there.
HeaderValue = Annotated[str, pydantic.Field(pattern=r"^[ !#%-\[\]-~]*$")]


def _network(value: str) -> str:
    network = ipaddress.ip_network(value, strict=False)
    if network.prefixlen == 0:
        message = "trusts everyone, so a client could claim any address; name the proxies"
        raise ValueError(message)
    return value


Network = Annotated[str, pydantic.AfterValidator(_network)]


class RateLimit(Model):
    """A limit for each client address."""

    requests_per_second: Annotated[int, pydantic.Field(ge=1)] = 10
    """Sustained rate. Default 10."""
    burst: Annotated[int, pydantic.Field(ge=0)] = 20
    """Requests above the rate that are still answered at once. Default 20; those above it get 429."""


class SecurityHeaders(Model):
    """Headers that every answer carries. An empty value leaves one out."""

    frame_options: HeaderValue = "SAMEORIGIN"
    """X-Frame-Options. Default SAMEORIGIN."""
    content_type_options: HeaderValue = "nosniff"
    """X-Content-Type-Options. Default nosniff."""
    referrer_policy: HeaderValue = "strict-origin-when-cross-origin"
    """Referrer-Policy. Default strict-origin-when-cross-origin."""
    content_security_policy: HeaderValue = "default-src 'self'"
    """Content-Security-Policy. Default: nothing but the application's own origin."""

    def named(self) -> dict[str, str]:
        """Return header -> value, for those that have one."""
        values = {
            "X-Frame-Options": self.frame_options,
            "X-Content-Type-Options": self.content_type_options,
            "Referrer-Policy": self.referrer_policy,
            "Content-Security-Policy": self.content_security_policy,
        }
        return {name: value for name, value in values.items() if value}


class EdgePolicy(Model):
    """The intents. An adapter that cannot deliver one refuses it with an error that names both."""

    https: bool = True
    """Whether clients are sent to HTTPS and kept there (redirect, HSTS). Default true."""
    rate_limit: RateLimit | None = RateLimit()
    """Limit for each client address. Default 10 requests/s, burst 20. Null for none."""
    trusted_proxies: tuple[Network, ...] = ()
    """Addresses or networks of proxies in front whose X-Forwarded-For is believed. Default none: the peer is the
    client."""
    connect_timeout: Seconds = 60
    """Seconds to reach the application. Default 60."""
    send_timeout: Seconds = 60
    """Seconds between two writes of a request to the application. Default 60."""
    read_timeout: Seconds = 60
    """Seconds between two reads of its answer. Default 60."""
    buffers: Annotated[int, pydantic.Field(ge=2, le=1024)] = 4
    """Response buffers a connection. Default 4."""
    buffer_kib: Annotated[int, pydantic.Field(ge=4, le=1024)] = 16
    """Size of a response buffer, in KiB. Default 16."""
    gzip_level: Annotated[int, pydantic.Field(ge=0, le=9)] = 6
    """Compression level of text, JSON, JavaScript and XML; 0 for none. Default 6."""
    gzip_min_length: Annotated[int, pydantic.Field(ge=0)] = 1024
    """Bytes from which an answer is compressed. Default 1,024."""
    max_body_mib: Annotated[int, pydantic.Field(ge=1, le=10_240)] = 10
    """Largest request body, in MiB. Default 10; larger ones get 413."""
    static_days: Annotated[int, pydantic.Field(ge=0, le=365)] = 30
    """Days that static files may be cached; 0 for not at all. Default 30."""
    private_paths: tuple[Annotated[str, pydantic.Field(pattern=r"^/[\w./-]*$")], ...] = ("/metrics",)
    """Paths that are not for clients: 404. Default /metrics."""
    headers: SecurityHeaders = SecurityHeaders()
    """Security headers."""
