"""The AsyncAPI 3 document of `schemas/topics.py`: channels, messages, keys and retention, for whoever reads a topic."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.topics import (
    AUDIT,
    HEALTH,
    INTERNAL,
    LINKS,
    PERSONS,
    SUBJECTS,
    WELFARE,
    Topic,
    features_topic,
    person_events_topic,
)
from services.generation.json_schemas import FOLDER

PATH: Final = f"{FOLDER}/asyncapi.json"
ARROW: Final = "application/vnd.apache.arrow.stream"
JSON: Final = "application/json"

_INGEST_HEADERS: Final = {
    "kind": "`subjects`, or the kind of fact",
    "source": "the data set that the rows come from",
    "stream_id": "the feed stream that brought them",
    "batch": "the batch of that stream",
    "agreement_id": "the agreement by which they were encoded",
    "key_epoch": "the secret with which they were encoded",
    "one_record_per_person": "`true` when no two records of the source are one person",
    "schema_version": "version of the row's contract",
    "rows": "number of rows",
}
_LINK_HEADERS: Final = {
    "kind": "`roster` or `pairs`",
    "shard": "the shard that was evaluated",
    "epoch": "the owner epoch of the shard",
    "position": "JSON: the offset vector that this message completes; on the last message of a micro-batch only",
}
_PERSON_HEADERS: Final = {
    "kind": "`transaction`",
    "sequence": "number of the transaction, without gaps from 1",
    "events": "JSON: the person events of the transaction",
}
_EVENT_HEADERS: Final = {
    f"ce_{name}": f"CloudEvents `{name}`"
    for name in ("specversion", "id", "source", "type", "subject", "time", "dataschema")
}


@dataclass(frozen=True)
class _Message:
    """One kind of message: the exported schemas of its payload (of one row, where it is Arrow) and its headers."""

    name: str
    schemas: tuple[str, ...]
    content_type: str
    headers: dict[str, str]


def _facts(name: str, *kinds: str) -> _Message:
    return _Message(name, ("fact_envelope", *kinds), ARROW, _INGEST_HEADERS)


MESSAGES: Final[dict[str, tuple[_Message, ...]]] = {
    SUBJECTS.name: (_Message("subjects", ("subject",), ARROW, _INGEST_HEADERS),),
    HEALTH.name: (
        _facts("healthDemographics", "demographics"),
        _facts("diagnoses", "diagnosis"),
        _facts("encounters", "encounter"),
    ),
    WELFARE.name: (
        _facts("welfareDemographics", "demographics"),
        _facts("claims", "claim_membership"),
        _facts("arrears", "arrears"),
    ),
    LINKS.name: (
        _Message("roster", ("roster",), ARROW, _LINK_HEADERS),
        _Message("pairs", ("pair_link",), ARROW, _LINK_HEADERS),
    ),
    PERSONS.name: (_Message("transaction", ("membership_change",), ARROW, _PERSON_HEADERS),),
    AUDIT.name: (_Message("audited", ("audit_record",), JSON, {}),),
    features_topic("{consumer}").name: (_Message("featureRecord", ("feature_record",), JSON, _EVENT_HEADERS),),
    person_events_topic("{consumer}").name: (_Message("personEvent", ("person_event",), JSON, _EVENT_HEADERS),),
}
"""Topic name -> its messages. `{consumer}` stands where a topic is made for each consumer."""

_DEAD: Final = _Message("deadLetter", ("dead_letter",), JSON, {})


def topics() -> Sequence[Topic]:
    """Return every topic there is, those made for each consumer under the consumer's name `{consumer}`."""
    return (*INTERNAL, features_topic("{consumer}"), person_events_topic("{consumer}"))


def asyncapi(version: str) -> dict[str, str]:
    """Return the AsyncAPI document's text by its path; `version` is that of hwlink."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for topic in topics():
        for channel, kinds in ((topic, MESSAGES[topic.name]), (topic.dead, (_DEAD,))):
            name = _identifier(channel.name)
            channels[name] = _channel(channel, kinds)
            messages.update({kind.name: _message(kind, channel.key) for kind in kinds})
            for reader in channel.readers:
                operations[f"{_identifier(reader)}Receives.{name}"] = _receive(name, kinds, reader)
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "hwlink topics",
            "version": version,
            "description": "What flows between the parts of hwlink, and what leaves it; never a clear identifier.",
        },
        "defaultContentType": ARROW,
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }
    return {PATH: json.dumps(document, indent=2, ensure_ascii=False) + "\n"}


def _identifier(text: str) -> str:
    """Return a key that AsyncAPI allows: letters, digits, `.`, `-`, `_`."""
    return text.replace("{", "").replace("}", "")


def _channel(topic: Topic, kinds: Sequence[_Message]) -> dict[str, Any]:
    configuration: dict[str, Any] = {"cleanup.policy": ["compact"] if topic.compacted else ["delete"]}
    configuration["retention.ms"] = -1 if topic.retention_ms is None else topic.retention_ms
    channel: dict[str, Any] = {
        "address": topic.name,
        "description": f"{topic.value}. Key: {topic.key}.",
        "messages": {kind.name: {"$ref": f"#/components/messages/{kind.name}"} for kind in kinds},
        "bindings": {"kafka": {"partitions": topic.partitions, "topicConfiguration": configuration}},
    }
    if "{consumer}" in topic.name:
        channel["parameters"] = {"consumer": {"description": "id of the consumer, as its purpose names it"}}
    return channel


def _message(kind: _Message, key: str) -> dict[str, Any]:
    references: list[dict[str, Any]] = [{"$ref": f"./{name}.json"} for name in kind.schemas]
    message: dict[str, Any] = {"name": kind.name, "contentType": kind.content_type}
    if kind.content_type == ARROW:
        message["summary"] = "One Arrow IPC stream; the payload's schema is that of one row, the columns in that order."
    if kind.headers:
        message["headers"] = {
            "type": "object",
            "properties": {name: {"type": "string", "description": text} for name, text in kind.headers.items()},
        }
    message["payload"] = references[0] if len(references) == 1 else {"allOf": references}
    message["bindings"] = {"kafka": {"key": {"type": "string", "description": key}}}
    return message


def _receive(channel: str, kinds: Sequence[_Message], reader: str) -> dict[str, Any]:
    return {
        "action": "receive",
        "title": f"{reader} reads",
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{kind.name}"} for kind in kinds],
    }
