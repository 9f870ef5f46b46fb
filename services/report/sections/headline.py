"""What was linked, what came out, and what it took."""

from __future__ import annotations

from typing import Any

from services.report.markup import section, table


def headline(summary: dict[str, Any]) -> str:
    """Return the run's files, counts, time and memory. Files go by their source: a path may say more than it should."""
    counts, seconds = summary["counts"], summary["seconds"]
    found = [
        ("Subjects", counts["subjects"]),
        ("Links", counts["link"]),
        ("Pairs put to review", counts["review"]),
        ("Reviews for each 10,000 subjects", f"{summary['review_per_10000_subjects']:,}"),
        ("Persons", counts["persons"]),
        ("Persons of two subjects or more", counts["persons_of_two_or_more"]),
        ("Subjects that could not be linked, whoever they met", counts["unlinkable"]),
        ("Model", summary["model"]["model_id"] + (" (fitted to these files)" if summary["model"]["fitted"] else "")),
        ("Peak memory, MiB", summary["peak_memory_mib"]),
    ]
    return section(
        "The run",
        table(
            "Files",
            ("Source", "Records", "One record for each person"),
            [(f["source"], f["records"], "yes" if f["one_record_per_person"] else "no") for f in summary["files"]],
        ),
        table("What came out", ("", "Number"), found),
        table("Seconds", ("Stage", "Seconds"), [(stage, f"{spent:.2f}") for stage, spent in seconds.items()]),
    )
