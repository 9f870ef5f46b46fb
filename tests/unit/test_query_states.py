"""A state's codes: every value by its label, the unknown one past the last."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from linkage.features import FEATURES
from services.lake.delta import DeltaZone
from services.query.freezes import Freezes
from services.query.states import State
from services.registry import Snapshot

SNAPSHOT = Snapshot("s1", 0, date(2026, 1, 1), {}, None, {}, "{}")


def _state(**columns: list[object]) -> State:
    people = pl.DataFrame(columns, schema_overrides={"age": pl.Int32, "household_size": pl.Int32})
    return State(SNAPSHOT, people, Freezes(DeltaZone(Path("nowhere"), "products")))


@pytest.mark.parametrize(
    ("name", "values", "labels"),
    [
        ("reg_copd", [True, False, None], ["true", "false", None]),
        ("tenure", ["owner", "council", None], ["owner", "council", None]),
        ("age", [0, 4, 5, 90, 120, None], ["0-4", "0-4", "5-9", "90+", "90+", None]),
        ("household_size", [1, 5, 6, 9, None], ["1", "5", "6+", "6+", None]),
        ("ward", ["South", "North", None], ["South", "North", None]),
        ("sex_code", ["2", "F", None], ["2", None, None]),
    ],
)
def test_each_value_has_its_label(name: str, values: list[object], labels: list[str | None]) -> None:
    dimension = _state(**{name: values}).dimension(FEATURES[name])
    assert [dimension.labels[c] if c < len(dimension.labels) else None for c in dimension.codes] == labels
    assert dimension.width == len(dimension.labels) + 1


def test_places_are_those_that_occur_in_order() -> None:
    state = _state(ward=["South", "North", "South", None])
    assert state.values(FEATURES["ward"]) == ("North", "South")
    assert state.dimension(FEATURES["ward"]) is state.dimension(FEATURES["ward"])
