"""Clear record frames as flat tables of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from linkage.encode.content import KEYED_FROM
from schemas.columns import columns
from schemas.contracts.base import Contract, Feed
from schemas.contracts.facts import LISTED_FACTS

KEY: Final = "record_id"
_CONTRACTS: Final[dict[str, type[Contract]]] = {**LISTED_FACTS[Feed.HEALTH], **LISTED_FACTS[Feed.WELFARE]}


def people(frame: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Return columns of the frame as text under other names: `names` maps theirs to ours; absent ones are null."""
    return frame.select(
        (pl.col(ours).cast(pl.String) if ours in frame.columns else pl.lit(None, dtype=pl.String)).alias(theirs)
        for theirs, ours in names.items()
    )


def listed(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return a list column's facts, one row each: `record_id` and the members of a clear list as text, null where
    absent."""
    wanted = [KEY, *(KEYED_FROM.get(member, member) for member in columns(_CONTRACTS[name]))]
    if name not in frame.columns:
        return pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))
    long = frame.select(KEY, name).explode(name).filter(pl.col(name).is_not_null()).unnest(name)
    return people(long, {column: column for column in wanted})


def pounds(pence: pl.Expr) -> pl.Expr:
    """Return whole pence (text) as pounds with two decimals."""
    digits = pence.str.zfill(3)
    return pl.concat_str(digits.str.head(-2), pl.lit("."), digits.str.tail(2))


def turned(codes: Mapping[str, str]) -> dict[str, str]:
    """Return a map of codes the other way round; of several that mean the same, the first."""
    back: dict[str, str] = {}
    for theirs, ours in codes.items():
        back.setdefault(ours, theirs)
    return back
