"""Place of a note."""

# ruff: noqa: INP001  # Alembic runs these files, nobody imports them
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "7c41e90ab3d5"
down_revision = "20bb6a52d7c1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only: nullable, so the former release, which does not know it, goes on writing notes."""
    op.add_column("notes", sa.Column("place", sa.String(60), nullable=True))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("notes", "place")
