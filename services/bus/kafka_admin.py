"""Topics and rights on Kafka, through its admin client."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from kafka import errors
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from schemas.errors import PolicyError, Reason
from schemas.topics import Topic
from services.bus import Outgoing, TopicPartition
from services.bus.kafka import KafkaBus, parse_url
from services.bus.kafka_client import connected
from services.bus.kafka_errors import our_errors
from services.bus.kafka_security import client_options
from services.bus.kafka_topics import Names, topic_settings
from services.bus.layout import Layout, Operation, Resource, Right

_OPERATIONS: Final = {
    Operation.READ: ACLOperation.READ,
    Operation.WRITE: ACLOperation.WRITE,
    Operation.DESCRIBE: ACLOperation.DESCRIBE,
}
_OPERATION_OF: Final = {theirs: ours for ours, theirs in _OPERATIONS.items()}
_RESOURCES: Final = {
    Resource.TOPIC: (ResourceType.TOPIC, ACLResourcePatternType.LITERAL),
    Resource.GROUPS: (ResourceType.GROUP, ACLResourcePatternType.PREFIXED),
}
_RESOURCE_OF: Final = {theirs: ours for ours, theirs in _RESOURCES.items()}
_ANY_HOST: Final = "*"
_FILL_AT_ONCE: Final = 1_000
_EVERYTHING: Final = ACLFilter(
    principal=None,
    host=None,
    operation=ACLOperation.ANY,
    permission_type=ACLPermissionType.ANY,
    resource_pattern=ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
)


class KafkaAdmin:
    """A `LayoutAdmin` on a Kafka cluster. Not thread-safe."""

    def __init__(self, url: str, security: Path | None = None, timeout_s: float = 30.0) -> None:
        """Use the cluster and namespace of `url`, as the principal of the `security` file.

        Raises as `services.bus.kafka.parse_url` and `services.bus.kafka_security.client_options`, and TransientError
        UNAVAILABLE when no broker answers.
        """
        servers, namespace = parse_url(url)
        self._names = Names(namespace)
        self._open_bus = partial(KafkaBus, url, security)
        with _errors():
            self._client = connected(
                KafkaAdminClient,
                bootstrap_servers=servers,
                client_id="hwlink",
                bootstrap_timeout_ms=int(timeout_s * 1000),
                request_timeout_ms=int(timeout_s * 1000),
                **client_options(security, servers),
            )

    def wanted(self, topic: Topic) -> Layout:
        """Return how Kafka keeps a topic of the table."""
        return Layout(topic.partitions, topic_settings(topic))

    def layouts(self, names: Collection[str]) -> dict[str, Layout]:
        """Return how each of these topics is kept; those that there are not are left out."""
        with _errors():
            there = {t["name"]: len(t["partitions"]) for t in self._client.describe_topics() if not t["error_code"]}
            full = {name: self._names.on_broker(name) for name in names}
            resources = [
                ConfigResource(ConfigResourceType.TOPIC, on_broker) for on_broker in full.values() if on_broker in there
            ]
            found = self._client.describe_configs(resources, config_filter="all")["topic"] if resources else {}
        return {
            name: Layout(there[on_broker], {key: str(config["value"]) for key, config in found[on_broker].items()})
            for name, on_broker in full.items()
            if on_broker in there
        }

    def create(self, layouts: Mapping[str, Layout]) -> None:
        """Make topics that do not exist, with as many replicas as the cluster's default."""
        if not layouts:
            return
        topics = {
            self._names.on_broker(name): {"num_partitions": layout.partitions, "configs": dict(layout.settings)}
            for name, layout in layouts.items()
        }
        with _errors():
            self._client.create_topics(topics, wait_for_metadata=True)

    def alter(self, layouts: Mapping[str, Layout]) -> None:
        """Bring topics to these layouts; one that has more partitions than its layout keeps them."""
        if not layouts:
            return
        now = self.layouts(list(layouts))
        more = {
            self._names.on_broker(name): layout.partitions
            for name, layout in layouts.items()
            if layout.partitions > now[name].partitions
        }
        resources = [
            ConfigResource(ConfigResourceType.TOPIC, self._names.on_broker(name), dict(layout.settings))
            for name, layout in layouts.items()
        ]
        with _errors():
            if more:
                self._client.create_partitions(more)
            outcome = self._client.alter_configs(resources)
        if any(said != "OK" for said in outcome.get("topic", {}).values()):
            raise _turned_away()

    def begin_at(self, topic: Topic, offsets: Mapping[TopicPartition, int]) -> None:
        """Drop what stands before these offsets of a topic, and give none of them out any more.

        Kafka numbers from 0 and lets nobody choose, so that what is missing is filled with empty messages, and then
        everything before the offset deleted: no reader meets them.
        """
        with closing(self._open_bus()) as bus:
            producer = bus.producer()
            ends = bus.end_offsets(topic)
            for place, offset in offsets.items():
                for start in range(ends[place], offset, _FILL_AT_ONCE):
                    nothing = Outgoing(topic.name, place.partition, None, b"", {})
                    producer.send([nothing] * min(_FILL_AT_ONCE, offset - start))
            with _errors():
                self._client.delete_records({self._names.place(place): at for place, at in offsets.items()})

    def rights(self, principals: str) -> set[Right] | None:
        """Return the rights of all principals whose names begin with `principals`; None where nothing checks them.

        Rights beyond this installation's names are left out, and so are denials: hwlink makes none.
        """
        with _errors():
            try:
                found, _ = self._client.describe_acls(_EVERYTHING)
            except errors.SecurityDisabledError:
                return None
        return {
            right for acl in found if acl.principal.startswith(principals) and (right := self._right(acl)) is not None
        }

    def grant(self, rights: Iterable[Right]) -> None:
        """Add rights."""
        wanted = [self._acl(right) for right in sorted(rights)]
        if not wanted:
            return
        with _errors():
            failed = self._client.create_acls(wanted)["failed"]
            if failed:
                raise failed[0]

    def revoke(self, rights: Iterable[Right]) -> None:
        """Take rights away."""
        unwanted = [_exactly(self._acl(right)) for right in sorted(rights)]
        if not unwanted:
            return
        with _errors():
            for _, _, error in self._client.delete_acls(unwanted):
                if error is not errors.NoError:
                    raise error

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _acl(self, right: Right) -> ACL:
        kind, pattern = _RESOURCES[right.resource]
        return ACL(
            principal=right.principal,
            host=_ANY_HOST,
            operation=_OPERATIONS[right.operation],
            permission_type=ACLPermissionType.ALLOW,
            resource_pattern=ResourcePattern(kind, self._names.on_broker(right.name), pattern),
        )

    def _right(self, acl: ACL) -> Right | None:
        """Return an ACL in our words, None for one that hwlink would not have made here."""
        prefix = self._names.on_broker("")
        pattern = acl.resource_pattern
        resource = _RESOURCE_OF.get((pattern.resource_type, pattern.pattern_type))
        operation = _OPERATION_OF.get(acl.operation)
        if (
            resource is None
            or operation is None
            or acl.permission_type is not ACLPermissionType.ALLOW
            or acl.host != _ANY_HOST
            or not pattern.resource_name.startswith(prefix)
        ):
            return None
        return Right(acl.principal, operation, resource, pattern.resource_name.removeprefix(prefix))


def _exactly(acl: ACL) -> ACLFilter:
    pattern = acl.resource_pattern
    return ACLFilter(
        principal=acl.principal,
        host=acl.host,
        operation=acl.operation,
        permission_type=acl.permission_type,
        resource_pattern=ResourcePatternFilter(pattern.resource_type, pattern.resource_name, pattern.pattern_type),
    )


@contextmanager
def _errors() -> Iterator[None]:
    """Raise Kafka's failures as ours: being turned away means something else here than it does to a role."""
    with our_errors("the topics"):
        try:
            yield
        except errors.AuthorizationError:
            raise _turned_away() from None


def _turned_away() -> PolicyError:
    return PolicyError(
        Reason.UNSAFE_CONFIGURATION,
        "The broker does not let this principal look after topics and rights; name a file with the cluster "
        "administrator's identity in HWLINK_KAFKA_SECURITY_PATH for this command.",
    )
