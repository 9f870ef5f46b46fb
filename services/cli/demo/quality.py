"""How well the demo's people were linked, against the truth that only the demo has.

The demo stands at the controllers' side here: it holds the key, so it can say which subject reference a record got.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import polars as pl

from linkage.encode import ProjectKeys, subject_refs
from linkage.synthesise.feeds import SOURCES, WELFARE_SOURCES

REGISTERED: Final = "kmicb.gp"
"""The source that has everybody once; what every other source says of somebody should come to theirs."""

_PAIR: Final = ["left", "source", "right"]


@dataclass(frozen=True)
class Quality:
    """Links against the truth, of all people or of one group of them."""

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


def measure(feeds: Path, persons: pl.DataFrame, keys: ProjectKeys) -> list[Quality]:
    """Return quality of the pairs of a GP record with a record of another source: of both feeds, by fifth of
    deprivation of the GP record's area (1 the most deprived), and by source.

    `feeds` is the folder of that name that `hwlink synthesise --feeds` wrote, `persons` has
    `person_id, source, subject_ref`.
    """
    areas = pl.read_csv(feeds / "geography.csv").unique("lsoa", keep="first", maintain_order=True)
    lived = pl.read_parquet(feeds / f"{REGISTERED}.parquet", columns=["record_id", "lsoa"])
    lived = lived.join(areas.select("lsoa", fifth=(pl.col("imd_decile") + 1) // 2), on="lsoa", how="left")
    truth = pl.concat(
        part.select("source", "record_id", subject_refs(source, part["record_id"], keys).alias("subject_ref"), "person")
        for (source,), part in pl.read_csv(feeds / "truth.csv").group_by("source", maintain_order=True)
        if isinstance(source, str)
    )
    registered = truth.filter(pl.col("source") == REGISTERED).select("record_id", left="subject_ref")
    pairs = (
        _pairs(truth, "person")
        .with_columns(true=pl.lit(True))
        .join(_pairs(persons, "person_id").with_columns(found=pl.lit(True)), on=_PAIR, how="full", coalesce=True)
        .join(registered, on="left", how="left")
        .join(lived.select("record_id", "fifth"), on="record_id", how="left")
    )
    both = pairs.filter(pl.col("source").is_in(WELFARE_SOURCES))
    groups = [Quality("health with welfare", *_counts(both))]
    for fifth in sorted(both["fifth"].drop_nulls().unique()):
        groups.append(Quality(f"deprivation fifth {fifth}", *_counts(both.filter(pl.col("fifth") == fifth))))
    for source in SOURCES:
        if source != REGISTERED:
            groups.append(Quality(source, *_counts(pairs.filter(pl.col("source") == source))))
    return groups


def _pairs(rows: pl.DataFrame, person: str) -> pl.DataFrame:
    """Return `left, source, right`: each GP record with each record that another source has of its person."""
    ours = rows.filter(pl.col("source") == REGISTERED).select(person, left="subject_ref")
    others = rows.filter(pl.col("source") != REGISTERED).select(person, "source", right="subject_ref")
    return ours.join(others, on=person).select(_PAIR)


def _counts(pairs: pl.DataFrame) -> tuple[int, int, int]:
    """Return how many pairs are true, found, and both."""
    true, found = pairs["true"].fill_null(value=False), pairs["found"].fill_null(value=False)
    return int(true.sum()), int(found.sum()), int((true & found).sum())
