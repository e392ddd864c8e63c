"""The page: read notes, leave one, be remembered by name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, current_app, redirect, render_template, request, session, url_for
from flask_wtf.csrf import CSRFProtect  # type: ignore[import-untyped]

from app import api, health, notes
from app.models import AUTHOR_LENGTH, PLACE_LENGTH, TEXT_LENGTH
from app.server import Server
from app.visits import visits

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

SHOWN: Final = 12
TINTS: Final = 6
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"))

blueprint = Blueprint("pages", __name__)
csrf = CSRFProtect()


def init_app(app: Flask) -> None:
    """Route the page, and guard its forms."""
    csrf.init_app(app)
    csrf.exempt(api.blueprint)
    csrf.exempt(health.blueprint)
    app.register_blueprint(blueprint)
    app.add_template_filter(ago)
    app.add_template_filter(tint)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the newest notes, or older ones: `?before=` an id."""
    before = request.args.get("before", type=int)
    return _guestbook(before=before if before is None or before > 0 else None)


@blueprint.post("/")
def leave() -> ResponseReturnValue:
    """Keep a note and remember the name."""
    try:
        note = notes.leave(request.form)
    except notes.InvalidNoteError as invalid:
        return _guestbook(problems=invalid.problems), 422
    session.permanent = True
    session.update(name=note.author, place=note.place, thanks=True)
    return redirect(url_for(".index"), 303)


@blueprint.post("/forget")
def forget() -> ResponseReturnValue:
    """Forget the visitor's name."""
    session.clear()
    return redirect(url_for(".index"), 303)


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Answer browsers that ask for this name without being told."""
    icon: Response = current_app.extensions["assets"].send("favicon.svg", None)
    return icon


def _guestbook(before: int | None = None, problems: dict[str, str] | None = None) -> str:
    values = request.form if problems else {"author": session.get("name"), "place": session.get("place")}
    counter = visits()
    context: dict[str, Any] = {
        "page": notes.recent(SHOWN, before),
        "before": before,
        "name": session.get("name"),
        "thanks": session.pop("thanks", False),
        "problems": problems or {},
        "values": values,
        "lengths": {"author": AUTHOR_LENGTH, "place": PLACE_LENGTH, "text": TEXT_LENGTH},
        "counts": counter.configured,
        "visits": counter.count(),
        "server": Server.here(),
        "version": current_app.config["APP_VERSION"],
    }
    return render_template("index.html", **context)


def ago(moment: datetime) -> str:
    """Return how long ago `moment` was, in words."""
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for size, unit in _UNITS:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def tint(author: str) -> int:
    """Return which of the style sheet's colours is this author's, the same each time."""
    return sum(map(ord, author)) % TINTS
