"""Pairs as links: who stands where, what is emitted, and which shard a pair belongs to."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from linkage.encode import ProjectKeys, encode
from linkage.held import HeldSubjects
from linkage.match import Matcher, pair_shards
from linkage.subjects import Subjects
from schemas.agreement import shipped_agreement
from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.links import PairLink
from schemas.model import SourcePrior, default_model

MODEL = default_model()
AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)

ANNA = {
    "forename": "Anna", "surname": "Kovacsik", "date_of_birth": "1980-05-13", "sex": "F",
    "postcode": "ME4 4AB", "address": "12 Medlar Way",
}  # fmt: skip


def subjects(source: str, *people: dict[str, str]) -> Subjects:
    clear = pl.DataFrame([{"record_id": f"{source}-{n}", "version": "7", **p} for n, p in enumerate(people)])
    frame = encode(clear, AGREEMENT, KEYS, Feed.HEALTH, True, source=source).frame
    return Subjects.from_frame(frame.with_columns(source=pl.lit(source)), {source: True})


def matched(*batches: Subjects, **options: object) -> pl.DataFrame:
    held = HeldSubjects(MODEL)
    rows = np.concatenate([held.upsert(batch) for batch in batches])
    return Matcher(MODEL).match(rows, held, **options)  # type: ignore[arg-type]


def test_one_person_in_two_sources_is_a_pair_with_the_lower_on_the_left() -> None:
    for order in (("z.one", "a.two"), ("a.two", "z.one")):
        pairs = matched(*(subjects(source, ANNA) for source in order))

        assert pairs.schema == columns(PairLink)
        assert pairs.select("left_source", "left_ref", "right_source", "right_ref", "left_version").rows() == [
            ("a.two", "a.two-0", "z.one", "z.one-0", 7)
        ]
        assert pairs["log2_odds"][0] == pytest.approx(pairs["weight_bits"][0] + MODEL.default_log2_prior)
        assert pairs["model_id"][0] == MODEL.model_id


def test_strangers_are_not_emitted() -> None:
    other = {**ANNA, "forename": "Boglarka", "surname": "Smith", "postcode": "ME1 1AA", "address": "3 Hill Road"}

    assert matched(subjects("a.b", ANNA), subjects("c.d", other)).is_empty()


def test_conflicting_nhs_numbers_are_a_veto() -> None:
    left, right = ({**ANNA, "nhs_number": number} for number in ("9912003888", "9434765919"))
    again = {**ANNA, "nhs_number": "9912003888"}

    assert matched(subjects("a.b", left), subjects("c.d", right)).is_empty()
    assert matched(subjects("a.b", left), subjects("c.d", again)).height == 1


def test_twins_carry_their_guard() -> None:
    home = {**ANNA, "uprn": "100060000001"}
    twin = {**home, "forename": "Zoltan", "sex": "F"}
    prior = SourcePrior(
        left_source="a.b", right_source="c.d", log2_prior=-12, log2_prior_low=-12, log2_prior_high=-12, log2_share=-12,
        log2_relatives=-8,
    )  # fmt: skip
    model = MODEL.model_copy(update={"priors": (prior,), "emit_log2_odds": -40.0})
    held = HeldSubjects(model)
    rows = np.concatenate([held.upsert(subjects("a.b", home)), held.upsert(subjects("c.d", twin))])

    assert Matcher(model).match(rows, held)["guard"].to_list() == ["twin"]


def test_priors_are_those_of_the_pair_of_sources_in_either_order() -> None:
    entry = SourcePrior(
        left_source="a.b", right_source="c.d", log2_prior=-9, log2_prior_low=-9, log2_prior_high=-9, log2_share=-9,
        log2_relatives=-7,
    )  # fmt: skip
    prior, relatives = Matcher(MODEL.model_copy(update={"priors": (entry,)})).priors(("c.d", "x.y", "a.b"))

    assert prior[0, 2] == prior[2, 0] == -9
    assert relatives[0, 2] == relatives[2, 0] == -7
    assert prior[0, 1] == prior[0, 0] == MODEL.default_log2_prior


def test_sources_hold_households_unless_their_relatives_are_known_to_be_few() -> None:
    entries = tuple(
        SourcePrior(
            left_source="a.b", right_source=other, log2_prior=1, log2_prior_low=1, log2_prior_high=1, log2_share=-12,
            log2_relatives=relatives,
        )
        for other, relatives in (("c.d", -13), ("e.f", -17))
    )  # fmt: skip
    found = Matcher(MODEL.model_copy(update={"priors": entries})).households(("a.b", "c.d", "e.f"))

    assert found[0].tolist() == [True, True, False]
    assert found[2].tolist() == [False, True, True]


def test_every_pair_has_one_shard_whichever_side_is_named_first() -> None:
    generator = np.random.default_rng(5)
    left, right = (generator.integers(0, 2**63, 1000).astype(np.uint64) for _ in range(2))

    assert (pair_shards(left, right, 16) == pair_shards(right, left, 16)).all()
    assert np.bincount(pair_shards(left, right, 16), minlength=16).min() > 30


def test_shards_share_the_work_without_loss_or_overlap() -> None:
    people = [{**ANNA, "surname": name} for name in ("Kovacsik", "Lantosik", "Molnarik", "Nemethik", "Orbanik")]
    batches = subjects("a.b", *people), subjects("c.d", *people)
    whole = matched(*batches, shards=4)
    parts = [matched(*batches, shards=4, owned=frozenset({shard})) for shard in range(4)]

    assert sorted(whole.rows()) == sorted(row for part in parts for row in part.rows())
    for shard, part in enumerate(parts):
        assert set(part["shard"].to_list()) <= {shard}


def test_a_source_that_repeats_a_person_against_its_declaration_is_told_so_by_identifiers_alone() -> None:
    known = {**ANNA, "nhs_number": "9912003888"}
    moved = {**known, "postcode": "ME1 1AA", "address": "3 Hill Road", "surname": "Baines"}

    pairs = matched(subjects("a.b", known, moved))
    assert pairs["guard"].to_list() == ["repeat"]

    assert matched(subjects("a.b", ANNA, ANNA)).is_empty()


def test_a_number_shared_by_two_people_of_one_source_does_not_make_them_one() -> None:
    mother = {**ANNA, "nhs_number": "9912003888"}
    child = {**mother, "forename": "Bettina", "date_of_birth": "2010-11-27"}
    twin = {**mother, "forename": "Zsofia"}

    assert matched(subjects("a.b", mother, child)).is_empty()
    assert matched(subjects("a.b", mother, twin)).is_empty()
