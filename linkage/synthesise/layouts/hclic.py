"""H-CLIC, written: what `linkage.layouts.hclic` reads.

Lost on the way: which of a household, and during which duty, was in temporary accommodation (the section says it of the
case), and differences between a person's facts in support needs and rough sleeping.
"""

from __future__ import annotations

import polars as pl

from linkage.layouts.hclic import CASE
from linkage.layouts.plain import WHO
from linkage.synthesise.layouts.flat import KEY, listed, people

_SECTIONS = {"prevention": "prevention", "relief": "relief", "final_duty": "main"}


def sections(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the sections by name. A record of several cases is written under its first."""
    facts = listed(frame, "homelessness").rename({"case_reference": CASE})
    who = people(frame, {name: name for name in (KEY, *WHO)})
    first = facts.unique(KEY, keep="first", maintain_order=True).select(KEY, CASE)
    told = first.join(who, on=KEY, how="inner", maintain_order="left").with_columns(
        person_id=pl.col(KEY).str.strip_prefix(pl.concat_str(CASE, pl.lit("|")))
    )
    duties = {
        section: facts.filter(pl.col("duty") == duty).select(CASE, "started_on", "ended_on").unique(maintain_order=True)
        for section, duty in _SECTIONS.items()
    }
    persons = told.select(KEY, "person_id", CASE)
    needs = (
        facts.select(KEY, pl.col("support_needs").str.split(" ").alias("support_need"))
        .drop_nulls()
        .explode("support_need")
        .join(persons, on=KEY, how="inner", maintain_order="left")
        .select(CASE, "person_id", "support_need")
    )
    slept = facts.group_by(KEY).agg((pl.col("rough_sleeping") == "true").any().cast(pl.String))
    housed = facts.filter(pl.col("temporary_accommodation") == "true")
    return {
        "people": told.join(slept, on=KEY, how="left").select(CASE, "person_id", *WHO, "rough_sleeping"),
        "support": needs.unique(maintain_order=True),
        **duties,
        "temporary_accommodation": housed.select(CASE, "started_on").unique(CASE, keep="first", maintain_order=True),
    }
