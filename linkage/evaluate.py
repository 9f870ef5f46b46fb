"""How right a linkage is when the truth is known: precision, recall and F1 of links, and of persons.

Persons are judged by pairs: two subjects put into one person are right when the truth says that they are one. What the
truth cannot tell is left out: where it names only pairs *between* two files, two records of one file of which it names
neither may well be one person whom the other file does not know.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from linkage.decide import first_connected


@dataclass(frozen=True)
class Score:
    """Pairs found, pairs there are to find, and pairs both; with the usual ratios (1 where nothing can be wrong)."""

    correct: int
    found: int
    true: int

    @property
    def precision(self) -> float:
        """Share of the found pairs that are right."""
        return self.correct / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of the true pairs that were found."""
        return self.correct / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.correct / (self.found + self.true) if self.found + self.true else 1.0

    def as_dict(self) -> dict[str, float]:
        """Return counts and ratios by name."""
        return {**asdict(self), "precision": self.precision, "recall": self.recall, "f1": self.f1}


def components(size: int, left: npt.NDArray[np.integer], right: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Return the component of each of `size` things that the pairs join, named by its first."""
    return first_connected(size, left.astype(np.int64), right.astype(np.int64))


def score_links(found: pl.DataFrame, true: pl.DataFrame) -> Score:
    """Return the score of pairs against the true ones, both as columns `left, right`; a repeat counts once."""
    found, true = found.select("left", "right").unique(), true.select("left", "right").unique()
    return Score(found.join(true, on=["left", "right"]).height, found.height, true.height)


def score_persons(
    file: npt.NDArray[np.integer], label: npt.NDArray[np.integer], person: npt.NDArray[np.integer]
) -> Score:
    """Return the score of persons over within-person pairs.

    Each subject has the file it stands in, the label of the person it was put into, and the true person, or -1 where
    the truth does not name it: such a subject is a person of its own, except against others of its file that are not
    named either, of which nothing is said.
    """
    frame = pl.DataFrame({"file": file, "label": label, "person": person})
    named = frame.filter(pl.col("person") >= 0)
    silent = frame.filter(pl.col("person") < 0)
    return Score(
        correct=_pairs(named, "label", "person"),
        found=_pairs(frame, "label") - _pairs(silent, "label", "file"),
        true=_pairs(named, "person"),
    )


def _pairs(frame: pl.DataFrame, *by: str) -> int:
    size = frame.group_by(by).len()["len"].cast(pl.Int64)
    return int((size * (size - 1) // 2).sum())
