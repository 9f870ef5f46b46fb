"""Which of several landed versions of a record holds, case by case."""

from __future__ import annotations

import polars as pl
import pytest

from services.lake.latest import latest

SCHEMA = {
    "source": pl.String,
    "subject_ref": pl.String,
    "version": pl.Int64,
    "operation": pl.String,
    "content_hash": pl.Int64,
    "value": pl.String,
}

UPSERT, WITHDRAW = "upsert", "withdraw"


def values(*rows: tuple[str, str, int, str, int | None, str]) -> list[str]:
    """The `value` of the rows that hold, in the order of source and reference."""
    held = latest(pl.LazyFrame(rows, schema=SCHEMA, orient="row")).collect()
    assert held.columns == list(SCHEMA)
    return held.sort("source", "subject_ref")["value"].to_list()


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ((1, UPSERT, 9), (2, UPSERT, 0)),
        ((1, WITHDRAW, 9), (2, UPSERT, 0)),
        ((1, UPSERT, 9), (2, WITHDRAW, 0)),
        ((1, UPSERT, 9), (1, WITHDRAW, 0)),
        ((1, UPSERT, 3), (1, UPSERT, 4)),
        ((1, UPSERT, -4), (1, UPSERT, -3)),
        ((1, UPSERT, -4), (1, UPSERT, None)),
        ((1, UPSERT, None), (1, UPSERT, 4)),
    ],
    ids=[
        "higher version",
        "taken up again",
        "withdrawn later",
        "withdrawn at the same version",
        "higher hash",
        "higher negative hash",
        "no hash counts as 0, above",
        "no hash counts as 0, below",
    ],
)
def test_the_newer_holds_in_whatever_order_they_landed(
    older: tuple[int, str, int | None], newer: tuple[int, str, int | None]
) -> None:
    one, other = ("x.a", "1", *older, "older"), ("x.a", "1", *newer, "newer")
    assert values(one, other) == values(other, one) == ["newer"]


def test_each_source_has_its_own_records() -> None:
    assert values(
        ("x.a", "1", 1, UPSERT, 0, "a1"), ("x.b", "1", 2, UPSERT, 0, "b1"), ("x.a", "2", 3, UPSERT, 0, "a2")
    ) == [
        "a1",
        "a2",
        "b1",
    ]


def test_withdrawn_records_stay_visible_as_such() -> None:
    assert values(("x.a", "1", 1, WITHDRAW, 0, "gone")) == ["gone"]


def test_nothing_landed_is_nothing() -> None:
    assert values() == []
