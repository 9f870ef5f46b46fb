"""Under-occupation, written as a council (11 columns) or a housing association (9) writes it.

Lost on the way: who the claimant is, when it was recorded, and all of arrears but a council's rent arrears balance.
"""

from __future__ import annotations

import polars as pl

from linkage.synthesise.layouts.flat import KEY, listed
from schemas.codes import ArrearsKind

_CHILDREN = ("male_children", "female_childr", "male_children", "female_childr", "children_over 16")
COUNCIL = ("claim_ref", "bedroom_requirement", "bedrooms_in_property", *_CHILDREN, "TOTAL Dep Children",
           "nondependants", "total_rent arrears")  # fmt: skip
"""A council's header; two names stand there twice, as in real files: under 10, and 10 to 16."""
ASSOCIATION = ("claim_ref", "room_requirem", "bedrooms_in_p", *_CHILDREN[:4], "children_over", "nondependants")


def text(frame: pl.DataFrame, *, council: bool = True) -> str:
    """Return the file's text: one line a household whose bedrooms are known."""
    rent = listed(frame, "arrears").filter(pl.col("kind") == ArrearsKind.RENT_COUNCIL.value)
    owed = rent.unique(KEY, keep="first").select(KEY, pounds=pl.col("balance_pence").cast(pl.Float64) / 100)
    rows = listed(frame, "occupancies").unique(KEY, keep="first", maintain_order=True)
    rows = rows.join(owed, on=KEY, how="left", maintain_order="left")
    known = ["claim_reference", "bedrooms_needed", "bedrooms"]
    filler = [pl.lit("0").alias(f"n{place}") for place in range(7 if council else 6)]
    table = rows.select(*known, *filler, *([pl.col("pounds").cast(pl.String)] if council else []))
    # Two columns of one name make no frame, so that the lines are put together here; no value holds a comma.
    lines = table.select(pl.concat_str(pl.all().cast(pl.String).fill_null(""), separator=",")).to_series()
    return "\n".join([",".join(COUNCIL if council else ASSOCIATION), *lines.to_list(), ""])
