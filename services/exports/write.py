"""One consumer's tables from one snapshot: people under its own ids with permitted features, and what those mean.

The same features as on its topic, under the same ids. Each table is replaced in one commit: who reads has the old one
or the new one, whole. What a former export held is gone for good once nobody can still be reading it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from linkage.features import FEATURES, feature_columns
from linkage.features.permitted import permitted_features
from linkage.rekey import rekey
from schemas.errors import PolicyError, Reason, StateError
from schemas.features import FeatureDefinition
from schemas.purposes import Purpose
from services.lake import Zone
from services.registry import AuditEvent, QueryRegistry, Snapshot

FEATURES_TABLE: Final = "features"
CATALOGUE_TABLE: Final = "catalogue"
READ_AT_MOST_H: Final = 24
"""How long who has begun to read a former export may go on; then its files are deleted."""

_CATALOGUE: Final = pl.Schema(
    {
        "feature": pl.String(),
        "type": pl.String(),
        "values": pl.List(pl.String()),
        "definition": pl.String(),
        "unknown_when": pl.String(),
        "sources": pl.List(pl.String()),
        "sensitivity": pl.String(),
        "marmot_domain": pl.String(),
        "household_basis": pl.String(),
        "look_back_months": pl.Int64(),
    }
)


@dataclass(frozen=True)
class Exported:
    """What was written: for whom, of which snapshot, how many people and features."""

    consumer: str
    snapshot_id: str
    people: int
    features: int
    version: int


def consumer_of(purpose: Purpose) -> str:
    """Return whom a purpose's tables are for; raises PolicyError PURPOSE_NOT_PERMITTED for one that takes none."""
    if not purpose.feeds_topic or purpose.consumer is None:
        raise PolicyError(
            Reason.PURPOSE_NOT_PERMITTED, f"Purpose {purpose.purpose_id} takes no features of persons; name another."
        )
    return purpose.consumer


def write_export(
    snapshot: Snapshot, purpose: Purpose, key: bytes, products: Zone, target: Zone, registry: QueryRegistry
) -> Exported:
    """Replace the consumer's tables with those of a snapshot, ids re-keyed under `key`, and note it in the audit.

    Raises what `consumer_of` raises, and StateError STORE_MISSING where the snapshot's table is gone from the lake.
    """
    consumer = consumer_of(purpose)
    names = permitted_features(purpose)
    rows = products.scan(FEATURES_TABLE, snapshot.tables[FEATURES_TABLE])
    if rows is None:
        raise StateError(
            Reason.STORE_MISSING, "The snapshot's table is not in the lake; restore it, or export the newest snapshot."
        )
    people = _people(rows, names, key, snapshot)
    # Before anything is written: what is not in the audit must not be outside.
    detail = {"snapshot_id": snapshot.snapshot_id, "consumer": consumer, "columns": ",".join(names)}
    registry.audit(AuditEvent("local", purpose.purpose_id, "export.write", "released", detail))
    target.replace(CATALOGUE_TABLE, _catalogue(names), {})
    version = target.replace(FEATURES_TABLE, people, {})
    for table in (CATALOGUE_TABLE, FEATURES_TABLE):
        target.vacuum(table, [], READ_AT_MOST_H)
        target.expire_log(table)
    return Exported(consumer, snapshot.snapshot_id, len(people), len(names), version)


def _people(rows: pl.LazyFrame, names: list[str], key: bytes, snapshot: Snapshot) -> pl.DataFrame:
    """Return one row a person in the order of the consumer's ids, which says nothing about how they were found."""
    have, wanted = set(rows.collect_schema().names()), feature_columns()
    found = rows.select(
        "person_id",
        pl.lit(snapshot.snapshot_id).alias("snapshot_id"),
        pl.lit(snapshot.as_of).alias("as_of"),
        # A snapshot of an earlier release may lack a feature: unknown.
        *(pl.col(n).cast(wanted[n]) if n in have else pl.lit(None, wanted[n]).alias(n) for n in names),
    ).collect()
    return found.with_columns(rekey(found["person_id"], key)).sort("person_id")


def _catalogue(names: list[str]) -> pl.DataFrame:
    return pl.DataFrame([_entry(FEATURES[name]) for name in names], schema=_CATALOGUE)


def _entry(definition: FeatureDefinition) -> dict[str, object]:
    return {
        "feature": definition.name,
        "type": definition.type.value,
        "values": list(definition.values or definition.bands),
        "definition": definition.definition,
        "unknown_when": definition.unknown_when,
        "sources": [feed.value for feed in definition.sources],
        "sensitivity": definition.sensitivity.value,
        "marmot_domain": definition.marmot_domain,
        "household_basis": definition.household_basis,
        "look_back_months": definition.look_back_months,
    }
