"""What the programme's papers print comes out of the formulas here."""

from __future__ import annotations

import polars as pl
import pytest

from linkage.disclosure import release_count, release_percent
from linkage.indicators.comparison import compared, ranked, score, trend_points
from linkage.indicators.progress import ALL_GROUPS, progress, released_progress
from schemas.disclosure import shipped_policy
from schemas.errors import InputError
from schemas.features import Sensitivity
from schemas.indicators import INDICATORS, Comparison, IndicatorRecord, Method

WORSE, SIMILAR, BETTER = Comparison.WORSE, Comparison.SIMILAR, Comparison.BETTER
# (identified, reviewed, per cent) of priority groups 1 to 3: Medway and Swale PHM programme, spring 2024, 2.1.6.
PRINTED = {
    "asthma": [(1807, 1452, 80.35), (1308, 914, 69.88), (2621, 1818, 69.36)],
    "copd": [(993, 724, 72.91), (1112, 744, 66.91), (79, 2, 2.53)],
    "diabetes": [(788, 262, 33.25), (1033, 385, 37.27), (877, 299, 34.09)],
    "hypertension": [(239, 97, 40.59), (1612, 702, 43.55), (4143, 2132, 51.46)],
}
TOTALS = {
    "asthma": (5736, 4184),
    "copd": (2184, 1470),
    "diabetes": (2698, 946),
    "hypertension": (5994, 2931),
}
COUNTS = pl.DataFrame(
    [
        (condition, group, identified, reviewed)
        for condition, groups in PRINTED.items()
        for group, (identified, reviewed, _) in enumerate(groups, 1)
    ],
    schema=["condition", "group", "identified", "reviewed"],
    orient="row",
)


def test_the_twelve_printed_percentages_and_all_totals() -> None:
    found = progress(COUNTS)
    for condition, groups in PRINTED.items():
        own = found.filter(condition=condition).sort("group")
        assert own["percent"].to_list()[1:] == [percent for *_, percent in groups]
        assert own.row(0)[2:4] == TOTALS[condition]
    everything = found.filter(pl.col("group") == ALL_GROUPS)
    assert everything.select("identified", "reviewed").sum().row(0) == (16_612, 9_531)


def test_of_the_printed_table_two_reviewed_of_79_may_not_be_told() -> None:
    rule = shipped_policy().rule([Sensitivity.SPECIAL_CATEGORY])
    found = {tuple(row[:2]): row[2:] for row in released_progress(COUNTS, rule).iter_rows()}
    assert found["copd", 3] == (80, None, None)
    assert found["copd", ALL_GROUPS] == (2185, 1470, 67.3)  # beside 725 and 745 leaves every small number open
    assert found["asthma", 1] == (1805, 1450, 80.3)
    assert found["hypertension", ALL_GROUPS] == (5995, 2930, 48.9)
    told = [value for row in found.values() for value in row[:2] if value is not None]
    assert all(value % 5 == 0 for value in told)


def test_catalyst_sums_as_they_may_be_told() -> None:
    rule = shipped_policy().rule([Sensitivity.INCLUSION])
    assert 600 + 529 == 1_129
    assert [release_count(n, rule) for n in (600, 529, 1_129, 137, 109)] == [600, 530, 1_130, 135, 110]
    assert [release_count(n, rule) for n in (4, 6, 1, 5, 0)] == [None] * 5
    assert release_percent(release_count(2, rule), release_count(79, rule)) is None


def _record(indicator: str, area: str = "Medway and Swale", **more: object) -> IndicatorRecord:
    return IndicatorRecord.model_validate(
        {
            "indicator_id": indicator,
            "period_label": "2019/20 - 21/22",
            "area": area,
            "method": Method.CRUDE,
            "rag_2023": WORSE,
            "change_since_2021": WORSE,
            **more,
        }
    )


# The printed scores; of the four that make 4 with a published trend the paper's trends are not at hand: both ways to 4.
SEVEN = [
    (_record("diabetes_admissions_under_19", rag_2021=SIMILAR, trend=WORSE, england_trend=SIMILAR), 5),
    (_record("acsc_admissions", trend=WORSE, england_trend=BETTER), 5),
    (_record("self_harm_admissions_10_24", trend=WORSE, england_trend=SIMILAR), 5),
    (_record("excess_weight_year_6", trend=WORSE, england_trend=WORSE), 4),
    (_record("ae_attendances_0_4", trend=WORSE, england_trend=WORSE), 4),
    (_record("breast_screening_coverage", change_since_2021=SIMILAR, trend=WORSE, england_trend=SIMILAR), 4),
    (_record("hip_fractures_65_plus"), 4),
]


def test_the_seven_printed_scores_in_their_order() -> None:
    assert [score(record) for record, _ in SEVEN] == [printed for _, printed in SEVEN]
    assert [points for _, points in ranked([record for record, _ in reversed(SEVEN)])] == [5, 5, 5, 4, 4, 4, 4]


def test_what_stood_in_2021_is_shown_and_not_scored() -> None:
    assert {score(_record("acsc_admissions", rag_2021=rag)) for rag in (None, *Comparison)} == {4}


def test_an_indicator_stands_once_an_area() -> None:
    twice = [_record("diabetes_admissions_under_19"), _record("diabetes_admissions_under_19", rag_2021=SIMILAR)]
    with pytest.raises(InputError, match="more than one record of: diabetes_admissions_under_19"):
        ranked(twice)
    assert len(ranked([twice[0], _record("diabetes_admissions_under_19", area="England")])) == 2
    with pytest.raises(InputError, match="not on the list"):
        ranked([_record("moonlight")])


@pytest.mark.parametrize(
    ("own", "england", "points"),
    [
        (WORSE, SIMILAR, 1),
        (WORSE, BETTER, 1),
        (WORSE, WORSE, 0),
        (BETTER, BETTER, 0),
        (BETTER, WORSE, -1),
        (SIMILAR, WORSE, 0),
        (BETTER, SIMILAR, 0),
        (None, WORSE, 0),
        (WORSE, None, 0),
    ],
)
def test_points_for_a_trend(own: Comparison | None, england: Comparison | None, points: int) -> None:
    assert trend_points(own, england) == points


@pytest.mark.parametrize(
    ("lcl", "ucl", "higher_is", "found"),
    [
        (9.0, 10.0, WORSE, SIMILAR),
        (10.1, 11.0, WORSE, WORSE),
        (10.1, 11.0, BETTER, BETTER),
        (8.0, 9.9, WORSE, BETTER),
        (8.0, 9.9, BETTER, WORSE),
    ],
)
def test_an_interval_beside_england(lcl: float, ucl: float, higher_is: Comparison, found: Comparison) -> None:
    assert compared(lcl, ucl, 10.0, higher_is) is found


def test_a_value_lies_between_its_limits() -> None:
    with pytest.raises(ValueError, match="between its limits"):
        _record("acsc_admissions", value=5.0, lcl=6.0)
    assert len(INDICATORS) == 41
