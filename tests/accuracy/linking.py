"""Clear files to persons, as `hwlink link` goes about it, for any number of sources and in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from linkage.cluster import resolve
from linkage.encode import ProjectKeys, encode
from linkage.evaluate import Score, score_links, score_persons
from linkage.fit import fit
from linkage.held import HeldSubjects
from linkage.match import Matcher
from linkage.subjects import Subjects
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.model import MatchModel, default_model

AGREEMENT: Final = shipped_agreement("test")
KEYS: Final = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)


@dataclass(frozen=True)
class File:
    """A clear file: its source's name, feed, rows (columns as `hwlink pseudonymise` takes them), and whether it repeats
    nobody.
    """

    source: str
    feed: Feed
    clear: pl.DataFrame
    unique: bool


@dataclass(frozen=True)
class Linkage:
    """`labels`: every subject (source, subject_ref) with its person's `label`. `links`: pairs emitted, as `Resolution`.

    Where the truth was given, `labels` has the true `person` (-1: not named) and the scores are there: of links
    between sources, and of persons.
    """

    model: MatchModel
    labels: pl.DataFrame
    links: pl.DataFrame
    unique: dict[str, bool]

    def review_per_10000(self) -> float:
        """Return the pairs put to review for each 10,000 subjects."""
        return 10_000 * int((self.links["decision"] == "review").sum()) / self.labels.height


def link(files: Sequence[File], *, fitted: bool = True) -> Linkage:
    """Encode, fit without labels (or take the shipped model as it is), match and resolve the files.

    The larger file comes first, as `hwlink link` has it.
    """
    shipped = default_model()
    held = HeldSubjects(shipped)
    unique = {file.source: file.unique for file in files}
    rosters = []
    for file in sorted(files, key=lambda f: -f.clear.height):
        identity = file.clear.select(c for c in file.clear.columns if file.clear[c].dtype == pl.String)
        frame = encode(identity, AGREEMENT, KEYS, file.feed, True, source=file.source).frame
        frame = frame.with_columns(source=pl.lit(file.source))
        held.upsert(Subjects.from_frame(frame, unique))
        claim = "claim_group" if "claim_group" in frame.columns else pl.lit(None, dtype=pl.Binary).alias("claim_group")
        rosters.append(frame.select("source", "subject_ref", claim, one_record_per_person=pl.lit(file.unique)))
    model = fit(held, shipped, seed=1) if fitted else shipped
    pairs = Matcher(model).match(held.asking(), held)
    resolution = resolve(pl.concat(rosters), pairs, model.policy)
    return Linkage(model, resolution.labels.select("source", "subject_ref", "label"), resolution.links, unique)


@dataclass(frozen=True)
class Judged:
    """A linkage beside its truth: `labels` with the true `person`, `pairs` with whether they are the `same` person.

    `pairs` are the emitted ones that the declarations of the sources do not rule out. `links` scores the pairs decided
    as link among them, `persons` the persons.
    """

    linkage: Linkage
    labels: pl.DataFrame
    pairs: pl.DataFrame
    links: Score
    persons: Score


def judge(linkage: Linkage, persons: pl.DataFrame) -> Judged:
    """Score a linkage against `persons` (subject, person): the true person of every record of every source."""
    known = persons.select(subject_ref="subject", person=pl.col("person").rank("dense").cast(pl.Int64))
    labels = linkage.labels.join(known, on="subject_ref", how="left", validate="m:1")
    pairs = linkage.links
    for side in ("left", "right"):
        pairs = pairs.join(
            known.rename({"subject_ref": f"{side}_ref", "person": f"{side}_person"}), on=f"{side}_ref", how="left"
        )
    repeats = [source for source, unique in linkage.unique.items() if not unique]
    pairs = pairs.filter(
        (pl.col("left_source") != pl.col("right_source")) | pl.col("left_source").is_in(repeats)
    ).with_columns(same=pl.col("left_person") == pl.col("right_person"))
    true = _true_pairs(labels, repeats)
    found = pairs.filter(decision="link").select(left="left_ref", right="right_ref")
    return Judged(
        linkage=linkage,
        labels=labels,
        pairs=pairs,
        links=score_links(found, true),
        persons=score_persons(
            labels["source"].rank("dense").to_numpy(),
            labels["label"].cast(pl.Int64).to_numpy(),
            labels["person"].to_numpy(),
        ),
    )


def _true_pairs(labels: pl.DataFrame, repeats: list[str]) -> pl.DataFrame:
    """Return the pairs `left, right` of one person, the lower by (source, subject_ref) on the left."""
    one = labels.select("person", left_source="source", left="subject_ref")
    other = labels.select("person", right_source="source", right="subject_ref")
    both = one.join(other, on="person").filter(
        (pl.col("left_source") < pl.col("right_source"))
        | ((pl.col("left_source") == pl.col("right_source")) & pl.col("left_source").is_in(repeats))
    )
    inside = (pl.col("left_source") == pl.col("right_source")) & (pl.col("left") >= pl.col("right"))
    return both.filter(~inside).select("left", "right")
