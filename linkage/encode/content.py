"""Content: what a record says beside who it is about, brought to the contracts of `schemas.contracts.facts`.

A value that its contract does not allow becomes missing and is reported; a listed fact (a diagnosis, a claim) that
lacks what it must have is left out and reported. Dates of birth and death leave as months, claim references as keyed
references. Only columns that a contract names are read: a phone number, a free text or a bank account has no way
through.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final, Union, get_args, get_origin

import polars as pl
from pydantic.fields import FieldInfo

from linkage.normalise import dates
from linkage.normalise.reasons import FieldReason
from schemas.columns import columns
from schemas.contracts.base import Contract
from schemas.contracts.facts import Demographics

CODED_FIELDS: Final = ("ethnic_category", "lsoa", "practice_code")
"""Clear columns that travel as they are once checked."""

_KEYED: Final = {"claim_ref": "claim_reference"}
"""Field of a contract -> the clear column or member that it is keyed from."""

KeyReference = Callable[[pl.Series], pl.Series]
"""Maps clear claim references (String) to keyed ones (32 hexadecimal digits)."""


def demographics(
    frame: pl.DataFrame, parts: pl.DataFrame, rows: pl.Series, latest: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (columns of `Demographics`, dropped fields) for clear rows and their derived parts."""
    out = parts.select(
        "sex", birth_year_month=pl.concat_str(pl.col("birth_year"), pl.col("birth_month"), separator="-")
    ).with_columns(rows.alias("row"))
    dropped = []
    for name in CODED_FIELDS:
        value, reason = _checked(pl.col(name), Demographics.model_fields[name], latest)
        out, bad = _with_field(out, _text(frame, name), name, name, value, reason)
        dropped.append(bad)
    death, reason = dates.parts(pl.col("date_of_death"), latest)
    month = pl.concat_str(death["year"], death["month"], separator="-")
    out, bad = _with_field(out, _text(frame, "date_of_death"), "date_of_death", "death_year_month", month, reason)
    return out.select(list(Demographics.model_fields)), pl.concat([*dropped, bad])


def listed_facts(
    values: pl.Series, contract: type[Contract], rows: pl.Series, latest: date, key_reference: KeyReference
) -> tuple[pl.Series, pl.DataFrame]:
    """Return (List(Struct) of the contract, never null; dropped) for a clear list column, JSON text or List(Struct)."""
    name = values.name
    struct = pl.Struct(dict(columns(contract)))
    lists, unreadable = _decoded(values, contract)
    dropped = [
        rows.filter(unreadable)
        .alias("row")
        .to_frame()
        .select("row", field=pl.lit(name), reason=pl.lit(FieldReason.UNREADABLE.value))
    ]
    order = pl.int_range(values.len(), dtype=pl.UInt32, eager=True).alias("order")
    long = pl.DataFrame([order, rows.alias("row"), lists.alias("fact")]).filter(pl.col("fact").list.len() > 0)
    long = long.explode("fact").unnest("fact")
    must = []
    for field_name, field in contract.model_fields.items():
        clear = _KEYED.get(field_name, field_name)
        if field_name in _KEYED:
            keyed = key_reference(long[clear].str.strip_chars().replace("", None))
            long = long.with_columns(keyed.alias(f"fact:{field_name}"), pl.lit(None, dtype=pl.String).alias("reason"))
        else:
            value, reason = _checked(pl.col(clear), field, latest)
            if not field.is_required() and field.default is not None:
                value = value.fill_null(pl.lit(str(field.default)))
            long = long.with_columns(value.alias(f"fact:{field_name}"), reason.alias("reason"))
        if field.is_required():
            must.append(f"fact:{field_name}")
            absent = pl.col(f"fact:{field_name}").is_null() & pl.col("reason").is_null()
            long = long.with_columns(
                pl.when(absent).then(pl.lit(FieldReason.MISSING.value)).otherwise("reason").alias("reason")
            )
        bad = long.filter(pl.col("reason").is_not_null())
        dropped.append(bad.select("row", field=pl.lit(f"{name}.{clear}"), reason=pl.col("reason")))
    kept = long.filter(pl.all_horizontal(pl.col(required).is_not_null() for required in must))
    facts = kept.select(
        "order", pl.struct(pl.col(f"fact:{f}").alias(f) for f in contract.model_fields).cast(struct).alias(name)
    )
    grouped = facts.group_by("order").agg(name)
    joined = order.to_frame().join(grouped, on="order", how="left", maintain_order="left")[name]
    return joined.cast(pl.List(struct)).fill_null(pl.Series([[]], dtype=pl.List(struct))), pl.concat(dropped)


def _text(frame: pl.DataFrame, name: str) -> pl.Series:
    if name in frame.columns:
        return frame[name]
    return pl.Series(name, dtype=pl.String).extend_constant(None, frame.height)


