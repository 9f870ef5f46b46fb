"""What review keeps: pairs that wait for a reviewer, and overrides."""

from __future__ import annotations

import polars as pl
from sqlalchemy import and_, func, insert, or_, select

from schemas.decision import ConstraintKind, Decision
from schemas.errors import InputError, Reason
from services.registry import PAIR_COLUMNS, AuditEvent
from services.registry.sql.database import Database, take_turn
from services.registry.sql.fetching import frame
from services.registry.sql.query import append_audit
from services.registry.sql.tables import overrides, pairs, roster


class SqlReviewRegistry:
    """`ReviewRegistry` over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reviews(self, after: tuple[int, int], limit: int) -> pl.DataFrame:
        """See `ReviewRegistry.reviews`."""
        left, right = pairs.c.left_serial, pairs.c.right_serial
        later = or_(left > after[0], and_(left == after[0], right > after[1]))
        statement = (
            select(*(pairs.c[name] for name in PAIR_COLUMNS))
            .where(pairs.c.decision == Decision.REVIEW.value, later)
            .order_by(left, right)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return frame(connection, statement, PAIR_COLUMNS)

    def override(self, left_serial: int, right_serial: int, kind: str, event: AuditEvent) -> int:
        """See `ReviewRegistry.override`."""
        low, high = sorted((left_serial, right_serial))
        with self._database.writing() as connection:
            known = connection.execute(select(func.count()).where(roster.c.serial.in_((low, high)))).scalar_one()
            if known != 2 or kind not in set(ConstraintKind):
                raise InputError(
                    Reason.NOT_FOUND, "An override needs two known subjects and a kind; list the reviews again."
                )
            take_turn(connection, "overrides")
            serial = int(connection.execute(select(func.coalesce(func.max(overrides.c.serial), 0))).scalar_one()) + 1
            connection.execute(insert(overrides).values(serial=serial, left_serial=low, right_serial=high, kind=kind))
            append_audit(connection, event)
            return serial
