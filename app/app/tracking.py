"""A request's own number, and caching off unless a view says otherwise."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from flask import g, request

if TYPE_CHECKING:
    from flask import Flask
    from flask.wrappers import Response

_SANE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}")
_HEADERS: Final = ("X-Tracking-ID", "X-Request-ID")
"""As the access log has it: the edge's number first."""


def init_app(app: Flask) -> None:
    """Give each request a number, and say it in the answer."""
    app.before_request(_number)
    app.after_request(_finish)


def _number() -> None:
    named = (request.headers.get(header, "") for header in _HEADERS)
    g.request_id = next(filter(_SANE.fullmatch, named), None) or secrets.token_hex(16)


def _finish(response: Response) -> Response:
    if "request_id" in g:
        response.headers["X-Request-ID"] = g.request_id
    # Pages hold a visitor's name and token, and the API what changes with the next note.
    response.headers.setdefault("Cache-Control", "no-store")
    return response
