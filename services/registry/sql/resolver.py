"""What the resolver keeps: roster, pairs, persons, its position and the outbox. One writer, fenced by an epoch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Connection, Executable, Row, case, delete, func, insert, literal, select, update

from schemas.decision import Decision
from schemas.errors import Reason, StateError
from services.registry import (
    MATCH_SUM_COLUMNS,
    SUBJECT_COLUMNS,
    LinkageSummary,
    Neighbourhood,
    PublishedTransaction,
    ResolverChange,
    ResolverState,
)
from services.registry.sql.database import Database, take_turn, to_json
from services.registry.sql.fetching import frame, large_frame, matching
from services.registry.sql.reach import reach
from services.registry.sql.storing import delete_rows, insert_rows, update_rows
from services.registry.sql.tables import models, outbox, overrides, pairs, persons, resolver_state, roster, shards

STATE_ID = 1
PAIR_KEY = ["left_serial", "right_serial"]

_MEMBERSHIP = pl.Schema(
    {
        "person_id": pl.String(),
        "source": pl.String(),
        "subject_ref": pl.String(),
        "link_probability": pl.Float64(),
    }
)


class SqlResolverRegistry:
    """`ResolverRegistry` over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, owner: str) -> ResolverState:
        """See `ResolverRegistry.claim`."""
        with self._database.writing() as connection:
            take_turn(connection, "resolver")
            row = _state_row(connection, lock=True)
            if row is None:
                connection.execute(
                    insert(resolver_state).values(
                        id=STATE_ID,
                        epoch=1,
                        owner=owner,
                        position="{}",
                        sequence=0,
                        relayed=0,
                        next_subject=1,
                        next_person=1,
                        overrides_applied=0,
                        heard="{}",
                    )
                )
            else:
                connection.execute(update(resolver_state).values(epoch=row.epoch + 1, owner=owner))
            return _state(_state_row(connection))

    def counts_from(self) -> dict[tuple[str, int], int]:
        """See `ResolverRegistry.counts_from`."""
        with self._database.reading() as connection:
            rows = connection.execute(select(shards.c.model_id, shards.c.shard, shards.c.counts_from))
            return {(row.model_id, row.shard): int(row.counts_from) for row in rows}

    def ask_again(self, state: ResolverState, since: Mapping[tuple[str, int], Mapping[str, int]]) -> None:
        """See `ResolverRegistry.ask_again`."""
        with self._database.writing() as connection:
            row = _state_row(connection, lock=True)
            if row is None or row.epoch != state.epoch:
                raise _taken_over()
            for (model_id, shard), position in sorted(since.items()):
                mine = (shards.c.model_id == model_id) & (shards.c.shard == shard)
                again = {"epoch": shards.c.epoch + 1, "counts_from": shards.c.epoch + 1, "owner": ""}
                connection.execute(update(shards).where(mine).values(position=to_json(position), **again))

    def subjects(self, keys: pl.DataFrame) -> pl.DataFrame:
        """See `ResolverRegistry.subjects`."""
        by_source = keys.unique().partition_by("source", as_dict=True)
        with self._database.reading() as connection:
            found = [
                matching(connection, roster.c.subject_ref, group["subject_ref"], SUBJECT_COLUMNS, source=str(source))
                for (source,), group in by_source.items()
            ]
        return pl.concat([pl.DataFrame(schema=SUBJECT_COLUMNS), *found])

    def neighbourhood(self, serials: pl.Series, claims: pl.Series | None = None) -> Neighbourhood:
        """See `ResolverRegistry.neighbourhood`."""
        with self._database.reading() as connection:
            followed = pl.Series("claim_group", [], pl.Binary) if claims is None else claims.unique()
            found, links, decided = reach(connection, serials, followed)
            subjects = matching(connection, roster.c.serial, found, SUBJECT_COLUMNS)
        return Neighbourhood(subjects, links, decided)

    def overrides_after(self, serial: int) -> tuple[int, pl.Series]:
        """See `ResolverRegistry.overrides_after`."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(overrides.c.serial, overrides.c.left_serial, overrides.c.right_serial).where(
                    overrides.c.serial > serial
                )
            ).fetchall()
        named = sorted({row.left_serial for row in rows} | {row.right_serial for row in rows})
        return max((row.serial for row in rows), default=serial), pl.Series("serial", named, dtype=pl.Int64)

    def person_ids(self, serials: pl.Series) -> pl.DataFrame:
        """See `ResolverRegistry.person_ids`."""
        schema = pl.Schema({"serial": pl.Int64(), "person_id": pl.String()})
        with self._database.reading() as connection:
            return matching(connection, persons.c.serial, serials.unique(), schema)

    def apply(self, change: ResolverChange) -> None:
        """See `ResolverRegistry.apply`."""
        with self._database.writing() as connection:
            move_state(connection, change.before, change.after)
            added = change.persons_added.with_columns(pl.lit(False).alias("retired"))
            insert_rows(connection, persons, added)
            insert_rows(connection, roster, change.subjects_added)
            change_subjects(connection, change.subjects_changed)
            replaced = (frame.select(PAIR_KEY) for frame in (change.pairs_removed, change.pairs_written))
            delete_rows(connection, pairs, pl.concat(replaced))
            insert_rows(connection, pairs, change.pairs_written)
            retire(connection, change.persons_retired)
            if change.transaction is not None:
                publish(connection, change.transaction)

    def position(self) -> dict[str, int]:
        """See `ResolverRegistry.position`."""
        with self._database.reading() as connection:
            row = _state_row(connection)
            return {} if row is None else json.loads(row.position)

    def outbox(self, after: int, limit: int) -> list[PublishedTransaction]:
        """See `ResolverRegistry.outbox`."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(outbox).where(outbox.c.sequence > after).order_by(outbox.c.sequence).limit(limit)
            )
            return [PublishedTransaction(row.sequence, bytes(row.payload), row.events, row.changes) for row in rows]

    def relayed(self) -> int:
        """See `ResolverRegistry.relayed`."""
        with self._database.reading() as connection:
            row = _state_row(connection)
            return 0 if row is None else int(row.relayed)

    def mark_relayed(self, sequence: int) -> None:
        """See `ResolverRegistry.mark_relayed`."""
        with self._database.writing() as connection:
            connection.execute(
                update(resolver_state).where(resolver_state.c.relayed < sequence).values(relayed=sequence)
            )
            connection.execute(delete(outbox).where(outbox.c.sequence <= sequence))

    def persons(self) -> pl.DataFrame:
        """See `ResolverRegistry.persons`."""
        with self._database.reading() as connection:
            return membership(connection)

    def lineage(self, person_id: str) -> tuple[bool, str | None] | None:
        """See `ResolverRegistry.lineage`."""
        heir = persons.alias("heir")
        statement = (
            select(persons.c.retired, heir.c.person_id)
            .join_from(persons, heir, persons.c.superseded_by == heir.c.serial, isouter=True)
            .where(persons.c.person_id == person_id)
        )
        with self._database.reading() as connection:
            row = connection.execute(statement).one_or_none()
            return None if row is None else (bool(row.retired), row.person_id)

    def match_sums(self, thresholds: Sequence[float] = ()) -> pl.DataFrame:
        """See `ResolverRegistry.match_sums`."""
        with self._database.reading() as connection:
            return frame(connection, _match_sums(thresholds), MATCH_SUM_COLUMNS)

    def summary(self) -> LinkageSummary:
        """See `ResolverRegistry.summary`."""
        current = roster.c.person.is_not(None)
        linked = (
            select(roster.c.person)
            .where(current)
            .group_by(roster.c.person)
            .having(func.count(roster.c.source.distinct()) > 1)
            .subquery()
        )
        by_source = select(roster.c.source, func.count()).where(current).group_by(roster.c.source)
        linked_by_source = (
            select(roster.c.source, func.count())
            .join_from(roster, linked, roster.c.person == linked.c.person)
            .group_by(roster.c.source)
        )
        with self._database.reading() as connection:
            decisions = _counts(connection, select(pairs.c.decision, func.count()).group_by(pairs.c.decision))
            return LinkageSummary(
                subjects_by_source=_counts(connection, by_source),
                linked_by_source=_counts(connection, linked_by_source),
                persons=connection.execute(select(func.count()).where(~persons.c.retired)).scalar_one(),
                persons_with_several_sources=connection.execute(select(func.count()).select_from(linked)).scalar_one(),
                links=decisions.get(Decision.LINK.value, 0),
                reviews=decisions.get(Decision.REVIEW.value, 0),
                model_id=connection.execute(select(models.c.model_id).where(models.c.active)).scalar_one_or_none(),
            )


