"""The gRPC face of ingest: reads a call's messages, keeps its window, and answers in the order of batches.

While one batch is written to disk, the next is checked; receipts still go out in order, and none before its batch is
durable.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import grpc

from schemas.contracts.base import Feed
from schemas.errors import InputError, Reason, TransientError
from services.ingest.stage import RowBatch
from services.ingest.stream import WINDOW, Door, IngestStream
from services.pb.hwlink.v1 import ingest_pb2, ingest_pb2_grpc
from services.rpc.server import Service

Request = ingest_pb2.HealthIngestRequest | ingest_pb2.WelfareIngestRequest
Response = ingest_pb2.IngestResponse
Batch = RowBatch | ingest_pb2.ColumnBatch

SERVICE_NAME: Final = "hwlink.v1.IngestService"
_LOOK_UP_S: Final = 0.2
"""How often an idle stream looks whether the server is stopping."""


class IngestService(ingest_pb2_grpc.IngestServiceServicer):
    """Both feeds' entrances."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def IngestHealth(
        self, request_iterator: Iterator[ingest_pb2.HealthIngestRequest], context: grpc.ServicerContext
    ) -> Iterator[Response]:
        """Take one stream of a health feed."""
        return self._serve(Feed.HEALTH, request_iterator)

    def IngestWelfare(
        self, request_iterator: Iterator[ingest_pb2.WelfareIngestRequest], context: grpc.ServicerContext
    ) -> Iterator[Response]:
        """Take one stream of a welfare feed."""
        return self._serve(Feed.WELFARE, request_iterator)

    def _serve(self, feed: Feed, requests: Iterator[Request]) -> Iterator[Response]:
        call = _Call(self._door, feed, _Inbox(requests))
        with ThreadPoolExecutor(1, thread_name_prefix="publish") as publisher:
            yield from call.run(publisher)


def service(door: Door) -> Service:
    """Return the service for an `RpcServer`."""
    return Service(
        SERVICE_NAME,
        lambda server: ingest_pb2_grpc.add_IngestServiceServicer_to_server(IngestService(door), server),
    )


class _Inbox:
    """A call's requests, read as they come by a thread of their own, so that a client beyond its window is noticed."""

    def __init__(self, requests: Iterator[Request]) -> None:
        self._queue: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._unanswered = 0
        self._lock = threading.Lock()
        self.overrun = False
        threading.Thread(target=self._read, args=(requests,), name="inbox", daemon=True).start()

    def _read(self, requests: Iterator[Request]) -> None:
        try:
            for request in requests:
                if request.WhichOneof("part") in {"rows", "columns"}:
                    with self._lock:
                        self._unanswered += 1
                        if self._unanswered > WINDOW:
                            self.overrun = True
                            break
                self._queue.put(request)
        except Exception:  # noqa: S110 - the call has ended, by its client or by ours; either way nothing more comes
            pass
        finally:
            self._queue.put(None)

    def answered(self) -> None:
        """Count a receipt; called before it goes out, since the client may send again as soon as it has it."""
        with self._lock:
            self._unanswered -= 1

    def get(self, timeout_s: float) -> Request | None:
        """Return the next request, None when the client has ended; raises queue.Empty."""
        return self._queue.get(timeout=timeout_s)

    def waiting(self) -> int:
        """Return how many requests have been read and not taken yet."""
        return self._queue.qsize()


@dataclass
class _Pending:
    batch: int
    receipt: Future[ingest_pb2.Receipt]


class _Call:
    """One call from its opening to its end."""

    def __init__(self, door: Door, feed: Feed, inbox: _Inbox) -> None:
        self._door = door
        self._feed = feed
        self._inbox = inbox
        self._pending: _Pending | None = None
        self._left: int | None = None

    def run(self, publisher: ThreadPoolExecutor) -> Iterator[Response]:
        """Serve the call; a failure ends it, after the receipts of what is durable by then."""
        first = self._next()
        if first is None or first.WhichOneof("part") != "open":
            raise InputError(
                Reason.STREAM_NOT_OPENED, "The first message of a call opens its stream; send `open` and then batches."
            )
        with self._door.serving(first.open.stream_id, self) as slot:
            stream = IngestStream(self._door, self._feed, first.open, slot, self)
            yield Response(opened=stream.opened())
            try:
                yield from self._batches(stream, publisher)
            except Exception:
                yield from self._settle()
                raise

    def _batches(self, stream: IngestStream, publisher: ThreadPoolExecutor) -> Iterator[Response]:
        while (request := self._next()) is not None:
            part = request.WhichOneof("part")
            if part == "close":
                yield from self._settle()
                yield Response(closed=stream.close(request.close))
                return
            if part not in {"rows", "columns"}:
                raise InputError(
                    Reason.STREAM_NOT_OPENED,
                    "After its opening a call takes rows, columns and close; send one of them.",
                )
            batch: Batch = request.rows if part == "rows" else request.columns
            yield from self._take(stream, batch, publisher)
            if not self._inbox.waiting():
                yield from self._settle()  # the client waits for this receipt, not we for its next batch
        yield from self._settle()
        if self._inbox.overrun:
            raise TransientError(
                Reason.BUSY,
                f"More than {WINDOW} batches were sent without a receipt; open the stream again, go on at next_batch "
                "and wait for receipts.",
            )

    def _take(self, stream: IngestStream, batch: Batch, publisher: ThreadPoolExecutor) -> Iterator[Response]:
        if not stream.is_next(batch.batch):
            yield from self._settle()
            again = stream.answer_again(batch)
            if again is not None:
                self._inbox.answered()
                yield Response(receipt=again)
                return
        staged = stream.stage(batch)
        yield from self._settle()
        self._pending = _Pending(batch.batch, publisher.submit(stream.publish, batch.batch, staged))

    def _settle(self) -> Iterator[Response]:
        """Wait for the batch that is being published, if there is one, and give its receipt."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            try:
                receipt = pending.receipt.result()
            finally:
                # A failure holds this frame, which must not hold the failure in turn: with both go the call's batches.
                del pending
            self._inbox.answered()
            yield Response(receipt=receipt)

    def _next(self) -> Request | None:
        """Return the next request, None at the client's end.

        Once the server is stopping, what was read by then is still served; then TransientError UNAVAILABLE.
        """
        while True:
            if self._door.stop.is_set():
                self._left = self._inbox.waiting() if self._left is None else self._left - 1
                if self._left <= 0:
                    raise TransientError(
                        Reason.UNAVAILABLE, "The server is stopping; open the stream again when it is back."
                    )
            with suppress(queue.Empty):
                return self._inbox.get(_LOOK_UP_S)
