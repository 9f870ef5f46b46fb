"""Facts of made-up people: whose they are, when they lie, and what an extract cannot know."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from linkage.synthesise import REFERENCE_DATE
from linkage.synthesise.feeds.facts import NEVER, Facts, Spans
from linkage.synthesise.world import REFERENCE_DAY
from schemas.contracts.facts_health import CareArrangement, FitNote
from schemas.contracts.facts_welfare import ClaimChange

BORN = REFERENCE_DAY - 1_000
DIED = REFERENCE_DAY - 100


@pytest.fixture
def spans() -> Spans:
    """Two people born on one day, of whom the second has died."""
    last = np.array([REFERENCE_DAY - 1, DIED])
    return Spans(np.array([BORN, BORN]), last, np.array([False, True]))


def listed(facts: Facts, name: str = "facts") -> list[list[dict[str, object]]]:
    return facts.listed(name, np.array([0, 1]), 2).to_list()


def test_nothing_is_kept_outside_a_life(spans: Spans) -> None:
    facts = Facts(ClaimChange, spans)
    owner = np.array([0, 0, 0, 1, 1])
    day = np.array([BORN - 1, BORN, REFERENCE_DAY, DIED, DIED + 1])
    facts.add(owner, claim_reference="C1", changed_on=day)
    first, second = listed(facts)
    assert len(first) == len(second) == 1
    assert list(facts.owners) == [0, 1]


def test_what_did_not_happen_is_left_out(spans: Spans) -> None:
    facts = Facts(ClaimChange, spans)
    facts.add(np.array([0, 1]), claim_reference="C1", changed_on=np.array([NEVER, DIED - 5]))
    assert [len(rows) for rows in listed(facts)] == [0, 1]


def test_an_end_that_nobody_can_know_is_missing_and_the_dead_end_with_their_life(spans: Spans) -> None:
    facts = Facts(CareArrangement, spans)
    start = np.array([DIED - 50, DIED - 50])
    facts.add(np.array([0, 1]), package="home_care", started_on=start, ended_on=start + 10_000, weekly_hours=3.0)
    (alive,), (dead,) = listed(facts)
    assert alive["ended_on"] is None
    assert dead["ended_on"] == REFERENCE_DATE - (date(1970, 4, 11) - date(1970, 1, 1))


def test_an_end_that_a_fact_must_have_stays(spans: Spans) -> None:
    facts = Facts(FitNote, spans)
    start = np.array([REFERENCE_DAY - 5, DIED - 5])
    facts.add(np.array([0, 1]), started_on=start, ended_on=start + 20)
    (alive,), (dead,) = listed(facts)
    assert alive["ended_on"] > REFERENCE_DATE  # type: ignore[operator]
    assert dead["ended_on"] < REFERENCE_DATE  # type: ignore[operator]


def test_a_record_lists_its_facts_in_order_of_time_and_owners_without_record_are_left_out(spans: Spans) -> None:
    facts = Facts(ClaimChange, spans)
    facts.add(np.array([0, 1]), claim_reference="C1", changed_on=np.array([DIED - 1, DIED - 1]))
    facts.add(np.array([0, 0]), claim_reference=pl.Series(["C2", "C3"]), changed_on=np.array([DIED, DIED - 2]))
    (rows,) = facts.listed("facts", np.array([0, -1]), 1).to_list()
    assert [row["claim_reference"] for row in rows] == ["C3", "C1", "C2"]


def test_no_facts_are_empty_lists(spans: Spans) -> None:
    assert listed(Facts(ClaimChange, spans)) == [[], []]
