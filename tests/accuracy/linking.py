"""Clear files to persons, as `hwlink link` goes about it, for any number of sources and in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import polars as pl

from linkage.cluster import resolve
from linkage.encode import ProjectKeys, encode
from linkage.evaluate import Score, score_links, score_persons
from linkage.fit import fit
from linkage.held import HeldSubjects
from linkage.match import Matcher
from linkage.subjects import Subjects
from linkage.synthesise import population as first
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.model import MatchModel, default_model
from tests.populations.population import population as second

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
    """What came of linking: `labels` (source, subject_ref, label) of all subjects, `links` as `Resolution` has them.

    `roster` and `pairs` are what was resolved.
    """

    model: MatchModel
    roster: pl.DataFrame
    pairs: pl.DataFrame
    labels: pl.DataFrame
    links: pl.DataFrame

    def review_per_10000(self) -> float:
        """Return the pairs put to review for each 10,000 subjects."""
        return 10_000 * int((self.links["decision"] == "review").sum()) / self.labels.height

    def at_threshold(self, link_probability: float) -> Linkage:
        """Return the same pairs resolved at another threshold for links."""
        policy = self.model.policy.model_copy(
            update={
                "link_probability": link_probability,
                "review_probability": min(link_probability, self.model.policy.review_probability),
            }
        )
        again = resolve(self.roster, self.pairs, policy)
        return replace(self, labels=again.labels.select("source", "subject_ref", "label"), links=again.links)


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
    roster = pl.concat(rosters)
    resolution = resolve(roster, pairs, model.policy)
    labels = resolution.labels.select("source", "subject_ref", "label")
    return Linkage(model, roster, pairs, labels, resolution.links)


@dataclass(frozen=True)
class Judged:
    """A linkage beside its truth.

    `labels` has the true `person` of every subject. `pairs` are the emitted ones between sources (within the source
    where there is but one) with whether they are the `same` person; `links` scores those decided as link, `persons` the
    persons.
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
        person = known.rename({"subject_ref": f"{side}_ref", "person": f"{side}_person"})
        pairs = pairs.join(person, on=f"{side}_ref", how="left")
    between = labels["source"].n_unique() > 1
    elsewhere = pl.col("left_source") != pl.col("right_source")
    pairs = pairs.filter(elsewhere if between else ~elsewhere)
    pairs = pairs.with_columns(same=pl.col("left_person") == pl.col("right_person"))
    found = pairs.filter(decision="link").select(left="left_ref", right="right_ref")
    return Judged(
        linkage=linkage,
        labels=labels,
        pairs=pairs,
        links=score_links(found, _true_pairs(labels, between)),
        persons=score_persons(
            labels["source"].rank("dense").cast(pl.Int64).to_numpy(),
            labels["label"].cast(pl.Int64).to_numpy(),
            labels["person"].to_numpy(),
        ),
    )


def _true_pairs(labels: pl.DataFrame, between: bool) -> pl.DataFrame:
    """Return the pairs `left, right` of one person, the lower by (source, subject_ref) on the left."""
    one = labels.select("person", left_source="source", left="subject_ref")
    other = labels.select("person", right_source="source", right="subject_ref")
    order = pl.col("left_source") < pl.col("right_source") if between else pl.col("left") < pl.col("right")
    return one.join(other, on="person").filter(order).select("left", "right")


@dataclass(frozen=True)
class People:
    """Clear health and welfare files, and the true `person` of each `subject` of both."""

    health: pl.DataFrame
    welfare: pl.DataFrame
    persons: pl.DataFrame


@cache
def people(
    generator: str, size: tuple[int, int], seed: int = 1, error_scale: float = 1.0, overlap: float = 0.95
) -> People:
    """Return a population of the `first` or the `second` generator; `size` is records of health and of welfare."""
    if generator == "second":
        made = second(*size, seed=seed, error_scale=error_scale, overlap=overlap)
        return People(made.health, made.welfare, made.persons)
    clear = first(*size, seed=seed, error_scale=error_scale, overlap=overlap)
    return People(clear.health, clear.welfare, _persons(clear.health, clear.welfare, clear.truth))


def _persons(health: pl.DataFrame, welfare: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Return (subject, person) from pairs: a welfare record is its health record's person, else one of its own.

    Some are in two claims: those whom health does not know are one by their NINO, or (children) are two here, which are
    too few to show.
    """
    of_health = health.select(subject="record_id", person="record_id")
    issued = pl.when(pl.col("nino").str.starts_with("QQ")).then("nino")
    of_welfare = welfare.join(truth, left_on="record_id", right_on="right_subject", how="left").select(
        subject="record_id", person=pl.coalesce("left_subject", issued, "record_id")
    )
    return pl.concat([of_health, of_welfare])


@cache
def judged(
    generator: str,
    size: tuple[int, int],
    seed: int = 1,
    error_scale: float = 1.0,
    overlap: float = 0.95,
    fitted: bool = True,
    without: tuple[str, ...] = (),
) -> Judged:
    """Link health with welfare, the first holding one record per person, and judge it; `without` columns of both."""
    made = people(generator, size, seed, error_scale, overlap)
    files = [
        File("a.gp", Feed.HEALTH, made.health.drop(without, strict=False), True),
        File("b.hb", Feed.WELFARE, made.welfare.drop(without, strict=False), generator == "second"),
    ]
    return judge(link(files, fitted=fitted), made.persons)
