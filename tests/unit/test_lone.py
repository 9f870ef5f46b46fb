"""What it says of two subjects that neither has anybody else."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from linkage.cluster import Resolution, resolve
from linkage.explain import LONE, ScoredPair, explain_scored
from linkage.lone import lone_bits
from linkage.weigh import Weigher
from schemas.decision import Decision, DecisionPolicy, LoneBits
from schemas.model import default_model

POLICY = DecisionPolicy(lone=(LoneBits(left_source="h", right_source="h", bits=2.0),))


def _resolved(
    pairs: list[tuple[str, str, float]],
    policy: DecisionPolicy = POLICY,
    *,
    unique: bool = False,
    guard: str | None = None,
) -> Resolution:
    """Subjects h/1 to h/5 with these pairs (refs and log2 odds), all with the same guard."""
    roster = pl.DataFrame({"source": "h", "subject_ref": list("12345"), "one_record_per_person": unique})
    frame = pl.DataFrame(
        [("h", left, "h", right, odds, guard) for left, right, odds in pairs],
        {
            "left_source": pl.String,
            "left_ref": pl.String,
            "right_source": pl.String,
            "right_ref": pl.String,
            "log2_odds": pl.Float64,
            "guard": pl.String,
        },
        orient="row",
    )
    return resolve(roster, frame, policy)


def _persons(resolution: Resolution) -> list[list[str]]:
    groups = resolution.labels.group_by("label", maintain_order=True).agg("subject_ref")["subject_ref"].to_list()
    return [group for group in groups if len(group) > 1]


def test_two_that_have_nobody_else_are_linked_by_it() -> None:
    resolution = _resolved([("1", "2", -1.5)])
    link = resolution.links.row(0, named=True)

    assert _persons(resolution) == [["1", "2"]]
    assert link["decision"] == "link"
    assert link["probability"] == pytest.approx(2**0.5 / (1 + 2**0.5))
    assert link["rival_bits"] == -2.0
    assert resolution.labels["link_probability"].drop_nulls().to_list() == [link["probability"]] * 2
    assert _persons(_resolved([("1", "2", -1.5)], DecisionPolicy())) == []


def test_it_does_not_make_up_for_evidence_that_is_too_little() -> None:
    resolution = _resolved([("1", "2", -2.5)])

    assert _persons(resolution) == []
    assert resolution.links["decision"].to_list() == ["review"]


def test_who_has_somebody_is_not_left_over() -> None:
    resolution = _resolved([("1", "2", 12.0), ("2", "3", -0.5)])

    assert _persons(resolution) == [["1", "2"]]
    assert resolution.links["rival_bits"].to_list() == [0.0, 0.0]


def test_between_two_that_fit_alike_nothing_is_decided() -> None:
    assert _persons(_resolved([("1", "2", -0.5), ("1", "3", -1.0)])) == []
    assert _persons(_resolved([("1", "2", -0.5), ("1", "3", -2.0)])) == [["1", "2"]]


def test_guards_and_declarations_hold() -> None:
    assert _persons(_resolved([("1", "2", -0.5)], guard="twin")) == []
    assert _persons(_resolved([("1", "2", -0.5)], unique=True)) == []


def test_bits_are_nothing_where_matches_are_few_and_grow_with_the_share_that_has_found_its_match() -> None:
    """Of 1,000 subjects so many have one sure match: a pair of the others is (n / others) ** 2 times likelier."""
    for matched in (0, 10, 500, 900):
        bits = lone_bits(np.arange(matched), np.ones(matched), (1000.0, 1000.0))
        assert bits == pytest.approx(2 * np.log2(1000 / (1000 - matched)), abs=1e-6)


def test_people_of_many_records_make_two_alone_no_likelier() -> None:
    """All matches are among persons of three: whoever is left over is no person of two."""
    assert lone_bits(np.repeat(np.arange(300), 2), np.ones(600), (1000.0, 1000.0)) == 0.0


def test_the_term_of_a_lone_pair_is_told_as_what_it_adds() -> None:
    """Its terms add up to the odds by which it was decided."""
    weigher = Weigher(default_model())
    pair = ScoredPair(("h", "h"), 0, 3.0, -1.5, None, "m", 0.6, Decision.LINK, rival_bits=-2.0)
    last = explain_scored(weigher, pair, -12.0)[-1]

    assert (last.name, last.weight_bits) == (LONE, 2.0)
    assert last.running_bits == pytest.approx(0.5)
