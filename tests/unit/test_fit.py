"""Fitting: reproducible, unmoved by what cannot be learnt, and right about how many there are to find."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest

from linkage.compare import LEVEL, PLACE, STRIDES
from linkage.encode import ProjectKeys, encode
from linkage.fit import fit
from linkage.frequency import frequencies
from linkage.held import HeldSubjects
from linkage.plan import planned
from linkage.prior import likeliest_share, matched_shares
from linkage.sample import Sides, agreeing_pairs, block_sizes, linkable, pairs_per_key, random_pairs
from linkage.session import overlapping, run_session
from linkage.subjects import TOKEN_POSITION, Subjects
from linkage.synthesise import population
from linkage.weigh import FULL_NAME, VETOES, Weigher, full_name_words, relative_table
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.model import COMPARISONS, BlockPass, MatchModel, default_model

MODEL = default_model()
AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)


@cache
def encoded(people: int = 3_000, claims: int = 900, overlap: float = 0.9) -> tuple[Subjects, Subjects, int]:
    made = population(people, claims, seed=5, overlap=overlap)
    sides = []
    for source, feed, clear in (("a.gp", Feed.HEALTH, made.health), ("b.hb", Feed.WELFARE, made.welfare)):
        identity = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
        frame = encode(identity, AGREEMENT, KEYS, feed, True, source=source).frame
        sides.append(Subjects.from_frame(frame.with_columns(source=pl.lit(source)), {"a.gp": True, "b.hb": True}))
    return sides[0], sides[1], made.truth.height


def held(overlap: float = 0.9, blank: tuple[str, ...] = ()) -> HeldSubjects:
    store = HeldSubjects(MODEL)
    for side in encoded(overlap=overlap)[:2]:
        table = side.table.copy()
        table[:, [TOKEN_POSITION[name] for name in blank]] = 0
        store.upsert(Subjects(**{**{f: getattr(side, f) for f in side.__slots__}, "table": table}))
    return store


@cache
def fitted() -> MatchModel:
    return fit(held(), MODEL, seed=1)


def probabilities(model: MatchModel, name: str) -> tuple[dict[str, float], dict[str, float]]:
    comparison = next(c for c in model.comparisons if c.name == name)
    levels = COMPARISONS[name]
    return dict(zip(levels, comparison.m, strict=True)), dict(zip(levels, comparison.u, strict=True))


def test_the_same_seed_gives_the_same_model_to_the_bit() -> None:
    assert fit(held(), MODEL, seed=1) == fitted()
    assert fitted().model_id == fitted().named_by_content().model_id


def test_another_seed_gives_all_but_the_same_weights() -> None:
    one, other = Weigher(fitted()), Weigher(fit(held(), MODEL, seed=2))

    assert np.abs(one.level_bits("surname") - other.level_bits("surname")).max() < 0.6


def test_agreement_speaks_for_a_match_and_difference_against() -> None:
    for name in ("forename", "surname", "date_of_birth", "middle_names"):
        m, u = probabilities(fitted(), name)
        best, worst = next(iter(m)), "different"
        assert m[best] > 0.5 > u[best]
        assert u[worst] > 0.9 > m[worst]


def test_the_share_of_matches_is_found_without_labels() -> None:
    store = held()
    pairs = Sides(np.arange(3_000), np.arange(900)).pairs
    (prior,) = fitted().priors
    expected = 2**prior.log2_share * pairs

    assert len(store) == 3_900
    assert expected == pytest.approx(encoded()[2], rel=0.05)
    assert prior.log2_prior_low < prior.log2_prior < prior.log2_prior_high


def test_no_overlap_gives_a_prior_of_next_to_nothing() -> None:
    (prior,) = fit(held(overlap=0.0), MODEL, seed=1).priors

    assert 2**prior.log2_share * 3_000 * 900 < 3


def test_a_field_that_nobody_has_stays_as_shipped() -> None:
    model = fit(held(blank=("token_middle_names",)), MODEL, seed=1)
    shipped = next(c for c in MODEL.comparisons if c.name == "middle_names")
    kept = next(c for c in model.comparisons if c.name == "middle_names")

    assert kept.m == pytest.approx(shipped.m, abs=1e-3)
    assert kept.u == pytest.approx(shipped.u, abs=1e-3)


def test_too_few_matches_leave_the_shipped_m_and_say_so() -> None:
    store = HeldSubjects(MODEL)
    for side in encoded()[:2]:
        store.upsert(side.take(np.arange(40)))
    model = fit(store, MODEL, seed=1)

    assert model.report is not None
    assert not any(session.used for session in model.report.sessions)
    assert all("fewer than" in session.note for session in model.report.sessions)
    for name in COMPARISONS:
        assert probabilities(model, name)[0] == pytest.approx(probabilities(MODEL, name)[0], abs=1e-3)


def test_one_lone_subject_can_be_fitted_to() -> None:
    store = HeldSubjects(MODEL)
    store.upsert(encoded()[0].take(np.arange(1)))

    assert fit(store, MODEL).priors == ()


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (("token_forename_phonetic",), {"forename"}),
        (("token_middle_names",), {"middle_names"}),
        (("key_names_year",), {"forename", "surname", "date_of_birth"}),
        (("key_year_month_surname",), {"surname", "date_of_birth"}),
        (("key_birth_sex",), {"date_of_birth"}),
        (("token_date_of_birth_swapped",), {"date_of_birth"}),
        (("token_uprn", "token_nino"), {"home", "nino"}),
    ],
)
def test_a_session_leaves_out_what_its_pass_is_made_of(columns: tuple[str, ...], expected: set[str]) -> None:
    assert overlapping(BlockPass(name="x", parts=tuple((c,) for c in columns))) == expected


def test_every_token_column_overlaps_with_some_comparison() -> None:
    for column in TOKEN_POSITION:
        assert overlapping(BlockPass(name="x", parts=((column,),))), column


def test_matches_cannot_change_places_with_strangers() -> None:
    # Every pair of this pass is a stranger: whatever m starts as, hardly a match may be seen.
    weigher = Weigher(MODEL)
    generator = np.random.default_rng(2)
    pattern = np.zeros(20_000, dtype=np.int32)
    names = ["forename", "surname", "middle_names"]
    for name in names:
        u = weigher.u[name] / weigher.u[name].sum()
        pattern += (generator.choice(len(u), len(pattern), p=u) + 1).astype(np.int32) * STRIDES[PLACE[name]]
    result = run_session("strangers", pattern, names, weigher.m, weigher.u, relative_table(MODEL.relatives), 1e-9)

    assert result.report.expected_matches < 0.02 * len(pattern)


def test_broad_passes_are_taken_in_small_data_and_narrower_ones_dropped() -> None:
    model, notes, stopped = planned(held(), MODEL)
    names = [p.name for p in model.passes]

    assert "date" in names
    assert "date_forename" not in names
    assert model.broad_passes == ()
    assert all(set(pair) <= set(names) for pair in model.crossings)
    assert len(notes) == len(MODEL.broad_passes)
    assert stopped == 0


def test_broad_passes_are_left_out_where_they_find_too_much() -> None:
    model, _, _ = planned(held(), MODEL.model_copy(update={"broad_pairs_per_subject": 0.0}))

    assert model.passes == MODEL.passes


def test_oversized_blocks_are_stopped_alike_each_time_and_their_loss_is_told() -> None:
    small = MODEL.model_copy(update={"max_block_pairs": 12})
    model, notes, stopped = planned(held(), small)

    assert model == planned(held(), small)[0]
    assert stopped > 0
    assert any("oversized" in note for note in notes)
    assert any(block_pass.stop_keys for block_pass in model.passes)
    assert all(tuple(sorted(p.stop_keys)) == p.stop_keys for p in model.passes)
    store = held()
    store.block_by(model)
    for position in range(len(model.passes)):
        keys = store.keys(np.arange(len(store)))[:, position]
        for side in linkable(store).values():
            assert block_sizes(side, keys)[1].max(initial=0) <= 12


def test_frequencies_are_of_frequent_values_only() -> None:
    store = held()
    for table in frequencies(store):
        tokens = store.subjects.table
        words = full_name_words(tokens) if table.column == FULL_NAME else tokens[:, TOKEN_POSITION[table.column]]
        assert all(share > table.floor for share in table.values.values())
        assert len(table.values) < len(np.unique(words)) / 2


def test_linkable_sides_are_all_pairs_but_those_of_one_unique_source() -> None:
    sides = linkable(held())

    assert list(sides) == [("a.gp", "b.hb")]
    assert sides["a.gp", "b.hb"].pairs == 3_000 * 900


def test_drawn_pairs_agree_on_their_key_and_are_counted_in_full() -> None:
    keys = np.array([0, 5, 5, 7, 5, 7, 0, 9], dtype=np.uint64)
    two = Sides(np.array([0, 1, 2, 3]), np.array([4, 5, 6, 7]))
    one = Sides(np.arange(8), None)
    generator = np.random.default_rng(1)

    total, left, right = agreeing_pairs(two, keys, keys, 100, generator)
    assert (total, sorted(zip(left.tolist(), right.tolist(), strict=True))) == (3, [(1, 4), (2, 4), (3, 5)])
    total, left, right = agreeing_pairs(one, keys, keys, 100, generator)
    assert total == 4
    assert (keys[left] == keys[right]).all()
    assert (left != right).all()
    assert pairs_per_key(one, keys, 2) == 2
    assert pairs_per_key(two, keys, 100) == 3


def test_random_pairs_are_of_different_rows() -> None:
    left, right = random_pairs([Sides(np.arange(50), None)], 5_000, np.random.default_rng(4))

    assert len(left) > 4_500
    assert (left != right).all()


def test_the_likeliest_share_is_that_of_plain_matches() -> None:
    ratios = np.concatenate([np.full(200, 1e9), np.full(10_000, 1e-4)])
    share, low, high = likeliest_share(ratios, 1_000_000)

    assert share == pytest.approx(200 / 1_000_000, rel=0.01)
    assert low < share < high


def test_no_likely_pair_is_a_share_of_half_a_match() -> None:
    assert likeliest_share(np.full(10, 1e-3), 1_000)[0] == pytest.approx(0.5 / 1_000)


def test_one_match_at_most_counts_only_towards_unique_sources() -> None:
    side = Sides(np.arange(100), np.arange(50))
    share = 40 / side.pairs

    assert matched_shares(share, side, False, False) == (0, 0)
    assert matched_shares(share, side, True, False) == (0, pytest.approx(40 / 50))
    assert matched_shares(share, side, True, True) == (pytest.approx(40 / 100), pytest.approx(40 / 50))
    assert matched_shares(share, Sides(np.arange(9), None), True, True) == (0, 0)


@pytest.mark.parametrize(("mistaken", "vetoes"), [(0.0, ("nhs_number", "nino")), (0.15, ("nino",))])
def test_a_number_that_is_often_mistaken_loses_its_veto(mistaken: float, vetoes: tuple[str, ...]) -> None:
    made = population(3_000, 900, seed=9)
    number = dict(made.health.select("record_id", "nhs_number").iter_rows())
    mine = {right: number[left] for left, right in made.truth.iter_rows()}
    others = iter(sorted(n for n in number.values() if n))
    wrong = np.random.default_rng(1).random(made.welfare.height) < mistaken
    given = [next(others) if w else mine.get(r) for r, w in zip(made.welfare["record_id"], wrong, strict=True)]
    store = HeldSubjects(MODEL)
    welfare = made.welfare.with_columns(nhs_number=pl.Series(given, dtype=pl.String))
    for source, feed, clear in (("a.gp", Feed.HEALTH, made.health), ("b.hb", Feed.WELFARE, welfare)):
        identity = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
        frame = encode(identity, AGREEMENT, KEYS, feed, True, source=source).frame
        store.upsert(Subjects.from_frame(frame.with_columns(source=pl.lit(source)), {"a.gp": True, "b.hb": True}))

    model = fit(store, MODEL, seed=1)

    assert model.vetoes == vetoes
    conflict = int(LEVEL["nhs_number"]["different"] * STRIDES[PLACE["nhs_number"]])
    assert (Weigher(model).guards[conflict] in VETOES) == ("nhs_number" in vetoes)
