"""What a client of kafka-python's keeps of a failure holds nothing of what was to be sent."""

from __future__ import annotations

import gc
import weakref

import pytest
from kafka import errors

from schemas.errors import TransientError
from services.bus.kafka_errors import our_errors


class Batch:
    """Stands for what is to be sent; unlike a tuple, it can be watched."""


def test_a_failure_that_is_kept_keeps_nothing_of_what_was_sent() -> None:
    kept: list[BaseException] = []

    def ask(batch: Batch) -> None:
        try:
            raise OSError(batch)
        except OSError as first:
            first.args = ()
            kept.append(errors.KafkaTimeoutError())
            raise kept[-1] from first

    def send(batch: Batch) -> None:
        with our_errors("hwlink.subjects.v1"):
            ask(batch)

    batch = Batch()
    held = weakref.ref(batch)
    with pytest.raises(TransientError):
        send(batch)
    del batch
    gc.collect()

    assert kept
    assert held() is None
