"""Fitness: what a file is like before anyone sends it, in counts that may be told, with a verdict.

It reads what `pseudonymise` would read and checks it by the same rules; it needs no key, writes nothing, and never
tells a value.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from linkage.encode import examine
from schemas.agreement import Agreement
from services.pseudonymise.clear import ClearSource, clear_chunks
from services.pseudonymise.fitness.findings import Finding, Severity, Verdict, findings, share_told, told, verdict
from services.pseudonymise.fitness.profile import Profile
from services.pseudonymise.fitness.thresholds import DEFAULT, Thresholds
from services.pseudonymise.job import ROWS_AT_ONCE
from services.pseudonymise.report import Report
from services.pseudonymise.seen import SeenRecords

__all__ = ["DEFAULT", "Finding", "Fitness", "Severity", "Thresholds", "Verdict", "check"]


@dataclass(frozen=True)
class Fitness:
    """The report: a verdict, its findings, and what the file holds. Every count is as reports may tell it.

    `fields` are (field, filled, usable) in percent of records, `facts` (kind, facts, records that have some).
    """

    verdict: Verdict
    rows: str
    records: str
    findings: tuple[Finding, ...]
    fields: tuple[tuple[str, str, str], ...]
    facts: tuple[tuple[str, str, str], ...]
    held: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...]
    columns_left_out: tuple[str, ...]
    thresholds: Thresholds

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return {
            **asdict(self),
            "fields": [dict(zip(("field", "filled", "usable"), row, strict=True)) for row in self.fields],
            "facts": [dict(zip(("kind", "facts", "records"), row, strict=True)) for row in self.facts],
            "held": dict(self.held),
            "left_out": dict(self.left_out),
        }


def check(source: ClearSource, agreement: Agreement, extracted_on: date, limits: Thresholds = DEFAULT) -> Fitness:
    """Read a whole file and report its fitness; InputError where it cannot be read at all.

    Memory is a chunk's, and 16 bytes a record for what is told twice.
    """
    report, profile, seen = Report(output=""), Profile(source.feed), SeenRecords()
    chunks, _ = clear_chunks(source, extracted_on, report, ROWS_AT_ONCE, pseudonyms=True)
    for chunk in chunks:
        examined = examine(
            chunk.frame,
            agreement,
            source.feed,
            latest=extracted_on,
            rows=chunk.rows,
            repeated=seen.repeated(chunk.frame),
        )
        profile.add(examined, len(chunk.unreadable), extracted_on)
    found = findings(profile, limits)
    return Fitness(
        verdict(found),
        told(profile.rows),
        told(profile.records),
        tuple(found),
        tuple(
            (name, share_told(profile.given[name], profile.records), share_told(profile.usable[name], profile.records))
            for name in profile.given
        ),
        tuple((name, told(profile.facts[name]), told(profile.holders[name])) for name in profile.facts),
        tuple((what, told(count)) for what, count in report.layout_counts.items()),
        tuple((column, told(count)) for column, count in report.values_left_out.items()),
        report.columns_left_out,
        limits,
    )
