"""How well the demo's people were linked, against the truth that only the demo has.

The demo stands at the controllers' side here: it holds the key, so it can say which subject reference a record got.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from linkage.encode import ProjectKeys, subject_refs


@dataclass(frozen=True)
class Quality:
    """Links between the two feeds against the truth, of all people or of one group of them."""

    group: str
    true_links: int
    found_links: int
    right_links: int

    @property
    def precision(self) -> float:
        """Share of found links that are true; 1 where none was found."""
        return self.right_links / self.found_links if self.found_links else 1.0

    @property
    def recall(self) -> float:
        """Share of true links that were found; 1 where there are none."""
        return self.right_links / self.true_links if self.true_links else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def as_row(self) -> dict[str, float | int | str]:
        """Return all of it as one row."""
        return {**asdict(self), "precision": self.precision, "recall": self.recall, "f1": self.f1}


def measure(people: Path, persons: pl.DataFrame, keys: ProjectKeys, sources: tuple[str, str]) -> list[Quality]:
    """Return quality over all and by fifth of deprivation of the health record's area (1 the most deprived).

    `people` is the folder that `hwlink synthesise` wrote, `persons` has `person_id, source, subject_ref`, `sources` are
    those of the health and of the welfare file.
    """
    health, welfare = sources
    areas = pl.read_csv(people / "geography.csv").select("lsoa", fifth=(pl.col("imd_decile") + 1) // 2)
    left = pl.read_parquet(people / "health.parquet", columns=["record_id", "lsoa"]).join(areas, on="lsoa", how="left")
    left = left.with_columns(subject_refs(health, left["record_id"], keys).alias("left"))
    truth = pl.read_csv(people / "truth.csv").select(
        pl.col("left_subject").alias("record_id"),
        subject_refs(welfare, pl.read_csv(people / "truth.csv")["right_subject"], keys).alias("right"),
    )
    true = truth.join(left, on="record_id").select("left", "right", "fifth").with_columns(true=pl.lit(True))
    one = persons.filter(pl.col("source") == health).select("person_id", left="subject_ref")
    other = persons.filter(pl.col("source") == welfare).select("person_id", right="subject_ref")
    found = one.join(other, on="person_id").select("left", "right").join(left.select("left", "fifth"), on="left")
    pairs = found.with_columns(found=pl.lit(True)).join(
        true, on=["left", "right", "fifth"], how="full", coalesce=True, nulls_equal=True
    )
    groups = [Quality("all", *_counts(pairs))]
    for fifth in sorted(pairs["fifth"].drop_nulls().unique()):
        groups.append(Quality(f"deprivation fifth {fifth}", *_counts(pairs.filter(pl.col("fifth") == fifth))))
    return groups


def _counts(pairs: pl.DataFrame) -> tuple[int, int, int]:
    """Return how many pairs are true, found, and both."""
    true, found = pairs["true"].fill_null(value=False), pairs["found"].fill_null(value=False)
    return int(true.sum()), int(found.sum()), int((true & found).sum())
