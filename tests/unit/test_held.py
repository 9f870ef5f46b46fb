"""Held subjects: the latest version holds whatever the order, and what is withdrawn or replaced is gone."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pytest

from linkage.held import HeldSubjects
from linkage.subjects import TOKEN_POSITION, Subjects
from schemas.columns import columns
from schemas.contracts.subject import Subject
from schemas.model import default_model

MODEL = default_model()


def token(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def row(ref: str, version: int = 1, source: str = "a.b", **more: object) -> dict[str, object]:
    names = {"token_date_of_birth": token("1 May"), "token_forename_phonetic": token("AN")}
    return {"source": source, "subject_ref": ref, "version": version, "operation": "upsert", **names, **more}


def batch(*rows: dict[str, object], unique: dict[str, bool] | None = None) -> Subjects:
    schema = columns(Subject)
    frame = pl.DataFrame(list(rows), schema_overrides=schema, infer_schema_length=None)
    return Subjects.from_frame(frame, unique)


def candidates(held: HeldSubjects, rows: np.ndarray, **options: object) -> set[tuple[str, str]]:
    refs = held.subjects.ref
    found = [
        (refs[one].decode(), refs[other].decode())
        for left, right in held.candidates(rows, **options)  # type: ignore[arg-type]
        for one, other in zip(left, right, strict=True)
    ]
    assert len(found) == len(set(found)), "a pair was met twice"
    return set(found)


def test_a_pair_is_met_by_the_later_of_the_two() -> None:
    held = HeldSubjects(MODEL)
    first = held.upsert(batch(row("one")))
    second = held.upsert(batch(row("two", source="c.d")))

    assert candidates(held, first) == set()
    assert candidates(held, second) == {("two", "one")}
    assert candidates(held, first, anywhere=True) == {("one", "two")}


def test_the_higher_version_holds_in_either_order() -> None:
    for versions in ((1, 2), (2, 1)):
        held = HeldSubjects(MODEL)
        for version in versions:
            held.upsert(batch(row("one", version, token_nino=token(str(version)))))
        alive = np.flatnonzero(held.alive)

        assert held.subjects.version[alive].tolist() == [2]
        assert held.subjects.table[alive[0], TOKEN_POSITION["token_nino"]] == int.from_bytes(token("2")[:8], "little")


def test_of_equal_versions_a_withdrawal_holds_and_then_the_greater_hash() -> None:
    gone = row("one", 3, operation="withdraw", content_hash=-5)
    lower, higher = row("one", 3, content_hash=1), row("one", 3, content_hash=2)
    for order in ((gone, higher, lower), (lower, gone, higher), (higher, lower, gone)):
        held = HeldSubjects(MODEL)
        for each in order:
            held.upsert(batch(each))
        assert not held.alive.any()
    held = HeldSubjects(MODEL)
    held.upsert(batch(higher, lower))
    assert held.subjects.content_hash[held.alive].tolist() == [2]


def test_a_repeat_says_nothing_new() -> None:
    held = HeldSubjects(MODEL)
    held.upsert(batch(row("one"), row("two")))

    assert len(held.upsert(batch(row("one"), row("two")))) == 0
    assert len(held) == 2


def test_an_older_version_of_a_withdrawn_subject_stays_out() -> None:
    held = HeldSubjects(MODEL)
    held.upsert(batch(row("one", 5, operation="withdraw")))
    later = held.upsert(batch(row("one", 4)))

    assert len(later) == 0
    assert not held.alive.any()


def test_what_is_withdrawn_or_replaced_leaves_no_token_behind() -> None:
    held = HeldSubjects(MODEL)
    held.upsert(batch(row("one", 1, filter_forename=bytes([255]) * 64), row("two", 1)))
    held.upsert(batch(row("one", 2, operation="withdraw"), row("two", 2, token_forename_phonetic=None)))
    gone = ~held.alive

    assert not held.subjects.table[gone].any()
    assert not held.subjects.filters[gone].any()
    assert held.alive.sum() == 1


def test_withdrawn_subjects_are_no_candidates() -> None:
    held = HeldSubjects(MODEL)
    held.upsert(batch(row("one")))
    held.upsert(batch(row("one", 2, operation="withdraw")))

    assert candidates(held, held.upsert(batch(row("two", source="c.d")))) == set()


def test_a_source_of_unique_people_is_not_compared_with_itself() -> None:
    unique = {"a.b": True, "c.d": False}
    held = HeldSubjects(MODEL)
    rows = held.upsert(batch(row("a1"), row("a2"), row("c1", source="c.d"), row("c2", source="c.d"), unique=unique))

    assert candidates(held, rows) == {("c1", "a1"), ("c1", "a2"), ("c2", "a1"), ("c2", "a2"), ("c2", "c1")}
    assert candidates(held, rows, among="a.b") == {("c1", "a1"), ("c1", "a2"), ("c2", "a1"), ("c2", "a2")}


def test_a_source_of_unique_people_is_searched_by_itself_for_shared_identifiers() -> None:
    number = token("number")
    held = HeldSubjects(MODEL)
    rows = held.upsert(
        batch(
            row("a1", token_nhs_number=number), row("a2"), row("a3", token_nhs_number=number), unique={"a.b": True}
        )
    )  # fmt: skip

    assert candidates(held, rows) == {("a3", "a1")}
    assert held.asking().tolist() == [0, 2]


def test_members_of_one_claim_are_not_compared_within_their_source() -> None:
    claim = token("claim")
    held = HeldSubjects(MODEL)
    rows = held.upsert(
        batch(
            row("parent", claim_group=claim), row("child", claim_group=claim), row("other", claim_group=token("else")),
            row("abroad", source="c.d", claim_group=claim),
        )
    )  # fmt: skip

    found = {frozenset(pair) for pair in candidates(held, rows)}

    assert frozenset({"parent", "child"}) not in found
    assert frozenset({"parent", "other"}) in found
    assert frozenset({"parent", "abroad"}) in found


def test_superseded_rows_are_cleared_away_and_everything_is_found_as_before() -> None:
    held = HeldSubjects(MODEL)
    for version in range(1, 12):
        rows = held.upsert(batch(*(row(f"s{n}", version) for n in range(20))))
    asked = held.upsert(batch(row("new", source="c.d")))

    assert len(held) < 50
    assert held.subjects.version[rows].tolist() == [11] * 20 if len(rows) else True
    assert len(candidates(held, asked)) == 20
    assert len(held.upsert(batch(row("s3", 11)))) == 0


def test_reblocking_finds_by_the_new_passes() -> None:
    held = HeldSubjects(MODEL.model_copy(update={"passes": (), "crossings": ()}))
    rows = held.upsert(batch(row("one"), row("two", source="c.d")))
    assert candidates(held, rows) == set()

    held.block_by(MODEL)

    assert candidates(held, rows) == {("two", "one")}


@pytest.mark.parametrize("expected", [0, 1, 1000])
def test_room_is_made_as_needed_whatever_was_expected(expected: int) -> None:
    held = HeldSubjects(MODEL)
    held.reserve(expected)
    for n in range(30):
        held.upsert(batch(row("r" * (n + 1), source="c.d")))

    assert sorted(len(ref) for ref in held.subjects.ref) == list(range(1, 31))
