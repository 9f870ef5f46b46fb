"""Kafka's failures in our words. What the client or the broker wrote is dropped: it may quote what was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from kafka import errors

from schemas.errors import DefectError, HwlinkError, InputError, Reason, StateError, TransientError
from services.bus.kafka_client import UNACCEPTED

_SAYINGS: Final[tuple[tuple[tuple[type[BaseException], ...], type[HwlinkError], Reason, str], ...]] = (
    (
        (errors.AuthorizationError,),
        StateError,
        Reason.SETTING_INVALID,
        "The broker does not let this principal use {what}; grant it with `hwlink topics apply`, or check "
        "HWLINK_KAFKA_SECURITY_PATH.",
    ),
    (
        UNACCEPTED,
        StateError,
        Reason.SETTING_INVALID,
        "The broker and this principal did not accept each other's identity; check the file that "
        "HWLINK_KAFKA_SECURITY_PATH names.",
    ),
    (
        (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError),
        InputError,
        Reason.BATCH_TOO_LARGE,
        "The broker refuses a message of this size for {what}; `hwlink topics diff` shows whether the topic's limit "
        "was lowered, else send fewer rows in each batch.",
    ),
    (
        (errors.UnknownTopicOrPartitionError, errors.InvalidTopicError),
        StateError,
        Reason.STORE_MISSING,
        "The broker has not all of {what}; make the topics with `hwlink topics apply`.",
    ),
    (
        (errors.InvalidRecordError,),
        InputError,
        Reason.OPTION_INVALID,
        "A message for {what} has no key, and a compacted topic needs one; give it a key.",
    ),
    (
        (errors.FencedInstanceIdError, errors.UnreleasedInstanceIdError),
        StateError,
        Reason.OWNERSHIP_LOST,
        "Another process reads {what} under this member's name; give every process a name of its own, and end one.",
    ),
    (
        (errors.LogTruncationError, errors.OffsetOutOfRangeError),
        StateError,
        Reason.NOT_RECONCILED,
        "The broker no longer has what was read of {what}: messages were lost, or this is another broker. "
        "Put the old one back, or, if it is gone for good, run `hwlink store new-bus`.",
    ),
    (
        (errors.KafkaConfigurationError,),
        StateError,
        Reason.SETTING_INVALID,
        "The Kafka client does not take its settings; check HWLINK_KAFKA_SECURITY_PATH.",
    ),
    (
        (
            errors.RetriableError,
            errors.BrokerNotAvailableError,
            errors.UnknownBrokerIdError,
            errors.CommitFailedError,
            errors.CorruptRecordError,
            # The producer that met these is thrown away, and its successor sends the same again.
            errors.IllegalStateError,
            errors.OutOfOrderSequenceNumberError,
            errors.UnknownProducerIdError,
            errors.InvalidProducerEpochError,
            errors.ProducerFencedError,
            OSError,
        ),
        TransientError,
        Reason.UNAVAILABLE,
        "The Kafka broker does not answer; check that it runs, HWLINK_BUS_URL, and HWLINK_KAFKA_SECURITY_PATH (some "
        "brokers hang up on a wrong password), then try again.",
    ),
)
"""Failures of kafka-python, the first that fits: what is raised, why, and what to do next."""


@contextmanager
def our_errors(what: str, on_transient: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Raise Kafka's failures as ours. `what` names the topics or group at hand; `on_transient` counts what may pass."""
    try:
        yield
    except (errors.KafkaError, OSError) as error:
        raised = translated(error, what)
        if isinstance(raised, TransientError):
            on_transient()
        _let_go(error)
        raise raised from None


def _let_go(error: BaseException) -> None:
    """Part a failure, and those before it, from the frames that they went through.

    A client of kafka-python's keeps its failures, each the next one's context: and with a frame all that was in it,
    such as the batch to send. Ingest grew by half a megabyte a second while a broker was away.
    """
    one: BaseException | None = error
    while one is not None:
        one.__traceback__ = None
        one = one.__context__


def translated(error: BaseException, what: str) -> HwlinkError:
    """Return what to raise for a failure of kafka-python's."""
    if type(error) is errors.KafkaError and "AuthorizationFailed" in str(error):
        error = errors.ClusterAuthorizationFailedError()  # a producer's first request: only its text says what it was
    for kinds, ours, reason, saying in _SAYINGS:
        if isinstance(error, kinds):
            return ours(reason, saying.format(what=what))
    return DefectError(Reason.INTERNAL, f"The Kafka client failed with {type(error).__name__}; report this.")