def _with_field(
    out: pl.DataFrame, raw: pl.Series, clear: str, name: str, value: pl.Expr, reason: pl.Expr
) -> tuple[pl.DataFrame, pl.DataFrame]:
    blankless = raw.alias(clear).str.strip_chars().replace("", None)
    checked = blankless.to_frame().select(value.alias(name), reason.alias("reason"))
    bad = pl.DataFrame([out["row"], checked["reason"]]).filter(pl.col("reason").is_not_null())
    return out.with_columns(checked[name]), bad.select("row", field=pl.lit(clear), reason=pl.col("reason"))


def _decoded(values: pl.Series, contract: type[Contract]) -> tuple[pl.Series, pl.Series]:
    """Return (List(Struct of strings), which rows could not be read)."""
    members = [_KEYED.get(name, name) for name in columns(contract)]
    dtype = pl.List(pl.Struct(dict.fromkeys(members, pl.String())))
    if isinstance(values.dtype, pl.List) and isinstance(values.dtype.inner, pl.Struct):
        present = {field.name for field in values.dtype.inner.fields}
        as_text = pl.struct(
            (pl.element().struct.field(m).cast(pl.String) if m in present else pl.lit(None, dtype=pl.String)).alias(m)
            for m in members
        )
        return values.to_frame().select(pl.first().list.eval(as_text)).to_series(), pl.repeat(
            False, values.len(), eager=True
        )
    if values.dtype != pl.String:
        blank = pl.Series(values.name, dtype=dtype).extend_constant(None, values.len())
        return blank, values.is_not_null()
    text = values.str.strip_chars().replace("", None)
    pieces = _decode_pieces(text, dtype)
    lists = pl.concat([piece for piece, _ in pieces]) if pieces else pl.Series(values.name, dtype=dtype)
    unreadable = [pl.repeat(not readable, piece.len(), eager=True) for piece, readable in pieces]
    return lists, pl.concat(unreadable) if unreadable else pl.Series(dtype=pl.Boolean)


def _decode_pieces(text: pl.Series, dtype: pl.List) -> list[tuple[pl.Series, bool]]:
    """Decode JSON, halving around whatever cannot be read: polars refuses a column whole, and its error quotes the
    value."""
    if text.is_empty():
        return []
    try:
        return [(text.str.json_decode(dtype), True)]
    except pl.exceptions.ComputeError:
        if text.len() == 1:
            return [(pl.Series(text.name, dtype=dtype).extend_constant(None, 1), False)]
        middle = text.len() // 2
        return _decode_pieces(text[:middle], dtype) + _decode_pieces(text[middle:], dtype)


def _checked(text: pl.Expr, field: FieldInfo, latest: date) -> tuple[pl.Expr, pl.Expr]:
    """Return (value of the contract's type or null, reason or null) for a String expression and a contract's field."""
    bare = text.str.strip_chars()
    kind, pattern, least, most = _constraints(field)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        codes = {code.value.lower(): code.value for code in kind}
        value = bare.str.to_lowercase().replace_strict(
            list(codes), list(codes.values()), default=None, return_dtype=pl.String
        )
        reason = FieldReason.UNKNOWN_CODE
    elif kind is date:
        parts, _ = dates.parts(bare, latest)
        value = parts["date"].str.to_date("%Y%m%d", strict=False)
        reason = FieldReason.NOT_A_DATE
    elif kind is int:
        number = bare.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
        value = pl.when(number.is_between(least, most)).then(number)
        reason = FieldReason.OUT_OF_RANGE
    else:
        upper = bare.str.to_uppercase().str.replace_all(".", "", literal=True)
        value = pl.when(upper.str.contains(pattern)).then(upper)
        reason = FieldReason.SHAPE
    filled = bare.is_not_null() & (bare != "")
    return value, pl.when(filled & value.is_null()).then(pl.lit(reason.value))


def _constraints(field: FieldInfo) -> tuple[Any, str, int | None, int | None]:
    """Return (type, pattern, least, most) that a contract's field declares, through its optional and annotated
    layers."""
    annotation: Any = field.annotation
    found: dict[str, Any] = {}

    def note(items: list[Any]) -> None:
        for item in items:
            note(getattr(item, "metadata", []))
            found.update(
                {key: getattr(item, key) for key in ("pattern", "ge", "le") if getattr(item, key, None) is not None}
            )

    note(field.metadata)
    while (origin := get_origin(annotation)) is not None:
        if origin is Annotated:
            annotation, *metadata = get_args(annotation)
            note(metadata)
        elif origin in (Union, types.UnionType):
            (annotation,) = (choice for choice in get_args(annotation) if choice is not types.NoneType)
    return annotation, found.get("pattern", ""), found.get("ge"), found.get("le")
