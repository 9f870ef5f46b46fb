"""The clear values that every peer is given: hwlink's own normalisation of the same file, and which fields a set has.

A peer's user would clean the values first; here that is done once, for all peers alike and in nobody's seconds, as
pseudonymising is not in hwlink's. Which fields there are to compare is decided here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from linkage.encode.derive import derive_parts
from linkage.normalise import Rules
from linkage.normalise.places import UK_POSTCODE
from schemas.agreement import Agreement
from schemas.contracts.base import Feed
from services.pseudonymise.mapping import ColumnMap, select_columns

ADDRESS_PARTS: Final = {
    "street_number": "street_number",
    "address_1": "street",
    "address_2": "locality",
    "suburb": "suburb",
}
"""Columns of a clear file that hold an address in parts -> what they are called here."""

CLEAN_COLUMNS: Final = (
    "forename",
    "nickname",
    "middle_names",
    "surname",
    "date_of_birth",
    "sex",
    "postcode",
    "sector",
    "outcode",
    "address",
    *ADDRESS_PARTS.values(),
    "uprn",
    "nhs_number",
    "nino",
)
"""What a clean file holds beside `record_id`, all text and null where missing.

`nickname` is the canonical name of the forename's group in hwlink's own table, the forename itself without a group;
`date_of_birth` is `YYYY-MM-DD`, also where no calendar has the day, since a peer may compare its digits; `sector` is
a United Kingdom postcode without its last two letters.
"""


def clean(source: Path, target: Path, column_map: ColumnMap, agreement: Agreement, feed: Feed) -> None:
    """Write a clear file's normalised values as Parquet, in the order of its rows."""
    frame = pl.read_csv(source, infer_schema=False) if source.suffix == ".csv" else pl.read_parquet(source)
    ours = select_columns(tuple(frame.columns), column_map, feed).apply(frame)
    rules = Rules(agreement.accept_test_identifiers, date.today())
    derived = derive_parts(ours, pl.Series(range(ours.height), dtype=pl.Int64), agreement, rules)
    unusable = derived.dropped.filter(pl.col("field") == "date_of_birth", pl.col("reason") != "not_a_date")["row"]
    parts = [
        frame[theirs].cast(pl.String).str.strip_chars().str.to_uppercase().replace("", None).alias(name)
        if theirs in frame.columns
        else pl.Series(name, [None] * frame.height, dtype=pl.String)
        for theirs, name in ADDRESS_PARTS.items()
    ]
    whole = derived.parts.with_columns(*parts, record_id=ours["record_id"], _raw=ours["date_of_birth"])
    written = pl.when(~pl.int_range(pl.len()).is_in(unusable.implode())).then(pl.col("_raw").str.replace_all("-", ""))
    digits = pl.coalesce("date_of_birth", written)
    whole.with_columns(
        date_of_birth=pl.concat_str(digits.str.head(4), digits.str.slice(4, 2), digits.str.slice(6, 2), separator="-"),
        sex=pl.when(pl.col("sex").is_in(["1", "2"])).then("sex"),
        sector=pl.when(pl.col("postcode").str.contains(UK_POSTCODE)).then(pl.col("postcode").str.head(-2)),
    ).select("record_id", *CLEAN_COLUMNS).write_parquet(target)


def common_fields(files: Sequence[Path]) -> tuple[str, ...]:
    """Return the columns that hold a value in every file: what one side alone carries cannot be compared."""
    held = [
        pl.scan_parquet(path).select(pl.col(name).is_not_null().any() for name in CLEAN_COLUMNS).collect()
        for path in files
    ]
    return tuple(name for name in CLEAN_COLUMNS if all(frame[name][0] for frame in held))
