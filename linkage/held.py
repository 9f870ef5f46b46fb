"""The subjects that matching searches: the latest version of each, found again by identity and by blocking key.

Rows are numbered in order of arrival; a row is *current* when no newer version of its subject has come, and *alive*
when it is current and not withdrawn. A row that stops being alive loses its tokens and filters at once. Candidates of a
row are the alive rows before it, so that each pair is met once, by whichever of the two came later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from linkage.block import BlockIndex, Probes, UInt32Array, first_shared, pass_keys
from linkage.subjects import BoolArray, IntArray, Subjects
from linkage.threads import in_threads
from schemas.model import BlockPass, MatchModel

_GROWTH: Final = 1.5
_KEYED_AT_ONCE: Final = 10_000
"""Rows whose keys are computed at a time: their tokens stay within the cache."""

_COMPACT_SHARE: Final = 0.25
"""Rows are renumbered when this share of them is superseded; each row is then moved about four times at most."""

_ONE_KEY: Final = Probes((0,), (0,))

_ROW_ARRAYS: Final = (
    "table",
    "filters",
    "source",
    "identity",
    "version",
    "withdrawn",
    "content_hash",
    "claim_group",
    "ref",
)


_IDENTIFIERS: Final = frozenset({("token_nhs_number",), ("token_pseudonym",), ("token_nino",)})
"""Parts of a pass by which a source of unique people is searched by itself."""


class HeldSubjects:
    """A growing store of subjects with an index for each source; a source of unique people hardly searches itself."""

    def __init__(self, model: MatchModel) -> None:
        """Make an empty store that is searched by the model's passes."""
        self.passes = model.passes
        self._probes = Probes.of(model.passes, model.crossings)
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._keys: UInt32Array = np.zeros((0, len(model.passes)), dtype=np.uint32)
        self._current: BoolArray = np.zeros(0, dtype=np.bool_)
        self._alive: BoolArray = np.zeros(0, dtype=np.bool_)
        self._count = 0
        self._superseded = 0
        self._expected = 0
        self._sources: list[str] = []
        self._unique: list[bool] = []
        self._first: list[int] = []
        self._blocks: list[BlockIndex] = []
        self._identities = BlockIndex(_ONE_KEY)

    def __len__(self) -> int:
        """Return the number of rows in use, superseded and withdrawn ones included."""
        return self._count

    @property
    def subjects(self) -> Subjects:
        """Every row by its number: a view, good until the next change."""
        arrays = {name: array[: self._count] for name, array in self._arrays.items()}
        return Subjects(**arrays, sources=tuple(self._sources), unique=tuple(self._unique))

    @property
    def nbytes(self) -> int:
        """Return how many bytes the rows in use and their indexes take."""
        arrays = [*self._arrays.values(), self._keys, self._current, self._alive]
        indexes = [*self._blocks, self._identities]
        return sum(array[: self._count].nbytes for array in arrays) + sum(index.nbytes for index in indexes)

    @property
    def alive(self) -> BoolArray:
        """Whether each row counts, (rows) bool."""
        return self._alive[: self._count]

    def block_by(self, model: MatchModel) -> None:
        """Search by another model's passes from now on: keys and indexes are made anew unless they are the same."""
        probes = Probes.of(model.passes, model.crossings)
        if (self.passes, self._probes) == (model.passes, probes):
            return
        self.passes, self._probes = model.passes, probes
        # What is replaced goes first: keys and indexes are a third of the store.
        self._keys = np.zeros((0, 0), dtype=np.uint32)
        self._blocks = [BlockIndex(probes) for _ in self._blocks]
        self._keys = self._keyed(model.passes)
        self._index()

    def keyed(self, passes: Sequence[BlockPass]) -> UInt32Array:
        """Return the key of every row under each of the passes, (rows, passes); 0 for rows that are not alive."""
        return self._keyed(passes)[: self._count]

    def _keyed(self, passes: Sequence[BlockPass]) -> UInt32Array:
        keys = np.zeros((len(self._current), len(passes)), dtype=np.uint32)

        def fill(start: int) -> None:
            rows = slice(start, min(start + _KEYED_AT_ONCE, self._count))
            keys[rows] = pass_keys(self._arrays["table"][rows], passes)
            keys[rows][~self._alive[rows]] = 0

        for _ in in_threads(fill, range(0, self._count, _KEYED_AT_ONCE)):
            pass
        return keys

    def reserve(self, rows: int) -> None:
        """Say how many rows are expected in all, so that arrays are made once at that size."""
        self._expected = rows

    def upsert(self, batch: Subjects) -> IntArray:
        """Take in a batch and return the row numbers of the versions that now hold, in the batch's order.

        Of several versions of a subject the one of highest (version, withdraw over upsert, content hash) holds,
        whatever the order of arrival; a repeat of what is held changes nothing and is not returned. Withdrawn ones are
        returned too.
        """
        if _repeats(batch.identity):
            batch = batch.take(_latest(batch))
        held = self.holding(batch.identity)
        known = np.flatnonzero(held >= 0)
        if len(known):
            newer = np.ones(len(batch), dtype=np.bool_)
            newer[known] = _exceeds(batch.take(known).rank, self.subjects.take(held[known]).rank)
            self._supersede(held[newer & (held >= 0)])
            batch = batch.take(np.flatnonzero(newer))
        rows = self._append(batch)
        if self._superseded > _COMPACT_SHARE * self._count:
            renumbered = self._compact()
            rows = renumbered[rows]
        return rows

    def candidates(
        self, rows: IntArray, *, anywhere: bool = False, among: str | None = None
    ) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield (rows asked for, alive rows that share a pass with them), in bounded pieces, each pair once.

        Pairs within one claim and of a row with itself are left out; a source of unique people is searched by itself
        for shared NHS numbers and NINOs alone, in case it repeats people all the same. Only rows below the asking one
        are given, or all with `anywhere`; only rows of one source with `among`.
        """
        subjects, alive = self.subjects, self.alive
        rows = rows[alive[rows]]
        loose = self._loose()
        for code, index in enumerate(self._blocks):
            if among is not None and self._sources[code] != among:
                continue
            asking = rows if anywhere else rows[rows > self._first[code]]
            keys = self._keys[asking]
            if self._unique[code]:
                keys[np.ix_(subjects.source[asking] == code, loose)] = 0
            for probe, query, found in index.lookup(keys, None if anywhere else asking):
                keep = alive[found] & (found != asking[query])
                keep[keep] = first_shared(self._probes, probe, keys[query[keep]], self._keys[found[keep]])
                left, right = asking[query[keep]], found[keep]
                group = subjects.claim_group[left]
                apart = (group != 0) & (group == subjects.claim_group[right])
                apart &= subjects.source[left] == subjects.source[right]
                if apart.any():
                    left, right = left[~apart], right[~apart]
                if len(left):
                    yield left, right

    def asking(self) -> IntArray:
        """Return the alive rows that have any before them to be compared with, in order."""
        subjects = self.subjects
        asks = np.zeros(len(self), dtype=np.bool_)
        for code, first in enumerate(self._first):
            asks[first + 1 :] |= subjects.source[first + 1 :] != code if self._unique[code] else np.True_
            if self._unique[code]:
                mine = np.flatnonzero(subjects.source == code)
                for position in np.flatnonzero(~self._loose()):
                    keys = self._keys[mine, position]
                    asks[mine[np.isin(keys, _repeated(keys))]] = True
        return np.flatnonzero(asks & self.alive)

    def _loose(self) -> BoolArray:
        """Return which passes a source of unique people is not searched by itself with."""
        return np.asarray([not _IDENTIFIERS.issuperset(p.parts) for p in self.passes], dtype=np.bool_)

    def keys(self, rows: IntArray | slice) -> UInt32Array:
        """Return the blocking keys of rows, (rows, passes)."""
        return self._keys[: self._count][rows]

    def holding(self, identity: npt.NDArray[np.uint64]) -> IntArray:
        """Return the row that holds each subject now, withdrawn ones included; -1 where none does."""
        held = np.full(len(identity), -1, dtype=np.int64)
        if not self._count:
            return held
        known = self._arrays["identity"]
        for _, query, found in self._identities.lookup(_identity_keys(identity)):
            same = (known[found] == identity[query]) & self._current[found]
            held[query[same]] = found[same]
        return held

    def _supersede(self, rows: IntArray) -> None:
        self._current[rows] = self._alive[rows] = False
        self._superseded += len(rows)
        for name in ("table", "filters"):
            if len(rows):
                self._arrays[name][rows] = 0

    def _append(self, batch: Subjects) -> IntArray:
        start, stop = self._count, self._count + len(batch)
        source = self._register(batch)
        keys = pass_keys(batch.table, self.passes)
        keys[batch.withdrawn] = 0
        self._reserve(batch, stop)
        for name in _ROW_ARRAYS:
            self._arrays[name][start:stop] = source if name == "source" else getattr(batch, name)
        for name in ("table", "filters"):
            self._arrays[name][start:stop][batch.withdrawn] = 0
        self._keys[start:stop] = keys
        self._current[start:stop] = True
        self._alive[start:stop] = ~batch.withdrawn
        self._count = stop
        rows = np.arange(start, stop)
        for code in np.unique(source):
            mine = source == code
            self._blocks[code].add(keys[mine], rows[mine])
        self._identities.add(_identity_keys(batch.identity), rows)
        return rows

    def _register(self, batch: Subjects) -> npt.NDArray[np.uint16]:
        """Return the batch's sources as codes of this store; what a batch says of a source's uniqueness holds from
        then.
        """
        codes = np.zeros(max(len(batch.sources), 1), dtype=np.uint16)
        for position, (name, unique) in enumerate(zip(batch.sources, batch.unique, strict=True)):
            if name not in self._sources:
                self._sources.append(name)
                self._unique.append(unique)
                self._first.append(self._count)
                self._blocks.append(BlockIndex(self._probes))
            codes[position] = self._sources.index(name)
            self._unique[codes[position]] = unique
        return codes[batch.source]

    def _reserve(self, batch: Subjects, rows: int) -> None:
        """Make room for `rows` rows or as many as are expected; refs longer than any before widen their column."""
        rows = max(rows, self._expected)
        for name in _ROW_ARRAYS:
            array, model = self._arrays.get(name), getattr(batch, name)
            dtype = model.dtype if array is None else np.promote_types(array.dtype, model.dtype)
            if array is None or len(array) < rows or array.dtype != dtype:
                self._arrays[name] = _grown(array, rows, model.shape[1:], dtype, self._count)
        if len(self._keys) < rows:
            self._keys = _grown(self._keys, rows, (len(self.passes),), self._keys.dtype, self._count)
            self._current = _grown(self._current, rows, (), self._current.dtype, self._count)
            self._alive = _grown(self._alive, rows, (), self._alive.dtype, self._count)

    def _compact(self) -> IntArray:
        """Drop superseded rows; return each old row's new number, -1 where it is gone."""
        kept = np.flatnonzero(self._current[: self._count])
        renumbered = np.full(self._count, -1, dtype=np.int64)
        renumbered[kept] = np.arange(len(kept))
        for name in _ROW_ARRAYS:
            self._arrays[name] = self._arrays[name][kept]
        self._keys, self._current, self._alive = self._keys[kept], self._current[kept], self._alive[kept]
        self._count, self._superseded = len(kept), 0
        self._index()
        self._identities = BlockIndex(_ONE_KEY)
        self._identities.add(_identity_keys(self._arrays["identity"]), np.arange(self._count))
        return renumbered

    def _index(self) -> None:
        """Make the block indexes of all rows anew."""
        for code in range(len(self._blocks)):
            rows = np.flatnonzero(self._arrays["source"][: self._count] == code)
            self._first[code] = int(rows[0]) if len(rows) else self._count
            self._blocks[code] = BlockIndex(self._probes)
            together = len(rows) and rows[-1] - rows[0] + 1 == len(rows)  # as a file's are: nothing is copied then
            self._blocks[code].add(self._keys[rows[0] : rows[-1] + 1] if together else self._keys[rows], rows)


