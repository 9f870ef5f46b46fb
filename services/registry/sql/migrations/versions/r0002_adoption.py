"""A second model beside the one in force: shards of each model, what is kept of a candidate, and drift."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give the shards to the model in force, and make the tables of an adoption."""
    _shards_of_models()
    op.create_index("ix_roster_claim_group", "roster", ["claim_group"])
    op.add_column("resolver_state", sa.Column("heard", sa.Text(), server_default="{}", nullable=False))
    op.create_table(
        "drifts",
        sa.Column("model_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=65), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.model_id"], name="fk_drifts_model_id"),
        sa.PrimaryKeyConstraint("model_id", "source", name="pk_drifts"),
    )
    op.create_table(
        "adoptions",
        sa.Column("serial", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("preview", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.model_id"], name="fk_adoptions_model_id"),
        sa.PrimaryKeyConstraint("serial", name="pk_adoptions"),
    )
    op.create_table(
        "candidate_roster",
        sa.Column("serial", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("content_hash", sa.BigInteger(), nullable=False),
        sa.Column("one_record_per_person", sa.Boolean(), nullable=False),
        sa.Column("claim_group", sa.LargeBinary(), nullable=True),
        sa.Column("passed", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["serial"], ["roster.serial"], name="fk_candidate_roster_serial"),
        sa.PrimaryKeyConstraint("serial", name="pk_candidate_roster"),
    )
    op.create_table(
        "candidate_pairs",
        sa.Column("left_serial", sa.BigInteger(), nullable=False),
        sa.Column("right_serial", sa.BigInteger(), nullable=False),
        sa.Column("left_version", sa.BigInteger(), nullable=False),
        sa.Column("right_version", sa.BigInteger(), nullable=False),
        sa.Column("left_hash", sa.BigInteger(), nullable=False),
        sa.Column("right_hash", sa.BigInteger(), nullable=False),
        sa.Column("pattern", sa.BigInteger(), nullable=False),
        sa.Column("weight_bits", sa.Float(), nullable=False),
        sa.Column("log2_odds", sa.Float(), nullable=False),
        sa.Column("guard", sa.String(length=64), nullable=True),
        sa.Column("model_id", sa.String(length=64), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("decision", sa.String(length=8), nullable=True),
        sa.ForeignKeyConstraint(["left_serial"], ["roster.serial"], name="fk_candidate_pairs_left_serial"),
        sa.ForeignKeyConstraint(["right_serial"], ["roster.serial"], name="fk_candidate_pairs_right_serial"),
        sa.PrimaryKeyConstraint("left_serial", "right_serial", name="pk_candidate_pairs"),
    )
    op.create_table(
        "candidate_moves",
        sa.Column("serial", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["serial"], ["roster.serial"], name="fk_candidate_moves_serial"),
        sa.PrimaryKeyConstraint("serial", name="pk_candidate_moves"),
    )


def _shards_of_models() -> None:
    """Make the table of shards anew with the model in its key: at most 64 rows, so they are read and written back."""
    connection = op.get_bind()
    models, shards = sa.table("models", sa.column("model_id"), sa.column("active", sa.Boolean())), sa.table("shards")
    active = sa.select(models.c.model_id).where(models.c.active).limit(1).scalar_subquery()
    kept = sa.select(
        active.label("model_id"), *(sa.literal_column(name) for name in ("shard", "epoch", "owner", "position"))
    ).select_from(shards)
    rows = [dict(row) for row in connection.execute(kept).mappings()]
    op.drop_table("shards")
    made = op.create_table(
        "shards",
        sa.Column("model_id", sa.String(length=64), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.model_id"], name="fk_shards_model_id"),
        sa.PrimaryKeyConstraint("model_id", "shard", name="pk_shards"),
    )
    if rows:
        op.bulk_insert(made, rows)
