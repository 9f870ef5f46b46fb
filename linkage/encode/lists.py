"""Listed facts as they stand in a clear file: JSON text in CSV, a list of structs in Parquet; both become strings."""

from __future__ import annotations

import polars as pl


def decoded(values: pl.Series, members: tuple[str, ...]) -> tuple[pl.Series, pl.Series]:
    """Return (List(Struct) with `members` as strings, Boolean: the row's list could not be read)."""
    dtype = pl.List(pl.Struct(dict.fromkeys(members, pl.String())))
    readable = pl.repeat(False, values.len(), dtype=pl.Boolean, eager=True)
    if isinstance(values.dtype, pl.List) and isinstance(values.dtype.inner, pl.Struct):
        present = {field.name for field in values.dtype.inner.fields}
        text = pl.struct(
            (
                pl.element().struct.field(name).cast(pl.String) if name in present else pl.lit(None, dtype=pl.String)
            ).alias(name)
            for name in members
        )
        return values.alias("facts").to_frame().select(pl.col("facts").list.eval(text)).to_series(), readable
    if values.dtype == pl.Null:
        return values.cast(dtype), readable
    if values.dtype != pl.String:
        return pl.Series(values.name, dtype=dtype).extend_constant(None, values.len()), values.is_not_null()
    stripped = values.str.strip_chars()
    return decode_json(stripped.set(stripped == "", None), dtype)


def decode_json(text: pl.Series, dtype: pl.DataType) -> tuple[pl.Series, pl.Series]:
    """Return (values of `dtype`, Boolean: the text could not be read) of JSON text; what the type does not name is not
    read.
    """
    pieces = _decode_json(text, dtype)
    if not pieces:
        return pl.Series(text.name, dtype=dtype), pl.Series(text.name, dtype=pl.Boolean)
    values = pl.concat([piece for piece, _ in pieces])
    return values, pl.concat([pl.repeat(not good, piece.len(), dtype=pl.Boolean, eager=True) for piece, good in pieces])


def _decode_json(text: pl.Series, dtype: pl.DataType) -> list[tuple[pl.Series, bool]]:
    """Decode JSON, halving around what cannot be read.

    polars refuses a whole column for one bad row, and its error quotes the value: the error goes no further than here.
    """
    if text.is_empty():
        return []
    try:
        return [(text.str.json_decode(dtype), True)]
    except pl.exceptions.ComputeError:
        if text.len() == 1:
            return [(pl.Series(text.name, dtype=dtype).extend_constant(None, 1), False)]
        middle = text.len() // 2
        return _decode_json(text[:middle], dtype) + _decode_json(text[middle:], dtype)
