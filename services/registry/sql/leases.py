"""Leases: a row for each process of a role that is alive."""

from __future__ import annotations

from sqlalchemy import delete, func, insert, select, update

from services.registry.sql.database import Database
from services.registry.sql.tables import leases


class SqlLeaseRegistry:
    """`LeaseRegistry` over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, role: str, member: str) -> dict[str, int]:
        """See `LeaseRegistry.beat`."""
        mine = (leases.c.role == role) & (leases.c.member == member)
        with self._database.writing() as connection:
            if connection.execute(update(leases).where(mine).values(beats=leases.c.beats + 1)).rowcount == 0:
                # Two that join at once may get the same place; their names then settle the order.
                last = select(func.coalesce(func.max(leases.c.place), 0)).where(leases.c.role == role)
                place = int(connection.execute(last).scalar_one()) + 1
                connection.execute(insert(leases).values(role=role, member=member, place=place, beats=1))
            rows = connection.execute(
                select(leases.c.member, leases.c.beats)
                .where(leases.c.role == role)
                .order_by(leases.c.place, leases.c.member)
            )
            return {row.member: int(row.beats) for row in rows}

    def end(self, role: str, member: str, seen: int | None = None) -> None:
        """See `LeaseRegistry.end`."""
        gone = (leases.c.role == role) & (leases.c.member == member)
        with self._database.writing() as connection:
            connection.execute(delete(leases).where(gone if seen is None else gone & (leases.c.beats == seen)))
