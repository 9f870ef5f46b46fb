"""A Python client of the query service: answers as Polars frames and plain values.

    with CohortClient("127.0.0.1:7402", purpose="planning") as cohorts:
        cohorts.count(cohort="copd_cold_home")
        cohorts.table(["authority", "reg_copd"], where="age >= 65").cells

A withheld number is None, and so is an unknown value; `TableAnswer.cells` tells the two apart by columns of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import Any, Final, Self

import polars as pl

from schemas.errors import Reason, TransientError
from schemas.wire import from_ipc
from services.pb.hwlink.v1 import cohort_pb2, cohort_pb2_grpc, core_pb2
from services.rpc.client import call, open_channel, our_errors

_ROWS_DEADLINE_S: Final = 600.0
_CELLS_A_PAGE: Final = 10_000
_FEEDS: Final = {core_pb2.FEED_HEALTH: "health", core_pb2.FEED_WELFARE: "welfare"}
UNKNOWN, TOTAL = "(unknown)", "(total)"
"""How cells name people of whom a dimension is unknown, and all people whatever their value."""


@dataclass(frozen=True)
class Linkage:
    """How many people of a feed were found in the other one; None where a number is withheld."""

    feed: str
    people: int | None
    linked: int | None
    percent: float | None


@dataclass(frozen=True)
class PublishedSnapshot:
    """One published state: the day it holds for, and its reference data."""

    snapshot_id: str
    as_of: date
    reference_version: str


@dataclass(frozen=True)
class Context:
    """What an answer was computed from, and how the whole snapshot is linked."""

    snapshot_id: str
    as_of: str
    model_id: str
    policy_id: str
    reference_version: str
    linkage: tuple[Linkage, ...]


@dataclass(frozen=True)
class CountAnswer:
    """A count with its denominator; None where a number is withheld. `linkage` is that of the denominator."""

    count: int | None
    denominator: int | None
    percent: float | None
    unknown: int | None
    linkage: tuple[Linkage, ...]
    context: Context


@dataclass(frozen=True)
class TableAnswer:
    """A table as one row a cell: a column each dimension (with `(unknown)` and `(total)`), `count`, `suppressed`."""

    cells: pl.DataFrame
    context: Context


@dataclass(frozen=True)
class Anonymity:
    """What was done to rows so that nobody stands out."""

    k: int
    quasi_identifiers: tuple[str, ...]
    members: int | None
    generalised: int | None
    withheld: int | None


@dataclass(frozen=True)
class MembersAnswer:
    """Rows, `person_id` (the consumer's own) and a column each feature, in frames as they arrive."""

    context: Context
    anonymity: Anonymity
    frames: Iterator[pl.DataFrame]

    def collect(self) -> pl.DataFrame:
        """Return all rows as one frame."""
        return pl.concat(list(self.frames))


class CohortClient:
    """A connection to one query server under one purpose. Raises what the server refused, as `HwlinkError`."""

    def __init__(self, address: str, purpose: str = "planning") -> None:
        """Open a channel to `HOST:PORT`."""
        self._purpose = purpose
        self._channel = open_channel(address)
        self._stub = cohort_pb2_grpc.CohortQueryServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def features(self) -> list[cohort_pb2.Feature]:
        """Return every feature that the purpose may use."""
        request = cohort_pb2.ListFeaturesRequest(purpose=self._purpose)
        return [f for page in self._pages(self._stub.ListFeatures, request) for f in page.features]

    def cohorts(self) -> list[cohort_pb2.Cohort]:
        """Return every cohort that the purpose may ask for."""
        request = cohort_pb2.ListCohortsRequest(purpose=self._purpose)
        return [c for page in self._pages(self._stub.ListCohorts, request) for c in page.cohorts]

    def snapshots(self) -> list[PublishedSnapshot]:
        """Return the published snapshots, newest first."""
        request = cohort_pb2.ListPublishedSnapshotsRequest(purpose=self._purpose)
        return [
            PublishedSnapshot(s.snapshot_id, date.fromisoformat(s.as_of), s.reference_version)
            for page in self._pages(self._stub.ListPublishedSnapshots, request)
            for s in page.snapshots
        ]

    def count(self, where: str = "", cohort: str = "", snapshot: str | None = None, frozen: str = "") -> CountAnswer:
        """Return how many people are meant by a filter, a cohort or a frozen one, or by a filter and one of them."""
        request = cohort_pb2.CountRequest(
            purpose=self._purpose, selection=_selection(where, cohort, frozen), snapshot_id=snapshot
        )
        answer = call(self._stub.Count, request)
        return CountAnswer(
            count=_number(answer.count),
            denominator=_number(answer.denominator),
            percent=answer.percent if answer.HasField("percent") else None,
            unknown=_number(answer.unknown),
            linkage=(_linkage(answer.linkage.health), _linkage(answer.linkage.welfare)),
            context=_context(answer.context),
        )

    def table(
        self,
        by: Sequence[str],
        where: str = "",
        cohort: str = "",
        margins: bool = True,
        snapshot: str | None = None,
        frozen: str = "",
    ) -> TableAnswer:
        """Return how many people are meant, by the values of one to three features."""
        request = cohort_pb2.TableRequest(
            purpose=self._purpose,
            selection=_selection(where, cohort, frozen),
            dimensions=by,
            margins=margins,
            page_size=_CELLS_A_PAGE,
            snapshot_id=snapshot,
        )
        first = call(self._stub.Table, request)
        pages = [first]
        if first.next_page_token:
            # All pages of one snapshot, even when a newer one comes out meanwhile: ask again and name it.
            request.snapshot_id = first.context.snapshot_id
            pages = list(self._pages(self._stub.Table, request))
        cells = [_cell(page.dimensions, cell) for page in pages for cell in page.cells]
        schema = {**dict.fromkeys(by, pl.String), "count": pl.Int64, "suppressed": pl.Boolean}
        return TableAnswer(pl.DataFrame(cells, schema=schema), _context(first.context))

    def members(
        self, where: str = "", cohort: str = "", features: Sequence[str] = (), snapshot: str | None = None
    ) -> MembersAnswer:
        """Return the people who are meant, as rows; the purpose must permit rows."""
        request = cohort_pb2.MembersRequest(
            purpose=self._purpose, selection=_selection(where, cohort), features=features, snapshot_id=snapshot
        )
        with our_errors():
            answers = self._stub.Members(request, timeout=_ROWS_DEADLINE_S, wait_for_ready=True)
            context, report = next(answers).context, next(answers).anonymity
        anonymity = Anonymity(
            report.k,
            tuple(report.quasi_identifiers),
            *(_number(n) for n in (report.members, report.generalised, report.withheld)),
        )
        return MembersAnswer(_context(context), anonymity, _frames(answers))

    def _pages(self, method: Any, request: Any) -> Iterator[Any]:
        """Yield the pages of an answer."""
        while True:
            page = call(method, request)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def _frames(answers: Iterator[cohort_pb2.MembersResponse]) -> Iterator[pl.DataFrame]:
    token = ""
    with our_errors():
        for answer in answers:
            token = answer.rows.next_page_token
            yield from_ipc(answer.rows.arrow_ipc)
    if token:
        raise TransientError(Reason.UNAVAILABLE, "The rows ended before the last of them; ask again.")


def _selection(where: str, cohort: str, frozen: str = "") -> cohort_pb2.Selection:
    return cohort_pb2.Selection(cohort_id=cohort, filter=where, freeze_id=frozen)


def _number(released: core_pb2.ReleasedCount) -> int | None:
    return released.value if released.HasField("value") else None


def _linkage(rate: cohort_pb2.LinkageRate) -> Linkage:
    percent = rate.linked_percent if rate.HasField("linked_percent") else None
    return Linkage(_FEEDS.get(rate.feed, ""), _number(rate.people), _number(rate.linked), percent)


def _context(context: cohort_pb2.AnswerContext) -> Context:
    return Context(
        context.snapshot_id,
        context.as_of,
        context.model_id,
        context.policy_id,
        context.reference_version,
        tuple(_linkage(rate) for rate in context.linkage_rates),
    )


def _cell(names: Sequence[str], cell: cohort_pb2.TableCell) -> dict[str, Any]:
    kinds = {
        cohort_pb2.DIMENSION_VALUE_KIND_UNKNOWN: UNKNOWN,
        cohort_pb2.DIMENSION_VALUE_KIND_TOTAL: TOTAL,
    }
    values = [kinds.get(value.kind, value.value) for value in cell.values]
    return {**dict(zip(names, values, strict=True)), "count": _number(cell.count), "suppressed": cell.count.suppressed}
