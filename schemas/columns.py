"""Polars (and so Arrow) schemas derived from the pydantic contracts, so that each shape is written once.

`columns(Model)` maps a contract to a `polars.Schema`. bytes -> Binary, str and StrEnum -> String, int -> Int64,
float -> Float64, bool -> Boolean, date -> Date, a nested contract -> Struct, list[contract] -> List(Struct).
"""

from __future__ import annotations

import types
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import polars as pl
from pydantic import BaseModel

_SCALARS: dict[type, pl.DataType] = {
    bytes: pl.Binary(),
    str: pl.String(),
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
    date: pl.Date(),
}


def _dtype(annotation: Any) -> pl.DataType:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _dtype(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        (inner,) = (a for a in get_args(annotation) if a is not types.NoneType)
        return _dtype(inner)
    if origin in (list, tuple):
        return pl.List(_dtype(get_args(annotation)[0]))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return pl.Struct(dict(columns(annotation)))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return pl.String()
    return _SCALARS[annotation]


@cache
def columns(contract: type[BaseModel]) -> pl.Schema:
    """Return the columns of a contract: names in order of declaration, with their Polars types."""
    return pl.Schema({name: _dtype(field.annotation) for name, field in contract.model_fields.items()})


def conform(frame: pl.DataFrame, contract: type[BaseModel]) -> pl.DataFrame:
    """Return `frame` with exactly the contract's columns: missing ones as nulls, extra ones dropped, types cast.

    This is how a reader accepts the previous version of a shape, which may lack columns that were added since.
    """
    have = set(frame.columns)
    return frame.select(
        (pl.col(name).cast(dtype) if name in have else pl.lit(None, dtype=dtype).alias(name))
        for name, dtype in columns(contract).items()
    )
