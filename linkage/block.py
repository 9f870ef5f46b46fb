"""Candidate pairs: which subjects are worth comparing, from all blocking passes in one sweep.

A pass turns a subject into a 32-bit key. An index holds, for each pass, sorted runs of 64-bit words `key << 32 | row`:
sorting plain words is what NumPy does fastest, and a look-up is a binary search or two. Two subjects that share several
passes are emitted by the first of them only, so no pair needs to be de-duplicated afterwards. A chance agreement of two
different keys (once in 2**32) costs one comparison that fails.

New rows make a small run; runs of like size are merged (a log-structured merge), so that adding in any portions gives
the same candidates as adding at once. The largest merges would keep a stream waiting: one is done at a time, pass by
pass, and the others wait for the rows to come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from linkage.sorted_run import SortedRun, merged
from linkage.subjects import TOKEN_POSITION, UInt64Array, mix
from schemas.model import BlockPass

UInt32Array = npt.NDArray[np.uint32]
IntArray = npt.NDArray[np.int64]

PIECE_PAIRS: Final = 1 << 18
"""Candidate pairs handled at a time: bounds memory whatever the blocks, and keeps a piece's arrays within the cache."""

_LOW: Final = np.uint64(0xFFFFFFFF)
_SHIFT: Final = np.uint64(32)
_MERGE_RATIO: Final = 4
"""A run is merged with its predecessor when that is less than this many times larger: at most log4(n) runs are
searched, and a row is copied as many times at most.
"""

_MERGED_AT_ONCE: Final = 1 << 20
"""Words merged at each addition, some 5 ms; then one merge at most runs over."""

_MERGED_PER_ADDED: Final = 16
"""Words merged for each that is added, if that is more: additions are never ahead of their merges for long."""


def pass_keys(table: UInt64Array, passes: Sequence[BlockPass]) -> UInt32Array:
    """Return each row's key under each pass, (n, passes) uint32; 0 where a part is missing or the key is a stop key.

    `table` is `Subjects.table`. Parts are folded in their order, the columns of an unordered part by a commutative sum.
    """
    keys = np.zeros((len(table), len(passes)), dtype=np.uint32)
    for position, block_pass in enumerate(passes):
        folded = np.zeros(len(table), dtype=np.uint64)
        present = np.ones(len(table), dtype=np.bool_)
        for part in block_pass.parts:
            total = np.zeros(len(table), dtype=np.uint64)
            for column in part:
                words = np.ascontiguousarray(table[:, TOKEN_POSITION[column]])
                present &= words != 0
                total += words if len(part) == 1 else mix(words)
            folded = mix(folded + total)
        # 0 means "no key", so the one key in 2**32 that would be 0 becomes 1.
        key = np.where(present, np.maximum((folded >> _SHIFT).astype(np.uint32), np.uint32(1)), np.uint32(0))
        if block_pass.stop_keys:
            key[np.isin(key, np.asarray(block_pass.stop_keys, dtype=np.uint32))] = 0
        keys[:, position] = key
    return keys


@dataclass(frozen=True)
class Probes:
    """What is looked up where: each probe seeks the asking subject's key of one pass among the held keys of another.

    The passes come first, each among its own keys, then both directions of each crossing. `asked` and `held` are
    columns of a key table, one of each a probe.
    """

    asked: tuple[int, ...]
    held: tuple[int, ...]

    @classmethod
    def of(cls, passes: Sequence[BlockPass], crossings: Sequence[tuple[str, str]] = ()) -> Probes:
        """Return the probes of a model's passes and crossings."""
        column = {block_pass.name: position for position, block_pass in enumerate(passes)}
        both = [(column[one], column[other]) for one, other in crossings]
        straight = tuple(range(len(passes)))
        asked = straight + tuple(a for one, other in both for a in (one, other))
        return cls(asked, straight + tuple(b for one, other in both for b in (other, one)))

    @property
    def passes(self) -> int:
        """Return the number of passes: the columns of a key table."""
        return len(set(self.held))


