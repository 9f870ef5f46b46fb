"""A sorted run finds the words of each key, whatever its size, however its keys crowd and however many are sought."""

from __future__ import annotations

import numpy as np
import pytest

from linkage.sorted_run import SortedRun, merged

LOW = np.uint64(0xFFFFFFFF)


def words_of(keys: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.sort((keys.astype(np.uint64) << np.uint64(32)) | rows.astype(np.uint64))


def crowded(rng: np.random.Generator, size: int) -> np.ndarray:
    """Words of which half have a key to themselves and half stand in some large blocks."""
    blocks = rng.choice(rng.integers(0, 2**32, 20), size // 2)
    return words_of(np.append(rng.integers(0, 2**32, size - size // 2), blocks), np.arange(size))


@pytest.mark.parametrize("size", [1, 1_000, 70_000, 300_000])
@pytest.mark.parametrize("sought", [1, 200, 50_000])
def test_what_is_found_is_what_lies_between(size: int, sought: int) -> None:
    rng = np.random.default_rng([size, sought])
    words = crowded(rng, size)
    known = rng.choice(words, sought)
    keys = np.sort(np.append(known & ~LOW, rng.integers(0, 2**32, sought).astype(np.uint64) << np.uint64(32)))
    end = keys | rng.integers(0, 2 * size, len(keys)).astype(np.uint64)
    met, start, count = SortedRun(words).ranges(keys, end)
    first, last = np.searchsorted(words, keys), np.searchsorted(words, end)
    here = np.zeros(len(keys), dtype=np.bool_)
    here[met] = True
    assert not (last - first)[~here].any()
    assert start.tolist() == first[met].tolist()
    assert count.tolist() == (last - first)[met].tolist()


def test_the_first_and_the_last_key_are_found() -> None:
    keys = np.append(np.arange(2, 80_000), [1, 2**32 - 1, 2**32 - 1])
    run = SortedRun(words_of(keys, np.arange(len(keys))))
    wanted = np.array([1, 2**32 - 1], dtype=np.uint64) << np.uint64(32)
    met, start, count = run.ranges(wanted, wanted | LOW)
    assert (met.tolist(), start.tolist(), count.tolist()) == ([0, 1], [0, len(keys) - 2], [1, 2])


def test_merging_is_sorting_both() -> None:
    rng = np.random.default_rng(3)
    one, other = crowded(rng, 90_000), crowded(rng, 500)
    both = merged(SortedRun(one), SortedRun(other))
    assert both.words.tolist() == np.sort(np.append(one, other)).tolist()
    assert len(both) == 90_500
    assert both.nbytes < 1.03 * 8 * 90_500
