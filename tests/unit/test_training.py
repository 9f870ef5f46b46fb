"""Training where it could go wrong: starts, sizes, missing fields, several sources, blocks that hold everybody."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.block import shared_passes
from linkage.cluster import resolve
from linkage.comparable import LEAST_UNMATCHED, kind_of_pattern, shown_shares, unseen_bits
from linkage.compare import LEVEL, PATTERNS, PLACE, STRIDES
from linkage.dependence import dependence_bits
from linkage.encode import ProjectKeys, encode
from linkage.fit import fit
from linkage.held import HeldSubjects
from linkage.match import Matcher
from linkage.session import run_session
from linkage.subjects import Subjects
from linkage.synthesise import population
from linkage.weigh import Weigher, relative_table
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.model import COMPARISONS, Dependence, ExpectedMatches, MatchModel, default_model

MODEL = default_model()
AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
BOTH = {"a.gp": True, "b.hb": True}


@cache
def files(
    overlap: float = 0.9, people: int = 3_000, claims: int = 900
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    made = population(people, claims, seed=7, overlap=overlap)
    frames = []
    for source, feed, clear in (("a.gp", Feed.HEALTH, made.health), ("b.hb", Feed.WELFARE, made.welfare)):
        identity = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
        frames.append(encode(identity, AGREEMENT, KEYS, feed, True, source=source).frame)
    return frames[0], frames[1], made.truth


def held(frames: dict[str, pl.DataFrame], unique: dict[str, bool]) -> HeldSubjects:
    store = HeldSubjects(MODEL)
    for source, frame in frames.items():
        store.upsert(Subjects.from_frame(frame.with_columns(source=pl.lit(source)), unique))
    return store


def without(frame: pl.DataFrame, *parts: str) -> pl.DataFrame:
    """Blank every column whose name has one of the parts."""
    gone = [c for c in frame.columns if any(part in c for part in parts)]
    return frame.with_columns(pl.lit(None, dtype=frame[c].dtype).alias(c) for c in gone)


def expected(model: MatchModel, left: str = "a.gp", right: str = "b.hb") -> ExpectedMatches:
    assert model.report is not None
    return next(e for e in model.report.expected if (e.left_source, e.right_source) == (left, right))


def f1(store: HeldSubjects, model: MatchModel, truth: pl.DataFrame) -> float:
    pairs = Matcher(model).match(np.arange(len(store)), store)
    subjects = store.subjects
    roster = pl.DataFrame(
        {
            "source": pl.Series(subjects.sources).gather(subjects.source),
            "subject_ref": subjects.ref_column(np.arange(len(store))),
            "one_record_per_person": subjects.one_record_per_person(np.arange(len(subjects))),
        }
    )
    links = resolve(roster, pairs, model.policy).links.filter(pl.col("decision") == "link")
    found = links.select(left_subject="left_ref", right_subject="right_ref")
    correct = found.join(truth, on=["left_subject", "right_subject"]).height
    return 2 * correct / (found.height + truth.height)


patterns_of_pairs = st.lists(
    st.tuples(*(st.integers(0, len(COMPARISONS[name])) for name in COMPARISONS)), min_size=1, max_size=60
)


@settings(max_examples=60, deadline=None)
@given(patterns_of_pairs, st.floats(1e-6, 5.0), st.integers(0, 2**32 - 1))
def test_the_likelihood_of_a_session_never_falls(levels: list[tuple[int, ...]], relatives: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    pattern = (np.asarray(levels) @ np.asarray(STRIDES)).astype(np.int32)
    weigher = Weigher(MODEL)
    active = [name for name in COMPARISONS if name not in ("date_of_birth",)]
    pattern = np.repeat(pattern, generator.integers(1, 500, len(pattern)))
    result = run_session("any", pattern, active, weigher.m, weigher.u, relative_table(MODEL.relatives), relatives)
    rises = np.diff(result.log_likelihoods)

    assert (rises >= -1e-7 * np.abs(result.log_likelihoods[1:]) - 1e-7).all()
    assert result.report.log_likelihood == result.log_likelihoods[-1]
    assert all(np.isfinite(m).all() and (m >= 0).all() for m in result.m.values())


@pytest.mark.parametrize("share", [0.02, 0.3, 0.95])
@pytest.mark.parametrize("seed", range(6))
def test_matches_stay_matches_from_any_start(seed: int, share: float) -> None:
    """u is fixed, so that the component that is unlike u is the matches, however m starts: even as u itself."""
    weigher, generator = Weigher(MODEL), np.random.default_rng(seed)
    names = ["forename", "surname", "middle_names", "home"]
    pairs, pattern = 20_000, np.zeros(20_000, dtype=np.int32)
    is_match = generator.random(pairs) < share
    for name in names:
        plainly = np.asarray([not level.endswith("unknown") and "unknown" not in level for level in COMPARISONS[name]])
        m, u = (np.where(plainly, w[name], 0) for w in (weigher.m, weigher.u))
        drawn = [generator.choice(len(p), pairs, p=p / p.sum()) for p in (u, m)]
        pattern += ((np.where(is_match, drawn[1], drawn[0]) + 1) * STRIDES[PLACE[name]]).astype(np.int32)
    wild = {name: generator.dirichlet(np.ones(len(m))) if name in names else m for name, m in weigher.m.items()}
    result = run_session("any", pattern, names, wild, weigher.u, relative_table(MODEL.relatives), 1e-9)

    assert result.report.expected_matches == pytest.approx(is_match.sum(), rel=0.05)
    assert result.m["surname"][0] > 0.5 > result.m["surname"][-1]


@pytest.mark.parametrize(
    "field", ["forename", "surname", "middle_names", "birth", "sex", "postcode", "address", "nino"]
)
def test_a_field_that_one_file_lacks_is_left_out_without_being_asked(field: str) -> None:
    left, right, truth = files()
    parts = {"birth": ("birth", "year_", "month_", "names_year"), "postcode": ("postcode", "outcode")}
    parts |= {"sex": ("birth_sex",), "forename": ("forename", "nickname", "names_year")}
    parts |= {"surname": ("surname", "names_year"), "address": ("address", "uprn")}
    store = held({"a.gp": left, "b.hb": without(right, *parts.get(field, (field,)))}, BOTH)
    model = fit(store, MODEL, seed=1)

    assert model.report is not None
    assert f1(store, model, truth) > {"birth": 0.85}.get(field, 0.98)
    assert expected(model).matches == pytest.approx(truth.height, rel=0.07)


TINY = {
    "ten by ten": (10, 10, BOTH),
    "one in one": (1, 1, BOTH),
    "one of many": (300, 1, BOTH),
    "none in the other": (50, 0, BOTH),
    "one to find duplicates among": (1, 0, {}),
    "a few that may repeat": (12, 9, {}),
}


@pytest.mark.parametrize("name", TINY)
def test_tiny_files_can_be_fitted_to(name: str) -> None:
    lefts, rights, unique = TINY[name]
    left, right, _ = files()
    store = held({"a.gp": left[:lefts], "b.hb": right[:rights]}, unique)
    model = fit(store, MODEL, seed=1)
    pairs = Matcher(model).match(np.arange(len(store)), store)

    assert model.report is not None
    assert all(e.low <= e.matches <= e.high for e in model.report.expected)
    assert pairs.height <= max(lefts, rights)


def test_a_file_of_itself_matches_throughout() -> None:
    left, _, _ = files()
    model = fit(held({"a.gp": left[:600], "b.hb": left[:600]}, BOTH), MODEL, seed=1)

    assert expected(model).matches == pytest.approx(600, abs=3)


def test_records_with_nothing_in_them_match_nothing() -> None:
    left, right, _ = files()
    blank = [without(frame[:150], "token_", "key_", "filter_") for frame in (left, right)]
    store = held({"a.gp": blank[0], "b.hb": blank[1]}, BOTH)
    model = fit(store, MODEL, seed=1)

    assert Matcher(model).match(np.arange(300), store).height == 0
    assert expected(model).high <= 150


def test_each_pair_of_sources_has_a_prior_of_its_own() -> None:
    left, right, truth = files()
    frames = {"a.gp": left[:2000], "b.hb": right, "c.hb": left[1500:]}
    model = fit(held(frames, {"a.gp": True, "c.hb": True}), MODEL, seed=1)
    in_a = truth.join(left[:2000].select(left_subject="subject_ref"), on="left_subject").height
    in_c = truth.join(left[1500:].select(left_subject="subject_ref"), on="left_subject").height

    assert {(p.left_source, p.right_source) for p in model.priors} == {
        ("a.gp", "b.hb"),
        ("a.gp", "c.hb"),
        ("b.hb", "b.hb"),
        ("b.hb", "c.hb"),
    }
    assert expected(model, "a.gp", "c.hb").matches == pytest.approx(500, abs=5)
    assert expected(model).matches == pytest.approx(in_a, rel=0.03)
    assert expected(model, "b.hb", "c.hb").matches == pytest.approx(in_c, rel=0.03)


def test_sources_that_a_fit_has_not_seen_take_the_default_prior() -> None:
    left, right, _ = files()
    matcher = Matcher(fit(held({"a.gp": left[:500], "b.hb": right[:200]}, BOTH), MODEL, seed=1))
    prior, _ = matcher.priors(("a.gp", "x.new"))

    assert prior[0, 1] == MODEL.default_log2_prior


def test_no_overlap_is_within_the_interval() -> None:
    left, right, truth = files(0.0)
    told = expected(fit(held({"a.gp": left, "b.hb": right}, BOTH), MODEL, seed=1))

    assert truth.height == 0
    assert told.low == 0
    assert told.high < 10


def test_what_is_beyond_blocking_is_about_what_the_truth_says() -> None:
    # Only two passes, both of the date: whoever has another date in one file is found by none.
    left, right, truth = files()
    narrow = MODEL.model_copy(
        update={
            "passes": tuple(p for p in MODEL.passes if p.name in ("date_forename", "date_surname")),
            "broad_passes": (),
            "crossings": (("date_forename", "date_surname"),),
        }
    )
    store = held({"a.gp": left, "b.hb": right}, BOTH)
    told = expected(fit(store, narrow, seed=1))
    at = {ref: row for row, ref in enumerate(store.subjects.ref_column(np.arange(len(store))).to_list())}
    rows = [[at[ref] for ref in truth[column].to_list()] for column in ("left_subject", "right_subject")]
    found = shared_passes(store.keys(np.asarray(rows[0])), store.keys(np.asarray(rows[1]))) != 0

    assert told.beyond_blocking == pytest.approx(1 - found.mean(), abs=0.02)
    assert 1 - found.mean() > 0.05
    assert told.matches == pytest.approx(truth.height, rel=0.03)


@pytest.mark.parametrize("lacking", [(), ("forename", "surname", "middle", "nickname", "names", "birth")])
def test_the_share_of_matches_that_leave_no_pair_is_about_what_the_truth_says(lacking: tuple[str, ...]) -> None:
    left, right, truth = files()
    third = right.height // 3
    right = pl.concat([without(right[:third], *lacking), right[third:]])
    store = held({"a.gp": left, "b.hb": right}, BOTH)
    model = fit(store, MODEL, seed=1)
    pairs = Matcher(model).match(np.arange(len(store)), store)
    true = truth.select(left_ref="left_subject", right_ref="right_subject")
    lost = true.join(pairs, on=["left_ref", "right_ref"], how="anti").height / true.height

    assert model.report is not None
    assert model.report.unemitted == pytest.approx(lost, abs=0.01)
    assert lost > 0.3 or not lacking


def test_where_everybody_shares_a_place_and_a_birthday_blocks_stop_and_their_loss_is_told() -> None:
    left, right, _ = files()
    columns = ["token_postcode", "token_outcode", "token_date_of_birth", "token_date_of_birth_swapped"]
    shared = [frame.with_columns(pl.lit(left[c].drop_nulls()[0]).alias(c) for c in columns) for frame in (left, right)]
    tight = MODEL.model_copy(update={"max_block_pairs": 2_000})
    models = []
    for _ in range(2):
        store = held({"a.gp": shared[0], "b.hb": shared[1]}, BOTH)
        models.append(fit(store, tight, seed=1))
    model = models[0]

    assert models[0] == models[1]
    assert model.report is not None
    assert model.report.stopped_pairs > 10_000
    assert any(p.stop_keys for p in model.passes)
    assert 0 < expected(model).stopped < expected(model).matches


def test_strangers_of_one_age_and_sex_share_forenames_more_often() -> None:
    left, right, _ = files(people=12_000, claims=3_000)
    model = fit(held({"a.gp": left, "b.hb": right}, BOTH), MODEL, seed=1)
    date, forename = LEVEL["date_of_birth"], LEVEL["forename"]
    table = next(d for d in model.dependences if (d.first, d.second) == ("date_of_birth", "forename")).log2_strangers

    assert table[date["exact_same_sex"]][forename["exact"]] > 0.2
    assert table[date["exact_other_sex"]][forename["exact"]] < 0
    assert table[date["different"]][forename["exact"]] == 0


def test_a_dependence_counts_in_every_pattern_that_shows_it() -> None:
    rows = np.zeros((len(COMPARISONS["surname"]) + 1, len(COMPARISONS["home"]) + 1))
    rows[6, 11] = 2.0
    table = tuple(map(tuple, rows.tolist()))
    strangers = MODEL.model_copy(
        update={"dependences": (Dependence(first="surname", second="home", log2_strangers=table),)}
    )
    levels = np.zeros((len(COMPARISONS), 1), dtype=np.uint8)
    levels[PLACE["surname"]], levels[PLACE["home"]] = 6, 11
    pattern = int(np.dot(levels[:, 0], STRIDES))

    assert Weigher(strangers).bits[pattern] == Weigher(MODEL).bits[pattern] - 2
    assert Weigher(strangers).relative_bits[pattern] == Weigher(MODEL).relative_bits[pattern] - 2
    assert dependence_bits(levels, strangers.dependences, "strangers").tolist() == [2.0]
    assert dependence_bits(levels, strangers.dependences, "strangers", ("surname", "home")).tolist() == [0.0]
    assert dependence_bits(levels, strangers.dependences, "matches").tolist() == [0.0]


def test_the_less_a_match_would_show_the_lower_are_the_odds_of_a_lone_candidate() -> None:
    shown = shown_shares(Weigher(MODEL), -15.0, -16.0)
    kind = kind_of_pattern()
    bits = unseen_bits(shown, 0.0, 0.9)

    assert kind.shape == (PATTERNS,)
    assert ((shown >= 0) & (shown <= 1 + 1e-9)).all()
    assert (bits <= 1e-9).all()
    assert (np.diff(bits[np.argsort(shown)]) >= 0).all()
    assert unseen_bits(shown, 0.0, 0.0).tolist() == [0.0] * len(shown)
    assert unseen_bits(np.ones(1), 1.0, 1.0).tolist() == [0.0]
    assert unseen_bits(np.zeros(1), 1.0, 0.0)[0] == pytest.approx(np.log2(LEAST_UNMATCHED))
