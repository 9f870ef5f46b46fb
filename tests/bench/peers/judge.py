"""What a linkage found against the truth: scores of links and of persons, by whole set and by person for resampling.

Records are numbered through the files, the left file first. Persons are judged as `hwlink link` judges them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from linkage.evaluate import Score, components, score_links, score_persons
from services.link.truth import read_truth

IntArray = npt.NDArray[np.int64]
Tallies = npt.NDArray[np.float64]
"""A row a person: correct, found and true pairs. A false pair lies between two persons, half with each."""


@dataclass(frozen=True)
class Truth:
    """`records`: a row a record, `row, file, record_id, person`; person -1 where the truth does not name the record.

    `left, right` are the true pairs: between two files, or within the one, the smaller row on the left.
    """

    records: pl.DataFrame
    left: IntArray
    right: IntArray

    @property
    def two_files(self) -> bool:
        """Whether two files are linked."""
        return bool(self.records["file"].max() == 1)

    @property
    def entity(self) -> IntArray:
        """Return each record's person numbered from 0; a record that the truth does not name is a person alone."""
        person = self.records["person"].to_numpy()
        alone = person.max(initial=-1) + 1 + np.cumsum(person < 0)
        return np.unique(np.where(person < 0, alone, person), return_inverse=True)[1].astype(np.int64)


def read(files: Sequence[Path], truth: Path) -> Truth:
    """Return the truth about clean files."""
    frames = [
        pl.read_parquet(path, columns=["record_id"]).with_columns(file=pl.lit(number, dtype=pl.Int64))
        for number, path in enumerate(files)
    ]
    named = read_truth(truth, two_files=len(files) == 2).rename({"subject": "record_id"})
    records = (
        pl.concat(frames)
        .with_row_index("row")
        .with_columns(pl.col("row").cast(pl.Int64), pl.col("record_id").cast(pl.String))
        .join(named, on=["file", "record_id"], how="left", maintain_order="left")
        .with_columns(pl.col("person").fill_null(-1))
    )
    known = records.filter(pl.col("person") >= 0).select("row", "file", "person")
    pairs = known.join(known, on="person").filter(pl.col("row") < pl.col("row_right"))
    if len(files) == 2:
        pairs = pairs.filter(pl.col("file") != pl.col("file_right"))
    return Truth(records, pairs["row"].to_numpy(), pairs["row_right"].to_numpy())


@dataclass(frozen=True)
class Outcome:
    """What was found: pairs of rows (the smaller on the left), and the label of the person that each row was put in."""

    left: IntArray
    right: IntArray
    label: IntArray


def outcome(truth: Truth, pairs: pl.DataFrame, persons: pl.DataFrame | None = None) -> Outcome:
    """Return an outcome from pairs of record ids, `left, right`.

    Persons are what the pairs join, unless `persons` has them: `file, record_id, person_id` of every record.
    """
    numbers = truth.records.select("row", "file", "record_id")
    sides = [numbers.filter(pl.col("file") == file) for file in ((0, 1) if truth.two_files else (0, 0))]
    rows = [
        pairs.select(pl.col(side).cast(pl.String).alias("record_id"))
        .join(numbered, on="record_id", how="left", maintain_order="left")["row"]
        .to_numpy()
        for side, numbered in zip(("left", "right"), sides, strict=True)
    ]
    left, right = np.minimum(*rows), np.maximum(*rows)
    if persons is None:
        return Outcome(left, right, components(truth.records.height, left, right))
    labelled = truth.records.join(persons, on=["file", "record_id"], how="left", maintain_order="left")
    return Outcome(left, right, labelled["person_id"].cast(pl.Int64).to_numpy())


def scores(truth: Truth, found: Outcome) -> dict[str, Score]:
    """Return the scores of links and of persons."""
    links = score_links(
        pl.DataFrame({"left": found.left, "right": found.right}),
        pl.DataFrame({"left": truth.left, "right": truth.right}),
    )
    persons = score_persons(truth.records["file"].to_numpy(), found.label, truth.records["person"].to_numpy())
    return {"links": links, "persons": persons}


def tallies(truth: Truth, found: Outcome) -> dict[str, Tallies]:
    """Return the tallies of links and of persons; summed over all persons they give the scores."""
    within = _within(truth, found.label)
    named = truth.records.filter(pl.col("person") >= 0).select("row", "person")
    same = named.join(named, on="person").filter(pl.col("row") < pl.col("row_right"))
    entity = truth.entity
    return {
        "links": _tally(entity, (found.left, found.right), (truth.left, truth.right)),
        "persons": _tally(entity, within, (same["row"].to_numpy(), same["row_right"].to_numpy())),
    }


def _within(truth: Truth, label: IntArray) -> tuple[IntArray, IntArray]:
    """Return the pairs within persons, but for those of one file of which the truth says nothing."""
    frame = truth.records.select("row", "file", "person").with_columns(pl.Series("label", label))
    several = frame.filter(pl.len().over("label") > 1)
    pairs = several.join(several, on="label").filter(pl.col("row") < pl.col("row_right"))
    silent = (pl.col("person") < 0) & (pl.col("person_right") < 0) & (pl.col("file") == pl.col("file_right"))
    pairs = pairs.filter(~silent)
    return pairs["row"].to_numpy(), pairs["row_right"].to_numpy()


def _tally(entity: IntArray, found: tuple[IntArray, IntArray], true: tuple[IntArray, IntArray]) -> Tallies:
    size = int(entity.max(initial=-1)) + 1
    pairs = np.unique(np.stack(found, axis=1), axis=0) if len(found[0]) else np.zeros((0, 2), dtype=np.int64)
    one, other = entity[pairs[:, 0]], entity[pairs[:, 1]]
    halves = np.bincount(one, minlength=size) + np.bincount(other, minlength=size)
    correct = np.bincount(one[one == other], minlength=size)
    return np.stack([correct, halves / 2, np.bincount(entity[true[0]], minlength=size)], axis=1).astype(np.float64)
