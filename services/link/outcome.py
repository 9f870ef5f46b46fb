"""What `hwlink link` reports and writes: links, persons, counts, and how right they are where the truth is given."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from math import log2
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from linkage.cluster import Resolution
from linkage.evaluate import components, score_links, score_persons
from schemas.decision import Decision
from schemas.errors import InputError, Reason
from schemas.model import MatchModel
from services.link.evidence import write_evidence

_KEY = ["source", "subject_ref"]


@dataclass(frozen=True)
class Linked:
    """The outcome: `sources` of the files in order, `subjects` (source, subject_ref) of all, and the resolution of
    some, whose frames have the rows of their subjects too: `left_number` and `right_number` of links, `number` of
    labels.
    """

    sources: tuple[str, ...]
    subjects: pl.DataFrame
    resolution: Resolution
    model: MatchModel

    @cached_property
    def reviewable(self) -> pl.DataFrame:
        """Pairs at or above review, within files too, with the columns of `Resolution.links`."""
        review = self.model.policy.review_probability
        reached = pl.col("log2_odds") >= log2(review / (1 - review))
        return self.resolution.links.filter((pl.col("decision") != Decision.APART.value) | reached)

    @cached_property
    def links(self) -> pl.DataFrame:
        """Pairs between the files (or within the one) at or above review: the columns of `links.parquet`.

        The left file's subject stands on the left. Two subjects of one person are a link whether or not they were ever
        compared; where they were not, through other links alone, `weight_bits` and `probability` are null.
        """
        pairs = self.reviewable
        if len(self.sources) == 2:
            pairs = pairs.filter(pl.col("left_source") != pl.col("right_source"))
        turned = (pl.col("left_source") != self.sources[0]) if len(self.sources) == 2 else pl.lit(False)

        def side(one: str, other: str, name: str) -> pl.Expr:
            return pl.when(turned).then(pl.col(f"{other}_{name}")).otherwise(pl.col(f"{one}_{name}"))

        found = pairs.select(
            left_source=side("left", "right", "source"),
            left_subject=side("left", "right", "ref"),
            right_source=side("right", "left", "source"),
            right_subject=side("right", "left", "ref"),
            **{name: side(name, other, "number") for name, other in (("left", "right"), ("right", "left"))},
            weight_bits="weight_bits",
            probability="probability",
            decision="decision",
        )
        implied = self._of_one_person.join(found, on=["left", "right"], how="anti")
        links = pl.concat([found, implied], how="diagonal").drop("left", "right")
        return links.with_columns(_shown(pl.col("left_source", "right_source")))

    @cached_property
    def _of_one_person(self) -> pl.DataFrame:
        """Every pair of subjects that are one person, as `links` names them: between the files, or within the one;
        `left` and `right` are their rows in `subjects`.
        """
        person = self.labelled["person_id"].to_numpy()
        shared = self.labelled.filter((np.bincount(person) > 1)[person])
        two = len(self.sources) == 2
        both = shared.join(shared, on="person_id", maintain_order="left_right")
        ordered = (
            (pl.col("file") == 0) & (pl.col("file_right") == 1)
            if two
            else pl.col("subject_ref") < pl.col("subject_ref_right")
        )
        return both.filter(ordered).select(
            left_source="source",
            left_subject="subject_ref",
            right_source="source_right",
            right_subject="subject_ref_right",
            left="number",
            right="number_right",
            decision=pl.lit(Decision.LINK.value),
        )

    @cached_property
    def labelled(self) -> pl.DataFrame:
        """Every subject with its person, `number, file, source, subject_ref, person_id`; persons are numbered from 1,
        as their first subjects come, and `number` is the row in `subjects`.
        """
        files = self.subjects["source"].replace_strict(list(self.sources), list(range(len(self.sources))))
        order = np.argsort(files.to_numpy(), kind="stable")
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        labels = self.resolution.labels
        label, at = labels["label"].to_numpy(), place[labels["number"].to_numpy()]
        first_of_label = np.full(int(label.max(initial=-1)) + 1, len(order))
        np.minimum.at(first_of_label, label, at)
        first = np.arange(len(order))
        first[at] = first_of_label[label]
        person = np.cumsum(first == np.arange(len(order)))[first]
        return self.subjects[order].select(
            pl.Series("number", order),
            pl.Series("file", files.to_numpy()[order]),
            *_KEY,
            pl.Series("person_id", person),
        )

    def counts(self) -> dict[str, int]:
        """Return the numbers of subjects, pairs by decision, and persons."""
        decisions = self.links["decision"].value_counts()
        found = dict(zip(decisions["decision"].to_list(), decisions["count"].to_list(), strict=True))
        sizes = np.bincount(self.labelled["person_id"].to_numpy())[1:]
        return {
            "subjects": self.labelled.height,
            "pairs_emitted": self.resolution.links.height,
            **{decision.value: int(found.get(decision.value, 0)) for decision in Decision},
            "persons": len(sizes),
            "persons_of_two_or_more": int((sizes > 1).sum()),
        }

    def review_per_10000(self) -> float:
        """Return the pairs put to review, within files too, for each 10,000 subjects."""
        asked = int((self.resolution.links["decision"] == Decision.REVIEW.value).sum())
        return round(10_000 * asked / max(self.labelled.height, 1), 1)


def quality(linked: Linked, truth: pl.DataFrame) -> dict[str, Any]:
    """Return scores of links and persons, review counting as apart, and each with review counting as link beside it.

    `truth` has `file, subject, person`, see `services.link.truth.read_truth`.
    """
    frame = linked.labelled.join(
        truth.rename({"subject": "subject_ref", "person": "_true"}),
        on=["file", "subject_ref"],
        how="left",
        maintain_order="left",
    )
    frame = frame.with_columns(pl.col("_true").fill_null(-1)).with_row_index("_row")
    file, label, true = (frame[name].to_numpy() for name in ("file", "person_id", "_true"))
    rows = frame.select(*_KEY, pl.col("_row").cast(pl.Int64))
    asked = linked.resolution.links.filter(pl.col("decision") == Decision.REVIEW.value)
    left, right = (
        asked.join(
            rows.rename({"source": f"{side}_source", "subject_ref": f"{side}_ref"}),
            on=[f"{side}_source", f"{side}_ref"],
            how="left",
            maintain_order="left",
        )["_row"].to_numpy()
        for side in ("left", "right")
    )
    merged = components(int(label.max(initial=0)) + 1, label[left], label[right])
    return {
        "links": _links_score(linked, truth, (Decision.LINK,)),
        "links_with_review": _links_score(linked, truth, (Decision.LINK, Decision.REVIEW)),
        "persons": score_persons(file, label, true).as_dict(),
        "persons_with_review": score_persons(file, merged[label], true).as_dict(),
    }


def write_outputs(linked: Linked, out: Path, summary: dict[str, Any], weights: pl.Series | None = None) -> None:
    """Write `links.parquet`, `persons.parquet`, what explains them, and `summary.json`.

    `weights`, if there are any, are those of `Linked.labelled`'s rows: the column `linkage_weight` of the persons.
    Raises InputError OPTION_INVALID when that cannot be.
    """
    persons = linked.labelled.select("person_id", source=_shown(pl.col("source")), subject="subject_ref")
    if weights is not None:
        persons = persons.with_columns(weights.alias("linkage_weight"))
    try:
        linked.links.write_parquet(out / "links.parquet")
        persons.write_parquet(out / "persons.parquet")
        write_evidence(linked.reviewable, linked.model, out)
        (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise InputError(
            Reason.OPTION_INVALID,
            f"The outputs cannot be written ({error.strerror}); make room, or name another folder.",
        ) from None


def _links_score(linked: Linked, truth: pl.DataFrame, decisions: tuple[Decision, ...]) -> dict[str, float]:
    pairs = linked.links.filter(pl.col("decision").is_in([d.value for d in decisions]))
    two = len(linked.sources) == 2
    left, right = truth.filter(pl.col("file") == 0), truth.filter(pl.col("file") == (1 if two else 0))
    true = left.join(right, on="person").select(left="subject", right="subject_right")
    if not two:
        true = true.filter(pl.col("left") < pl.col("right"))
        ends = [pl.min_horizontal("left_subject", "right_subject"), pl.max_horizontal("left_subject", "right_subject")]
    else:
        ends = [pl.col("left_subject"), pl.col("right_subject")]
    found = pairs.select(ends[0].alias("left"), ends[1].alias("right"))
    return score_links(found, true).as_dict()


def _shown(source: pl.Expr) -> pl.Expr:
    """Return a source id as the file declared it (`services.link.run` tells two files of one source apart)."""
    return source.str.replace(r"#\d$", "")
