"""Under-occupation: bedrooms that a social tenancy has and that its household needs, one row a claim.

Source: the extracts that Leeds City Council and its housing associations gave to the University of Leeds (record class
`DW_UO_Record`). Housing associations' files have 9 or 10 columns, councils' 10 or 11: the total of dependent children
came later, and only councils know the rent arrears. Arrears are in pounds.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.layouts.facts import single
from linkage.layouts.mapped import Mapped
from linkage.layouts.money import Unit, pence
from schemas.codes import ArrearsKind

CLAIM: Final = "claim_ref"
NEEDED: Final = "bedroom_requirement"
BEDROOMS: Final = "bedrooms_in_property"
ARREARS: Final = "total_rent_arrears"
REQUIRED: Final = (CLAIM, NEEDED, BEDROOMS)

_SPELLINGS: Final = {
    "claimref": CLAIM,
    "claimreferencenumber": CLAIM,
    "bedroomrequirement": NEEDED,
    "roomrequirem": NEEDED,
    "bedroomsinproperty": BEDROOMS,
    "bedroomsinp": BEDROOMS,
    "totalrentarrears": ARREARS,
    "totalrent": ARREARS,
}
"""Headers as files have them, cut short and not, in lower case without blanks and underscores -> our name."""


def names(header: tuple[str, ...]) -> dict[str, str]:
    """Return their column -> ours, for the columns that are used."""
    bare = {name: "".join(c for c in name.lower() if c.isalnum()) for name in header}
    return {name: _SPELLINGS[key] for name, key in bare.items() if key in _SPELLINGS}


def clear_rows(
    frame: pl.DataFrame, rows: pl.Series, recorded_on: date, claimants: pl.DataFrame | None = None
) -> Mapped:
    """Return one clear row a claim from `frame` (String columns as `names` gives them; `ARREARS` may be absent).

    Nobody is named in these files: `claimants` (as `shbe.claimants` gives them) say who it is. Without them, or where a
    claim is not among them, a record can be linked to nobody.
    """
    owed = pl.col(ARREARS) if ARREARS in frame.columns else pl.lit(None, dtype=pl.String)
    balance = pence(owed, Unit.POUNDS)
    clear = frame.select(
        pl.col(CLAIM).alias("record_id"),
        pl.col(CLAIM).alias("claim_reference"),
        single(
            pl.col(NEEDED).is_not_null() | pl.col(BEDROOMS).is_not_null(),
            claim_reference=pl.col(CLAIM),
            bedrooms=pl.col(BEDROOMS),
            bedrooms_needed=pl.col(NEEDED),
            recorded_on=pl.lit(recorded_on.isoformat()),
        ).alias("occupancies"),
        single(
            (balance != "0").fill_null(False),
            kind=pl.lit(ArrearsKind.RENT_COUNCIL.value),
            balance_pence=balance,
        ).alias("arrears"),
    )
    counts = {"households": frame.height}
    if claimants is not None:
        own = pl.col("claim_reference")
        joined = clear.join(
            claimants.rename({"claim_reference": "claim"}),
            left_on="claim_reference", right_on="own", how="left", maintain_order="left",
        )  # fmt: skip
        counts["households whose claim is not in the file beside"] = joined["claim"].null_count()
        clear = joined.with_columns(claim_reference=pl.coalesce(pl.col("claim"), own)).drop("claim")
    return Mapped(clear, rows, counts)
