"""anonlink with clkhash: one keyed Bloom filter a record, every record compared with every other, one threshold.

`python -m tests.bench.peers.with_anonlink JOB.json` in the peers' environment. Encoding (clkhash) is timed apart, as
pseudonymising is for hwlink: it is the controllers' work, and what is linked is the filters.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pa_parquet
from anonlink.candidate_generation import find_candidate_pairs
from anonlink.similarities import dice_coefficient_accelerated
from anonlink.solving import greedy_solve, pairs_from_groups
from clkhash.clk import generate_clks
from clkhash.comparators import ExactComparison, NgramComparison
from clkhash.field_formats import BitsPerFeatureStrategy, FieldHashingProperties, StringSpec
from clkhash.schema import Schema

from tests.bench.peers.job import LINKS, SCORED, Job, Watch, answer, run, write_pairs

THRESHOLD: Final = 0.8
"""Dice similarity from which a pair is a link. anonlink has no default of its own; this is a usual start."""

SWEEP_FROM: Final = 0.5
"""Similarity from which pairs are kept for the search of the best threshold, after the clock has stopped."""

CANDIDATES_A_RECORD: Final = 20
"""Most candidates kept of a record in each other file, as the library's own benchmark limits them."""

BITS: Final = 1024
SECRET: Final = "benchmark"
Pairs = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]

BIT_SHARE: Final = {
    "forename": (2, 200),
    "surname": (2, 160),
    "date_of_birth": (2, 250),
    "sex": (0, 30),
    "postcode": (2, 100),
    "address": (2, 100),
    "nhs_number": (2, 150),
}
"""Field -> (length of its n-grams, 0: the whole value; bits that it sets, whatever its length).

A fixed number of bits a field (clkhash's `bitsPerFeature`) keeps long addresses from outweighing names. n-grams of a
date are positional, as the library's schemas have it. Middle names and UPRN are left out: one file often lacks them,
and what is missing on one side makes two filters of one person unlike.
"""


def schema(fields: Collection[str]) -> tuple[Schema, list[str]]:
    """Return the linkage schema for a set's fields, and the fields in its order."""
    used = [name for name in BIT_SHARE if name in fields]
    features = []
    for name in used:
        length, bits = BIT_SHARE[name]
        grams = NgramComparison(length, positional=name in {"date_of_birth", "nhs_number"})
        compared = grams if length else ExactComparison()
        hashed = FieldHashingProperties(comparator=compared, strategy=BitsPerFeatureStrategy(bits))
        features.append(StringSpec(name, hashed, case="mixed", min_length=0, max_length=None))
    return Schema(features, BITS), used


def encoded(path: str, fields: Collection[str]) -> tuple[pa.ChunkedArray, list[Any]]:
    """Return a file's record ids and its filters."""
    recipe, used = schema(fields)
    table = pa_parquet.read_table(path, columns=["record_id", *used])
    rows = list(zip(*(["" if v is None else v for v in table[name].to_pylist()] for name in used), strict=True))
    return table["record_id"], generate_clks(rows, recipe, SECRET, validate=False)


def similar(filters: Sequence[Any], threshold: float) -> Any:
    """Return anonlink's candidates, most similar first; the one file of a search for duplicates is met twice."""
    limit = None if len(filters) == 1 else CANDIDATES_A_RECORD
    both = [filters[0], filters[-1]]
    return find_candidate_pairs(both, dice_coefficient_accelerated, threshold, k=limit)


def solved(found: Any, unique: Sequence[bool]) -> Pairs:
    """Return (left row, right row, similarity) that the declared files leave.

    The greedy solver where each file holds a person once; the most similar left record of each right one where only
    the left does; every pair, once, in the one file of a search for duplicates.
    """
    similarity, _, (left, right) = (np.asarray(part) for part in found)
    if len(unique) == 1:
        kept = left < right
    elif all(unique):
        chosen = np.array(list(pairs_from_groups(greedy_solve(found))), dtype=np.int64).reshape(-1, 2)
        number = left.astype(np.int64) << 32 | right
        kept = np.isin(number, chosen[:, 0] << 32 | chosen[:, 1])
    else:
        kept = np.zeros(len(left), dtype=np.bool_)
        kept[np.unique(right, return_index=True)[1]] = True
    return left[kept], right[kept], similarity[kept]


def main(job: Job, watch: Watch) -> None:
    """Encode, then link as the job says; answer, and only then compare below the default threshold."""
    files = [encoded(path, job.fields) for path in job.files]
    names, filters = [ids for ids, _ in files], [made for _, made in files]
    watch.apart("encode")
    found = similar(filters, THRESHOLD)
    watch.lap("compare")
    pairs = solved(found, job.unique)
    watch.lap("solve")
    write(Path(job.out, LINKS), names, pairs)
    watch.lap("write")
    thresholds = [round(number / 100, 2) for number in range(round(100 * SWEEP_FROM), 100)]
    answer(job, ("anonlink", "clkhash"), **watch.told(), threshold=THRESHOLD, thresholds=thresholds)
    if job.sweep:
        # Greedy takes the most similar first: what it keeps above a threshold is the same whatever stands below it.
        write(Path(job.out, SCORED), names, solved(similar(filters, SWEEP_FROM), job.unique))


def write(path: Path, names: Sequence[pa.ChunkedArray], pairs: Pairs) -> None:
    """Write pairs of row numbers as pairs of record ids."""
    left, right, similarity = pairs
    write_pairs(path, names[0].take(pa.array(left)), names[-1].take(pa.array(right)), pa.array(similarity))


if __name__ == "__main__":
    run(main)
