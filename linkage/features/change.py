"""Who must be worked out again, and what that changed: the two ends of an incremental update.

A household feature looks at everything that is known of all members of the household. So whoever shares or shared a
household with a touched person, on any basis, is affected; and to work somebody out, the facts of everybody who
shares or shared one with them are needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from linkage.features.registry import feature_columns
from linkage.features.tables import SUBJECT

HOUSEHOLD_ROWS: Final = pl.Schema(
    {"source": pl.String(), "subject_ref": pl.String(), "basis": pl.String(), "household": pl.UInt64()}
)
"""That a subject is or was in a household, by any version that has landed; `basis` is one of the four below.

`household` is a hash of what names it: of two that met by chance, people would be worked out who need not be.
"""

_CLAIM, _ACCOUNT, _CASE, _HOME = "claim", "account", "case", "home"
HOUSEHOLD_KINDS: Final = ("claims", "homelessness", "demographics")
"""The kinds of facts that say who lives with whom."""


def household_rows(facts: Mapping[str, pl.DataFrame | pl.LazyFrame]) -> pl.DataFrame:
    """Return the `HOUSEHOLD_ROWS` of landed facts by kind, each once.

    Take **every** landed version, superseded ones too: that is how the old household of somebody who moved is found
    again without keeping it.
    """
    parts = []
    source = pl.col("source")
    for kind, basis, holder, named in (
        ("claims", _CLAIM, source, "claim_ref"),
        ("claims", _ACCOUNT, source.str.split(".").list.first(), "account_ref"),
        ("homelessness", _CASE, source, "case_ref"),
        ("demographics", _HOME, pl.lit(""), "property_ref"),
    ):
        rows = facts[kind].lazy() if kind in facts else None
        if rows is not None and named in rows.collect_schema():
            household = pl.concat_str(holder, pl.lit(" "), named).hash().alias("household")
            held = rows.filter(pl.col(named).is_not_null())
            parts.append(held.select(*SUBJECT, pl.lit(basis).alias("basis"), household).unique())
    if not parts:
        return HOUSEHOLD_ROWS.to_frame()
    return pl.concat(pl.collect_all(part.cast(HOUSEHOLD_ROWS) for part in parts))


def housemates(subjects: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return `subjects` and everybody who shares or shared a household with one, as `source, subject_ref`.

    `rows` are `HOUSEHOLD_ROWS`. An account stands on the claimant's row alone: its household is everybody in the
    claims of whoever names it.
    """
    own = subjects.select(SUBJECT).unique()
    claim = _sharing(own, rows, _CLAIM)
    account = _sharing(_sharing(claim, rows, _ACCOUNT), rows, _CLAIM)
    return pl.concat([own, claim, account, _sharing(own, rows, _CASE), _sharing(own, rows, _HOME)]).unique()


def _sharing(subjects: pl.DataFrame, rows: pl.DataFrame, basis: str) -> pl.DataFrame:
    of_basis = rows.lazy().filter(pl.col("basis") == basis)
    named = of_basis.join(subjects.lazy(), on=list(SUBJECT), how="semi").select("household").unique()
    return of_basis.join(named, on="household", how="semi").select(SUBJECT).unique().collect()


def persons_near(
    persons: pl.DataFrame, subjects: pl.DataFrame, rows: pl.DataFrame, membership: pl.DataFrame
) -> pl.DataFrame:
    """Return `person_id` of `persons`, of the holders of `subjects`, and of all who shared a household with them."""
    holders = membership.join(subjects, on=list(SUBJECT), how="semi").select("person_id")
    whose = pl.concat([persons.select("person_id"), holders]).unique()
    theirs = membership.join(whose, on="person_id", how="semi").select(SUBJECT)
    mates = housemates(pl.concat([theirs, subjects.select(SUBJECT)]), rows)
    near = membership.join(mates, on=list(SUBJECT), how="semi").select("person_id")
    return pl.concat([whose, near]).unique()


def affected_persons(
    touched: pl.DataFrame, rows: pl.DataFrame, membership: pl.DataFrame, moved: pl.Series
) -> pl.Series:
    """Return the ids of persons whose features may have changed, in order.

    `touched` are subjects with new facts or a new person, `rows` the `HOUSEHOLD_ROWS`, `moved` the person ids, old
    and new, that a membership change names.
    """
    named = moved.drop_nulls().cast(pl.String).alias("person_id").to_frame()
    return persons_near(named, touched, rows, membership)["person_id"].sort()


def needed_subjects(persons: pl.Series, rows: pl.DataFrame, membership: pl.DataFrame) -> pl.DataFrame:
    """Return the subjects whose facts it takes to work out `persons`, as `source, subject_ref`."""
    asked = persons.alias("person_id").to_frame()
    nobody = rows.select(SUBJECT).clear()
    near = persons_near(asked, nobody, rows, membership)
    theirs = membership.join(near, on="person_id", how="semi").select(SUBJECT)
    own = membership.join(asked, on="person_id", how="semi").select(SUBJECT)
    # A housemate whose person is not known yet counts too.
    return pl.concat([theirs, housemates(own, rows)]).unique()


def changed_rows(before: pl.DataFrame, after: pl.DataFrame, columns: list[str] | None = None) -> pl.Series:
    """Return the ids in `after` that are new or differ from `before` in any of `columns` (all features if None)."""
    names = columns if columns is not None else [n for n in feature_columns().names() if n != "person_id"]
    held = before.select("person_id", *names, pl.lit(True).alias("_held"))
    differs = [pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in names]
    return (
        after.select("person_id", *names)
        .join(held, on="person_id", how="left", suffix="_before")
        .filter(pl.any_horizontal(pl.col("_held").is_null(), *differs))["person_id"]
        .sort()
    )
