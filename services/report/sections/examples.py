"""A few pairs chosen to teach, each as a waterfall: what every term added or took until the decision was reached."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from linkage.explain import PRIOR, scored_pair
from linkage.reason import WORDS, Because, guard_words
from linkage.tell import Evidence, Explainer
from schemas.decision import Decision
from schemas.model import COMPARISONS, MISSING, MatchModel
from services.report import charts
from services.report.charts import Step
from services.report.markup import figure, folded, paragraph, part, section, table


def examples(evidence: pl.DataFrame, model: MatchModel) -> str:
    """Return the waterfalls of the chosen pairs; nothing where there is no pair."""
    explainer = Explainer(model)
    parts = []
    for number, (why, row) in enumerate(_chosen(evidence), start=1):
        told = explainer.evidence(scored_pair(row.row(0, named=True), model.model_id))
        parts.append(_example(f"Pair {number}: {why}", told))
    if not parts:
        return ""
    return section(
        "Pairs explained",
        paragraph(
            "Each term stands where the one before it ended. It begins with the prior: how likely any pair of these",
            "sources is one person before it is looked at. Values never show. How common they are shows as one of",
            "three words that count a fixed number of bits each, and rivals count in steps of three bits, so a sum is",
            "near the exact one without being it. Comparisons of which a value is missing add nothing and are left out",
            "of the charts.",
        ),
        *parts,
    )


def _chosen(evidence: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield why a pair was chosen, and its row: links by strength, reviews by reason, each guard once."""
    net = (pl.col("log2_odds") - pl.col("rival_bits")).alias("_net")
    sure = (pl.col("decision") == Decision.LINK.value) & (pl.col("because") == Because.EVIDENCE.value)
    links = evidence.with_columns(net).filter(sure).sort("_net", maintain_order=True)
    if not links.is_empty():
        yield "the strongest link", links.tail(1)
    if links.height > 2:
        yield "a link in the middle", links[links.height // 2]
    if links.height > 1:
        yield "the weakest link", links.head(1)
    waiting = evidence.filter(pl.col("decision") == Decision.REVIEW.value).sort(
        "probability", descending=True, maintain_order=True
    )
    for guard in sorted(waiting["guard"].drop_nulls().unique()):
        yield f"a review asked for by the guard {guard}", waiting.filter(pl.col("guard") == guard).head(1)
    reasons = (
        (Because.RIVALS, "a tie: a rival comes too near"),
        (Because.GROUP, "a review because of the others it would join"),
        (Because.UNCERTAIN, "an uncertain pair"),
    )
    for because, why in reasons:
        found = waiting.filter(pl.col("because") == because.value)
        if not found.is_empty():
            yield why, found.head(1)


def _example(title: str, told: Evidence) -> str:
    guard = f" {guard_words(told.guard)}" if told.guard else ""
    verdict = f"{told.decision.value}, probability about {told.probability:g}. {WORDS[told.because]}{guard}"
    steps, so_far = [Step(PRIOR, 0.0, told.prior_bits, whole=True)], told.prior_bits
    rows: list[tuple[str, str, str, str, str, str, str]] = [(PRIOR, "", "", "", *2 * (f"{told.prior_bits:+.1f}",), "")]
    for term in told.fields:
        m, u = ("" if share is None else f"{share:.3g}" for share in (term.m, term.u))
        word = "" if term.rarity is None else term.rarity.value
        rows.append((term.name, term.level, m, u, f"{term.weight_bits:+.1f}", f"{term.running_bits:+.1f}", word))
        if term.name not in COMPARISONS or term.level != MISSING:
            level = term.level.replace("_", " ")
            steps.append(Step(f"{term.name.replace('_', ' ')}: {level}", so_far, term.running_bits))
        so_far = term.running_bits
    steps.append(Step("sum", 0.0, so_far, whole=True))
    says = f"{title}. From {told.prior_bits:+.1f} bits to {so_far:+.1f}: {verdict}"
    return part(
        title,
        figure(charts.waterfall(steps, told.policy.link_log2_odds), says),
        folded(
            "The same as a table",
            table(title, ("Term", "Level", "m", "u", "Bits", "Total", "Value is"), rows),
        ),
    )