class BlockIndex:
    """Rows found again by the keys they share. Holds keys only; rows are the caller's numbers, below 2**32 - 1."""

    def __init__(self, probes: Probes) -> None:
        """Make an empty index that is searched by these probes."""
        self._probes = probes
        self._runs: list[list[SortedRun]] = [[] for _ in range(probes.passes)]

    def __len__(self) -> int:
        """Return the number of (pass, row) entries held."""
        return sum(len(run) for runs in self._runs for run in runs)

    @property
    def nbytes(self) -> int:
        """Return how many bytes the entries take."""
        return sum(run.nbytes for runs in self._runs for run in runs)

    def add(self, keys: UInt32Array, rows: IntArray) -> None:
        """Add rows under their keys (n, passes)."""
        added = 0
        for position, runs in enumerate(self._runs):
            held = keys[:, position] != 0
            words = (keys[held, position].astype(np.uint64) << _SHIFT) | rows[held].astype(np.uint64)
            words.sort()
            if len(words):
                runs.append(SortedRun(words))
                added += len(words)
        self._merge(max(_MERGED_AT_ONCE, _MERGED_PER_ADDED * added))

    def _merge(self, enough: int) -> None:
        """Merge runs of like size until `enough` words have been; what is left over waits for the next addition."""
        done = 0
        for runs in self._runs:
            while done < enough and (at := _alike(runs)) is not None:
                done += len(runs[at]) + len(runs[at + 1])
                runs[at : at + 2] = [merged(runs[at], runs[at + 1])]

    def lookup(self, keys: UInt32Array, below: IntArray | None = None) -> Iterator[tuple[int, IntArray, IntArray]]:
        """Yield (probe, query positions, held rows) for queries with these keys (m, passes), a bounded piece at a time.

        With `below` (m), each query finds only rows of lower number than its own. A pair that several probes find is
        yielded by each of them; `first_shared` keeps the first.
        """
        for probe, (ask, position) in enumerate(zip(self._probes.asked, self._probes.held, strict=True)):
            asking = np.flatnonzero(keys[:, ask])
            wanted = (keys[asking, ask].astype(np.uint64) << _SHIFT) | asking.astype(np.uint64)
            wanted.sort()  # neighbouring searches then touch neighbouring memory
            query = (wanted & _LOW).astype(np.int64)
            wanted &= ~_LOW
            # A word orders by key and then by row: rows below a number end where the word of key and number would
            # stand.
            end = wanted | (_LOW if below is None else below[query].astype(np.uint64))
            for run in self._runs[position]:
                met, start, count = run.ranges(wanted, end)
                asked = query[met]
                for piece in _pieces(count):
                    total, counts = int(count[piece].sum()), count[piece]
                    if total:
                        offset = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
                        held = run.words[np.repeat(start[piece], counts) + offset] & _LOW
                        yield probe, np.repeat(asked[piece], counts), held.astype(np.int64)


def first_shared(probes: Probes, probe: int, asked: UInt32Array, held: UInt32Array) -> npt.NDArray[np.bool_]:
    """Return whether no probe before this one finds the pairs whose keys are `asked` and `held`, (pairs, passes)."""
    earlier = np.zeros(len(asked), dtype=np.bool_)
    for ask, hold in zip(probes.asked[:probe], probes.held[:probe], strict=True):
        earlier |= (asked[:, ask] == held[:, hold]) & (asked[:, ask] != 0)
    return ~earlier


def shared_passes(left: UInt32Array, right: UInt32Array) -> npt.NDArray[np.uint32]:
    """Return for each pair the set of passes it shares, bit p for pass p, from keys (pairs, passes)."""
    bits = np.zeros(len(left), dtype=np.uint32)
    for position in range(left.shape[1]):
        agree = (left[:, position] == right[:, position]) & (left[:, position] != 0)
        bits |= agree.astype(np.uint32) << np.uint32(position)
    return bits


def _pieces(count: IntArray) -> Iterator[slice]:
    """Cut queries into runs whose candidates number about `PIECE_PAIRS`, at least one query each."""
    ends = np.cumsum(count)
    start = 0
    while start < len(count):
        done = int(ends[start - 1]) if start else 0
        stop = max(int(np.searchsorted(ends, done + PIECE_PAIRS, side="right")), start + 1)
        yield slice(start, stop)
        start = stop


def _alike(runs: list[SortedRun]) -> int | None:
    """Return the last place where a run is not large enough to stand before the next, None where all are."""
    for at in range(len(runs) - 2, -1, -1):
        if len(runs[at]) < _MERGE_RATIO * len(runs[at + 1]):
            return at
    return None
