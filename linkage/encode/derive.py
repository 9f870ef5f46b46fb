"""Derived values: from the clear identity columns to the parts that tokens, compound keys and filters are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from linkage.nicknames import nickname
from linkage.normalise import Rules, normalise
from linkage.phonetics import phonetic
from schemas.agreement import Agreement

# Field -> {column of `normalise`: part}.
_NORMALISED: Final[dict[str, dict[str, str]]] = {
    "forename": {"value": "forename", "value_words": "forename_words"},
    "middle_names": {"value": "middle_names"},
    "surname": {"value": "surname"},
    "date_of_birth": {
        "value": "date_of_birth",
        "value_swapped": "date_of_birth_swapped",
        "value_year": "birth_year",
        "value_month": "birth_month",
        "value_day": "birth_day",
    },
    "sex": {"value": "sex"},
    "postcode": {"value": "postcode", "value_district": "outcode"},
    "address": {"value": "address"},
    "uprn": {"value": "uprn"},
    "nhs_number": {"value": "nhs_number"},
    "nino": {"value": "nino"},
}
_SOUND: Final = {"forename": "forename_phonetic", "surname": "surname_phonetic"}
_JOINT: Final = ("sex_stated", "name_lower", "name_upper")

IDENTITY_FIELDS: Final = tuple(_NORMALISED)
"""Clear identity columns of an input file beside `record_id`; any of them may be absent."""

PARTS: Final = frozenset(
    [part for parts in _NORMALISED.values() for part in parts.values()] + [*_SOUND.values(), "nickname", *_JOINT]
)
"""Everything that a token recipe may name. `name_lower` and `name_upper` are forename and surname in alphabetical
order, `sex_stated` is the sex where it says something."""

FILTER_TEXTS: Final = {"forename": "forename", "surname": "surname", "address": "address"}
"""Field of a filter recipe -> the part whose characters it is made of."""

DROPPED_SCHEMA: Final = pl.Schema({"row": pl.Int64(), "field": pl.String(), "reason": pl.String()})


@dataclass(frozen=True)
class Derived:
    """`parts`: one String column for each of `PARTS`, in row order. `dropped`: unusable fields, as `DROPPED_SCHEMA`."""

    parts: pl.DataFrame
    dropped: pl.DataFrame


def derive_parts(frame: pl.DataFrame, rows: pl.Series, agreement: Agreement, rules: Rules) -> Derived:
    """Normalise the identity columns of `frame` (String or absent); `rows` (Int64) numbers its rows for the report."""
    columns: list[pl.Series] = []
    dropped = [pl.DataFrame(schema=DROPPED_SCHEMA)]
    for field in IDENTITY_FIELDS:
        raw = (
            frame[field].cast(pl.String)
            if field in frame.columns
            else pl.Series(field, dtype=pl.String).extend_constant(None, frame.height)
        )
        table = _dictionary(field, raw.drop_nulls().unique(), agreement, rules)
        joined = raw.alias("raw").to_frame().join(table, on="raw", how="left", maintain_order="left")
        columns.extend(joined.drop("raw", "reason").get_columns())
        bad = joined.select(rows.alias("row"), pl.lit(field).alias("field"), "reason")
        dropped.append(bad.filter(pl.col("reason").is_not_null()))
    both = pl.col("forename").is_not_null() & pl.col("surname").is_not_null()
    parts = pl.DataFrame(columns).with_columns(
        sex_stated=pl.when(pl.col("sex").is_in(["1", "2"])).then("sex"),
        name_lower=pl.when(both).then(pl.min_horizontal("forename", "surname")),
        name_upper=pl.when(both).then(pl.max_horizontal("forename", "surname")),
    )
    return Derived(parts, pl.concat(dropped))


def _dictionary(field: str, distinct: pl.Series, agreement: Agreement, rules: Rules) -> pl.DataFrame:
    """Return columns `raw`, the field's parts and `reason` for each distinct value, so that work is done once a
    value."""
    normalised = normalise(distinct, agreement.normalisers[field], rules)
    table = normalised.select(distinct.alias("raw"), "reason", **_swap(_NORMALISED[field]))
    if field == "forename":
        table = table.with_columns(nickname=nickname(pl.col("forename_words")))
    if field in _SOUND:
        table = table.with_columns(phonetic(table[field], agreement.normalisers["phonetic"]).alias(_SOUND[field]))
    return table


def _swap(columns: dict[str, str]) -> dict[str, pl.Expr]:
    return {part: pl.col(column) for column, part in columns.items()}
