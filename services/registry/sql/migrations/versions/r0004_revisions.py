"""The least revision that the feature builder may give out next: a restore raises it above what consumers have seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing was restored so far."""
    op.add_column("features_state", sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False))
