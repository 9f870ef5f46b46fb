"""The Python Record Linkage Toolkit as its documentation uses it: blocks, Jaro-Winkler, an unsupervised ECM classifier.

`python -m tests.bench.peers.with_recordlinkage JOB.json` in the peers' environment.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import recordlinkage
from recordlinkage.network import OneToOneLinking

from tests.bench.peers.job import LINKS, SCORED, Job, Watch, answer, run, write_pairs

THRESHOLD: Final = 0.5
"""Probability from which the classifier itself calls a pair a link."""

LOG2_ODDS: Final = range(-20, 31)
"""Where the best threshold is looked for, after the clock has stopped."""

SIMILAR: Final = 0.85
"""Jaro-Winkler similarity from which two texts agree, as throughout the toolkit's documentation."""

JOBS: Final = 2
BLOCKS: Final = (
    ("date_of_birth",),
    ("forename", "surname"),
    ("nickname", "surname"),
    ("forename", "postcode"),
    ("forename", "address"),
    ("street_number", "street"),
    ("nhs_number",),
)
"""Pairs that agree on all columns of one of these are compared; those with a column that a set lacks are left out.

Every further block that relatives share (a surname with a postcode or with part of a date of birth) makes the
classifier, which estimates both its classes from all candidates at once, tell households apart instead of people.
"""

TEXTS: Final = ("forename", "surname", "middle_names", "street", "locality", "suburb")
WHOLE: Final = ("date_of_birth", "sex", "postcode", "street_number", "uprn", "nhs_number")


def read(path: str, fields: Collection[str]) -> pd.DataFrame:
    """Return a clean file with `record_id` as its index."""
    return pd.read_parquet(path, columns=["record_id", *fields]).set_index("record_id")


def candidates(frames: Sequence[pd.DataFrame], fields: Collection[str]) -> pd.MultiIndex:
    """Return the pairs that share a block."""
    index = recordlinkage.Index()
    for block in BLOCKS:
        if set(fields).issuperset(block):
            index.block(list(block))
    return index.index(*frames)


def comparison(fields: Collection[str]) -> Any:
    """Return the toolkit's comparison: one feature a field, 0 where a value is missing, which is its default."""
    compare = recordlinkage.Compare(n_jobs=JOBS)
    for name in TEXTS:
        if name in fields:
            compare.string(name, name, method="jarowinkler", threshold=SIMILAR, label=name)
    if "street" not in fields:
        compare.string("address", "address", method="jarowinkler", threshold=SIMILAR, label="address")
    for name in WHOLE:
        if name in fields:
            compare.exact(name, name, label=name)
    return compare


def kept(scored: pd.Series, unique: Sequence[bool]) -> pd.Series:
    """Return what the declared files leave of scored pairs: one to one, the best of each right record, or all."""
    ranked = scored.sort_values(ascending=False, kind="stable")
    if len(unique) == 1 or not any(unique):
        return ranked
    if all(unique):
        # The toolkit takes the first pair of a record, so the most probable have to come first.
        return ranked.loc[OneToOneLinking().compute(ranked.index)]
    return ranked[~ranked.index.get_level_values(1).duplicated()]


def main(job: Job, watch: Watch) -> None:
    """Link as the job says and answer."""
    frames = [read(path, job.fields) for path in job.files]
    watch.lap("read")
    pairs = candidates(frames, job.fields)
    watch.lap("index")
    features = comparison(job.fields).compute(pairs, *frames)
    watch.lap("compare")
    classifier = recordlinkage.ECMClassifier()
    classifier.fit(features)
    scored = classifier.prob(features)
    watch.lap("classify")
    links = kept(scored[scored >= THRESHOLD], job.unique)
    watch.lap("one to one")
    write(Path(job.out, LINKS), links)
    watch.lap("write")
    thresholds = [1 / (1 + 2.0**-bits) for bits in LOG2_ODDS]
    answer(job, ("recordlinkage", "pandas"), **watch.told(), threshold=THRESHOLD, thresholds=thresholds)
    if job.sweep:
        write(Path(job.out, SCORED), kept(scored[scored >= thresholds[0]], job.unique))


def write(path: Path, scored: pd.Series) -> None:
    """Write scored pairs."""
    left, right = (pa.array(scored.index.get_level_values(level), type=pa.string()) for level in (0, 1))
    write_pairs(path, left, right, pa.array(scored.to_numpy()))


if __name__ == "__main__":
    run(main)
