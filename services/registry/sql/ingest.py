"""What ingest keeps: streams, the batches that have a receipt, and how complete each source's fields are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Connection, Row, bindparam, func, insert, select, update

from schemas.errors import InputError, Reason, StateError
from services.registry import RecordedBatch, StreamRow
from services.registry.sql.database import Database, take_turn
from services.registry.sql.tables import source_fields, stream_batches, stream_refusals, streams

RECORDS = "_records"
"""The key under which `field_counts` gives the number of accepted records."""


class SqlIngestRegistry:
    """`IngestRegistry` over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open_stream(self, stream_id: str, source: str, feed: str, declaration_json: str) -> StreamRow:
        """See `IngestRegistry.open_stream`."""
        with self._database.writing() as connection:
            take_turn(connection, "stream", stream_id)
            row = _find(connection, stream_id)
            if row is None:
                connection.execute(
                    insert(streams).values(
                        stream_id=stream_id,
                        source=source,
                        feed=feed,
                        declaration=declaration_json,
                        next_batch=0,
                        accepted=0,
                        refused=0,
                        duplicate=0,
                        completed=False,
                    )
                )
                row = _get(connection, stream_id)
            elif (row.source, row.feed, row.declaration) != (source, feed, declaration_json):
                raise StateError(
                    Reason.STREAM_NOT_OPENED,
                    "A stream of this id was opened with another declaration; resume it with the first one, "
                    "or choose a new stream id.",
                )
            return _stream(row)

    def recorded_batch(self, stream_id: str, batch: int) -> RecordedBatch | None:
        """See `IngestRegistry.recorded_batch`."""
        statement = select(stream_batches.c.digest, stream_batches.c.accepted, stream_batches.c.refused).where(
            stream_batches.c.stream_id == stream_id, stream_batches.c.batch == batch
        )
        with self._database.reading() as connection:
            row = connection.execute(statement).one_or_none()
            return None if row is None else RecordedBatch(row.digest, row.accepted, row.refused)

    def record_duplicate(self, stream_id: str, batch: int) -> None:
        """See `IngestRegistry.record_duplicate`."""
        came_again = (
            select(stream_batches.c.accepted + stream_batches.c.refused)
            .where(stream_batches.c.stream_id == stream_id, stream_batches.c.batch == batch)
            .scalar_subquery()
        )
        with self._database.writing() as connection:
            connection.execute(
                update(streams)
                .where(streams.c.stream_id == stream_id)
                .values(duplicate=streams.c.duplicate + func.coalesce(came_again, 0))
            )

    def record_batch(
        self,
        stream_id: str,
        batch: int,
        digest: str,
        *,
        accepted: int,
        refused: Mapping[str, int],
        fields: Mapping[str, int],
    ) -> None:
        """See `IngestRegistry.record_batch`."""
        with self._database.writing() as connection:
            stream = _get(connection, stream_id)
            known = _digest(connection, stream_id, batch)
            if known == digest:
                return
            if known is not None:
                raise InputError(
                    Reason.BATCH_OUT_OF_ORDER,
                    "A batch of this number was received with other content; resume after the last receipt.",
                )
            connection.execute(
                insert(stream_batches).values(
                    stream_id=stream_id,
                    batch=batch,
                    digest=digest,
                    accepted=accepted,
                    refused=sum(refused.values()),
                )
            )
            next_batch = stream.next_batch
            while _digest(connection, stream_id, next_batch) is not None:
                next_batch += 1
            connection.execute(
                update(streams)
                .where(streams.c.stream_id == stream_id)
                .values(
                    next_batch=next_batch,
                    accepted=streams.c.accepted + accepted,
                    refused=streams.c.refused + sum(refused.values()),
                )
            )
            by_reason, by_field = stream_refusals.c, source_fields.c
            _add(connection, by_reason.stream_id, stream_id, by_reason.reason, by_reason.records, refused)
            take_turn(connection, "source", stream.source)
            present = {**fields, RECORDS: accepted}
            _add(connection, by_field.source, stream.source, by_field.field, by_field.present, present)

    def complete_stream(self, stream_id: str) -> None:
        """See `IngestRegistry.complete_stream`."""
        with self._database.writing() as connection:
            _get(connection, stream_id)
            connection.execute(update(streams).where(streams.c.stream_id == stream_id).values(completed=True))

    def streams(self) -> list[StreamRow]:
        """See `IngestRegistry.streams`."""
        with self._database.reading() as connection:
            return [_stream(row) for row in connection.execute(select(streams).order_by(streams.c.serial))]

    def refusals(self, stream_id: str) -> dict[str, int]:
        """See `IngestRegistry.refusals`."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(stream_refusals.c.reason, stream_refusals.c.records)
                .where(stream_refusals.c.stream_id == stream_id)
                .order_by(stream_refusals.c.reason)
            )
            return {str(reason): int(records) for reason, records in rows}

    def field_counts(self, source: str) -> dict[str, int]:
        """See `IngestRegistry.field_counts`."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(source_fields.c.field, source_fields.c.present)
                .where(source_fields.c.source == source)
                .order_by(source_fields.c.field)
            )
            return {str(field): int(present) for field, present in rows}


def _find(connection: Connection, stream_id: str) -> Row[Any] | None:
    # FOR UPDATE makes PostgreSQL serialise writers of one stream; SQLite's write transactions are serial anyway.
    return connection.execute(select(streams).where(streams.c.stream_id == stream_id).with_for_update()).one_or_none()


def _get(connection: Connection, stream_id: str) -> Row[Any]:
    row = _find(connection, stream_id)
    if row is None:
        raise StateError(Reason.STREAM_NOT_OPENED, "This stream was never opened; open it with its declaration first.")
    return row


def _digest(connection: Connection, stream_id: str, batch: int) -> str | None:
    statement = select(stream_batches.c.digest).where(
        stream_batches.c.stream_id == stream_id, stream_batches.c.batch == batch
    )
    return connection.execute(statement).scalar_one_or_none()


def _add(
    connection: Connection,
    owner: Column[Any],
    owned_by: str,
    name: Column[Any],
    counter: Column[Any],
    amounts: Mapping[str, int],
) -> None:
    """Add to the counters of one owner, by name, making those that do not exist yet."""
    if not amounts:
        return
    table = owner.table
    known = set(connection.execute(select(name).where(owner == owned_by)).scalars())
    for statement, names in (
        (
            update(table)
            .where(owner == owned_by, name == bindparam("of"))
            .values({counter.name: counter + bindparam("by")}),
            sorted(amounts.keys() & known),
        ),
        (
            insert(table).values({owner.name: owned_by, name.name: bindparam("of"), counter.name: bindparam("by")}),
            sorted(amounts.keys() - known),
        ),
    ):
        if names:
            connection.execute(statement, [{"of": n, "by": amounts[n]} for n in names])


def _stream(row: Row[Any]) -> StreamRow:
    return StreamRow(
        stream_id=row.stream_id,
        source=row.source,
        feed=row.feed,
        declaration_json=row.declaration,
        next_batch=row.next_batch,
        accepted=row.accepted,
        refused=row.refused,
        duplicate=row.duplicate,
        completed=row.completed,
    )
