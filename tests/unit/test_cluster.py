"""How links become persons, case by case."""

from __future__ import annotations

import polars as pl
import pytest

from linkage.cluster import resolve
from schemas.columns import columns
from schemas.contracts.links import PairLink, Roster
from schemas.decision import Constraint, DecisionPolicy
from schemas.model import RADICES

LINK_BITS = 12.0


def _roster(*subjects: str, unique: tuple[str, ...] = (), claims: dict[str, str] | None = None) -> pl.DataFrame:
    """Subjects as "source/ref"."""
    rows = []
    for subject in subjects:
        source, ref = subject.split("/")
        claim = (claims or {}).get(subject)
        rows.append(
            {
                "source": source,
                "subject_ref": ref,
                "version": 1,
                "operation": "upsert",
                "one_record_per_person": source in unique,
                "claim_group": claim.encode().ljust(16, b"0") if claim else None,
            }
        )
    return pl.DataFrame(rows, schema=columns(Roster))


def _pairs(*rows: tuple[str, str, float], guards: dict[int, str] | None = None) -> pl.DataFrame:
    out = []
    for number, (one, other, odds) in enumerate(rows):
        (left_source, left_ref), (right_source, right_ref) = sorted((tuple(one.split("/")), tuple(other.split("/"))))
        out.append(
            {
                "left_source": left_source,
                "left_ref": left_ref,
                "left_version": 1,
                "right_source": right_source,
                "right_ref": right_ref,
                "right_version": 1,
                "pattern": 0,
                "weight_bits": odds,
                "log2_odds": odds,
                "guard": (guards or {}).get(number),
                "model_id": "test",
                "shard": 0,
            }
        )
    return pl.DataFrame(out, schema=columns(PairLink))


