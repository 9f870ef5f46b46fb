"""People and their facts from flat tables: one clear row a person, with what their other rows say as lists."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.layouts.mapped import Mapped
from linkage.layouts.tables import ROW
from linkage.normalise import dates

KEY: Final = "record_id"
_FAR: Final = date(2099, 12, 31)

_UNTRACED: Final = ("04", "05", "07", "08")
"""NHS NUMBER STATUS INDICATOR of numbers that are nobody's yet: no or several matches, to be resolved, not present,
postponed. Only 01 (verified) is confirmed by a source that was read; the others are from general knowledge.
"""
_FALSE: Final = ("false", "0", "n", "no", "f")


def facts(frame: pl.DataFrame, key: str, **members: pl.Expr) -> pl.DataFrame:
    """Return one row a fact: `record_id` (from the column `key`) and the members, all String."""
    return frame.select(pl.col(key).alias(KEY), **members).filter(pl.col(KEY).is_not_null())


def latest(frame: pl.DataFrame, key: pl.Expr, on: str, columns: dict[str, pl.Expr]) -> pl.DataFrame:
    """Return one row a key, in the order of their last rows: of each column the value that was last known, by the day
    in the column `on` (String, as ISO dates sort), and `ROW` of the last row.
    """
    picked = frame.select(key.alias(KEY), ROW, pl.col(on).str.slice(0, 10).alias("_on"), **columns)
    grouped = picked.filter(pl.col(KEY).is_not_null()).sort("_on", ROW).group_by(KEY, maintain_order=True)
    return grouped.agg(pl.col(ROW).last(), *(pl.col(name).drop_nulls().last() for name in columns)).sort(ROW)


def gathered(people: pl.DataFrame, lists: dict[str, list[pl.DataFrame]], counts: dict[str, int]) -> Mapped:
    """Return the people (`record_id`, `ROW`, clear columns) with their facts as list columns, in their order.

    Of each list, the frames of `facts` follow one another; a list without a frame is left out. A fact of nobody among
    the people goes nowhere and is counted.
    """
    found, orphans = people, 0
    for name, frames in lists.items():
        if not frames:
            continue
        every = pl.concat(frames, how="diagonal")
        mine = every.join(people.select(KEY), on=KEY, how="semi")
        orphans += every.height - mine.height
        members = [column for column in mine.columns if column != KEY]
        listed = mine.select(KEY, pl.struct(members).alias(name)).group_by(KEY, maintain_order=True).agg(name)
        found = found.join(listed, on=KEY, how="left", maintain_order="left")
    if orphans:
        counts = {**counts, "facts of people who are not in the file of people": orphans}
    return Mapped(found.drop(ROW), found[ROW], counts)


def usable(number: pl.Expr, status: pl.Expr | None = None, valid: pl.Expr | None = None) -> pl.Expr:
    """Return an NHS number, or a pseudonym of one, where its status and validity leave it one person's."""
    bad = pl.lit(False)
    if status is not None:
        bad = bad | status.str.zfill(2).is_in(_UNTRACED).fill_null(False)
    if valid is not None:
        bad = bad | valid.str.to_lowercase().is_in(_FALSE).fill_null(False)
    return pl.when(~bad).then(number)


def month_of(text: pl.Series) -> pl.Series:
    """Return dates (String) as the first of their month, for services that are sensitive in themselves.

    What is no date stays as it stands: encoding reads dates by the same rule, refuses it and reports it.
    """
    whole = dates.parse(text, _FAR)["date"]
    return pl.select(
        pl.coalesce(whole.str.slice(0, 4) + "-" + whole.str.slice(4, 2) + "-01", text).alias(text.name)
    ).to_series()
