"""The client of a storm: streams sent over gRPC by `hwlink send`'s own code, a few at a time, held back by a gate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from schemas.agreement import shipped_agreement
from schemas.errors import TransientError
from services.send.file import FeedFile, Stated, lawful
from services.send.session import Sending
from services.send.session import send as send_file
from tests.robustness.records import Stream

PATIENCE_S = 300.0


class StoppedError(Exception):
    """The storm is over before everything was sent."""


class Feeder:
    """Sends streams in threads. Nothing goes further than the share of all records that `let_through` allows."""

    def __init__(self, streams: Sequence[Stream], address: str, at_once: int = 3) -> None:
        self._waiting = list(streams)
        self._address = address
        self._total = sum(stream.rows for stream in streams)
        self._done: dict[Stream, int] = {}
        self._allowed = 0.0
        self._changed = threading.Condition()
        self._stopped = False
        self.reconnects = 0
        self.accepted = 0
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(at_once)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(20)

    @property
    def share(self) -> float:
        """The share of all records that has receipts."""
        with self._changed:
            return sum(self._done.values()) / self._total

    @property
    def is_done(self) -> bool:
        """Whether nothing is being sent any more."""
        return not any(thread.is_alive() for thread in self._threads)

    def let_through(self, share: float) -> None:
        """Allow so large a share of all records to be sent."""
        with self._changed:
            self._allowed = share
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    if not self._waiting or self._stopped:
                        return
                    stream = self._waiting.pop(0)
                self._send(stream)
        except StoppedError:
            return
        except BaseException as error:  # told to the storm, which ends with it
            self.failures.append(f"{stream.path.name}: {type(error).__name__} {error}")

    def _send(self, stream: Stream) -> None:
        file = FeedFile(stream.path, stream.feed)
        declared = lawful(file, shipped_agreement("test"), Stated())
        how = Sending(rows_a_batch=stream.batch_rows, patience_s=PATIENCE_S)
        deadline = time.monotonic() + 2 * PATIENCE_S
        while True:
            try:
                report = send_file(file, declared, self._address, how, self._gate(stream))
                break
            except TransientError:
                if time.monotonic() > deadline or self._stopped:
                    raise
        with self._changed:
            self._done[stream] = stream.rows
            self.reconnects += report.reconnects
            self.accepted += report.accepted
        if report.accepted != stream.rows:
            self.failures.append(f"{stream.path.name}: {report.accepted} of {stream.rows} records were accepted")

    def _gate(self, stream: Stream) -> Callable[[int, int], None]:
        def wait(done: int, _total: int) -> None:
            with self._changed:
                self._done[stream] = done
                while sum(self._done.values()) > self._allowed * self._total and not self._stopped:
                    self._changed.wait(1)
                if self._stopped:
                    raise StoppedError

        return wait
