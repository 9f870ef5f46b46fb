"""Content: what a record says beside who it is about, brought to the contracts of `schemas.contracts.facts`.

A value that its contract does not allow becomes missing and is reported; a listed fact (a diagnosis, a claim) that
lacks what it must have is left out and reported. Dates of birth and death leave as months, references of claims,
accounts and cases as keyed ones. Only columns that a contract names are read: a phone number, a free text or a bank
account has no way through.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final, Union, get_args, get_origin

import polars as pl
from pydantic.fields import FieldInfo

from linkage.encode.lists import decoded
from linkage.normalise import dates
from linkage.normalise.reasons import FieldReason
from schemas.columns import columns
from schemas.contracts.base import Contract
from schemas.contracts.facts import Demographics

CODED_FIELDS: Final = ("ethnic_category", "lsoa", "practice_code", "interpreter_needed", "property_match")
"""Clear columns that travel as they are once checked."""

KEYED_FROM: Final = {
    "claim_ref": "claim_reference",
    "account_ref": "account_reference",
    "case_ref": "case_reference",
}
"""Field of a contract -> the clear column or member that it is keyed from."""

KeyReference = Callable[[str, pl.Series], pl.Series]
"""Maps a field of `KEYED_FROM` and clear references (String) to keyed ones (32 hexadecimal digits)."""

_LIMITS: Final = ("pattern", "max_length", "ge", "le")
LONGEST_TEXT: Final = 512
"""Characters that any text may have (`Contract`)."""
_BETWEEN_CODES: Final = r"[\s,;|]+"
_TRUTH: Final = {
    **dict.fromkeys(("true", "1", "yes", "y", "t"), True),
    **dict.fromkeys(("false", "0", "no", "n", "f"), False),
}


def demographics(
    frame: pl.DataFrame, parts: pl.DataFrame, rows: pl.Series, latest: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (columns of `Demographics`, dropped fields as row, field, reason) for clear rows and their derived
    parts."""
    birth = parts.select(pl.concat_str("birth_year", "birth_month", separator="-").alias("birth_year_month"))
    found = [birth.to_series(), parts["sex"]]
    dropped = []
    for name in CODED_FIELDS:
        value, reason = _checked(_text(frame, name), Demographics.model_fields[name], latest)
        found.append(value.alias(name))
        dropped.append(_report(rows, name, reason))
    death = dates.parse(_text(frame, "date_of_death"), latest)
    month = death.select(pl.concat_str("year", "month", separator="-").alias("death_year_month"))
    dropped.append(_report(rows, "date_of_death", death["reason"]))
    return pl.DataFrame([*found, month.to_series()]), pl.concat(dropped)


def listed_facts(
    values: pl.Series, contract: type[Contract], rows: pl.Series, latest: date, key_reference: KeyReference
) -> tuple[pl.Series, pl.DataFrame]:
    """Return (List(Struct) of the contract, never null; dropped fields) for a clear list column.

    `values` is JSON text or List(Struct); a fact without something its contract requires is left out.
    """
    name = values.name
    clear_names = {field: KEYED_FROM.get(field, field) for field in contract.model_fields}
    lists, unreadable = decoded(values, tuple(clear_names.values()))
    dtype = pl.List(pl.Struct(dict(columns(contract))))
    order = pl.int_range(values.len(), dtype=pl.UInt32, eager=True).alias("order")
    long = pl.DataFrame([order, rows.alias("row"), lists.alias("fact")]).filter(pl.col("fact").list.len() > 0)
    dropped = [_report(rows, name, _flagged(unreadable, FieldReason.UNREADABLE))]
    if long.is_empty():  # of the many kinds, a source has few
        return pl.Series(name, [[]], dtype=dtype).new_from_index(0, values.len()), dropped[0]
    long = long.explode("fact").unnest("fact")

    complete = pl.repeat(True, long.height, eager=True)
    facts = {}
    for field_name, field in contract.model_fields.items():
        clear = clear_names[field_name]
        given = blank_to_null(long[clear])
        if field_name in KEYED_FROM:
            value = key_reference(field_name, given)
            reason = pl.Series(dtype=pl.String).extend_constant(None, long.height)
        else:
            value, reason = _checked(given, field, latest)
        if field.is_required():
            complete &= value.is_not_null()
            reason = _either(reason, _flagged(given.is_null(), FieldReason.MISSING))
        elif field.default is not None:
            value = value.fill_null(str(field.default) if isinstance(field.default, StrEnum) else field.default)
        facts[field_name] = value
        dropped.append(_report(long["row"], f"{name}.{clear}", reason))

    structs = pl.DataFrame(facts).to_struct(name).cast(dtype.inner)
    grouped = pl.DataFrame([long["order"], structs]).filter(complete).group_by("order", maintain_order=True).agg(name)
    joined = order.to_frame().join(grouped, on="order", how="left", maintain_order="left")[name]
    return joined.cast(dtype).fill_null(pl.Series([[]], dtype=dtype)), pl.concat(dropped)


