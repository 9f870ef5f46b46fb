"""How the pairs' evidence is spread, and why some of them wait for a reviewer."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl

from linkage.explain import log2_odds
from linkage.reason import GUARD_WORDS, WORDS, Because
from schemas.decision import Decision, DecisionPolicy
from services.report import charts
from services.report.markup import figure, paragraph, part, section, table

_BITS: Final = (-10, 40)
_EDGES: Final = (0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 1.0)
_DECISIONS: Final = tuple(decision.value for decision in Decision)


def pairs_section(evidence: pl.DataFrame, summary: dict[str, Any], policy: DecisionPolicy) -> str:
    """Return how log2 odds and probabilities of the pairs are spread, with the thresholds, and reviews by reason."""
    if evidence.is_empty():
        return section("Pairs", paragraph("No pair reached the review threshold."))
    subjects = max(summary["counts"]["subjects"], 1)
    return section("Pairs", _spread(evidence, policy), _probabilities(evidence), _reviews(evidence, subjects))


def _spread(evidence: pl.DataFrame, policy: DecisionPolicy) -> str:
    net = (pl.col("log2_odds") - pl.col("rival_bits")).clip(*_BITS)
    rows = (
        evidence.group_by("decision", net.floor().alias("bits")).agg(pl.len().alias("pairs")).sort("decision", "bits")
    )
    rules = (policy.link_log2_odds, log2_odds(policy.review_probability))
    says = (
        f"How many pairs have which evidence, by decision. The dashed line is the link threshold (probability "
        f"{policy.link_probability:g}), the dotted one the review threshold ({policy.review_probability:g}). What "
        f"lies beyond {_BITS[0]} or {_BITS[1]} bits stands at the ends. Pairs to the right of the link threshold that "
        "are no links have a guard, a rival too near, or a group that speaks against them."
    )
    return part("Evidence", figure(charts.distribution(rows.to_dicts(), rules, _DECISIONS), says))


def _probabilities(evidence: pl.DataFrame) -> str:
    labels = [f"{low:g} to {high:g}" for low, high in pairwise(_EDGES)]
    band = np.clip(np.searchsorted(_EDGES, evidence["probability"].to_numpy(), side="right") - 1, 0, len(labels) - 1)
    frame = evidence.select("decision").with_columns(band=pl.Series(band))
    tally = {(d, b): n for d, b, n in frame.group_by("decision", "band").len().rows()}
    rows: list[tuple[str | int, ...]] = [
        (label, *(int(tally.get((decision, number), 0)) for decision in _DECISIONS))
        for number, label in enumerate(labels)
    ]
    return table("Pairs by probability (rivals counted) and decision", ("Probability", *_DECISIONS), rows)


def _reviews(evidence: pl.DataFrame, subjects: int) -> str:
    waiting = evidence.filter(pl.col("decision") == Decision.REVIEW.value)
    if waiting.is_empty():
        return part("Reviews by reason", paragraph("No pair waits for a reviewer."))
    guarded = pl.col("because") == Because.GUARD.value
    reason = pl.when(guarded).then(pl.concat_str(pl.lit("guard: "), "guard")).otherwise("because").alias("reason")
    tally = waiting.group_by(reason).len().sort("len", "reason", descending=[True, False])
    chart = charts.counts([{"name": name, "number": number} for name, number in tally.rows()], "pairs in review")
    rows = [(name, number, f"{10_000 * number / subjects:.1f}", _words(name)) for name, number in tally.rows()]
    return part(
        "Reviews by reason",
        figure(chart, f"{waiting.height:,} pairs wait for a reviewer; how many for which reason."),
        table("Reviews", ("Reason", "Pairs", "For each 10,000 subjects", "Meaning"), rows),
    )


def _words(reason: str) -> str:
    name, _, guard = reason.partition(": ")
    return GUARD_WORDS.get(guard, WORDS[Because(name)])
