"""A pair of a finished run explained, by its two subjects: exact terms, for who holds the run's folder anyway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from linkage.explain import ScoredPair, Term, explain_scored, scored_pair
from linkage.path import links_between
from linkage.reason import Because
from linkage.tell import Explainer
from schemas.decision import Decision
from schemas.errors import InputError, Reason
from services.link.evidence import LinkedRun

_NUMBERS: Final = {"left": ("#1", "#2"), "right": ("#2", "#1")}
"""Two files of one source are told apart by these: the left subject is first looked for in the left file."""


@dataclass(frozen=True)
class ExplainedPair:
    """One pair of a run: its subjects as SOURCE/REF, the terms of its odds, and why it was decided so."""

    left: str
    right: str
    terms: tuple[Term, ...]
    pair: ScoredPair
    because: Because


@dataclass(frozen=True)
class Explained:
    """What a run says of two subjects: their pair, None if none was kept, and whether they are one person.

    `path` are the links by which they are, from left to right, where their own evidence did not link them.
    """

    pair: ExplainedPair | None
    same_person: bool
    path: tuple[ExplainedPair, ...]


def explain_run(run: LinkedRun, left: str, right: str) -> Explained:
    """Explain the pair of two subjects, each SOURCE/REF; InputError NOT_FOUND where a run kept nothing of the two.

    In a run over two files of one source, `SOURCE#1/REF` and `SOURCE#2/REF` say which file is meant.
    """
    pairs = run.evidence.with_columns(
        pl.concat_str(f"{side}_source", pl.lit("/"), f"{side}_subject").alias(side) for side in _NUMBERS
    )
    ends = tuple(_found(pairs, side, text) for side, text in zip(_NUMBERS, (left, right), strict=True))
    if None in ends or ends[0] == ends[1]:
        raise _unknown()
    one, other = str(ends[0]), str(ends[1])
    explainer = Explainer(run.model)

    def explained(row: dict[str, Any]) -> ExplainedPair:
        pair = scored_pair(row, run.model.model_id)
        relatives, unseen = explainer.log2_relatives(pair.sources), explainer.unseen_bits(pair)
        terms = explain_scored(explainer.matcher.weigher, pair, relatives, unseen)
        return ExplainedPair(row["left"], row["right"], terms, pair, Because(row["because"]))

    stored = pairs.filter(pl.col("left").is_in([one, other]), pl.col("right").is_in([one, other])).to_dicts()
    pair = explained(stored[0]) if stored else None
    links = _links_around(pairs, one)
    route = links_between((one, other), [(row["left"], row["right"], row["log2_odds"]) for row in links])
    if pair is None and route is None:
        raise _unknown()
    direct = pair is not None and (route is None or pair.because is not Because.OTHERS)
    return Explained(pair, route is not None, () if direct else tuple(explained(links[at]) for at in route or ()))


def _found(pairs: pl.DataFrame, side: str, text: str) -> str | None:
    """Return the subject that a text names, None if no pair has it."""
    source, _, reference = text.rpartition("/")
    for name in (text, *(f"{source}{number}/{reference}" for number in _NUMBERS[side])):
        if pairs.select(((pl.col("left") == name) | (pl.col("right") == name)).any()).item():
            return name
    return None


def _links_around(pairs: pl.DataFrame, subject: str) -> list[dict[str, Any]]:
    """Return the links of the person of a subject."""
    links = pairs.filter(pl.col("decision") == Decision.LINK.value)
    members: set[str] = {subject}
    while True:
        reached = links.filter(pl.col("left").is_in(members) | pl.col("right").is_in(members))
        now = members | set(reached["left"]) | set(reached["right"])
        if now == members:
            return reached.to_dicts()
        members = now


def _unknown() -> InputError:
    return InputError(
        Reason.NOT_FOUND,
        "The run kept nothing of this pair: a subject has no pair at or above review, or the two are below it; name "
        "each as SOURCE/REF, as links.parquet does.",
    )
