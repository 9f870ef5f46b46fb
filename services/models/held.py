"""Fitting on what the deployment holds: the subjects of the linkage zone at one version of the lake."""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.fit import fit
from linkage.held import HeldSubjects
from linkage.subjects import Subjects
from schemas.columns import conform
from schemas.contracts.base import Operation
from schemas.contracts.subject import Subject
from schemas.errors import Reason, StateError
from schemas.model import MatchModel
from services.lake import Zone
from services.lake.latest import latest

TABLE: Final = "subjects"
ROWS_AT_ONCE: Final = 100_000
"""Subjects read at a time, some 80 MB; each time costs a scan of the table's keys."""

_KEY: Final = ("source", "subject_ref")
_RECORD: Final = (*_KEY, "version", "content_hash")


def fit_held(zone: Zone, shipped: MatchModel, seed: int = 1) -> tuple[MatchModel, int]:
    """Return a model fitted on the subjects that the zone holds now, and the lake version that they are of.

    The same version and seed give the same model to the bit. Raises StateError STORE_MISSING where none has landed.
    """
    version = zone.version(TABLE)
    if version is None:
        raise StateError(
            Reason.STORE_MISSING, "No subject has landed yet, so there is nothing to fit on; send feeds first."
        )
    return fit(_held(zone, version, shipped), shipped, seed), version


def _held(zone: Zone, version: int, shipped: MatchModel) -> HeldSubjects:
    """Return the subjects of a lake version, each once as it holds, in the order of their keys.

    What is drawn at random depends on rows' numbers, so these must not depend on how the lake lays out its files, nor
    on a superseded row that leaves a gap.
    """
    rows = zone.scan(TABLE, version)
    assert rows is not None  # noqa: S101 - it has a version
    holding = (
        latest(rows.select(*_RECORD, "operation"))
        .filter(pl.col("operation") != Operation.WITHDRAW.value)
        .select(_RECORD)
        .collect()
        .sort(_KEY)
    )
    held = HeldSubjects(shipped.model_copy(update={"passes": (), "crossings": ()}))  # keyed once its passes are known
    held.reserve(holding.height)
    for part in holding.iter_slices(ROWS_AT_ONCE):
        found = rows.join(part.lazy(), on=_RECORD, how="semi", nulls_equal=True).collect(engine="streaming")
        batch = found.unique(_KEY).sort(_KEY)  # a record that came twice is one
        unique = batch.group_by("source").agg(pl.col("_one_record_per_person").last())
        held.upsert(Subjects.from_frame(conform(batch, Subject), dict(unique.iter_rows())))
    return held
