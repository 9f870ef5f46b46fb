"""Blocking: who shares a pass, found once, the same whether rows came at once or in portions."""

from __future__ import annotations

import numpy as np

from linkage.block import BlockIndex, Probes, first_shared, pass_keys, shared_passes
from linkage.subjects import TOKEN_POSITION
from schemas.model import BlockPass

DATE, FORENAME, SURNAME, SWAPPED = (
    TOKEN_POSITION[f"token_{name}"] for name in ("date_of_birth", "forename", "surname", "date_of_birth_swapped")
)
BY_FORENAME = BlockPass(name="date_forename", parts=(("token_date_of_birth",), ("token_forename",)))
BY_SURNAME = BlockPass(name="date_surname", parts=(("token_date_of_birth",), ("token_surname",)))
BY_NAMES = BlockPass(name="names", parts=(("token_forename", "token_surname"),))


def table(*rows: dict[int, int]) -> np.ndarray:
    made = np.zeros((len(rows), len(TOKEN_POSITION)), dtype=np.uint64)
    for number, row in enumerate(rows):
        for position, value in row.items():
            made[number, position] = value
    return made


def found(probes: Probes, held: np.ndarray, asked: np.ndarray, portions: int = 1) -> set[tuple[int, int]]:
    index = BlockIndex(probes)
    for rows in np.array_split(np.arange(len(held)), portions):
        index.add(held[rows], rows)
    pairs: list[tuple[int, int]] = []
    for probe, query, row in index.lookup(asked):
        first = first_shared(probes, probe, asked[query], held[row])
        pairs += zip(query[first].tolist(), row[first].tolist(), strict=True)
    assert len(pairs) == len(set(pairs)), "a pair was emitted twice"
    return set(pairs)


def test_a_key_needs_every_part() -> None:
    keys = pass_keys(table({DATE: 5, FORENAME: 7}, {DATE: 5}, {FORENAME: 7}), [BY_FORENAME])

    assert keys[0, 0] != 0
    assert keys[1:, 0].tolist() == [0, 0]


def test_an_unordered_part_agrees_when_its_values_are_swapped() -> None:
    keys = pass_keys(table({FORENAME: 3, SURNAME: 9}, {FORENAME: 9, SURNAME: 3}, {FORENAME: 3, SURNAME: 8}), [BY_NAMES])

    assert keys[0, 0] == keys[1, 0] != keys[2, 0]


def test_parts_are_told_apart_by_their_place() -> None:
    pair = BlockPass(name="ordered", parts=(("token_forename",), ("token_surname",)))
    keys = pass_keys(table({FORENAME: 3, SURNAME: 9}, {FORENAME: 9, SURNAME: 3}), [pair])

    assert keys[0, 0] != keys[1, 0]


def test_a_stop_key_is_not_searched() -> None:
    rows = table({DATE: 5, FORENAME: 7}, {DATE: 6, FORENAME: 7})
    stopped = int(pass_keys(rows, [BY_FORENAME])[0, 0])
    keys = pass_keys(rows, [BY_FORENAME.model_copy(update={"stop_keys": (stopped,)})])

    assert keys[0, 0] == 0
    assert keys[1, 0] != 0


def test_a_pair_that_shares_several_passes_is_found_once() -> None:
    passes = [BY_FORENAME, BY_SURNAME, BY_NAMES]
    keys = pass_keys(table({DATE: 5, FORENAME: 7, SURNAME: 8}), passes)

    assert found(Probes.of(passes), keys, keys) == {(0, 0)}
    assert shared_passes(keys, keys).tolist() == [0b111]


def test_a_crossing_finds_a_forename_among_surnames_in_either_direction() -> None:
    passes = [BY_FORENAME, BY_SURNAME]
    probes = Probes.of(passes, [("date_forename", "date_surname")])
    keys = pass_keys(table({DATE: 5, FORENAME: 7, SURNAME: 1}, {DATE: 5, FORENAME: 2, SURNAME: 7}), passes)

    assert found(probes, keys[:1], keys[1:]) == {(0, 0)}
    assert found(probes, keys[1:], keys[:1]) == {(0, 0)}


def test_names_that_agree_crosswise_in_full_are_found_once() -> None:
    passes = [BY_FORENAME, BY_SURNAME]
    probes = Probes.of(passes, [("date_forename", "date_surname")])
    keys = pass_keys(table({DATE: 5, FORENAME: 7, SURNAME: 1}, {DATE: 5, FORENAME: 1, SURNAME: 7}), passes)

    assert found(probes, keys[:1], keys[1:]) == {(0, 0)}


def test_portions_find_what_one_load_finds() -> None:
    generator = np.random.default_rng(7)
    held = generator.integers(0, 40, (500, 3)).astype(np.uint32)
    asked = generator.integers(0, 40, (60, 3)).astype(np.uint32)
    probes = Probes.of([BY_FORENAME, BY_SURNAME, BY_NAMES])
    at_once = found(probes, held, asked)

    assert at_once == {(a, h) for a in range(60) for h in range(500) if ((asked[a] == held[h]) & (asked[a] != 0)).any()}
    for portions in (2, 17, 500):
        assert found(probes, held, asked, portions) == at_once


def test_only_rows_below_the_asking_one_are_found_when_asked_so() -> None:
    keys = np.ones((5, 1), dtype=np.uint32)
    index = BlockIndex(Probes((0,), (0,)))
    index.add(keys, np.arange(5))
    pairs = {
        (int(a), int(b))
        for _, query, row in index.lookup(keys[[3, 1]], below=np.array([3, 1]))
        for a, b in zip(np.array([3, 1])[query], row, strict=True)
    }

    assert pairs == {(3, 0), (3, 1), (3, 2), (1, 0)}


def test_few_runs_are_searched_however_many_portions_came() -> None:
    index = BlockIndex(Probes((0,), (0,)))
    for number in range(1000):
        index.add(np.array([[number % 50 + 1]], dtype=np.uint32), np.array([number]))

    assert len(index._runs) <= 6
