"""What outsiders consume: one keyed JSON message each, with CloudEvents attributes in the headers (binary mode).

Ids are re-keyed for each consumer, so two consumers cannot join what they hold. A message without a value is a
tombstone: forget this person.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from schemas.contracts.base import Contract
from schemas.contracts.persons import PersonEvent
from schemas.errors import Reason

FeatureValue = StrictBool | StrictInt | StrictFloat | StrictStr | None
"""A feature's value. `false`, 0 and named categories are true negatives; null is unknown, because the person is not
linked or the feed is missing. Unknown is never told as a negative."""


class FeatureRecord(Contract):
    """One person's features for one consumer and purpose. Of two records of a person the one of higher revision holds.

    `features` names every feature that the purpose permits, the unknown ones too.
    """

    person_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    revision: Annotated[int, Field(ge=1)]
    as_of: date
    snapshot_id: str
    purpose: str
    features: dict[str, FeatureValue]


class AuditRecord(Contract):
    """One audited act, in the order of the registry's chain: `chain_hash` covers this record and the hash before it."""

    serial: Annotated[int, Field(ge=1)]
    occurred_at_ms: Annotated[int, Field(ge=0)]
    principal: str
    purpose: str
    action: str
    outcome: str
    detail: dict[str, str]
    chain_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DeadLetter(Contract):
    """A message that could not be handled: where it stands and why, never what was in it."""

    topic: str
    partition: Annotated[int, Field(ge=0)]
    offset: Annotated[int, Field(ge=0)]
    role: str
    reason: Reason
    headers: dict[str, str]


class EventType(StrEnum):
    """CloudEvents `type` of each kind of event; the number at the end is the version of its schema."""

    FEATURE_RECORD = "hwlink.feature-record.v1"
    PERSON_EVENT = "hwlink.person-event.v1"


EVENTS: Final[dict[EventType, type[Contract]]] = {
    EventType.FEATURE_RECORD: FeatureRecord,
    EventType.PERSON_EVENT: PersonEvent,
}


def schema_urn(event_type: EventType) -> str:
    """Return the `dataschema` of an event type, which is also the `$id` of its exported JSON Schema."""
    return f"urn:{event_type.value.replace('.', ':')}"


def cloud_event_headers(
    event_type: EventType, *, event_id: str, consumer: str, subject: str, time_ms: int
) -> dict[str, str]:
    """Return the headers of one event: CloudEvents 1.0 attributes under the Kafka binding's `ce_` prefix.

    `event_id` must be the same when the event is sent again, so that consumers can drop the second; `subject` is the
    re-keyed person id; `time_ms` milliseconds since 1970 UTC.
    """
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": f"/hwlink/{consumer}",
        "ce_type": event_type.value,
        "ce_subject": subject,
        "ce_time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "ce_dataschema": schema_urn(event_type),
        "content-type": "application/json",
    }
