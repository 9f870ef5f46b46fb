"""Places: `postcode/1`, `address/1` and `uprn/1`."""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.normalise.names import fold_letters
from linkage.normalise.reasons import FieldReason

LONGEST_ADDRESS: Final = 400

UK_POSTCODE: Final = r"^[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}$"
_GENERIC_POSTCODE: Final = r"^[A-Z\d]*\d[A-Z\d]*$"
# NHS pseudo-postcodes (ZZ99: no fixed abode, abroad, unknown) and fillers: no place that two people could share.
_NO_PLACE: Final = r"^(ZZ99.*|NF1?1VZ|NFA.*|AA11AA|AB12?3?CD|XX\d.*|0+|9+)$"

# Contracted rather than expanded: ST is then saint and street alike, and the number weighs more in a filter.
_CONTRACTIONS: Final = {
    "STREET": "ST", "SAINT": "ST", "STR": "ST", "ROAD": "RD", "AVENUE": "AVE", "AV": "AVE", "CLOSE": "CL",
    "COURT": "CT", "CRT": "CT", "CRESCENT": "CRES", "CRS": "CRES", "DRIVE": "DR", "DRV": "DR", "GARDENS": "GDNS",
    "GDN": "GDNS", "GARDEN": "GDNS", "GROVE": "GR", "GRV": "GR", "HEIGHTS": "HTS", "HOUSE": "HSE", "LANE": "LA",
    "LN": "LA", "MOUNT": "MT", "PARADE": "PDE", "PARK": "PK", "PLACE": "PL", "PLC": "PL", "SQUARE": "SQ",
    "TERRACE": "TCE", "TERR": "TCE", "TER": "TCE", "VILLAGE": "VLGE", "COTTAGE": "COTT", "BUILDINGS": "BLDGS", "NORTH": "N",
    "SOUTH": "S", "EAST": "E", "WEST": "W", "UPPER": "UPR", "LOWER": "LWR", "GREAT": "GT", "LITTLE": "LT", "AND": "", "THE": "",
    "APARTMENT": "FLAT", "APPT": "FLAT", "APT": "FLAT", "FLT": "FLAT", "UNIT": "FLAT", "NUMBER": "", "NO": "",
}  # fmt: skip
_COUNTRY: Final = r"( (UK|UNITED KINGDOM|ENGLAND|GREAT BRITAIN|GB|KENT))+$"
_TRAILING_POSTCODE: Final = r" [A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$"


def postcode(raw: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """`postcode/1`: (letters and digits without spaces or null, reason or null).

    A United Kingdom postcode has letter O and I mended to digits where only a digit can stand; another country's is
    accepted as three to eight letters and digits of which at least one is a digit.
    """
    bare = raw.str.to_uppercase().str.replace_all(r"[^A-Z0-9]", "")
    mended = bare.str.replace(r"^([A-Z]{1,2}\d?[A-Z\d]?)O([A-Z]{2})$", "${1}0${2}").str.replace(
        r"^([A-Z]{1,2}\d?[A-Z\d]?)I([A-Z]{2})$", "${1}1${2}"
    )
    value = pl.when(mended.str.contains(UK_POSTCODE)).then(mended).otherwise(bare)
    length = value.str.len_chars()
    reason = (
        pl.when(value.str.contains(_NO_PLACE))
        .then(pl.lit(FieldReason.PLACEHOLDER.value))
        .when(~value.str.contains(_GENERIC_POSTCODE) | (length < 3) | (length > 8))
        .then(pl.lit(FieldReason.SHAPE.value))
    )
    return pl.when(reason.is_null()).then(value), reason


def outcode(value: pl.Expr) -> pl.Expr:
    """The district of a normalised postcode: all but the last three characters, or but the last two where it is not
    British."""
    length = value.str.len_chars()
    return (
        pl.when(value.str.contains(UK_POSTCODE))
        .then(value.str.head(-3))
        .otherwise(value.str.slice(0, pl.max_horizontal(length - 2, pl.lit(2, dtype=pl.UInt32))))
    )


def address(raw: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """`address/1`: (words separated by one space or null, reason or null).

    Street types are contracted, a flat's word is glued to its number (`FLAT3`), and country, county and a postcode at
    the end are dropped.
    """
    text = fold_letters(raw).str.replace_all(r"['’‘`´ʼ.]", "").str.replace_all(r"[^\p{L}\p{N}]+", " ")
    text = (
        text.str.strip_chars(" ")
        .str.replace(_COUNTRY, "")
        .str.replace(_TRAILING_POSTCODE, "")
        .str.replace(_COUNTRY, "")
    )
    padded = pl.concat_str(pl.lit("  "), text.str.replace_all(" ", "  ", literal=True), pl.lit("  "))
    contracted = padded.str.replace_many(
        [f" {word} " for word in _CONTRACTIONS], [f" {short} " for short in _CONTRACTIONS.values()]
    )
    value = (
        contracted.str.replace_all(" +", " ")
        .str.replace_all(r" FLAT (\d+[A-Z]?|[A-Z]) ", " FLAT${1} ")
        .str.strip_chars(" ")
    )
    reason = (
        pl.when(raw.str.len_chars() > LONGEST_ADDRESS)
        .then(pl.lit(FieldReason.TOO_LONG.value))
        .when(text.str.contains(r"^(NFA|NO FIXED ABODE|UNKNOWN|NOT KNOWN|NK|NA|N A|NONE|NULL|NAN)$"))
        .then(pl.lit(FieldReason.PLACEHOLDER.value))
        .when(value.str.len_chars() < 3)
        .then(pl.lit(FieldReason.SHAPE.value))
    )
    return pl.when(reason.is_null()).then(value), reason


def sorted_words(value: pl.Expr) -> pl.Expr:
    """The words of a normalised address in order, each once, so that line order does not matter to its token."""
    return value.str.split(" ").list.unique().list.sort().list.join(" ")


def uprn(raw: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """`uprn/1`: (up to twelve digits without leading zeros or null, reason or null)."""
    digits = raw.str.replace_all(r"\s", "").str.replace(r"\.0+$", "").str.strip_chars_start("0")
    reason = (
        pl.when(digits == "")
        .then(pl.lit(FieldReason.PLACEHOLDER.value))
        .when(~digits.str.contains(r"^\d{1,12}$"))
        .then(pl.lit(FieldReason.SHAPE.value))
    )
    return pl.when(reason.is_null()).then(digits), reason
