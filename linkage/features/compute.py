"""All features of all persons, or of some, on one date."""

from __future__ import annotations

from datetime import date

import polars as pl

from linkage.features.change import household_rows, persons_near
from linkage.features.context import Context, covered
from linkage.features.groups import GROUPS
from linkage.features.people import subjects_of
from linkage.features.registry import FEATURES
from linkage.features.tables import FACTS, MEMBERSHIP, PREVIOUS, SUBJECT, FeatureTables


def compute(
    tables: FeatureTables,
    membership: pl.DataFrame,
    as_of: date,
    persons: pl.Series | None = None,
    previous: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return one row a person with the columns of `feature_columns()`, sorted by `person_id`.

    `membership` has `person_id, source, subject_ref, link_probability`; with `persons` only those ids are computed,
    and the result equals their rows of the whole computation, provided that `tables` holds the facts of
    `change.needed_subjects`. `previous` has the columns of `PREVIOUS`: what the newest snapshot of an earlier day said
    of each person; rows of the as-of date or later are left out. Rows of the frames may come in any order.
    """
    members = membership.select(MEMBERSHIP.names()).cast(MEMBERSHIP)
    if persons is not None:
        # What holds for a household is worked out from all of its members' persons, who are then left out again.
        asked = persons.unique().alias("person_id").to_frame()
        nobody = members.select(SUBJECT).clear()
        near = persons_near(asked, nobody, household_rows(tables.facts), members)
        members = members.join(near, on="person_id", how="semi")
    # Inside, a person is a number in the order of the ids: a twelfth of the memory, and faster to join.
    ids = members.select(pl.col("person_id").unique().sort())
    numbered = ids.with_row_index("_number")
    members = members.join(numbered, on="person_id", how="left").with_columns(person_id=pl.col("_number"))
    subjects = subjects_of(members, tables.facts["demographics"])
    known = members.group_by("person_id").agg(pl.col("link_probability").min().alias("_link_probability"))
    known = known.join(covered(subjects, tables.coverage), on="person_id", how="left").sort("person_id")
    known = known.with_columns(pl.col(f"covers_{fact}").fill_null(False) for fact in FACTS)
    earlier = (PREVIOUS.to_frame() if previous is None else previous).filter(pl.col("as_of") < as_of)
    earlier = earlier.join(numbered, on="person_id", how="inner").with_columns(person_id=pl.col("_number"))
    context = Context(as_of, known, subjects, tables, earlier.select(PREVIOUS.names()))
    for group in GROUPS:
        context = context.with_features(group.features(context), group.entries)
    frame = context.persons.sort("person_id").select(ids["person_id"], *FEATURES)
    return frame if persons is None else frame.join(asked, on="person_id", how="semi", maintain_order="left")
