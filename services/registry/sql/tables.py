"""The registry's tables, once, for every dialect. Migrations under `migrations/versions` lead to exactly these.

Types are the common ground of SQLite and PostgreSQL. Serials are given out by the registry, not by the database, where
their order means something (oldest = lowest). Documents (JSON) are text: they are read and written whole.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

# --- ingest -----------------------------------------------------------------------------------------------------------
streams = Table(
    "streams",
    metadata,
    Column("serial", Integer, primary_key=True),
    Column("stream_id", String(128), nullable=False, unique=True),
    Column("source", String(65), nullable=False, index=True),
    Column("feed", String(16), nullable=False),
    Column("declaration", Text, nullable=False),
    Column("next_batch", Integer, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("completed", Boolean, nullable=False),
)
stream_batches = Table(
    "stream_batches",
    metadata,
    Column("stream_id", ForeignKey("streams.stream_id"), primary_key=True),
    Column("batch", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(128), nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
)
stream_refusals = Table(
    "stream_refusals",
    metadata,
    Column("stream_id", ForeignKey("streams.stream_id"), primary_key=True),
    Column("reason", String(64), primary_key=True),
    Column("records", BigInteger, nullable=False),
)
source_fields = Table(
    "source_fields",
    metadata,
    Column("source", String(65), primary_key=True),
    Column("field", String(64), primary_key=True),
    Column("present", BigInteger, nullable=False),
)

# --- matcher ----------------------------------------------------------------------------------------------------------
models = Table(
    "models",
    metadata,
    Column("model_id", String(64), primary_key=True),
    Column("document", Text, nullable=False),
    Column("active", Boolean, nullable=False),
)
shards = Table(
    "shards",
    metadata,
    # Each model in use has vectors of its own: that in force, and that which is being adopted.
    Column("model_id", ForeignKey("models.model_id"), primary_key=True),
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("owner", String(128), nullable=False),
    Column("position", Text, nullable=False),
    # What was said under a lower epoch does not count: the resolver has asked for all of it again.
    Column("counts_from", BigInteger, nullable=False, server_default="0"),
)

drifts = Table(
    "drifts",
    metadata,
    Column("model_id", ForeignKey("models.model_id"), primary_key=True),
    Column("source", String(65), primary_key=True),
    Column("document", Text, nullable=False),
)

# --- workers ----------------------------------------------------------------------------------------------------------
leases = Table(
    "leases",
    metadata,
    Column("role", String(16), primary_key=True),
    Column("member", String(64), primary_key=True),
    Column("place", BigInteger, nullable=False),
    # Raised by its member as long as that is alive; others take out a row whose count stands still.
    Column("beats", BigInteger, nullable=False),
)

# --- adoption ---------------------------------------------------------------------------------------------------------
adoptions = Table(
    "adoptions",
    metadata,
    Column("serial", Integer, primary_key=True, autoincrement=False),
    Column("model_id", ForeignKey("models.model_id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("target", Text, nullable=False),
    Column("preview", Text, nullable=False),
)
candidate_roster = Table(
    "candidate_roster",
    metadata,
    Column("serial", ForeignKey("roster.serial"), primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("content_hash", BigInteger, nullable=False),
    Column("one_record_per_person", Boolean, nullable=False),
    Column("claim_group", LargeBinary, nullable=True),
    Column("passed", BigInteger, nullable=False),
)
candidate_pairs = Table(
    "candidate_pairs",
    metadata,
    Column("left_serial", ForeignKey("roster.serial"), primary_key=True),
    Column("right_serial", ForeignKey("roster.serial"), primary_key=True),
    *(
        Column(name, kind, nullable=name in {"guard", "probability", "decision"})
        for name, kind in (
            ("left_version", BigInteger),
            ("right_version", BigInteger),
            ("left_hash", BigInteger),
            ("right_hash", BigInteger),
            ("pattern", BigInteger),
            ("weight_bits", Float),
            ("log2_odds", Float),
            ("guard", String(64)),
            ("model_id", String(64)),
            ("shard", Integer),
            ("probability", Float),
            ("decision", String(8)),
        )
    ),
)
candidate_moves = Table(
    "candidate_moves",
    metadata,
    Column("serial", ForeignKey("roster.serial"), primary_key=True, autoincrement=False),
    # The serial of a person, who need not be there yet: it would be made by the switch.
    Column("person", BigInteger, nullable=True),
)

# --- resolver ---------------------------------------------------------------------------------------------------------
resolver_state = Table(
    "resolver_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("owner", String(128), nullable=False),
    Column("position", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("relayed", BigInteger, nullable=False),
    Column("next_subject", BigInteger, nullable=False),
    Column("next_person", BigInteger, nullable=False),
    Column("overrides_applied", BigInteger, nullable=False),
    # How far each shard of each model in use has been resolved.
    Column("heard", Text, nullable=False, server_default="{}"),
)
persons = Table(
    "persons",
    metadata,
    Column("serial", BigInteger, primary_key=True, autoincrement=False),
    # No index: ids are 128 random bits, so one would cost a page write for each new person, and to look one up is rare.
    Column("person_id", String(32), nullable=False),
    # An id is never reused: a person that is no more stays, with who took its place.
    Column("retired", Boolean, nullable=False),
    Column("superseded_by", BigInteger, nullable=True),
)
roster = Table(
    "roster",
    metadata,
    Column("serial", BigInteger, primary_key=True, autoincrement=False),
    Column("source", String(65), nullable=False),
    Column("subject_ref", String(64), nullable=False),
    # -1: only named by a pair so far; no version of the subject itself has been seen.
    Column("version", BigInteger, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("content_hash", BigInteger, nullable=False),
    Column("one_record_per_person", Boolean, nullable=False),
    Column("claim_group", LargeBinary, nullable=True, index=True),
    # Bit s is set once shard s has passed the current record: (version, withdrawn, content_hash).
    Column("passed", BigInteger, nullable=False),
    Column("person", ForeignKey("persons.serial"), nullable=True, index=True),
    Column("link_probability", Float, nullable=True),
    UniqueConstraint("source", "subject_ref"),
)
pairs = Table(
    "pairs",
    metadata,
    Column("left_serial", ForeignKey("roster.serial"), primary_key=True),
    Column("right_serial", ForeignKey("roster.serial"), primary_key=True, index=True),
    Column("left_version", BigInteger, nullable=False),
    Column("right_version", BigInteger, nullable=False),
    Column("left_hash", BigInteger, nullable=False),
    Column("right_hash", BigInteger, nullable=False),
    Column("pattern", BigInteger, nullable=False),
    Column("weight_bits", Float, nullable=False),
    Column("log2_odds", Float, nullable=False),
    Column("guard", String(64), nullable=True),
    Column("model_id", String(64), nullable=False),
    Column("shard", Integer, nullable=False),
    Column("probability", Float, nullable=True),
    Column("decision", String(8), nullable=True, index=True),
)
overrides = Table(
    "overrides",
    metadata,
    Column("serial", BigInteger, primary_key=True, autoincrement=False),
    Column("left_serial", ForeignKey("roster.serial"), nullable=False, index=True),
    Column("right_serial", ForeignKey("roster.serial"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
)
outbox = Table(
    "outbox",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("payload", LargeBinary, nullable=False),
    Column("events", Text, nullable=False),
    Column("changes", BigInteger, nullable=False),
)

# --- features ---------------------------------------------------------------------------------------------------------
features_state = Table(
    "features_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("position", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    # Revisions up to this one may have been given out by a registry that was lost and restored.
    Column("revision", BigInteger, nullable=False, server_default="0"),
)
snapshots = Table(
    "snapshots",
    metadata,
    Column("serial", Integer, primary_key=True),
    Column("snapshot_id", String(64), nullable=False, unique=True),
    Column("published_at_ms", BigInteger, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("tables", Text, nullable=False),
    Column("model_id", String(64), nullable=True),
    Column("positions", Text, nullable=False),
    Column("summary", Text, nullable=False),
)

# --- query and governance ---------------------------------------------------------------------------------------------
releases = Table(
    "releases",
    metadata,
    Column("serial", Integer, primary_key=True),
    Column("snapshot_id", String(64), nullable=False, index=True),
    Column("query", Text, nullable=False),
    Column("members_digest", String(128), nullable=False),
)
audit = Table(
    "audit",
    metadata,
    Column("serial", BigInteger, primary_key=True, autoincrement=False),
    Column("occurred_at_ms", BigInteger, nullable=False),
    Column("principal", String(256), nullable=False),
    Column("purpose", String(256), nullable=False),
    Column("action", String(128), nullable=False),
    Column("outcome", String(128), nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)
