"""Age, bands, which of several sources holds, and areas."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from linkage.features import FeatureTables, compute
from linkage.features.people import age_years, cut

GEOGRAPHY = pl.DataFrame(
    {
        "lsoa": ["E01000001", "E01000002", "E01000003"],
        "ward": ["North", "South", "South"],
        "authority": ["medway", "medway", "swale"],
        "imd_decile": [2, 3, 10],
    }
)


def _compute(*subjects: dict[str, object], as_of: date = date(2026, 6, 30)) -> dict[str, object]:
    """Features of one person with these subjects."""
    rows = [
        {"source": "a.gp", "subject_ref": str(n), "feed": "health", "version": 1, **s} for n, s in enumerate(subjects)
    ]
    membership = pl.DataFrame(
        [{"person_id": "p", "source": r["source"], "subject_ref": r["subject_ref"]} for r in rows]
    )
    tables = FeatureTables.from_facts({"demographics": pl.DataFrame(rows, infer_schema_length=None)}, GEOGRAPHY)
    return compute(tables, membership.with_columns(link_probability=pl.lit(None, pl.Float64)), as_of).row(0, named=True)


@pytest.mark.parametrize(
    ("born", "as_of", "age"),
    [
        ("2000-06", date(2026, 6, 1), 26),
        ("2000-06", date(2026, 5, 31), 25),
        ("2026-06", date(2026, 6, 30), 0),
        ("2026-07", date(2026, 6, 30), None),
        ("1926-12", date(2026, 6, 30), 99),
        (None, date(2026, 6, 30), None),
        ("not-a-month", date(2026, 6, 30), None),
    ],
)
def test_age_is_in_completed_years_from_the_first_of_the_month(born: str | None, as_of: date, age: int | None) -> None:
    frame = pl.DataFrame({"born": [born]}, schema={"born": pl.String})
    assert frame.select(age_years(pl.col("born"), as_of)).item() == age


@pytest.mark.parametrize(
    ("age", "band", "stage"),
    [
        (0, "0-4", "infant"),
        (1, "0-4", "toddler"),
        (4, "0-4", "child"),
        (5, "5-9", "child"),
        (17, "15-17", "adolescent"),
        (18, "18-24", "adolescent"),
        (24, "18-24", "young_adult"),
        (64, "60-64", "older_adult"),
        (65, "65-69", "older_adult"),
        (90, "90+", "very_elderly"),
    ],
)
def test_bands_start_where_the_cohorts_cut(age: int, band: str, stage: str) -> None:
    person = _compute({"birth_year_month": f"{2026 - age}-06"})
    assert (person["age"], person["age_band"], person["life_stage"]) == (age, band, stage)


def test_a_cut_gives_null_below_the_first_edge() -> None:
    frame = pl.DataFrame({"n": [-1, 0, 9, 10, None]})
    assert frame.select(cut(pl.col("n"), (0, 10), ("low", "high"))).to_series().to_list() == [
        None,
        "low",
        "low",
        "high",
        None,
    ]


def test_health_holds_before_welfare_and_the_newer_version_before_the_older() -> None:
    welfare = {"source": "m.shbe", "feed": "welfare", "version": 99, "sex": "1", "lsoa": "E01000001"}
    assert _compute(welfare, {"sex": "2", "lsoa": "E01000003"})["sex_code"] == "2"
    assert _compute(welfare, {"sex": "2", "lsoa": "E01000003"})["authority"] == "swale"
    assert _compute(welfare, {"sex": None})["sex_code"] == "1"
    old, new = {"version": 1, "sex": "1"}, {"version": 2, "sex": "2"}
    assert _compute(old, new)["sex_code"] == _compute(new, old)["sex_code"] == "2"


def test_a_sex_that_is_not_known_gives_way_to_one_that_is_stated() -> None:
    assert _compute({"sex": "X", "version": 2}, {"sex": "9"})["sex_code"] == "9"
    assert _compute({"sex": "X"})["sex_code"] is None


@pytest.mark.parametrize(
    ("first", "second", "group", "conflict"),
    [
        ("A", "C", "white", False),
        ("A", "M", "white", True),
        ("Z", "M", "black", None),
        ("99", None, None, None),
    ],
)
def test_ethnicity_is_the_newest_stated_and_conflicts_are_between_groups(
    first: str, second: str | None, group: str | None, conflict: bool | None
) -> None:
    person = _compute({"ethnic_category": first, "version": 2}, {"ethnic_category": second})
    assert (person["ethnic_group_5"], person["ethnicity_conflict"]) == (group, conflict)


def test_an_area_that_the_geography_does_not_know_gives_way_to_one_it_knows() -> None:
    person = _compute({"lsoa": "W01999999", "version": 2}, {"lsoa": "E01000002"})
    assert (person["ward"], person["imd_decile"], person["core20"]) == ("South", 3, False)
    assert _compute({"lsoa": "W01999999"})["core20"] is None


@pytest.mark.parametrize(("died", "deceased"), [("2026-06", True), ("2026-07", False), (None, False)])
def test_a_death_counts_from_its_month(died: str | None, deceased: bool) -> None:
    assert _compute({"death_year_month": died})["deceased"] is deceased
