"""Filters against SQLite: whatever passes means in Polars what it means in SQL, null included; what is random is
refused.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.cohorts import parse_filter
from linkage.cohorts.nodes import expression, negate, text
from linkage.features import FEATURES
from schemas.errors import InputError
from schemas.features import FeatureDefinition, FeatureType

NAMES = ("reg_copd", "reg_dm", "core20", "age", "ltc_count", "tenure", "age_band", "ward")
PLACES = ("North", "South", "King's Reach")


def _values(definition: FeatureDefinition) -> tuple[Any, ...]:
    if definition.type is FeatureType.BOOLEAN:
        return (True, False)
    if definition.type is FeatureType.INTEGER:
        return (0, 1, 2, 4, 5, 17, 18, 64, 65, 101)
    return definition.values or PLACES


PEOPLE = st.lists(
    st.fixed_dictionaries({name: st.none() | st.sampled_from(_values(FEATURES[name])) for name in NAMES}),
    min_size=1,
    max_size=12,
)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


@st.composite
def leaves(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(NAMES))
    definition = FEATURES[name]
    if draw(st.integers(0, 4)) == 0:
        return f"{name} IS {draw(st.sampled_from(['', 'NOT ']))}NULL"
    if definition.type is FeatureType.BOOLEAN:
        return draw(
            st.sampled_from(
                [name, f"NOT {name}", f"{name} = TRUE", f"{name} <> TRUE", f"{name} IS TRUE", f"{name} IS NOT FALSE"]
            )
        )
    if definition.type is FeatureType.INTEGER:
        edges = definition.band_edges
        low, high = sorted(draw(st.lists(st.sampled_from(edges), min_size=2, max_size=2)))
        cut = draw(st.sampled_from(edges))
        forms = [
            f"{name} >= {cut}",
            f"{name} < {cut}",
            f"{name} > {cut - 1}",
            f"{cut} > {name}",
            f"{name} <= {cut - 1}",
        ]
        if high > low:
            forms += [f"{name} BETWEEN {low} AND {high - 1}", f"{name} NOT BETWEEN {low} AND {high - 1}"]
        return draw(st.sampled_from(forms))
    values = draw(st.lists(st.sampled_from(_values(definition)), min_size=1, max_size=3))
    listed = ", ".join(map(_quoted, values))
    return draw(
        st.sampled_from(
            [
                f"{name} = {_quoted(values[0])}",
                f"{name} <> {_quoted(values[0])}",
                f"{name} IN ({listed})",
                f"{name} NOT IN ({listed})",
            ]
        )
    )


FILTERS = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        inner.map(lambda a: f"NOT ({a})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " AND ".join(parts) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " OR ".join(parts) + ")"),
    ),
    max_leaves=8,
)


def _frame(people: list[dict[str, Any]]) -> pl.DataFrame:
    types = {FeatureType.BOOLEAN: pl.Boolean(), FeatureType.INTEGER: pl.Int32(), FeatureType.CATEGORY: pl.String()}
    return pl.DataFrame(people, schema={name: types[FEATURES[name].type] for name in NAMES})


def _by_polars(people: list[dict[str, Any]], written: str) -> list[bool | None]:
    return _frame(people).with_columns(expression(parse_filter(written)).alias("_answer"))["_answer"].to_list()


def _by_sqlite(people: list[dict[str, Any]], written: str) -> list[bool | None]:
    with sqlite3.connect(":memory:") as database:
        database.execute(f"CREATE TABLE people ({', '.join(NAMES)})")
        database.executemany(
            f"INSERT INTO people VALUES ({', '.join('?' * len(NAMES))})",
            [[person[name] for name in NAMES] for person in people],
        )
        rows = database.execute(f"SELECT {written} FROM people ORDER BY rowid").fetchall()
    database.close()
    return [None if value is None else bool(value) for (value,) in rows]


@settings(deadline=None, max_examples=300)
@given(PEOPLE, FILTERS)
def test_a_filter_means_what_it_means_in_sql(people: list[dict[str, Any]], written: str) -> None:
    assert _by_polars(people, written) == _by_sqlite(people, written)


@settings(deadline=None)
@given(PEOPLE, FILTERS)
def test_the_canonical_text_means_the_same_and_is_its_own(people: list[dict[str, Any]], written: str) -> None:
    canonical = text(parse_filter(written))
    assert text(parse_filter(canonical)) == canonical
    assert _by_polars(people, canonical) == _by_polars(people, written)


@settings(deadline=None)
@given(PEOPLE, FILTERS)
def test_negating_twice_is_nothing_and_once_is_not(people: list[dict[str, Any]], written: str) -> None:
    node = parse_filter(written)
    assert text(negate(negate(node))) == text(node)
    assert _by_polars(people, text(negate(node))) == [
        None if answer is None else not answer for answer in _by_polars(people, written)
    ]


@settings(deadline=None)
@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            [
                "age",
                "(",
                ")",
                "AND",
                "OR",
                "NOT",
                "IN",
                ",",
                "5",
                "'x'",
                "=",
                ";",
                "--",
                "SELECT",
                "/*",
                "*/",
                "reg_copd",
            ]
        ),
        max_size=20,
    ).map(" ".join)
)
def test_any_text_is_parsed_or_refused(written: str) -> None:
    with suppress(InputError):  # and no other error, which is the point
        parse_filter(written)