def _repeated(keys: UInt32Array) -> UInt32Array:
    """Return the keys that occur more than once; 0 is no key."""
    ordered = np.sort(keys[keys != 0])
    repeated: UInt32Array = ordered[1:][ordered[1:] == ordered[:-1]]
    return repeated


def _identity_keys(identity: npt.NDArray[np.uint64]) -> UInt32Array:
    keys: UInt32Array = np.maximum(identity >> np.uint64(32), np.uint64(1)).astype(np.uint32)[:, None]
    return keys


def _repeats(identity: npt.NDArray[np.uint64]) -> bool:
    """Return whether any value occurs twice."""
    ordered = np.sort(identity)
    return bool((ordered[1:] == ordered[:-1]).any())


def _latest(batch: Subjects) -> IntArray:
    """Return the rows of the batch that hold the latest version of their subject, in the batch's order."""
    order = np.lexsort((batch.content_hash, batch.withdrawn, batch.version, batch.identity))
    last = np.append(batch.identity[order][1:] != batch.identity[order][:-1], True) if len(order) else order
    return np.sort(order[last.astype(np.bool_)])


def _exceeds(new: npt.NDArray[np.int64], held: npt.NDArray[np.int64]) -> BoolArray:
    """Return whether each row of (n, 3) ranks is greater than the other's, compared from the first column on."""
    greater = np.zeros(len(new), dtype=np.bool_)
    level = np.ones(len(new), dtype=np.bool_)
    for column in range(new.shape[1]):
        greater |= level & (new[:, column] > held[:, column])
        level &= new[:, column] == held[:, column]
    return greater


def _grown(
    array: npt.NDArray[Any] | None, rows: int, shape: tuple[int, ...], dtype: np.dtype[Any], used: int
) -> npt.NDArray[Any]:
    """Return a copy with room for more rows. Fresh pages cost no memory until they are written."""
    have = 0 if array is None else len(array)
    grown = np.empty((rows if not have else max(rows, int(have * _GROWTH)), *shape), dtype=dtype)
    if array is not None:
        grown[:used] = array[:used]
    return grown
