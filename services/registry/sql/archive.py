"""Backups over SQL: each table read in one state into Parquet, and put back into an empty database of either kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow.parquet as pq
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    case,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)

from schemas.errors import InputError, Reason, StateError
from services.registry.archive import Aftermath, Archived
from services.registry.sql import schema
from services.registry.sql.database import Database, take_turn, to_json
from services.registry.sql.engine import our_errors
from services.registry.sql.fetching import ROWS_AT_ONCE, large_frame
from services.registry.sql.resolver import publish
from services.registry.sql.storing import insert_rows
from services.registry.sql.tables import (
    adoptions,
    features_state,
    leases,
    metadata,
    outbox,
    resolver_state,
    shards,
    stream_batches,
    streams,
)

_RECEIPTS: Final = pl.Schema(
    {"stream_id": pl.String(), "feed": pl.String(), "batch": pl.Int64(), "accepted": pl.Int64()}
)
_KEYS_AT_ONCE: Final = 500
_TYPES: Final = (
    (Boolean, pl.Boolean()),
    (Integer, pl.Int64()),  # BigInteger is one too
    (Float, pl.Float64()),
    (LargeBinary, pl.Binary()),
    (Date, pl.Date()),
)


class SqlArchive:
    """`RegistryArchive` over SQL."""

    def __init__(self, url: str) -> None:
        """Work on the database at a registry URL, which is opened for each call."""
        self._url = url

    def dump(self, folder: Path) -> Archived:
        """See `RegistryArchive.dump`."""
        folder.mkdir(mode=0o700)
        with self._database() as database:
            schema.refuse_another_version(database)
            with database.reading() as connection:
                rows = {table.name: _dump(connection, table, folder) for table in metadata.sorted_tables}
        return Archived(schema.newest(), rows)

    def refuse_unless_empty(self) -> None:
        """See `RegistryArchive.refuse_unless_empty`."""
        with self._database() as database, database.reading() as connection:
            if inspect(connection).get_table_names():
                raise InputError(
                    Reason.OPTION_INVALID,
                    "The registry holds tables already; restore into a new file or an empty database.",
                )

    def refuse_later(self, revision: str) -> None:
        """See `RegistryArchive.refuse_later`."""
        if revision not in schema.known():
            raise StateError(
                Reason.STORE_VERSION,
                "The backup was taken by a later version of hwlink; restore it with that version.",
            )

    def load(self, folder: Path, archived: Archived, aftermath: Aftermath) -> None:
        """See `RegistryArchive.load`."""
        with self._database() as database, database.writing() as connection:
            take_turn(connection, "schema")
            schema.upgrade(connection, archived.revision)
            then = MetaData()
            then.reflect(connection)
            for table in then.sorted_tables:
                if table.name in archived.rows:
                    _load(connection, table, folder)
            schema.upgrade(connection, "head")
            _tell(connection, aftermath)
            _go_on_numbering(connection)

    def clear(self) -> None:
        """See `RegistryArchive.clear`."""
        with self._database() as database, database.writing() as connection:
            held = MetaData()
            held.reflect(connection)
            held.drop_all(connection)

    def positions(self) -> dict[str, int]:
        """See `RegistryArchive.positions`."""
        columns = (shards.c.position, adoptions.c.target, resolver_state.c.position, features_state.c.position)
        furthest: dict[str, int] = {}
        with self._database() as database:
            schema.refuse_another_version(database)
            with database.reading() as connection:
                held = [position for column in columns for position in connection.execute(select(column)).scalars()]
        for position in held:
            for place, offset in json.loads(position).items():
                furthest[place] = max(offset, furthest.get(place, 0))
        return furthest

    def receipts(self) -> pl.DataFrame:
        """See `RegistryArchive.receipts`."""
        columns = (streams.c.stream_id, streams.c.feed, stream_batches.c.batch, stream_batches.c.accepted)
        statement = select(*columns).join_from(streams, stream_batches)
        with self._database() as database, database.reading() as connection:
            return large_frame(connection, statement, _RECEIPTS)

    def leave_bus(self, receipts: pl.DataFrame) -> None:
        """See `RegistryArchive.leave_bus`."""
        with self._database() as database, database.writing() as connection:
            connection.execute(update(features_state).values(position=to_json({})))
            for (stream_id,), rows in receipts.group_by("stream_id"):
                own = stream_batches.c.stream_id == stream_id
                for part in rows["batch"].sort().to_frame().iter_slices(_KEYS_AT_ONCE):
                    batches = own & stream_batches.c.batch.in_(part["batch"].to_list())
                    sums = (func.sum(stream_batches.c.accepted), func.sum(stream_batches.c.refused))
                    accepted, refused = connection.execute(select(*sums).where(batches)).one()
                    connection.execute(delete(stream_batches).where(batches))
                    counts = {
                        "accepted": streams.c.accepted - int(accepted),
                        "refused": streams.c.refused - int(refused),
                    }
                    connection.execute(update(streams).where(streams.c.stream_id == stream_id).values(counts))
                first = rows["batch"].sort()[0]
                goes_on = case((streams.c.next_batch > first, first), else_=streams.c.next_batch)
                going_on = update(streams).where(streams.c.stream_id == stream_id)
                connection.execute(going_on.values(next_batch=goes_on, completed=False))

    def size_bytes(self) -> int:
        """See `RegistryArchive.size_bytes`."""
        with self._database() as database, database.reading() as connection:
            if connection.dialect.name == "postgresql":
                sizes = [f"pg_total_relation_size('{table}')" for table in inspect(connection).get_table_names()]
                return int(connection.exec_driver_sql(f"SELECT {' + '.join(sizes) or '0'}").scalar_one())
            path = Path(str(connection.engine.url.database))
            return sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))

    def vacuum(self) -> None:
        """See `RegistryArchive.vacuum`."""
        with self._database() as database, our_errors(), database.outside_transactions() as connection:
            if connection.dialect.name == "postgresql":
                for table in metadata.sorted_tables:
                    connection.exec_driver_sql(f"VACUUM (ANALYZE) {table.name}")
            else:
                connection.exec_driver_sql("VACUUM")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextmanager
    def _database(self) -> Iterator[Database]:
        with closing(Database(self._url)) as database:
            yield database


def _dump(connection: Connection, table: Table, folder: Path) -> int:
    """Write a table to its file, so many rows at a time; return how many there are."""
    columns = pl.Schema({column.name: _dtype(column) for column in table.columns})
    count, nothing = 0, columns.to_frame().to_arrow(compat_level=pl.CompatLevel.oldest())
    with pq.ParquetWriter(folder / f"{table.name}.parquet", nothing.schema, compression="zstd") as writer:
        found = connection.execute(select(table), execution_options={"yield_per": ROWS_AT_ONCE})
        for rows in found.partitions():
            part = pl.DataFrame(rows, schema=columns, orient="row")
            writer.write_table(part.to_arrow(compat_level=pl.CompatLevel.oldest()))
            count += part.height
    return count


def _load(connection: Connection, table: Table, folder: Path) -> None:
    for batch in pq.ParquetFile(folder / f"{table.name}.parquet").iter_batches(ROWS_AT_ONCE):
        rows = pl.DataFrame(batch)
        # SQLite has no type for days: there they are text in this form, as SQLAlchemy writes them.
        insert_rows(connection, table, rows.with_columns(pl.col(pl.Date).dt.to_string("%Y-%m-%d")))


def _dtype(column: Column[Any]) -> pl.DataType:
    return next((dtype for kind, dtype in _TYPES if isinstance(column.type, kind)), pl.String())


def _tell(connection: Connection, aftermath: Aftermath) -> None:
    """Put what was given out since the backup behind this registry: owners, sequences, revisions.

    An owner of the lost time says nothing that counts, because epochs are above its own. The feature builder starts
    behind what the lost time has said of persons, and hears again what it had not taken in at the backup.
    """
    connection.execute(delete(leases))
    connection.execute(update(shards).values(epoch=shards.c.epoch + aftermath.jump, owner=""))
    heard = connection.execute(select(features_state.c.sequence)).scalar_one_or_none() or 0
    connection.execute(
        update(resolver_state).values(epoch=resolver_state.c.epoch + aftermath.jump, owner="", relayed=heard)
    )
    waiting = set(connection.execute(select(outbox.c.sequence)).scalars())
    publish(connection, *(t for t in aftermath.unread if t.sequence > heard and t.sequence not in waiting))
    state = {"position": to_json(aftermath.persons_end), "revision": features_state.c.revision + aftermath.jump}
    if connection.execute(update(features_state).values(state)).rowcount == 0:
        connection.execute(
            insert(features_state).values(id=1, position=state["position"], sequence=0, revision=aftermath.jump)
        )


def _go_on_numbering(connection: Connection) -> None:
    """Let PostgreSQL number further rows above those that were put in; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            last = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            connection.execute(select(func.setval(sequence, last, text("false"))))
