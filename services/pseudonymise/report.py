"""What a run says of itself: counts, and faults by row number, field and reason, never by value."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final

import polars as pl

MOST_LISTED: Final = 20
"""Faults that a report lists one by one; the file of faults has them all."""


@dataclass(frozen=True)
class Fault:
    """One row refused, or one field of an accepted row left out."""

    row: int
    field: str
    reason: str
    row_refused: bool


@dataclass
class Report:
    """Counts of one run. `fault_counts` are (field, reason, row_refused) -> how many; `faults` the first of them.

    `values_by_column` says how many records have each linkage variable: what is missing here cannot be matched on.
    `layout_counts` is what a raw layout's file held, `values_left_out` how many values of it must not leave, by column.
    """

    output: str
    faults_file: str | None = None
    rows_read: int = 0
    rows_written: int = 0
    rows_refused: int = 0
    fields_dropped: int = 0
    first_of_january_births: int = 0
    rows_with_nothing_to_link_on: int = 0
    columns_left_out: tuple[str, ...] = ()
    fault_counts: dict[tuple[str, str, bool], int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    values_by_column: dict[str, int] = field(default_factory=dict)
    layout_counts: dict[str, int] = field(default_factory=dict)
    values_left_out: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def records_per_second(self) -> float:
        """Rows read in a second of the whole run, reading and writing included."""
        return self.rows_read / self.seconds if self.seconds else 0.0

    @property
    def commonest_fault(self) -> str:
        """Field and reason of the fault found most often, or that there is none."""
        if not self.fault_counts:
            return "no faults"
        name, reason, _ = max(self.fault_counts, key=self.fault_counts.__getitem__)
        return f"most often {name}: {reason}"

    def add_faults(self, faults: pl.DataFrame) -> None:
        """Count rows of (row, field, reason, row_refused) and keep the first."""
        counts = faults.group_by("field", "reason", "row_refused").len().sort("field", "reason")
        for name, reason, refused, count in counts.iter_rows():
            key = (name, reason, refused)
            self.fault_counts[key] = self.fault_counts.get(key, 0) + count
            if not refused:
                self.fields_dropped += count
        for row in faults.head(MOST_LISTED - len(self.faults)).iter_rows():
            self.faults.append(Fault(*row))

    def count(self, what: str, number: int) -> None:
        """Add to the count of something that a raw layout's file held."""
        self.layout_counts[what] = self.layout_counts.get(what, 0) + number

    def leave_out(self, column: str, number: int) -> None:
        """Add to the count of a column's values that are there and must not leave."""
        self.values_left_out[column] = self.values_left_out.get(column, 0) + number

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        values = asdict(self)
        values["columns_left_out"] = list(self.columns_left_out)
        values["fault_counts"] = [
            {"field": name, "reason": reason, "row_refused": refused, "count": count}
            for (name, reason, refused), count in self.fault_counts.items()
        ]
        return {**values, "records_per_second": round(self.records_per_second)}
