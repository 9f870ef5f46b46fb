"""The pure part of matching without any service: candidates, comparing, weighing; and the toolkit on the same pairs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from linkage.compare import compare as compare_pairs
from linkage.encode import subject_refs
from linkage.held import HeldSubjects
from linkage.match import Matcher
from linkage.subjects import IntArray, Subjects
from schemas.contracts.subject import TOKEN_COLUMNS
from schemas.model import MatchModel, parse_model
from services.link.files import open_encoded
from tests.bench.inputs import FEEDS, SOURCES, Inputs
from tests.bench.measure import Measure, Stopwatch, peak_mib

ROWS_AT_ONCE = 20_000
SAMPLE_PAIRS = 20_000
SAMPLE_SEED = 20_260_630
REPEATS_ON_SAMPLE = 5


def compare(inputs: Inputs, state: Path) -> list[Measure]:
    """Index, candidates, full comparison, all of matching; then hwlink and recordlinkage on one sample of pairs."""
    model = parse_model(inputs.model.read_text("utf-8"))
    batches = [
        Subjects.from_batch(batch, source, feed == "health")
        for source, feed in zip(SOURCES, FEEDS, strict=True)
        for batch in open_encoded(inputs.encoded(feed)).batches()
    ]
    held = HeldSubjects(model)
    held.reserve(sum(map(len, batches)))
    with Stopwatch() as indexing:
        for batch in batches:
            held.upsert(batch)
    with Stopwatch() as blocking:
        found = [piece for rows in _rows(held) for piece in held.candidates(rows)]
    left, right = (np.concatenate(side) for side in zip(*found, strict=True))
    subjects = held.subjects
    with Stopwatch() as comparing:
        compare_pairs(subjects, subjects, left, right, model.cuts)
    matcher = Matcher(model)
    with Stopwatch() as matching:
        emitted = sum(matcher.match(rows, held).height for rows in _rows(held))
    own = peak_mib()
    return [
        Measure.of(indexing, "index of all subjects", "subjects", len(held), own),
        Measure.of(blocking, "candidate pairs", "pairs", len(left), own),
        Measure.of(comparing, "every candidate compared in full", "pairs", len(left), own),
        Measure.of(matching, "found, compared and weighed", "pairs", len(left), own, emitted=emitted),
        *_peers(inputs, held, model, left, right),
    ]


def _rows(held: HeldSubjects) -> list[IntArray]:
    return [np.arange(start, min(start + ROWS_AT_ONCE, len(held))) for start in range(0, len(held), ROWS_AT_ONCE)]


def _peers(inputs: Inputs, held: HeldSubjects, model: MatchModel, left: IntArray, right: IntArray) -> list[Measure]:
    """Compare one sample of the candidates with hwlink and with recordlinkage's own features, one core each.

    The toolkit compares the same tokens for equality (it has nothing for filters), and, as it is commonly used, the
    clear values behind them by Jaro-Winkler and equality.
    """
    chosen = np.random.default_rng(SAMPLE_SEED).permutation(len(left))[:SAMPLE_PAIRS]
    left, right = left[chosen], right[chosen]
    subjects = held.subjects
    hwlink = _typical(lambda: compare_pairs(subjects, subjects, left, right, model.cuts))
    found = [Measure.of(hwlink, "sample: hwlink, tokens and filters", "pairs", len(left))]
    pairs = pd.MultiIndex.from_arrays([left, right])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the toolkit's, of pandas and NumPy
        for name, frame, toolkit in (
            ("sample: recordlinkage, same tokens, Exact", _tokens(held), _exact()),
            ("sample: recordlinkage, clear values, Jaro-Winkler", _clear(inputs, held), _clear_comparison()),
        ):
            watch = _typical(partial(toolkit.compute, pairs, frame))
            ratio = watch.seconds / hwlink.seconds
            found.append(Measure.of(watch, name, "pairs", len(left), times_slower_than_hwlink=ratio))
    return found


def _typical(work: Callable[[], object]) -> Stopwatch:
    """Do the same some times over and return the middle one's times."""
    watches = []
    for _ in range(REPEATS_ON_SAMPLE):
        with Stopwatch() as watch:
            work()
        watches.append(watch)
    return sorted(watches, key=lambda watch: watch.seconds)[REPEATS_ON_SAMPLE // 2]


def _tokens(held: HeldSubjects) -> pd.DataFrame:
    return pd.DataFrame(held.subjects.table, columns=list(TOKEN_COLUMNS))


def _exact() -> Any:
    """Return the toolkit's comparison of tokens; it is imported only where it is measured."""
    import recordlinkage

    compare = recordlinkage.Compare(n_jobs=1)
    for name in TOKEN_COLUMNS:
        compare.exact(name, name, label=name)
    return compare


def _clear_comparison() -> Any:
    """Return the toolkit's comparison of clear values, as its own documentation would have it."""
    import recordlinkage

    compare = recordlinkage.Compare(n_jobs=1)
    for name in ("forename", "surname", "address"):
        compare.string(name, name, method="jarowinkler", label=name)
    for name in ("date_of_birth", "postcode"):
        compare.exact(name, name, label=name)
    return compare


def _clear(inputs: Inputs, held: HeldSubjects) -> pd.DataFrame:
    """Return the clear values of each held row, found by the reference that the key gives its record."""
    wanted = ["forename", "surname", "date_of_birth", "postcode", "address"]
    parts = []
    for source, feed in zip(SOURCES, FEEDS, strict=True):
        clear = pl.read_parquet(inputs.clear(feed), columns=["record_id", *wanted])
        ref = subject_refs(source, clear["record_id"], inputs.keys).alias("ref")
        parts.append(clear.select(*wanted).with_columns(ref, pl.lit(source).alias("source")))
    subjects = held.subjects
    rows = pl.DataFrame(
        {
            "source": pl.Series(subjects.sources, dtype=pl.String).gather(subjects.source),
            "ref": subjects.ref_column(np.arange(len(held))),
        }
    )
    joined = rows.join(pl.concat(parts), on=["source", "ref"], how="left", maintain_order="left")
    return pd.DataFrame({name: joined[name].to_list() for name in wanted})
