"""What became of a file: counted as receipts come in, told at the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from services.pb.hwlink.v1 import error_reason_pb2, ingest_pb2

FIRST_REFUSALS: Final = 20
"""Refusals listed one by one; all are counted."""

_PREFIX: Final = "ERROR_REASON_"


@dataclass(frozen=True)
class RefusedRow:
    """A refused row of the file, counted from 1, and why; `field` is empty for the record as a whole."""

    row: int
    field: str
    reason: str


@dataclass
class SendReport:
    """The outcome. Counts are the stream's over all its calls; refusals are those that this run was told of.

    `first_batch` is where this run went on; `batches` how many the file has; `seconds` how long this run took.
    """

    stream_id: str
    source: str
    rows: int
    batches: int
    first_batch: int = 0
    sent_rows: int = 0
    accepted: int = 0
    refused: int = 0
    duplicate: int = 0
    withdrawn: int = 0
    full_extract: bool = False
    already_complete: bool = False
    reconnects: int = 0
    seconds: float = 0.0
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    first_refusals: list[RefusedRow] = field(default_factory=list)

    def take(self, receipt: ingest_pb2.Receipt, first_row: int, rows: int) -> None:
        """Count a receipt of the batch whose first row in the file is `first_row`, from 0."""
        self.sent_rows += rows
        if receipt.reason:
            self._refuse(RefusedRow(first_row + 1, "", _name(receipt.reason)), rows)
        for refusal in receipt.refusals:
            self._refuse(RefusedRow(first_row + refusal.index + 1, refusal.field, _name(refusal.reason)), 1)

    def end(self, closed: ingest_pb2.StreamClosed) -> None:
        """Take over the stream's counts."""
        self.accepted, self.refused = closed.accepted, closed.refused
        self.duplicate, self.withdrawn = closed.duplicate, closed.withdrawn

    def as_json(self) -> dict[str, Any]:
        """Return the report for `--json`."""
        plain = {name: value for name, value in vars(self).items() if name not in {"refusals", "first_refusals"}}
        plain["refusals"] = [
            {"field": name, "reason": reason, "count": count}
            for (name, reason), count in sorted(self.refusals.items(), key=lambda item: (-item[1], item[0]))
        ]
        plain["first_refusals"] = [vars(one) for one in self.first_refusals]
        return plain

    def _refuse(self, refused: RefusedRow, count: int) -> None:
        # A place in a list says nothing about the field's kind of fault, so it is left out of the counts.
        self.refusals[_without_places(refused.field), refused.reason] += count
        if len(self.first_refusals) < FIRST_REFUSALS:
            self.first_refusals.append(refused)


def _name(reason: error_reason_pb2.ErrorReason) -> str:
    name: str = error_reason_pb2.ErrorReason.Name(reason)
    return name.removeprefix(_PREFIX)


def _without_places(name: str) -> str:
    head, _, rest = name.partition("[")
    return head if not rest else f"{head}[]{rest.partition(']')[2]}"
