"""The model behind the decisions: what each level weighs, how likely matches are, and how it was fitted."""

from __future__ import annotations

from collections.abc import Iterator
from math import log2

from schemas.model import COMPARISONS, MatchModel
from services.report import charts
from services.report.markup import bullets, figure, folded, paragraph, part, section, table


def model_section(model: MatchModel) -> str:
    """Return the weights, m and u, priors with their intervals, and the training. Frequencies show as numbers of values
    only.
    """
    return section(
        "The model", paragraph(f"{model.model_id}: {model.title}"), _weights(model), _priors(model), _fit(model)
    )


def _levels(model: MatchModel) -> Iterator[tuple[str, str, float, float]]:
    for comparison in model.comparisons:
        for level, m, u in zip(COMPARISONS[comparison.name], comparison.m, comparison.u, strict=True):
            yield comparison.name.replace("_", " "), level.replace("_", " "), m, u


def _weights(model: MatchModel) -> str:
    levels = list(_levels(model))
    bits = [
        {"comparison": name, "level": level, "bits": log2(m / u)} for name, level, m, u in levels if m > 0 and u > 0
    ]
    shares = [
        {"comparison": name, "level": level, "among": among, "share": share}
        for name, level, m, u in levels
        for among, share in (("one person (m)", m), ("strangers (u)", u))
    ]
    rows = [
        (name, level, f"{m:.3g}", f"{u:.3g}", f"{log2(m / u):+.1f}" if m > 0 and u > 0 else "")
        for name, level, m, u in levels
    ]
    return part(
        "What each level weighs",
        figure(
            charts.level_weights(bits),
            "Weight of each level in bits: to the right it speaks for one person, to the left against. One bit doubles "
            "or halves the odds.",
        ),
        figure(
            charts.level_shares(shares),
            "How likely each level is for two records of one person (m) and of two strangers (u). Levels that say that "
            "something is unknown are unions of others, so the shares of such a comparison add up to more than one.",
        ),
        folded("The same as a table", table("m, u and bits", ("Comparison", "Level", "m", "u", "Bits"), rows)),
        paragraph(_told_frequencies(model), _told_dependences(model)),
    )


def _told_frequencies(model: MatchModel) -> str:
    tables = [f"{table.column.removeprefix('token_')} ({len(table.values):,} values)" for table in model.frequencies]
    if not tables:
        return "The model knows of no frequencies: a rare value counts as much as a common one."
    return (
        f"How common a value is counts beside this for: {', '.join(tables)}. Rarer values than "
        "those count as the rarest of them."
    )


def _told_dependences(model: MatchModel) -> str:
    pairs = [f"{d.first.replace('_', ' ')} with {d.second.replace('_', ' ')}" for d in model.dependences]
    return f"Fields that go together, and therefore count less together: {', '.join(pairs)}." if pairs else ""


def _priors(model: MatchModel) -> str:
    if not model.priors:
        return part("Priors", paragraph(f"One prior for all pairs of sources: {model.default_log2_prior:+.1f} bits."))
    names = [f"{p.left_source} with {p.right_source}" for p in model.priors]
    chart = charts.intervals(
        [
            {"name": name, "of": "prior", "value": p.log2_prior, "low": p.log2_prior_low, "high": p.log2_prior_high}
            for name, p in zip(names, model.priors, strict=True)
        ],
        "bits (log2 odds)",
    )
    rows = [
        (
            name,
            f"{p.log2_prior:+.2f}",
            f"{p.log2_prior_low:+.2f} to {p.log2_prior_high:+.2f}",
            f"1 in {2**-p.log2_share:,.0f}",
            *(f"{share:.1%}" if share else None for share in (p.left_matched, p.right_matched)),
        )
        for name, p in zip(names, model.priors, strict=True)
    ]
    headings = ("Sources", "Bits", "95 % interval", "Pairs that are matches", "First's matched", "Second's matched")
    return part(
        "Priors",
        figure(chart, "How likely a pair of two sources is one person before it is looked at, with 95 % intervals."),
        table("Priors", headings, rows),
    )


def _fit(model: MatchModel) -> str:
    report = model.report
    if report is None:
        return part("Training", paragraph("This model was not fitted to data: it is the one that ships with hwlink."))
    rows = [
        (
            s.name.replace("_", " "),
            s.pairs,
            f"{s.expected_matches:,.0f}",
            s.iterations,
            "yes" if s.converged else "no",
            f"{s.last_change:.1g}",
            "yes" if s.used else f"no: {s.note}",
        )
        for s in report.sessions
    ]
    used = sum(s.used for s in report.sessions)
    stuck = sum(s.used and not s.converged for s in report.sessions)
    return part(
        "Training",
        paragraph(
            f"Fitted without labels to {report.subjects:,} subjects (seed {report.seed}) in {len(rows)} sessions, one",
            f"for each blocking pass; {used} were used, {stuck} of them without having converged.",
            f"{report.random_pairs:,} random pairs gave u. {report.stopped_pairs:,} pairs lie in blocks that are too",
            "large to search.",
        ),
        table(
            "Sessions", ("Pass", "Pairs", "Matches expected", "Iterations", "Converged", "Last change", "Used"), rows
        ),
        bullets(report.notes) if report.notes else "",
    )
