"""Sending: one stream over as many connections as it takes, never more than the window ahead of the receipts."""

from __future__ import annotations

import hashlib
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from schemas.contracts.base import Feed
from schemas.contracts.records import FileDeclaration
from schemas.errors import DefectError, InputError, Reason, TransientError
from services.pb.hwlink.v1 import ingest_pb2, ingest_pb2_grpc
from services.rpc.client import open_channel, our_errors
from services.send.encode import Request, close_request, columns_request, open_request, rows_request
from services.send.file import FeedFile
from services.send.report import SendReport

COLUMN_BATCH_ROWS: Final = 5_000
ROW_BATCH_ROWS: Final = 3_000
"""Rows of a batch where the caller says nothing. Larger batches cost less a row (columns are checked in 3 microseconds
at 5,000 and 5 at 2,000); typed rows take 1.1 kB each, and 3,000 of them stay well below the server's 8 MiB."""

_FIRST_DELAY_S: Final = 0.2
_LONGEST_DELAY_S: Final = 10.0
_TICK_S: Final = 0.2

Progress = Callable[[int, int], None]
"""Told (rows with a receipt, rows in all)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sending:
    """How to send: by which entrance, how many rows a batch, and how long to go on without any progress."""

    rows_entrance: bool = False
    rows_a_batch: int | None = None
    patience_s: float = 60.0

    @property
    def batch_rows(self) -> int:
        """Return how many rows a batch has."""
        return self.rows_a_batch or (ROW_BATCH_ROWS if self.rows_entrance else COLUMN_BATCH_ROWS)


def stream_id_of(file: FeedFile, declared: FileDeclaration, how: Sending) -> str:
    """Return the stream's id: the same for the same content, declaration and batches, so that a stream is found again.

    The entrance is part of it, since the server knows a batch by its bytes.
    """
    parts = (file.digest(), declared.model_dump_json(), str(how.rows_entrance), str(how.batch_rows))
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def send(
    file: FeedFile,
    declared: FileDeclaration,
    address: str,
    how: Sending | None = None,
    progress: Progress = lambda done, total: None,
) -> SendReport:
    """Send a file and complete its stream; return what became of it.

    When the server is away or stops, connects again with growing delays and goes on after the last receipt. Raises
    TransientError once `how.patience_s` passed without a receipt, and whatever else the server refuses the stream with.
    """
    how = how or Sending()
    report = SendReport(
        stream_id_of(file, declared, how),
        declared.source,
        file.rows,
        file.count(how.batch_rows),
        full_extract=declared.full_extract,
    )
    started = last_progress = time.monotonic()
    delay_s = _FIRST_DELAY_S
    while True:
        call = _Call(file, declared, report, how, progress)
        try:
            with open_channel(address, retries=False) as channel, our_errors():
                call.run(ingest_pb2_grpc.IngestServiceStub(channel))
            report.seconds = time.monotonic() - started
            return report
        except TransientError as error:
            now = time.monotonic()
            if call.progressed:
                last_progress, delay_s = now, _FIRST_DELAY_S
            if now - last_progress > how.patience_s:
                raise
            log.warning(
                "the server is away; trying again", extra={"reason": error.reason, "delay_s": round(delay_s, 1)}
            )
            # Spread, so that the clients of a server that restarts do not all come at once.
            time.sleep(delay_s * random.uniform(0.5, 1.0))
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)
            report.reconnects += 1


@dataclass(frozen=True)
class _Sent:
    first_row: int
    rows: int


class _Call:
    """One connection's worth of a stream."""

    def __init__(
        self, file: FeedFile, declared: FileDeclaration, report: SendReport, how: Sending, progress: Progress
    ) -> None:
        self._file = file
        self._declared = declared
        self._report = report
        self._how = how
        self._progress = progress
        self._opened = threading.Event()
        self._over = threading.Event()
        self._next = 0
        self._complete = False
        self._most_bytes = 0
        self._window = threading.Semaphore(0)
        self._sent: dict[int, _Sent] = {}
        self._failure: BaseException | None = None
        self.progressed = False

    def run(self, stub: ingest_pb2_grpc.IngestServiceStub) -> None:
        """Open or resume the stream, send what has no receipt, close it; raises what reading the file does."""
        method = stub.IngestHealth if self._declared.feed is Feed.HEALTH else stub.IngestWelfare
        closed = None
        try:
            for response in method(self._requests()):
                closed = self._take(response) or closed
        finally:
            self._over.set()
        if closed is None:
            raise self._failure or TransientError(
                Reason.UNAVAILABLE, "The server ended the stream before it was complete; send the file again."
            )
        self._report.end(closed)

    def _take(self, response: ingest_pb2.IngestResponse) -> ingest_pb2.StreamClosed | None:
        part = response.WhichOneof("part")
        if part == "opened":
            self._next, self._complete = response.opened.next_batch, response.opened.completed
            self._most_bytes = response.opened.max_batch_bytes
            self._report.already_complete = self._complete and not self._report.sent_rows
            if not self._report.reconnects:
                self._report.first_batch = self._next
            for _ in range(response.opened.window):
                self._window.release()
            self._opened.set()
        elif part == "receipt":
            receipt = response.receipt
            sent = self._sent.pop(receipt.batch, None)
            if sent is None:
                raise DefectError(
                    Reason.INTERNAL, "The server gave a receipt for a batch that was not sent; report this."
                )
            self._report.take(receipt, sent.first_row, sent.rows)
            self.progressed = True
            self._progress(sent.first_row + sent.rows, self._file.rows)
            self._window.release()
        elif part == "closed":
            return response.closed
        return None

    def _requests(self) -> Iterator[Request]:
        """Yield the call's requests; gRPC takes them in a thread of its own."""
        try:
            yield open_request(self._report.stream_id, self._declared)
            if not self._wait(self._opened.wait):
                return
            encode = rows_request if self._how.rows_entrance else columns_request
            batches = () if self._complete else self._file.batches(self._how.batch_rows, self._next)
            for number, first_row, frame in batches:
                request = encode(self._declared.feed, number, frame)
                if not self._wait(lambda timeout: self._window.acquire(timeout=timeout)):
                    return
                self._refuse_oversize(request)
                self._sent[number] = _Sent(first_row, frame.height)
                yield request
            yield close_request(self._declared.feed, self._report.batches if not self._complete else self._next)
        except Exception as error:
            # Told to `run`, which raises it. Raised here, gRPC would log it with its text, which may hold a value.
            self._failure = error

    def _refuse_oversize(self, request: Request) -> None:
        """Refuse here what the server would refuse whole, with every record of the batch."""
        if request.ByteSize() > self._most_bytes:
            raise InputError(
                Reason.BATCH_TOO_LARGE,
                f"A batch of {self._how.batch_rows:,} rows is more than the server takes; give a smaller --batch-rows.",
            )

    def _wait(self, ready: Callable[[float], bool]) -> bool:
        """Wait until ready; False when the call is over."""
        while not ready(_TICK_S):
            if self._over.is_set():
                return False
        return True
