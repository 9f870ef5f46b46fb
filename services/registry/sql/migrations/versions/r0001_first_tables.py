"""First tables: ingest, matcher, resolver, features, query and governance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table of the first version."""
    op.create_table(
        "audit",
        sa.Column("serial", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("occurred_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("principal", sa.String(length=256), nullable=False),
        sa.Column("purpose", sa.String(length=256), nullable=False),
        sa.Column("action", sa.String(length=128), nullable=False),
        sa.Column("outcome", sa.String(length=128), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_audit"),
    )
    op.create_table(
        "features_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_features_state"),
    )
    op.create_table(
        "models",
        sa.Column("model_id", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("model_id", name="pk_models"),
    )
    op.create_table(
        "outbox",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_outbox"),
    )
    op.create_table(
        "persons",
        sa.Column("serial", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("superseded_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("serial", name="pk_persons"),
    )
    op.create_table(
        "releases",
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("members_digest", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_releases"),
    )
    op.create_index("ix_releases_snapshot_id", "releases", ["snapshot_id"])

    op.create_table(
        "resolver_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("relayed", sa.BigInteger(), nullable=False),
        sa.Column("next_subject", sa.BigInteger(), nullable=False),
        sa.Column("next_person", sa.BigInteger(), nullable=False),
        sa.Column("overrides_applied", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_resolver_state"),
    )
    op.create_table(
        "shards",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shard", name="pk_shards"),
    )
    op.create_table(
        "snapshots",
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("published_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("tables", sa.Text(), nullable=False),
        sa.Column("model_id", sa.String(length=64), nullable=True),
        sa.Column("positions", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_snapshots"),
        sa.UniqueConstraint("snapshot_id", name="uq_snapshots_snapshot_id"),
    )
    op.create_table(
        "source_fields",
        sa.Column("source", sa.String(length=65), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("present", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "field", name="pk_source_fields"),
    )
    op.create_table(
        "streams",
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("stream_id", sa.String(length=128), nullable=False),
        sa.Column("source", sa.String(length=65), nullable=False),
        sa.Column("feed", sa.String(length=16), nullable=False),
        sa.Column("declaration", sa.Text(), nullable=False),
        sa.Column("next_batch", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("duplicate", sa.BigInteger(), nullable=False),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_streams"),
        sa.UniqueConstraint("stream_id", name="uq_streams_stream_id"),
    )
    op.create_index("ix_streams_source", "streams", ["source"])

    op.create_table(
        "roster",
        sa.Column("serial", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=65), nullable=False),
        sa.Column("subject_ref", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("content_hash", sa.BigInteger(), nullable=False),
        sa.Column("one_record_per_person", sa.Boolean(), nullable=False),
        sa.Column("claim_group", sa.LargeBinary(), nullable=True),
        sa.Column("passed", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=True),
        sa.Column("link_probability", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["persons.serial"], name="fk_roster_person"),
        sa.PrimaryKeyConstraint("serial", name="pk_roster"),
        sa.UniqueConstraint("source", "subject_ref", name="uq_roster_source"),
    )
    op.create_index("ix_roster_person", "roster", ["person"])

    op.create_table(
        "stream_batches",
        sa.Column("stream_id", sa.String(length=128), nullable=False),
        sa.Column("batch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=128), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.stream_id"], name="fk_stream_batches_stream_id"),
        sa.PrimaryKeyConstraint("stream_id", "batch", name="pk_stream_batches"),
    )
    op.create_table(
        "stream_refusals",
        sa.Column("stream_id", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.stream_id"], name="fk_stream_refusals_stream_id"),
        sa.PrimaryKeyConstraint("stream_id", "reason", name="pk_stream_refusals"),
    )
    op.create_table(
        "overrides",
        sa.Column("serial", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("left_serial", sa.BigInteger(), nullable=False),
        sa.Column("right_serial", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["left_serial"], ["roster.serial"], name="fk_overrides_left_serial"),
        sa.ForeignKeyConstraint(["right_serial"], ["roster.serial"], name="fk_overrides_right_serial"),
        sa.PrimaryKeyConstraint("serial", name="pk_overrides"),
    )
    op.create_index("ix_overrides_left_serial", "overrides", ["left_serial"])
    op.create_index("ix_overrides_right_serial", "overrides", ["right_serial"])

    op.create_table(
        "pairs",
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
        sa.ForeignKeyConstraint(["left_serial"], ["roster.serial"], name="fk_pairs_left_serial"),
        sa.ForeignKeyConstraint(["right_serial"], ["roster.serial"], name="fk_pairs_right_serial"),
        sa.PrimaryKeyConstraint("left_serial", "right_serial", name="pk_pairs"),
    )
    op.create_index("ix_pairs_decision", "pairs", ["decision"])
    op.create_index("ix_pairs_right_serial", "pairs", ["right_serial"])