def _match_sums(thresholds: Sequence[float]) -> Executable:
    left, right, p = roster.alias("one"), roster.alias("other"), pairs.c.probability
    # The highest threshold that a pair reaches, counted from 1: whoever reaches it reaches all below.
    ranked = sorted(enumerate(sorted(thresholds), start=1), reverse=True)
    reached = case(*((p >= threshold, number) for number, threshold in ranked), else_=0) if ranked else literal(0)
    # Named in a query of its own: PostgreSQL does not take two expressions with parameters for one and the same.
    pair = (
        select(
            left.c.source.label("left_source"),
            right.c.source.label("right_source"),
            pairs.c.decision,
            pairs.c.pattern,
            pairs.c.guard.is_not(None).label("guarded"),
            reached.label("reached"),
            p.label("p"),
        )
        .join_from(pairs, left, pairs.c.left_serial == left.c.serial)
        .join(right, pairs.c.right_serial == right.c.serial)
        .where(left.c.person.is_not(None), right.c.person.is_not(None), p.is_not(None))
        .subquery()
    )
    sources = (pair.c.left_source, pair.c.right_source)
    by = (*sources, pair.c.decision, pair.c.pattern, pair.c.guarded, pair.c.reached)
    sums = (func.count(), func.sum(pair.c.p), func.sum(pair.c.p * (1 - pair.c.p)))
    return select(*by, *sums).group_by(*by).order_by(*by)


