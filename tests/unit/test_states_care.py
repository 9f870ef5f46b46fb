"""The three states of referrals, social care and fit notes, and their boundaries."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import pytest

from tests.features.records import computed, record
from tests.features.three_states import AS_OF, GP, RECENT, Case, People, people_with, three_states, whose

CASES: Final = {
    "mh_open_referral": Case(True, False, "welfare"),
    "sp_referred_12m": Case(True, False, "welfare"),
    "nss_referral_12m": Case(True, False, "welfare"),
    "child_weight_referral_12m": Case(True, False, "welfare"),
    "sp_domain": Case("money", "none", "welfare"),
    "asc_package": Case("care_home_nursing", "none", "welfare"),
    "asc_hours_band": Case("10_to_24", "none", "welfare"),
    "care_home": Case("nursing", "none", "welfare"),
    "fit_note_days_12m": Case(28, 0, "welfare"),
}


@pytest.fixture(scope="module")
def people() -> People:
    services = ("mental_health", "social_prescribing", "non_specific_symptoms", "child_weight_tier_3")
    return people_with(
        {
            "referrals": [
                whose("full", GP, service=s, opened_on=RECENT, reason="money" if s == "social_prescribing" else None)
                for s in services
            ],
            "care_arrangements": [
                whose("full", GP, package="care_home_nursing", started_on=RECENT, weekly_hours=None),
                whose("full", GP, package="home_care", started_on=RECENT, weekly_hours=10.0),
            ],
            "fit_notes": [whose("full", GP, started_on=date(2026, 3, 1), ended_on=date(2026, 3, 28))],
        }
    )


test_a_feature_tells_value_negative_and_unknown_apart = three_states("care", CASES)

NOTE = dict[str, date]
YEAR_AGO: Final = date(2025, 6, 30)


def _note(start: date, end: date) -> NOTE:
    return {"started_on": start, "ended_on": end}


_DAYS: Final[dict[str, tuple[list[NOTE], int]]] = {
    "one day": ([_note(AS_OF, AS_OF)], 1),
    "into the future": ([_note(AS_OF, date(2026, 7, 30))], 1),
    "from before the year": ([_note(date(2025, 1, 1), date(2025, 7, 1))], 1),
    "over a year ago": ([_note(date(2025, 1, 1), YEAR_AGO)], 0),
    "the whole year": ([_note(date(2024, 1, 1), date(2027, 1, 1))], 365),
    "overlapping": ([_note(date(2026, 1, 1), date(2026, 1, 10)), _note(date(2026, 1, 5), date(2026, 1, 12))], 12),
    "one within another": ([_note(date(2026, 1, 1), date(2026, 1, 31)), _note(date(2026, 1, 5), date(2026, 1, 6))], 31),
    "within, then after": (
        [
            _note(date(2026, 1, 1), date(2026, 1, 31)),
            _note(date(2026, 1, 5), date(2026, 1, 6)),
            _note(date(2026, 1, 31), date(2026, 2, 1)),
        ],
        32,
    ),
    "with a gap": ([_note(date(2026, 1, 1), date(2026, 1, 2)), _note(date(2026, 1, 4), date(2026, 1, 4))], 3),
}


@pytest.fixture(scope="module")
def unfit() -> People:
    return computed({name: record(fit_notes=notes) for name, (notes, _) in _DAYS.items()})


@pytest.mark.parametrize("name", list(_DAYS))
def test_each_day_of_the_year_counts_once(unfit: People, name: str) -> None:
    assert unfit[name]["fit_note_days_12m"] == _DAYS[name][1]


def _referral(service: str, opened: date, closed: date | None = None, reason: str | None = None) -> dict[str, Any]:
    return {"service": service, "opened_on": opened, "closed_on": closed, "reason": reason}


def test_a_referral_is_open_until_the_day_it_is_closed() -> None:
    day = date(2020, 1, 1)
    records = {
        "open": record(referrals=[_referral("mental_health", day)]),
        "closed today": record(referrals=[_referral("mental_health", day, AS_OF)]),
        "closed tomorrow": record(referrals=[_referral("mental_health", day, date(2026, 7, 1))]),
        "opened tomorrow": record(referrals=[_referral("mental_health", date(2026, 7, 1))]),
        "another service": record(referrals=[_referral("community", day)]),
    }
    people = computed(records)
    assert [people[who]["mh_open_referral"] for who in records] == [True, False, True, False, False]


def test_the_newest_referral_of_the_year_says_why() -> None:
    old, new = date(2025, 6, 30), date(2025, 7, 1)
    records = {
        "too old": record(referrals=[_referral("social_prescribing", old, reason="money")]),
        "in time": record(referrals=[_referral("social_prescribing", new, reason="money")]),
        "no reason": record(referrals=[_referral("social_prescribing", new)]),
        "two": record(
            referrals=[
                _referral("social_prescribing", RECENT, reason="housing"),
                _referral("social_prescribing", new, reason="work"),
                _referral("mental_health", AS_OF, reason="caring"),
            ]
        ),
    }
    people = computed(records)
    assert [people[who]["sp_domain"] for who in records] == ["none", "money", "other", "housing"]
    assert [people[who]["sp_referred_12m"] for who in records] == [False, True, True, True]


@pytest.mark.parametrize(
    ("hours", "band"), [([None], "not_stated"), ([9.9], "under_10"), ([5, 5], "10_to_24"), ([25.0], "25_and_over")]
)
def test_hours_of_all_packages_are_added(hours: list[float | None], band: str) -> None:
    packages = [{"package": "home_care", "started_on": RECENT, "weekly_hours": h} for h in hours]
    person = computed({"p": record(care_arrangements=packages)})["p"]
    assert (person["asc_hours_band"], person["care_home"], person["asc_package"]) == (band, "none", "home_care")


def test_care_that_has_ended_or_not_begun_is_none() -> None:
    ended = {"package": "care_home_residential", "started_on": date(2020, 1, 1), "ended_on": AS_OF}
    later = {"package": "care_home_residential", "started_on": date(2026, 7, 1)}
    still = {"package": "care_home_residential", "started_on": AS_OF, "ended_on": date(2026, 7, 1)}
    people = computed({"ended": record(care_arrangements=[ended, later]), "still": record(care_arrangements=[still])})
    assert (people["ended"]["care_home"], people["still"]["care_home"]) == ("none", "residential")
