"""Places: `postcode/1`, `address/1` and `uprn/1`."""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.normalise.contractions import CONTRACTIONS
from linkage.normalise.names import fold_letters
from linkage.normalise.reasons import FieldReason

LONGEST_ADDRESS: Final = 400

UK_POSTCODE: Final = r"^[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}$"
_ANY_POSTCODE: Final = r"^[A-Z0-9]*[0-9][A-Z0-9]*$"
_LETTER_O: Final = r"^([A-Z]{1,2}[0-9]?[A-Z0-9]?)O([A-Z]{2})$"
_LETTER_I: Final = r"^([A-Z]{1,2}[0-9]?[A-Z0-9]?)I([A-Z]{2})$"
# NHS pseudo-postcodes (ZZ99: no fixed abode, abroad, unknown) and fillers: no place that two people could share.
_NO_PLACE: Final = r"^(ZZ99.*|NF1?1VZ|NFA.*|AA11AA|AB12?3?CD|XX[0-9].*|0+|9+)$"

# The counties that this project's addresses end with, and countries: present on one side and absent on the other.
_COUNTRY: Final = r"( (UK|UNITED KINGDOM|ENGLAND|GREAT BRITAIN|GB|KENT))+$"
_TRAILING_POSTCODE: Final = r" [A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}$"
_NO_ADDRESS: Final = r"^(NFA|NO FIXED ABODE|HOMELESS|UNKNOWN|NOT KNOWN|ADDRESS UNKNOWN|NK|N K|NA|N A|NONE|NULL|NAN)$"
_INSIDE_WORDS: Final = r"['’‘`´ʼ.]"
# People write a flat before or after the house that it is in: 1 is what stands before it, 2 its number.
_FLAT: Final = r"^( .*)? FLAT ([0-9]+[A-Z]?|[A-Z]) "
_LETTERED_FLAT: Final = r"^FLAT([A-Z]) ([0-9]+) "


def postcode(raw: pl.Series) -> pl.DataFrame:
    """`postcode/1`: `value` (letters and digits without spaces), `value_district`, `reason`.

    A United Kingdom postcode has letter O and I mended to digits where only a digit can stand; another country's is
    accepted as three to eight letters and digits of which at least one is a digit.
    """
    bare = raw.alias("bare").str.to_uppercase().str.replace_all(r"[^A-Z0-9]", "").to_frame()
    mended = pl.col("bare").str.replace(_LETTER_O, "${1}0${2}").str.replace(_LETTER_I, "${1}1${2}")
    valued = bare.with_columns(mended.alias("mended")).with_columns(
        value=pl.when(pl.col("mended").str.contains(UK_POSTCODE)).then("mended").otherwise("bare")
    )
    value = pl.col("value")
    return (
        valued.with_columns(
            reason=pl.when(value.str.contains(_NO_PLACE))
            .then(pl.lit(FieldReason.PLACEHOLDER.value))
            .when(~value.str.contains(_ANY_POSTCODE) | ~value.str.len_chars().is_between(3, 8))
            .then(pl.lit(FieldReason.SHAPE.value))
        )
        .select(pl.when(pl.col("reason").is_null()).then("value").alias("value"), "reason")
        .with_columns(value_district=outcode(value))
    )


def outcode(value: pl.Expr) -> pl.Expr:
    """The district of a normalised postcode: all but the last three characters; all but two where it is not British."""
    abroad = value.str.slice(0, pl.max_horizontal(value.str.len_chars().cast(pl.Int64) - 2, 2))
    return pl.when(value.str.contains(UK_POSTCODE)).then(value.str.head(-3)).otherwise(abroad)


def address(raw: pl.Series) -> pl.DataFrame:
    """`address/1`: `value` (words separated by one space), `reason`.

    Street types are contracted; a flat is glued to its number and put first (`FLAT3 12 HIGH ST`), a lettered one to the
    house (`12C HIGH ST`); country, county and a postcode at the end are dropped.
    """
    joined = fold_letters(raw).str.replace_all(_INSIDE_WORDS, "")
    bare = joined.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars(" ")
    street = bare.str.replace(_COUNTRY, "").str.replace(_TRAILING_POSTCODE, "").str.replace(_COUNTRY, "")
    # Two spaces between words, so that neighbours can both be contracted.
    spaced = "  " + street.str.replace_all(" ", "  ", literal=True) + "  "
    contracted = spaced.str.replace_many(
        [f" {word} " for word in CONTRACTIONS], [f" {short} " for short in CONTRACTIONS.values()]
    ).str.replace_all(" +", " ")
    unit_first = contracted.str.replace(_FLAT, "FLAT${2}${1} ").str.strip_chars(" ")
    value = unit_first.str.replace(_LETTERED_FLAT, "${2}${1} ")
    judged = pl.DataFrame({"raw": raw, "bare": bare, "value": value}).with_columns(
        reason=pl.when(pl.col("raw").str.len_chars() > LONGEST_ADDRESS)
        .then(pl.lit(FieldReason.TOO_LONG.value))
        .when(pl.col("bare").str.contains(_NO_ADDRESS))
        .then(pl.lit(FieldReason.PLACEHOLDER.value))
        .when(pl.col("value").str.len_chars() < 3)
        .then(pl.lit(FieldReason.SHAPE.value))
    )
    return judged.select(pl.when(pl.col("reason").is_null()).then("value").alias("value"), "reason")


def uprn(raw: pl.Series) -> pl.DataFrame:
    """`uprn/1`: `value` (up to twelve digits without leading zeros), `reason`."""
    digits = raw.str.replace_all(r"\s", "").str.replace(r"\.0+$", "").str.strip_chars_start("0")
    judged = (
        digits.alias("digits")
        .to_frame()
        .with_columns(
            reason=pl.when(pl.col("digits") == "")
            .then(pl.lit(FieldReason.PLACEHOLDER.value))
            .when(~pl.col("digits").str.contains(r"^[0-9]{1,12}$"))
            .then(pl.lit(FieldReason.SHAPE.value))
        )
    )
    return judged.select(pl.when(pl.col("reason").is_null()).then("digits").alias("value"), "reason")
