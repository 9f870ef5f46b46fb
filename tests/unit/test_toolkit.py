"""The fast path gives what the Python Record Linkage Toolkit gives through its own extension points."""

from __future__ import annotations

import dataclasses
import warnings
from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import recordlinkage

from linkage.compare import compare, levels_of
from linkage.encode import ProjectKeys, encode
from linkage.held import HeldSubjects
from linkage.subjects import TOKEN_POSITION, Subjects
from linkage.synthesise import population
from linkage.toolkit import FellegiSunterClassifier, PassIndex, level_features, token_frame
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.model import COMPARISONS, default_model

MODEL = default_model()
AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)


@cache
def two_files() -> tuple[Subjects, Subjects]:
    made = population(1_200, 400, seed=11)
    sides = []
    for source, feed, clear in (("a.gp", Feed.HEALTH, made.health), ("b.hb", Feed.WELFARE, made.welfare)):
        identity = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
        frame = encode(identity, AGREEMENT, KEYS, feed, True, source=source).frame
        sides.append(Subjects.from_frame(frame.with_columns(source=pl.lit(source)), {source: True}))
    return sides[0], sides[1]


@cache
def vectors() -> pd.DataFrame:
    left, right = two_files()
    index = recordlinkage.Index([PassIndex(MODEL.passes, MODEL.crossings)])
    frames = token_frame(left), token_frame(right)
    pairs = index.index(*frames)
    return recordlinkage.Compare(level_features(left, right, MODEL.cuts)).compute(pairs, *frames)


def test_the_index_finds_the_pairs_that_the_fast_path_finds() -> None:
    left, right = two_files()
    held = HeldSubjects(MODEL)
    held.upsert(left)
    rows = held.upsert(right)
    fast = {
        (int(other), int(one) - len(left))
        for asked, found in held.candidates(rows)
        for one, other in zip(asked, found, strict=True)
        if other < len(left)  # a file is searched by itself for shared identifiers only, which the toolkit is not asked
    }

    assert set(vectors().index) == fast


def test_the_index_finds_duplicates_once() -> None:
    left, _ = two_files()
    pairs = PassIndex(MODEL.passes).index(token_frame(left))

    assert len(set(pairs)) == len(pairs) > 0
    assert all(one > other for one, other in pairs)


def test_the_features_give_the_levels_that_the_fast_path_gives() -> None:
    left, right = two_files()
    one, other = (vectors().index.get_level_values(n).to_numpy() for n in (0, 1))
    _, pattern = compare(left, right, one, other, MODEL.cuts)

    assert tuple(vectors().columns) == tuple(COMPARISONS)
    assert (levels_of(pattern) == vectors().to_numpy().T).all()


def test_every_level_is_given_alike_over_random_pairs() -> None:
    """Blocked pairs show few levels: random ones, and ones that agree on a single column, show the others."""
    left, right = two_files()
    generator = np.random.default_rng(5)
    one, other = generator.integers(0, len(left), 4_000), generator.integers(0, len(right), 4_000)
    for column in ("token_postcode", "token_outcode", "token_surname", "token_forename", "token_date_of_birth"):
        position = TOKEN_POSITION[column]
        _, at, to = np.intersect1d(left.table[:, position], right.table[:, position], return_indices=True)
        one, other = np.append(one, at), np.append(other, to)
    pairs = pd.MultiIndex.from_arrays([one, other])
    features = recordlinkage.Compare(level_features(left, right, MODEL.cuts))
    given = features.compute(pairs, token_frame(left), token_frame(right)).to_numpy()
    _, pattern = compare(left, right, one, other, MODEL.cuts)

    assert (levels_of(pattern) == given.T).all()
    for name in ("forename", "surname", "date_of_birth", "home"):
        assert len(np.unique(given[:, list(COMPARISONS).index(name)])) > 4, name


def test_a_value_missing_on_either_side_is_level_zero_and_no_evidence() -> None:
    left, right = two_files()
    blank = dataclasses.replace(left, table=np.zeros_like(left.table), filters=np.zeros_like(left.filters))
    one, other = np.arange(50), np.arange(50)
    for sides in ((blank, right), (right, blank), (blank, blank)):
        pairs = pd.MultiIndex.from_arrays([one, other])
        given = recordlinkage.Compare(level_features(*sides, MODEL.cuts)).compute(
            pairs, token_frame(sides[0]), token_frame(sides[1])
        )
        probability = FellegiSunterClassifier(MODEL, relatives_per_match=0.0).prob(given)

        assert not given.to_numpy().any()
        assert not given.isna().to_numpy().any()
        assert probability.to_numpy() == pytest.approx(0.5)


def test_the_classifier_starts_afresh_on_each_fit() -> None:
    classifier = FellegiSunterClassifier(MODEL, active=("forename", "surname", "date_of_birth"))
    classifier.fit(vectors())
    first = classifier.prob(vectors())
    classifier.fit(vectors().head(50))
    classifier.fit(vectors())

    pd.testing.assert_series_equal(classifier.prob(vectors()), first)


def test_the_classifier_links_who_agrees_and_not_who_differs() -> None:
    classifier = FellegiSunterClassifier(MODEL, active=("forename", "surname", "date_of_birth"))
    linked = classifier.fit_predict(vectors())
    agree = vectors().index[(vectors()[["forename", "surname", "date_of_birth"]] == 1).all(axis=1)]

    assert agree.isin(linked).all()
    assert len(linked) < 0.6 * len(vectors())
    assert classifier.prob(vectors()).between(0, 1).all()


def test_a_classifier_that_was_never_fitted_uses_the_model() -> None:
    missing = pd.DataFrame(np.zeros((1, len(COMPARISONS)), dtype=int), columns=list(COMPARISONS))

    assert FellegiSunterClassifier(MODEL, relatives_per_match=0.0).prob(missing)[0] == pytest.approx(0.5)
