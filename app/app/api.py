"""Notes as JSON.

Exempt from the CSRF token, and safe without: no cookie is read here, so a browser that is made to send a request brings
nobody's identity along; and what is sent must be `application/json`, which no form can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, abort, jsonify, request, url_for

from app import notes

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.models import Note

_LIMIT: Final = 50
_LONGEST: Final = 200

blueprint = Blueprint("api", __name__, url_prefix="/api")


@blueprint.get("/notes")
def listed() -> ResponseReturnValue:
    """Answer with the newest notes: `?limit=` of them, `?before=` an id."""
    page = notes.recent(_number("limit", _LIMIT, _LONGEST) or _LIMIT, _number("before", None, notes.LARGEST_ID))
    older = url_for(".listed", limit=len(page.notes), before=page.before) if page.before is not None else None
    return jsonify(notes=[_json(note) for note in page.notes], next=older)


@blueprint.get("/notes/<int:identity>")
def one(identity: int) -> ResponseReturnValue:
    """Answer with one note."""
    note = notes.find(identity)
    return jsonify(_json(note)) if note else abort(404)


@blueprint.post("/notes")
def leave() -> ResponseReturnValue:
    """Keep a note: `{"author": ..., "text": ..., "place": ...}`, the place as one likes."""
    values = request.get_json()
    if not isinstance(values, dict):
        abort(400, "An object with author and text is expected.")
    try:
        note = notes.leave(values)
    except notes.InvalidNoteError as invalid:
        return jsonify(error="Invalid note", detail=invalid.problems), 422
    return jsonify(_json(note)), 201, {"Location": url_for(".one", identity=note.id)}


def _number(name: str, default: int | None, largest: int) -> int | None:
    given = request.args.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and 1 <= int(given) <= largest):
        abort(400, f"{name} must be a number from 1 to {largest}.")
    return int(given)


def _json(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "author": note.author,
        "text": note.text,
        "place": note.place,
        "created_at": note.written.isoformat(),
    }
