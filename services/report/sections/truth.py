"""Scores against a truth, for runs that were given one."""

from __future__ import annotations

from typing import Any, Final

from services.report.markup import paragraph, section, table

_NAMES: Final = {
    "links": "Links",
    "links_with_review": "Links, every review taken for a link",
    "persons": "Persons",
    "persons_with_review": "Persons, every review taken for a link",
}


def truth_section(summary: dict[str, Any]) -> str:
    """Return precision, recall and F1 of links and persons; nothing for a run without a truth."""
    scores = summary.get("quality")
    if not scores:
        return ""
    rows = [
        (
            _NAMES.get(name, name.replace("_", " ")),
            *(f"{score[ratio]:.2%}" for ratio in ("precision", "recall", "f1")),
            int(score["correct"]),
            int(score["found"]),
            int(score["true"]),
        )
        for name, score in scores.items()
    ]
    return section(
        "Against the truth",
        paragraph("The run was given the truth. Precision: how many of those found are right. Recall: how many of the",
                  "true ones were found. F1: their harmonic mean. Persons are judged by their pairs of subjects."),
        table("Scores", ("", "Precision", "Recall", "F1", "Correct", "Found", "True"), rows),
    )  # fmt: skip
