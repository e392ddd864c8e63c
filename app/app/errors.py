"""Errors as the one who asked can read them: JSON under /api/, a page elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import current_app, g, jsonify, make_response, render_template, request
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, SecurityError, ServiceUnavailable

from app.database import database_words, db

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

_MACHINES: Final = ("/api/", "/health", "/ready", "/metrics")
_WORDS: Final = {
    400: ("That did not work", "The request was not understood. Go back, reload the page and try again."),
    404: ("Nothing here", "There is no page at this address."),
    405: ("Not this way", "This address does not take that kind of request."),
    413: ("Too much", "That is more than a note may hold."),
    500: ("Our fault", "Something went wrong here. It has been written to the log."),
    503: ("Back in a moment", "The guestbook cannot reach its pages just now. Try again in a few seconds."),
}


def init_app(app: Flask) -> None:
    """Answer errors of `app`."""
    app.register_error_handler(HTTPException, _answer)
    for error in (OperationalError, InterfaceError, PoolTimeoutError):
        app.register_error_handler(error, _database_away)


def _database_away(error: Exception) -> ResponseReturnValue:
    """Answer 503: not the code's fault, and it passes."""
    current_app.logger.error("the database does not answer: %s", database_words(error))
    try:
        db.session.rollback()
    except Exception:  # noqa: BLE001  # the connection is gone, and what it held with it
        db.session.remove()
    return _answer(ServiceUnavailable(retry_after=5))


def _answer(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:  # noqa: PLR2004  # a redirect is raised as an exception too
        return error
    title, advice = _WORDS.get(code, (error.name, error.description or ""))
    number = g.get("request_id")
    if isinstance(request.routing_exception, SecurityError):
        # A host that is not trusted gets no page: its links would have to be made for that host.
        answer = make_response("This host is not served here.\n", {"Content-Type": "text/plain; charset=utf-8"})
    elif request.path.startswith(_MACHINES):
        answer = make_response(jsonify(error=error.name, detail=error.description, request_id=number))
    else:
        answer = make_response(render_template("error.html", code=code, title=title, advice=advice, request_id=number))
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            answer.headers[name] = value
    answer.status_code = code
    return answer
