"""Quality without labels: estimates with their intervals, overall, by subgroup and by threshold, protected as released
counts are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from linkage.disclosure import release_count, release_percent, release_table
from schemas.disclosure import CountRule, DisclosurePolicy
from schemas.features import Sensitivity
from schemas.quality import Estimate, GroupQuality, QualityReport
from services.report import charts
from services.report.charts import Row
from services.report.markup import Cell, figure, folded, paragraph, part, section, table

WITHHELD = "withheld"


def estimated_section(report: QualityReport, policy: DisclosurePolicy) -> str:
    """Return what is thought of the linkage's errors, with intervals; subgroups' counts pass the policy."""
    # Subgroups are of benefit, ethnicity and the like; the strictest rule holds for all, so that none needs a class.
    rule = policy.rule(Sensitivity)
    return section(
        "Quality, estimated without labels",
        paragraph(report.statement),
        _overall(report),
        _sources(report, rule),
        _groups(report, rule, policy.min_contributors),
        _thresholds(report),
        _checks(report, rule),
    )


def interval(estimate: Estimate, places: int = 2) -> str:
    """Return an estimate as text, in per cent with its interval, or why there is none."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return f"not estimable: {str(estimate.not_estimable).replace('_', ' ')}"
    return f"{estimate.value:.{places}%} ({estimate.low:.{places}%} to {estimate.high:.{places}%})"


def _points(name: str, estimates: dict[str, Estimate]) -> list[Row]:
    return [
        {"name": name, "of": of, "value": e.value, "low": e.low, "high": e.high}
        for of, e in estimates.items()
        if e.value is not None
    ]


def _overall(report: QualityReport) -> str:
    both = {"links": report.links, "persons": report.persons}
    rows = [(name, a.found, interval(a.precision), interval(a.recall)) for name, a in both.items()]
    points = [
        point for name, a in both.items() for point in _points(name, {"precision": a.precision, "recall": a.recall})
    ]
    chart = figure(charts.intervals(points, "share"), "Estimated precision and recall, with 95 % intervals.")
    found = table("Overall, with 95 % intervals", ("", "Found", "Precision", "Recall"), rows)
    return part("Overall", chart if points else "", found)


def _sources(report: QualityReport, rule: CountRule) -> str:
    counts = [[release_count(n, rule) for n in (s.subjects, s.linked, s.unlinkable)] for s in report.sources]
    rows = [
        (s.source, *(WITHHELD if count is None else count for count in numbers), interval(s.link_rate, 1))
        for s, numbers in zip(report.sources, counts, strict=True)
    ]
    fields = [
        name for name in report.sources[0].completeness if name.startswith("token_") and not _derived(name)
    ] if report.sources else []  # fmt: skip
    completeness: list[tuple[Cell, ...]] = [
        (_words(name.removeprefix("token_")), *(f"{s.completeness.get(name, 0.0):.1%}" for s in report.sources))
        for name in fields
    ]
    return part(
        "Sources",
        table("Who is linked", ("Source", "Subjects", "Linked", "Unlinkable", "Link rate"), rows),
        table("How many subjects have a value", ("Field", *(s.source for s in report.sources)), completeness),
    )


def _derived(column: str) -> bool:
    return column.endswith(("_phonetic", "_swapped", "_nickname"))


@dataclass(frozen=True)
class _Told:
    """One group with what may be told of its counts."""

    group: GroupQuality
    subjects: int | None
    linked: int | None

    @property
    def percent(self) -> float | None:
        return release_percent(self.linked, self.subjects)


def _groups(report: QualityReport, rule: CountRule, least: int) -> str:
    parts = [
        paragraph(
            f"Counts up to {rule.suppress_up_to} are withheld, with whatever would give them away; others are rounded",
            f"to {rule.round_to}, and rates are those of the rounded counts. A standardised difference says how much",
            "more common a group is among the linked than among the unlinked; beyond 0.1 either way is noteworthy.",
        )
    ]
    for source in report.sources:
        groups = [group for group in report.groups if group.source == source.source]
        told = [
            row
            for _, of_variable in groupby(groups, key=lambda group: group.variable)
            for row in _released(list(of_variable), rule)
        ]
        if told:
            parts.append(_of_source(source.source, told, least))
            differences = [(_words(name), f"{value:.2f}") for name, value in source.differences.items()]
            caption = f"{source.source}: standardised difference of each variable"
            parts.append(table(caption, ("Variable", "Difference"), differences))
    return part("Subgroups", *parts) if len(parts) > 1 else ""


