"""What is kept. The migrations make these tables; a test holds both to say the same."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import DateTime, String, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

AUTHOR_LENGTH = 40
PLACE_LENGTH = 60
TEXT_LENGTH = 500


class Base(DeclarativeBase):
    """All tables."""


class Note(Base):
    """A note that somebody left."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    author: Mapped[str] = mapped_column(String(AUTHOR_LENGTH))
    text: Mapped[str] = mapped_column(String(TEXT_LENGTH))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    place: Mapped[str | None] = mapped_column(String(PLACE_LENGTH))

    @property
    def written(self) -> datetime:
        """When it was written, with a zone: SQLite, which has none, keeps UTC."""
        return self.created_at if self.created_at.tzinfo else self.created_at.replace(tzinfo=UTC)
