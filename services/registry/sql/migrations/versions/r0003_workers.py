"""Several workers: who of a role is alive, and from which epoch on what a shard's owners say counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of leases; everything that was said of a shard so far counts."""
    op.create_table(
        "leases",
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("member", sa.String(length=64), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("role", "member", name="pk_leases"),
    )
    op.add_column("shards", sa.Column("counts_from", sa.BigInteger(), server_default="0", nullable=False))
