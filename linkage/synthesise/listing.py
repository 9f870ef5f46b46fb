"""List columns from flat rows: each owner's facts in order, an empty list for those without any."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import BaseModel

from linkage.synthesise.chance import Ints
from schemas.columns import columns


def element(contract: type[BaseModel], rename: dict[str, str] | None = None) -> pl.Schema:
    """Return the fields of one list element: those of the content contract, some under the clear file's names."""
    rename = rename or {}
    return pl.Schema({rename.get(name, name): dtype for name, dtype in columns(contract).items()})


def nested(name: str, owner: Ints, facts: pl.DataFrame, count: int, schema: pl.Schema) -> pl.Series:
    """Return a List(Struct) column of `count` rows: row i holds the facts whose `owner` is i, in their order.

    A field of `schema` that `facts` lacks is null.
    """
    order = np.argsort(owner, kind="stable")
    have = set(facts.columns)
    rows = facts.select(
        pl.col(field).cast(dtype) if field in have else pl.lit(None, dtype=dtype).alias(field)
        for field, dtype in schema.items()
    )[order]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=count))])
    values = rows.to_struct("item").to_arrow()
    array = pa.LargeListArray.from_arrays(pa.array(offsets, type=pa.int64()), values)
    return pl.Series(name, pl.from_arrow(array)).cast(pl.List(pl.Struct(dict(schema))))
