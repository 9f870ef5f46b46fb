"""What encoding would say of clear rows, without keys: nothing is hashed and nothing leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from linkage.encode import content
from linkage.encode.batch import FAR, claim_roles, record_columns
from linkage.encode.derive import derive_parts
from linkage.normalise import Rules
from schemas.agreement import Agreement
from schemas.contracts.base import Feed
from schemas.contracts.facts import LISTED_FACTS


@dataclass(frozen=True)
class Examined:
    """The outcome of `examine`.

    `frame` holds the rows that would be accepted, as given; `parts` what their identities are normalised to, and
    `facts` each list column as its contract has it (references blanked), both in their order. `rejects` and `dropped`
    are as in `EncodedBatch`.
    """

    frame: pl.DataFrame
    parts: pl.DataFrame
    facts: dict[str, pl.Series]
    rejects: pl.DataFrame
    dropped: pl.DataFrame


def examine(
    frame: pl.DataFrame,
    agreement: Agreement,
    feed: Feed,
    *,
    latest: date,
    rows: pl.Series,
    repeated: pl.Series | None = None,
) -> Examined:
    """Check clear rows as `encode` does, with the same arguments but keys and source."""
    record = record_columns(frame, rows.alias("row"), 0, repeated)
    rejects = record.filter(pl.col("reason").is_not_null()).select("row", "field", "reason")
    good = record["reason"].is_null()
    frame, numbers = frame.filter(good), record.filter(good)["row"]
    rules = Rules(accept_test_identifiers=agreement.accept_test_identifiers, latest=latest)
    derived = derive_parts(frame, numbers, agreement, rules)
    _, dropped = content.demographics(frame, derived.parts, numbers, latest)
    reports = [derived.dropped, dropped]
    if feed is Feed.WELFARE:
        reports.append(claim_roles(frame, numbers)[1])
    facts = {}
    for name, contract in LISTED_FACTS[feed].items():
        if name in frame.columns:
            facts[name], bad = content.listed_facts(frame[name], contract, numbers, FAR, _blanked)
            reports.append(bad)
    return Examined(frame, derived.parts, facts, rejects, pl.concat(reports).sort("row", maintain_order=True))


def _blanked(_field: str, references: pl.Series) -> pl.Series:
    """Stand in for keyed references: only whether there is one counts here."""
    return references.set(references.is_not_null(), "0" * 32)
