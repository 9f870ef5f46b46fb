"""Frozen cohorts: written beside the snapshots by an operator's command, read by the query service.

Two tables of the products zone: `freezes`, one row a frozen cohort, and `frozen_members`, its people and subjects.
Neither ever changes for an id that is there: the id holds the digest of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from linkage.cohorts import Selection, select
from linkage.cohorts.freeze import FROZEN, digest, found_again, frozen
from linkage.features import feature_columns
from schemas.cohorts import CohortDefinition
from schemas.errors import DefectError, InputError, PolicyError, Reason, StateError
from schemas.purposes import Output, Purpose
from services.lake import Zone
from services.registry import AuditEvent, QueryRegistry, Snapshot

FREEZES_TABLE: Final = "freezes"
MEMBERS_TABLE: Final = "frozen_members"
_FEATURES: Final = "features"
_MEMBERSHIP: Final = "membership"


@dataclass(frozen=True)
class Freeze:
    """One frozen cohort: which, as of when, and by which filters (canonical)."""

    freeze_id: str
    cohort_id: str
    cohort_version: int
    snapshot_id: str
    as_of: date
    purpose: str
    members: str
    denominator: str
    excluded: str
    digest: str

    @property
    def selection(self) -> Selection:
        """Return the people that the cohort meant; their features decide permission and the disclosure rule."""
        return Selection.from_canonical(
            {"members": self.members, "denominator": self.denominator, "excluded": self.excluded}
        )


_FREEZES: Final = pl.Schema(
    {
        "freeze_id": pl.String(),
        "cohort_id": pl.String(),
        "cohort_version": pl.Int64(),
        "snapshot_id": pl.String(),
        "as_of": pl.Date(),
        "purpose": pl.String(),
        "members": pl.String(),
        "denominator": pl.String(),
        "excluded": pl.String(),
        "digest": pl.String(),
    }
)


class Freezes:
    """The frozen cohorts of one products zone."""

    def __init__(self, products: Zone) -> None:
        """Read and write in this zone."""
        self._products = products

    def all(self) -> list[Freeze]:
        """Return every frozen cohort, by id."""
        rows = self._products.scan(FREEZES_TABLE)
        return [] if rows is None else [Freeze(**row) for row in rows.sort("freeze_id").collect().to_dicts()]

    def get(self, freeze_id: str) -> Freeze:
        """Return one; raises InputError NOT_FOUND where there is none of that id."""
        rows = self._products.scan(FREEZES_TABLE)
        found = [] if rows is None else rows.filter(pl.col("freeze_id") == freeze_id).collect().to_dicts()
        if not found:
            raise InputError(
                Reason.NOT_FOUND, "There is no frozen cohort of that id; `hwlink cohort frozen` lists them."
            )
        return Freeze(**found[0])

    def present(self, freeze_id: str, snapshot: Snapshot) -> pl.Series:
        """Return the ids of the persons who are the frozen ones in a snapshot.

        Raises as `get`; StateError STORE_MISSING where the snapshot's membership is gone; DefectError when the people
        kept are not those of the id.
        """
        freeze = self.get(freeze_id)
        rows = self._products.scan(MEMBERS_TABLE)
        members = FROZEN.to_frame() if rows is None else rows.filter(pl.col("freeze_id") == freeze_id).collect()
        canonical = freeze.selection.canonical
        if digest(canonical, freeze.snapshot_id, members.select(FROZEN.names())) != freeze.digest:
            raise DefectError(Reason.INTERNAL, "A frozen cohort has other people than when it was frozen; report this.")
        return found_again(members, _table(self._products, snapshot, _MEMBERSHIP).collect())

    def freeze(
        self, definition: CohortDefinition, snapshot: Snapshot, purpose: Purpose, registry: QueryRegistry
    ) -> Freeze:
        """Freeze a cohort as it is in a snapshot, and note it in the audit. Freezing the same again changes nothing.

        Raises PolicyError PURPOSE_NOT_PERMITTED where the purpose may not use it, DISCLOSURE_RISK where it answers
        nobody; StateError STORE_MISSING where the snapshot's tables are gone.
        """
        purpose.permits(Output.COUNTS)
        if Output.COUNTS not in definition.outputs:
            raise PolicyError(
                Reason.DISCLOSURE_RISK,
                f"Cohort {definition.cohort_id} gives no counts, now or later. {definition.refusal}",
            )
        selection = select(definition)
        if not {used.sensitivity for used in selection.features} <= set(purpose.sensitivities):
            raise PolicyError(
                Reason.PURPOSE_NOT_PERMITTED,
                f"Purpose {purpose.purpose_id} may not use every feature of cohort {definition.cohort_id}.",
            )
        people = _table(self._products, snapshot, _FEATURES).select("person_id", *_used(selection)).collect()
        chosen = people.filter(selection.rows(people).members)["person_id"]
        members = frozen(chosen, _table(self._products, snapshot, _MEMBERSHIP).collect())
        told = digest(selection.canonical, snapshot.snapshot_id, members)
        made = Freeze(
            freeze_id=f"{definition.cohort_id}.{snapshot.as_of.isoformat()}.{told[:8]}",
            cohort_id=definition.cohort_id,
            cohort_version=definition.version,
            snapshot_id=snapshot.snapshot_id,
            as_of=snapshot.as_of,
            purpose=purpose.purpose_id,
            digest=told,
            **selection.canonical,
        )
        detail = {"freeze_id": made.freeze_id, "snapshot_id": snapshot.snapshot_id, "digest": told}
        registry.audit(AuditEvent("local", purpose.purpose_id, "cohort.freeze", "released", detail))
        # People first: a freeze that is listed has them.
        rows = members.with_columns(pl.lit(made.freeze_id).alias("freeze_id"))
        self._products.merge(MEMBERS_TABLE, rows, ["freeze_id", *FROZEN.names()], {})
        self._products.merge(FREEZES_TABLE, pl.DataFrame([vars(made)], schema=_FREEZES), "freeze_id", {})
        return made


def _used(selection: Selection) -> list[pl.Expr]:
    wanted = feature_columns()
    return [pl.col(used.name).cast(wanted[used.name]) for used in selection.features]


def _table(products: Zone, snapshot: Snapshot, table: str) -> pl.LazyFrame:
    version = snapshot.tables.get(table)
    rows = None if version is None else products.scan(table, version)
    if rows is None:
        raise StateError(
            Reason.STORE_MISSING,
            f"The snapshot's {table} is not in the lake any more; name a newer snapshot, or restore a backup.",
        )
    return rows