def _released(groups: Sequence[GroupQuality], rule: CountRule) -> list[_Told]:
    """Return the groups of one variable with their counts released together, so that none gives another away."""
    cells = np.array([(group.linked, group.subjects - group.linked) for group in groups], dtype=np.int64)
    released = release_table(cells, rule, (True, True))
    shown = [
        [None if hidden else int(value) for value, hidden in zip(values, mask, strict=True)]
        for values, mask in zip(released.values, released.suppressed, strict=True)
    ]
    return [_Told(group, row[-1], row[0]) for group, row in zip(groups, shown, strict=False)]


def _of_source(source: str, told: Sequence[_Told], least: int) -> str:
    rows, points = [], []
    for row in told:
        group, name = row.group, f"{_words(row.group.variable)}: {_words(row.group.group)}"
        difference = group.standardised_difference
        judged = row.linked is not None and row.linked >= least
        notes = [
            word
            for word, holds in (("noteworthy", group.noteworthy), ("below overall", group.below_overall))
            if holds and judged
        ]
        rows.append(
            (
                name,
                WITHHELD if row.subjects is None else row.subjects,
                WITHHELD if row.linked is None else row.linked,
                None if row.percent is None else f"{row.percent:.1f}%",
                interval(group.precision, 1) if judged else WITHHELD,
                interval(group.recall, 1) if judged else WITHHELD,
                f"{difference:+.2f}" if judged and difference is not None else None,
                ", ".join(notes),
            )
        )
        if judged:
            points += _points(name, {"precision": group.precision, "recall": group.recall})
    headings = ("Group", "Subjects", "Linked", "Link rate", "Precision", "Recall", "Difference", "Note")
    says = f"{source}: estimated precision and recall of each group's links, with 95 % intervals."
    chart = figure(charts.intervals(points, "share"), says) if points else ""
    return chart + folded(f"{source}: all figures by group", table(f"{source}, by group", headings, rows))


def _thresholds(report: QualityReport) -> str:
    rows: list[tuple[Cell, ...]] = [
        (
            f"{t.link_probability:g}" + (f" ({t.name})" if t.name else ""),
            t.links,
            t.persons_of_two_or_more,
            interval(t.precision),
            interval(t.recall),
            *(f"{rate:.1%}" for rate in t.link_rates.values()),
        )
        for t in report.thresholds
    ]
    points = [
        point
        for t in report.thresholds
        for point in _points(f"{t.link_probability:g}", {"precision": t.precision, "recall": t.recall})
    ]
    sources = list(report.thresholds[0].link_rates) if report.thresholds else []
    headings = ("Link threshold", "Links", "Persons of two or more", "Precision", "Recall", *sources)
    says = "Estimated precision and recall were the link threshold another one, with 95 % intervals."
    return part(
        "At other thresholds",
        figure(charts.intervals(points, "share"), says) if points else "",
        table("Sensitivity to the threshold; link rates by source", headings, rows),
    )


def _checks(report: QualityReport, rule: CountRule) -> str:
    grades = [(f"{g.left_source} with {g.right_source}", g.grade, g.links) for g in report.grades]
    released = {name: release_count(count, rule) for name, count in report.implausible.items()}
    odd = [(_words(name), WITHHELD if count is None else count) for name, count in released.items()]
    parts = [table("Links by how sure they are", ("Sources", "Grade", "Links"), grades)]
    if odd:
        parts.append(table("What is implausible in the persons made", ("", "Persons"), odd))
    key = report.key_check
    if key is not None:
        row = (_words(key.key), key.true_pairs, key.found_pairs, interval(key.precision), interval(key.recall))
        headings = ("Hidden key", "Pairs that share it", "Pairs found", "Precision", "Recall")
        parts.append(table("Linked again with a key hidden", headings, [row]))
    return part("Checks", *parts)


def _words(name: str) -> str:
    return name.replace("_", " ")
