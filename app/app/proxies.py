"""What the proxies in front say of the client, believed from exactly as many of them as there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from flask import Flask
    from flask.wrappers import Response

HSTS = "max-age=31536000"
"""A year, for this host only: whether its subdomains have HTTPS is not ours to say."""


def init_app(app: Flask) -> None:
    """Count `PROXY_HOPS` proxies, and keep browsers that came by HTTPS on it."""
    hops = app.config["PROXY_HOPS"]
    if hops:
        # Not X-Forwarded-Port: X-Forwarded-Host has the port that the client sees, the other often an inner one.
        # Not X-Forwarded-Prefix: the application is served at the root, and not every proxy takes a forged one away.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # as Flask's documentation has it
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_port=0, x_prefix=0
        )
    if not app.debug:
        app.after_request(_strict_transport)


def _strict_transport(response: Response) -> Response:
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    return response