def _constraints(*rows: tuple[str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [(*a.split("/"), *b.split("/"), kind) for a, b, kind in rows], columns(Constraint), orient="row"
    )


def _persons(
    roster: pl.DataFrame,
    pairs: pl.DataFrame,
    policy: DecisionPolicy | None = None,
    constraints: pl.DataFrame | None = None,
) -> set[frozenset[str]]:
    labels = resolve(roster, pairs, policy or DecisionPolicy(), constraints).labels
    subject = pl.concat_str("source", pl.lit("/"), "subject_ref")
    return {frozenset(p) for p in labels.group_by("label").agg(subject.alias("s"))["s"].to_list()}


def _of(*persons: str) -> set[frozenset[str]]:
    return {frozenset(p.split()) for p in persons}


def test_a_subject_without_pairs_is_a_person() -> None:
    assert _persons(_roster("h/1", "w/1"), _pairs()) == _of("h/1", "w/1")


def test_nobody_gives_nothing() -> None:
    resolution = resolve(_roster(), _pairs(), DecisionPolicy())
    assert resolution.labels.is_empty()
    assert resolution.links.is_empty()


def test_a_strong_pair_is_linked_and_a_weak_one_is_not() -> None:
    roster = _roster("h/1", "h/2", "w/1", "w/2")
    resolution = resolve(roster, _pairs(("h/1", "w/1", LINK_BITS), ("h/2", "w/2", -1.0)), DecisionPolicy())
    assert resolution.links["decision"].to_list() == ["link", "review"]
    assert resolution.labels["link_probability"].null_count() == 2


def test_a_source_that_repeats_nobody_gives_a_person_one_subject() -> None:
    roster = _roster("h/1", "h/2", "w/1", unique=("h",))
    assert _persons(roster, _pairs(("h/1", "w/1", 10.0), ("h/2", "w/1", 5.0))) == _of("h/1 w/1", "h/2")


def test_a_source_that_may_repeat_people_gives_a_person_several() -> None:
    roster = _roster("h/1", "w/1", "w/2", unique=("h",))
    assert _persons(roster, _pairs(("h/1", "w/1", 10.0), ("h/1", "w/2", 9.9))) == _of("h/1 w/1 w/2")


def test_two_candidates_of_equal_evidence_both_go_to_review() -> None:
    roster = _roster("h/1", "h/2", "w/1", unique=("h",))
    links = resolve(roster, _pairs(("h/1", "w/1", 10.0), ("h/2", "w/1", 10.0)), DecisionPolicy()).links
    assert links["decision"].to_list() == ["review", "review"]
    assert links["probability"].to_list() == pytest.approx([0.4998, 0.4998], abs=1e-3)


def test_a_slot_taken_through_a_third_source_stays_taken() -> None:
    roster = _roster("a/1", "a/2", "b/1", "c/1", unique=("a", "b", "c"))
    pairs = _pairs(("a/1", "b/1", 12.0), ("b/1", "c/1", 11.0), ("a/2", "c/1", 10.0))
    assert _persons(roster, pairs) == _of("a/1 b/1 c/1", "a/2")
    assert resolve(roster, pairs, DecisionPolicy()).links["decision"].to_list() == ["link", "review", "link"]


def test_members_of_one_claim_are_different_people() -> None:
    roster = _roster("h/1", "w/1", "w/2", claims={"w/1": "c", "w/2": "c"})
    assert _persons(roster, _pairs(("h/1", "w/1", 12.0), ("h/1", "w/2", 9.0))) == _of("h/1 w/1", "w/2")
    assert _persons(roster, _pairs(("w/1", "w/2", 30.0))) == _of("h/1", "w/1", "w/2")


def test_a_claim_reference_counts_within_its_source_only() -> None:
    roster = _roster("v/1", "w/1", claims={"v/1": "c", "w/1": "c"})
    assert _persons(roster, _pairs(("v/1", "w/1", 12.0))) == _of("v/1 w/1")


def test_a_guarded_pair_goes_to_review_and_is_linked_by_a_reviewer() -> None:
    roster, pairs = _roster("h/1", "w/1"), _pairs(("h/1", "w/1", 20.0), guards={0: "twin"})
    assert resolve(roster, pairs, DecisionPolicy()).links["decision"].to_list() == ["review"]
    linked = resolve(roster, pairs, DecisionPolicy(), _constraints(("h/1", "w/1", "must_link")))
    assert linked.links["decision"].to_list() == ["link"]


def test_a_must_link_joins_subjects_without_evidence_and_takes_the_slot() -> None:
    roster = _roster("h/1", "h/2", "w/1", unique=("h",))
    constraints = _constraints(("w/1", "h/2", "must_link"))
    assert _persons(roster, _pairs(), constraints=constraints) == _of("h/1", "h/2 w/1")
    assert _persons(roster, _pairs(("h/1", "w/1", 20.0)), constraints=constraints) == _of("h/1", "h/2 w/1")


def test_a_cannot_link_holds_through_any_chain_and_beats_a_must_link() -> None:
    roster = _roster("a/1", "b/1", "c/1")
    pairs = _pairs(("a/1", "b/1", 12.0), ("b/1", "c/1", 10.0))
    assert _persons(roster, pairs, constraints=_constraints(("a/1", "c/1", "cannot_link"))) == _of("a/1 b/1", "c/1")
    both = _constraints(("a/1", "b/1", "cannot_link"), ("a/1", "b/1", "must_link"))
    assert _persons(roster, pairs, constraints=both) == _of("a/1", "b/1 c/1")


def test_a_single_bridge_does_not_join_two_groups_that_nothing_else_connects() -> None:
    roster = _roster("d/1", "d/2", "d/3", "d/4")
    pairs = _pairs(("d/1", "d/2", 15.0), ("d/3", "d/4", 15.0), ("d/2", "d/3", 5.7))
    assert _persons(roster, pairs) == _of("d/1 d/2", "d/3 d/4")
    resolution = resolve(roster, pairs, DecisionPolicy())
    assert resolution.links["decision"].to_list() == ["link", "review", "link"]


def test_a_bridge_that_outweighs_the_pairs_not_found_joins_two_groups() -> None:
    roster = _roster("d/1", "d/2", "d/3", "d/4")
    pairs = (("d/1", "d/2", 15.0), ("d/3", "d/4", 15.0))
    assert _persons(roster, _pairs(*pairs, ("d/2", "d/3", 5.9))) == _of("d/1 d/2 d/3 d/4")
    weaker = (("d/2", "d/3", 5.0), ("d/1", "d/4", 2.0))
    assert _persons(roster, _pairs(*pairs, *weaker, ("d/1", "d/3", -0.5))) == _of("d/1 d/2 d/3 d/4")
    assert _persons(roster, _pairs(*pairs, *weaker)) == _of("d/1 d/2 d/3 d/4")
    assert _persons(roster, _pairs(*pairs, weaker[0])) == _of("d/1 d/2", "d/3 d/4")


def test_a_third_subject_needs_more_than_one_weak_pair() -> None:
    roster = _roster("d/1", "d/2", "d/3")
    assert _persons(roster, _pairs(("d/1", "d/2", 15.0), ("d/2", "d/3", 2.9))) == _of("d/1 d/2", "d/3")
    assert _persons(roster, _pairs(("d/1", "d/2", 15.0), ("d/2", "d/3", 3.0))) == _of("d/1 d/2 d/3")
    assert _persons(roster, _pairs(("d/2", "d/3", 2.9))) == _of("d/1", "d/2 d/3")


def test_a_stricter_policy_asks_more_of_groups_too() -> None:
    roster, pairs = _roster("d/1", "d/2", "d/3"), _pairs(("d/1", "d/2", 15.0), ("d/2", "d/3", 9.0))
    assert _persons(roster, pairs, DecisionPolicy(link_probability=0.9)) == _of("d/1 d/2 d/3")
    assert _persons(roster, pairs, DecisionPolicy(link_probability=0.99)) == _of("d/1 d/2", "d/3")


def test_a_link_refused_early_is_tried_again_when_its_groups_have_grown() -> None:
    roster = _roster("d/1", "d/2", "d/3", "d/4", "d/5")
    pairs = (("d/1", "d/2", 25.0), ("d/3", "d/4", 25.0), ("d/2", "d/3", 7.6), ("d/1", "d/5", 7.0))
    # 0.9 bits are a probability of 0.65: such pairs support, but are no links themselves.
    supporting = (("d/5", "d/3", 0.9), ("d/5", "d/4", 0.9))
    policy = DecisionPolicy(link_probability=0.7)
    assert _persons(roster, _pairs(*pairs), policy) == _of("d/1 d/2 d/5", "d/3 d/4")
    assert _persons(roster, _pairs(*pairs, *supporting), policy) == _of("d/1 d/2 d/3 d/4 d/5")


def test_a_guarded_pair_counts_as_not_found() -> None:
    roster = _roster("d/1", "d/2", "d/3", "d/4")
    pairs = (("d/1", "d/2", 15.0), ("d/3", "d/4", 15.0), ("d/2", "d/3", 5.0), ("d/1", "d/4", 9.0))
    assert _persons(roster, _pairs(*pairs)) == _of("d/1 d/2 d/3 d/4")
    assert _persons(roster, _pairs(*pairs, guards={3: "twin"})) == _of("d/1 d/2", "d/3 d/4")


def test_of_several_versions_the_latest_holds_and_a_withdrawal_wins_its_version() -> None:
    old = _roster("h/1", "w/1")
    new = old.with_columns(
        version=pl.lit(2, dtype=pl.Int64),
        operation=pl.when(pl.col("source") == "w").then(pl.lit("withdraw")).otherwise("operation"),
    )
    both = pl.concat([new, old, new.with_columns(operation=pl.lit("upsert"))])
    assert _persons(both, _pairs(("h/1", "w/1", 20.0))) == _of("h/1")


def test_of_a_pair_given_twice_the_later_versions_hold() -> None:
    pairs = _pairs(("h/1", "w/1", 20.0))
    later = pairs.with_columns(left_version=pl.lit(2, dtype=pl.Int64), log2_odds=pl.lit(-5.0))
    resolution = resolve(_roster("h/1", "w/1"), pl.concat([later, pairs]), DecisionPolicy())
    assert resolution.links["decision"].to_list() == ["apart"]


def test_review_must_not_start_above_link() -> None:
    with pytest.raises(ValueError, match="review_probability"):
        DecisionPolicy(link_probability=0.5, review_probability=0.6)
    assert DecisionPolicy(link_probability=0.8).link_log2_odds == pytest.approx(2.0)


def test_a_person_whom_a_source_repeats_against_its_declaration_is_one_person_with_all_records() -> None:
    roster = _roster("h/1", "w/1", "w/2", "w/3", unique=("h", "w"))
    pairs = (("h/1", "w/1", 20.0), ("h/1", "w/2", 18.0), ("h/1", "w/3", 9.0), ("w/1", "w/2", 22.0))

    assert _persons(roster, _pairs(*pairs, guards={3: "repeat"})) == _of("h/1 w/1 w/2", "w/3")
    assert _persons(roster, _pairs(*pairs)) == _of("h/1 w/1", "w/2", "w/3")


def test_a_repeat_yields_to_a_claim_and_to_a_reviewer() -> None:
    again = _pairs(("w/1", "w/2", 22.0), guards={0: "repeat"})
    claimed = _roster("w/1", "w/2", unique=("w",), claims={"w/1": "c", "w/2": "c"})
    assert _persons(claimed, again) == _of("w/1", "w/2")

    overridden = _constraints(("w/1", "w/2", "cannot_link"))
    assert _persons(_roster("w/1", "w/2", unique=("w",)), again, None, overridden) == _of("w/1", "w/2")


def _compared(pairs: pl.DataFrame, *patterns: int) -> pl.DataFrame:
    return pairs.with_columns(pattern=pl.Series(patterns, dtype=pl.Int64))


NUMBER = RADICES[-1]
"""The pattern of an exact NHS number and nothing else."""
NAMES = NUMBER * 1_000
"""A pattern of which other things were compared too."""


def test_who_has_numbers_alone_is_no_witness_against_another_link() -> None:
    """Hospital and council have nothing to compare: that no pair was found between them says nothing."""
    roster = _roster("gp/1", "hospital/1", "council/1", unique=("gp", "hospital"))
    pairs = _pairs(("gp/1", "hospital/1", 8.0), ("gp/1", "council/1", 1.0))
    assert _persons(roster, _compared(pairs, NUMBER, NAMES)) == _of("gp/1 hospital/1 council/1")
    assert _persons(roster, _compared(pairs, NAMES, NAMES)) == _of("gp/1 hospital/1", "council/1")


def test_who_has_numbers_alone_makes_no_bridge_between_two_of_whom_nothing_was_found() -> None:
    """Two records that share a number each with a third, and no name with one another, are held apart as ever."""
    pairs = _pairs(("gp/1", "bridge/1", 8.0), ("bridge/1", "council/1", 1.0))
    assert _persons(_roster("gp/1", "bridge/1", "council/1"), _compared(pairs, NUMBER, NUMBER)) == _of(
        "gp/1 bridge/1", "council/1"
    )