def blank_to_null(text: pl.Series) -> pl.Series:
    """Strip a String column and make blanks missing."""
    stripped = text.str.strip_chars()
    return stripped.set(stripped == "", None)


def _text(frame: pl.DataFrame, name: str) -> pl.Series:
    if name in frame.columns:
        return blank_to_null(frame[name].cast(pl.String))
    return pl.Series(name, dtype=pl.String).extend_constant(None, frame.height)


def _report(rows: pl.Series, field: str, reason: pl.Series) -> pl.DataFrame:
    table = pl.DataFrame({"row": rows, "field": pl.repeat(field, rows.len(), eager=True), "reason": reason})
    return table.filter(pl.col("reason").is_not_null())


def _flagged(flags: pl.Series, reason: FieldReason) -> pl.Series:
    return pl.select(pl.when(flags).then(pl.lit(reason.value))).to_series()


def _either(first: pl.Series, second: pl.Series) -> pl.Series:
    return pl.select(pl.coalesce(first, second)).to_series()


def _checked(text: pl.Series, field: FieldInfo, latest: date) -> tuple[pl.Series, pl.Series]:
    """Return (values of the contract's type or null, reason or null) of stripped text for one contract field."""
    kind, limits = _constraints(field)
    least, most = limits.get("ge", -(2**63)), limits.get("le", 2**63 - 1)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        codes = {code.value.lower(): code.value for code in kind}
        value = text.str.to_lowercase().replace_strict(
            list(codes), list(codes.values()), default=None, return_dtype=pl.String
        )
        reason = FieldReason.UNKNOWN_CODE
    elif kind is bool:
        value = text.str.to_lowercase().replace_strict(
            list(_TRUTH), list(_TRUTH.values()), default=None, return_dtype=pl.Boolean
        )
        reason = FieldReason.UNKNOWN_CODE
    elif kind is date:
        # A filler (1900-01-01), a day that no calendar has and one out of range are told apart.
        parsed = dates.parse(text, latest)
        return parsed["date"].str.to_date("%Y%m%d", strict=False), parsed["reason"]
    elif kind in (int, float):
        number = (
            text.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
            if kind is int
            else text.cast(pl.Float64, strict=False)
        )
        # No comparison holds of NaN, nor of infinity.
        value = number.set(~number.is_between(least, most).fill_null(False), None)
        reason = FieldReason.OUT_OF_RANGE
    else:
        pattern, longest = limits.get("pattern", ""), limits.get("max_length", LONGEST_TEXT)
        spaced = text.str.replace_all(_BETWEEN_CODES, " ")
        if pattern == pattern.lower():
            value = spaced.str.to_lowercase()
        else:
            # Codes in capitals are written with and without a dot (J44.1) and in either case.
            value = spaced.str.to_uppercase().str.replace_all(".", "", literal=True)
        value = value.set(~value.str.contains(pattern) | (value.str.len_chars() > longest), None)
        reason = FieldReason.SHAPE
    return value, _flagged(text.is_not_null() & value.is_null(), reason)


def _constraints(field: FieldInfo) -> tuple[Any, dict[str, Any]]:
    """Return (type, limits by name) that a contract's field declares, through its optional and annotated layers."""
    annotation: Any = field.annotation
    found: dict[str, Any] = {}
    pending: list[Any] = list(field.metadata)
    while (origin := get_origin(annotation)) is not None:
        if origin is Annotated:
            annotation, *metadata = get_args(annotation)
            pending.extend(metadata)
        elif origin in (Union, types.UnionType):
            (annotation,) = (choice for choice in get_args(annotation) if choice is not types.NoneType)
    for item in pending:
        for constraint in getattr(item, "metadata", None) or [item]:
            found.update({name: v for name in _LIMITS if (v := getattr(constraint, name, None)) is not None})
    return annotation, found
