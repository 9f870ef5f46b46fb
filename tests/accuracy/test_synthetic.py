"""Accuracy with households: twins, namesakes, movers, sparse children; several seeds, error scales and overlaps."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

from linkage.cluster import resolve
from linkage.encode import ProjectKeys, encode
from linkage.evaluate import Score, components, score_links, score_persons
from linkage.fit import fit
from linkage.held import HeldSubjects
from linkage.match import Matcher
from linkage.subjects import Subjects
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.model import MatchModel, default_model

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)


class Linked(NamedTuple):
    """A linkage with its truth: subjects with true person (-1: not named), links by decision, and how many of each."""

    model: MatchModel
    subjects: pl.DataFrame
    links: pl.DataFrame
    links_score: Score
    persons_score: Score


@cache
def linked(
    people: int, claims: int, seed: int = 1, error_scale: float = 1.0, overlap: float = 0.93, fitted: bool = True
) -> Linked:
    made = population(people, claims, seed=seed, error_scale=error_scale, overlap=overlap)
    shipped = default_model()
    held = HeldSubjects(shipped)
    for source, feed, clear in (("a.gp", Feed.HEALTH, made.health), ("b.hb", Feed.WELFARE, made.welfare)):
        identity = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
        frame = encode(identity, AGREEMENT, KEYS, feed, True, source=source).frame
        held.upsert(Subjects.from_frame(frame.with_columns(source=pl.lit(source)), {"a.gp": True}))
    model = fit(held, shipped, seed=1) if fitted else shipped
    pairs = Matcher(model).match(np.arange(len(held)), held)
    names = pl.Series(held.subjects.sources)
    roster = pl.DataFrame(
        {
            "source": names.gather(held.subjects.source),
            "subject_ref": held.subjects.ref_column(np.arange(len(held))),
            "one_record_per_person": held.subjects.one_record_per_person,
        }
    )
    resolution = resolve(roster, pairs, model.policy)
    return _scored(model, resolution.labels, resolution.links, made.truth)


def _scored(model: MatchModel, labels: pl.DataFrame, links: pl.DataFrame, truth: pl.DataFrame) -> Linked:
    ends = pl.concat(
        [
            truth.select(source=pl.lit("a.gp"), subject_ref="left_subject"),
            truth.select(source=pl.lit("b.hb"), subject_ref="right_subject"),
        ]
    )
    number = ends.select(pl.struct(pl.all()).rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
    size = int(number.max(initial=-1)) + 1
    person = components(size, number[: truth.height], number[truth.height :])[number]
    true = ends.with_columns(person=pl.Series(person, dtype=pl.Int64)).unique(["source", "subject_ref"])
    subjects = labels.join(true, on=["source", "subject_ref"], how="left").with_columns(pl.col("person").fill_null(-1))
    between = links.filter(pl.col("left_source") != pl.col("right_source"))
    found = between.filter(pl.col("decision") == "link").select(left="left_ref", right="right_ref")
    return Linked(
        model=model,
        subjects=subjects,
        links=between,
        links_score=score_links(found, truth.select(left="left_subject", right="right_subject")),
        persons_score=score_persons(
            (subjects["source"] == "b.hb").cast(pl.Int64).to_numpy(),
            subjects["label"].cast(pl.Int64).to_numpy(),
            subjects["person"].to_numpy(),
        ),
    )


def review_per_10000(found: Linked) -> float:
    return 10_000 * int((found.links["decision"] == "review").sum()) / found.subjects.height


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_persons_with_households(seed: int) -> None:
    found = linked(12_000, 3_000, seed=seed)

    assert found.persons_score.f1 >= 0.988
    assert found.persons_score.precision >= 0.993
    assert review_per_10000(found) <= 60


def test_more_errors_cost_recall_before_precision() -> None:
    found = linked(12_000, 3_000, error_scale=2.0)

    assert found.persons_score.f1 >= 0.98
    assert found.persons_score.precision >= 0.99


def test_the_shipped_model_serves_before_anything_is_fitted() -> None:
    found = linked(12_000, 3_000, fitted=False)

    assert found.persons_score.f1 >= 0.985
    assert found.persons_score.precision >= 0.993


@pytest.mark.parametrize(("overlap", "least"), [(0.05, 0.93), (0.2, 0.96), (0.6, 0.98)])
def test_any_overlap_comes_out_right(overlap: float, least: float) -> None:
    found = linked(12_000, 3_000, overlap=overlap)

    assert found.persons_score.f1 >= least


def test_no_overlap_yields_almost_no_link() -> None:
    found = linked(12_000, 3_000, overlap=0.0)

    assert found.links_score.found <= 0.001 * 3_000


def test_probabilities_mean_what_they_say() -> None:
    frames = [linked(12_000, 3_000, seed=seed) for seed in (1, 2, 3)]
    rows = []
    for found in frames:
        person = found.subjects.select("source", "subject_ref", "person")
        sides = [
            person.rename({"source": f"{s}_source", "subject_ref": f"{s}_ref", "person": f"{s}_person"})
            for s in ("left", "right")
        ]
        joined = found.links
        for side, frame in zip(("left", "right"), sides, strict=True):
            joined = joined.join(frame, on=[f"{side}_source", f"{side}_ref"])
        same = (joined["left_person"] == joined["right_person"]) & (joined["left_person"] >= 0)
        rows.append(joined.select("probability").with_columns(same=same))
    judged = pl.concat(rows)
    for low, high in ((0.0, 0.1), (0.1, 0.5), (0.5, 0.95), (0.95, 1.01)):
        bucket = judged.filter(pl.col("probability").is_between(low, high, closed="left"))
        # Twenty pairs may be off by chance; beyond that the share of true pairs is what was said of them, roughly.
        expected, seen = float(bucket["probability"].sum()), int(bucket["same"].sum())
        assert abs(seen - expected) <= 20 + 0.15 * bucket.height, (low, high, seen, expected)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "error_scale", "least"), [(1, 1.0, 0.99), (2, 1.0, 0.99), (3, 2.0, 0.985)])
def test_a_hundred_thousand_with_households(seed: int, error_scale: float, least: float) -> None:
    found = linked(100_000, 20_000, seed=seed, error_scale=error_scale)

    assert found.persons_score.f1 >= least
    assert found.links_score.precision >= 0.993
    assert review_per_10000(found) <= 40