def _state_row(connection: Connection, *, lock: bool = False) -> Row[Any] | None:
    statement = select(resolver_state).where(resolver_state.c.id == STATE_ID)
    return connection.execute(statement.with_for_update() if lock else statement).one_or_none()


def _state(row: Row[Any] | None) -> ResolverState:
    assert row is not None  # noqa: S101 - just written
    return ResolverState(
        epoch=row.epoch,
        position=json.loads(row.position),
        sequence=row.sequence,
        next_subject=row.next_subject,
        next_person=row.next_person,
        overrides_applied=row.overrides_applied,
        heard=json.loads(row.heard),
    )


def _counts(connection: Connection, statement: Executable) -> dict[str, int]:
    return {str(name): int(count) for name, count in connection.execute(statement)}


def move_state(connection: Connection, before: ResolverState, after: ResolverState) -> None:
    """Move the resolver's state; StateError OWNERSHIP_LOST when it is not `before` any more."""
    moved = connection.execute(
        update(resolver_state)
        .where(
            resolver_state.c.epoch == before.epoch,
            resolver_state.c.sequence == before.sequence,
            resolver_state.c.position == to_json(before.position),
        )
        .values(
            position=to_json(after.position),
            sequence=after.sequence,
            next_subject=after.next_subject,
            next_person=after.next_person,
            overrides_applied=after.overrides_applied,
            heard=to_json(after.heard),
        )
    )
    if moved.rowcount != 1:
        raise _taken_over()


def _taken_over() -> StateError:
    return StateError(
        Reason.OWNERSHIP_LOST,
        "Another resolver has taken over; stop this one, or start it again to take over in turn.",
    )


def membership(connection: Connection) -> pl.DataFrame:
    """Return who is in which person: `person_id, source, subject_ref, link_probability`."""
    columns = (persons.c.person_id, roster.c.source, roster.c.subject_ref, roster.c.link_probability)
    joined = select(*columns).join_from(roster, persons, roster.c.person == persons.c.serial)
    return large_frame(connection, joined.order_by(persons.c.serial, roster.c.serial), _MEMBERSHIP)


def publish(connection: Connection, *transactions: PublishedTransaction) -> None:
    """Put transactions into the outbox."""
    for transaction in transactions:
        connection.execute(
            insert(outbox).values(
                sequence=transaction.sequence,
                payload=transaction.payload,
                events=transaction.events_json,
                changes=transaction.changes,
            )
        )


def change_subjects(connection: Connection, subjects: pl.DataFrame) -> None:
    """Write what became of stored subjects (SUBJECT_COLUMNS); their keys stay."""
    update_rows(connection, roster, subjects.drop("source", "subject_ref"), ["serial"])


def retire(connection: Connection, retired: pl.DataFrame) -> None:
    """Note persons that are no more, and who took their place (serial, superseded_by)."""
    update_rows(connection, persons, retired.with_columns(pl.lit(True).alias("retired")), ["serial"])
