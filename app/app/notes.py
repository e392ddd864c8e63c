"""Reading and writing notes, the same for the page and the API."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from app.database import db
from app.models import AUTHOR_LENGTH, PLACE_LENGTH, TEXT_LENGTH, Note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LARGEST_ID: Final = 2**31 - 1
_LENGTHS: Final = {"author": AUTHOR_LENGTH, "text": TEXT_LENGTH, "place": PLACE_LENGTH}
_OPTIONAL: Final = {"place"}
_KEPT_CONTROLS: Final = {"\n", "\t"}


class InvalidNoteError(ValueError):
    """A note that cannot be kept; `problems` says why, field by field."""

    def __init__(self, problems: dict[str, str]) -> None:
        """Take all problems at once."""
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = problems


@dataclass(frozen=True)
class Page:
    """Some notes, newest first. `before` finds the next older ones, None if there are none."""

    notes: Sequence[Note]
    before: int | None


def recent(limit: int, before: int | None = None) -> Page:
    """Return the `limit` newest notes, or those older than the note with the id `before`."""
    query = select(Note).order_by(Note.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(Note.id < min(before, LARGEST_ID))
    found = db.session.scalars(query).all()
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def find(identity: int) -> Note | None:
    """Return the note with this id."""
    return db.session.get(Note, identity) if identity <= LARGEST_ID else None


def leave(values: Mapping[str, Any]) -> Note:
    """Keep a note made of `values`. Raises `InvalidNoteError`."""
    cleaned: dict[str, str | None] = {}
    problems: dict[str, str] = {}
    for name, longest in _LENGTHS.items():
        value = values.get(name)
        text = clean(value) if isinstance(value, str) else ""
        if value is not None and not isinstance(value, str):
            problems[name] = "must be text"
        elif not text and name not in _OPTIONAL:
            problems[name] = "is missing"
        elif len(text) > longest:
            problems[name] = f"has {len(text)} characters; {longest} fit"
        cleaned[name] = text or None
    if problems:
        raise InvalidNoteError(problems)
    note = Note(**cleaned)
    db.session.add(note)
    db.session.commit()
    return note


def clean(text: str) -> str:
    """Return `text` without what a page or PostgreSQL cannot hold: control characters and lone surrogates."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        character
        for character in unified
        if character in _KEPT_CONTROLS or unicodedata.category(character) not in ("Cc", "Cs")
    ).strip()
