"""What stored pairs, overrides and claims connect: the components around some subjects, found by following IN lists."""

from __future__ import annotations

from typing import Final

import polars as pl
from sqlalchemy import Connection

from services.registry import OVERRIDE_COLUMNS, PAIR_COLUMNS
from services.registry.sql.fetching import matching
from services.registry.sql.tables import overrides, pairs, roster

DATED_OVERRIDES: Final = pl.Schema({"serial": pl.Int64(), **OVERRIDE_COLUMNS})
"""Overrides as they were made: of a pair's, that of the highest serial is in force."""

_CLAIMED: Final = pl.Schema({"serial": pl.Int64(), "claim_group": pl.Binary()})


def reach(
    connection: Connection, serials: pl.Series, claims: pl.Series
) -> tuple[pl.Series, pl.DataFrame, pl.DataFrame]:
    """Follow pairs, overrides and claims from `serials` and the members of `claims` until nothing new is met.

    Claims are followed because what is linked of a household answers the guards of its other members
    (`linkage.decide`). Returns the subjects' serials, the pairs (PAIR_COLUMNS) and the overrides in force
    (OVERRIDE_COLUMNS) among them. A round costs six queries for each IN list; components are a few links wide, so there
    are few rounds.
    """
    reached = frontier = pl.concat([serials.rename("serial"), _members(connection, claims)]).unique()
    followed = claims
    links = [pl.DataFrame(schema=PAIR_COLUMNS)]
    decided = [pl.DataFrame(schema=DATED_OVERRIDES)]
    while not frontier.is_empty():
        met = []
        for table, schema, parts in ((pairs, PAIR_COLUMNS, links), (overrides, DATED_OVERRIDES, decided)):
            for end in (table.c.left_serial, table.c.right_serial):
                part = matching(connection, end, frontier, schema)
                parts.append(part)
                met += [part["left_serial"].rename("serial"), part["right_serial"].rename("serial")]
        claims = matching(connection, roster.c.serial, frontier, _CLAIMED)["claim_group"].drop_nulls().unique()
        claims = claims.filter(~claims.is_in(followed.implode()))
        followed = pl.concat([followed, claims])
        met.append(_members(connection, claims))
        ends = pl.concat(met).unique()
        frontier = ends.filter(~ends.is_in(reached.implode()))
        reached = pl.concat([reached, frontier])
    in_force = overrides_in_force(pl.concat(decided))
    return reached, pl.concat(links).unique(["left_serial", "right_serial"]), in_force


def _members(connection: Connection, claims: pl.Series) -> pl.Series:
    """Return the serials of the subjects in some claims; a claim of one token in two sources is met as one."""
    return matching(connection, roster.c.claim_group, claims, _CLAIMED)["serial"]


def overrides_in_force(made: pl.DataFrame) -> pl.DataFrame:
    """Return the overrides in force (OVERRIDE_COLUMNS) of those that were made (DATED_OVERRIDES)."""
    return made.sort("serial").unique(["left_serial", "right_serial"], keep="last").drop("serial")
