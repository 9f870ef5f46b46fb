"""H-CLIC, written: what `linkage.layouts.hclic` reads.

Lost on the way: which of a household a support need, rough sleeping or temporary accommodation belongs to (the sections
say it of the case), and when a stay in temporary accommodation began.
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
    needs = facts.select(CASE, pl.col("support_needs").str.split(" ").alias("support_need")).drop_nulls()
    housed = facts.filter(pl.col("temporary_accommodation") == "true")
    return {
        "people": told.select(CASE, "person_id", *WHO),
        "main": facts.group_by(CASE, maintain_order=True).agg(
            (pl.col("rough_sleeping") == "true").any().cast(pl.String)
        ),
        "support": needs.explode("support_need").unique(maintain_order=True),
        **duties,
        "temporary_accommodation": housed.select(CASE, "started_on").unique(CASE, keep="first", maintain_order=True),
    }
