"""Notes."""

# ruff: noqa: INP001  # Alembic runs these files, nobody imports them
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20bb6a52d7c1"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("author", sa.String(40), nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("notes")
