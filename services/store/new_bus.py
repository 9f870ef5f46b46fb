"""A bus that was lost, and an empty one in its place: it is numbered on, and receipts of what is gone are taken back.

Every position in lake and registry stays true, since the new bus begins where the furthest of them stands: to the roles
it is a bus of which retention took everything, for which each has its way. `decisions/0002` walks through it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import polars as pl

from schemas.contracts.base import Feed
from schemas.errors import InputError, Reason
from schemas.topics import CONTENT, LINKS, PERSONS, SUBJECTS, Topic
from services.bus import Bus, TopicPartition
from services.bus.layout import LayoutAdmin
from services.lake import Zone
from services.lake.landed import landed_messages
from services.store.backup import LANDING
from services.store.stores import Stores, Tell

RECENT: Final = 1_000
"""Messages before the end of a partition whose batches are not trusted to have landed whole.

The facts of a batch follow its demographics on the topic, and other streams' messages stand between: some 40 messages
of the largest batch and of each stream beside it, and landing has up to 64 in hand, table after table.
"""

_ASKED_AGAIN: Final = (LINKS, PERSONS)
"""What roles said to one another. It begins one later than it was read, so that its reader sees that something is gone
and has it made up for, were it nothing."""

_PASSED_ON: Final = (SUBJECTS, *CONTENT.values())


@dataclass(frozen=True)
class NumberedOn:
    """Where the topics begin now (`topic-partition` -> offset), and whose receipts were taken back: batches of each
    stream.
    """

    begins: Mapping[str, int]
    taken_back: Mapping[str, int]


def number_on(stores: Stores, open_layout: Callable[[], LayoutAdmin], tell: Tell) -> NumberedOn:
    """Let an empty bus go on where the lost one stood; what was on it without having landed is to be sent again.

    No role may run. Raises InputError OPTION_INVALID when the bus is not behind registry and lake: then it is the one
    that they are of. Can be called again when it failed half-way.
    """
    read = stores.registry.positions()  # first of all: where there is no registry, no bus is made either
    with closing(stores.open_bus()) as bus:
        begins = _begins(bus, _furthest(read, stores, bus))
    tell("looking for what has landed")
    doubtful = _doubtful(stores)
    tell("taking receipts back")
    stores.registry.leave_bus(doubtful)
    tell("numbering the bus on")
    with closing(open_layout()) as admin:
        for topic, offsets in begins.items():
            admin.begin_at(topic, offsets)
    by_stream = doubtful.group_by("stream_id").len().sort("stream_id")
    named = {_name(place): offset for offsets in begins.values() for place, offset in offsets.items()}
    return NumberedOn(named, dict(by_stream.rows()))


def _furthest(read: Mapping[str, int], stores: Stores, bus: Bus) -> dict[str, int]:
    """Return the next offset of each partition after everything that lake, registry and landing's groups know."""
    known = [read, _landed_ends(stores.zones["linkage"]), _landed_ends(stores.zones["content"])]
    known += [{_name(p): at for t in topics for p, at in bus.committed(g, t).items()} for g, topics in LANDING.items()]
    furthest: dict[str, int] = {}
    for positions in known:
        for name, offset in positions.items():
            furthest[name] = max(offset, furthest.get(name, 0))
    return furthest


def _begins(bus: Bus, furthest: Mapping[str, int]) -> dict[Topic, dict[TopicPartition, int]]:
    """Return where each topic shall begin; what stands before is dropped.

    First of all the topics whose first offset says something: should this fail half-way, the others are behind still,
    and it can be called again.
    """
    begins: dict[Topic, dict[TopicPartition, int]] = {}
    is_behind = False
    for topic in (*_ASKED_AGAIN, *_PASSED_ON):
        ends = bus.end_offsets(topic)
        is_behind |= any(furthest.get(_name(place), 0) > end for place, end in ends.items())
        more = 1 if topic in _ASKED_AGAIN else 0
        begins[topic] = {place: max(furthest.get(_name(place), 0), end) + more for place, end in ends.items()}
    if not is_behind:
        raise InputError(
            Reason.OPTION_INVALID,
            "Nothing was changed: the bus holds all that registry and lake have read of it, so it is the one that they "
            "belong to. Start the roles.",
        )
    return begins


def _doubtful(stores: Stores) -> pl.DataFrame:
    """Return the batches with a receipt (`stream_id, batch`) of which the lake may lack something."""
    receipts = stores.registry.receipts()
    linkage, content = stores.zones["linkage"], stores.zones["content"]
    found = [_not_landed(receipts, linkage, "subjects", SUBJECTS)]
    for feed in Feed:
        own = receipts.filter(pl.col("feed") == feed.value)
        found.append(_not_landed(own, content, f"{feed}_demographics", CONTENT[feed]))
    return pl.concat(found).unique().sort("stream_id", "batch")


def _not_landed(receipts: pl.DataFrame, zone: Zone, table: str, topic: Topic) -> pl.DataFrame:
    scan = zone.scan(table)
    taken = receipts.filter(pl.col("accepted") > 0)
    if scan is None:
        return taken.select("stream_id", "batch")
    ends = _landed_ends(zone)
    trusted = {n: ends.get(f"{topic.name}-{n}", 0) - RECENT for n in range(topic.partitions)}
    recent = pl.col("_offset") >= pl.col("_partition").replace_strict(trusted, return_dtype=pl.Int64)
    batches = (
        landed_messages(scan)
        .group_by("_stream", pl.col("_batch").cast(pl.Int64))
        .agg(pl.col("rows").sum(), recent.any().alias("recent"))
        .collect(engine="streaming")
    )
    both = taken.join(batches, left_on=["stream_id", "batch"], right_on=["_stream", "_batch"], how="left")
    lacking = pl.col("rows").fill_null(0) < pl.col("accepted")
    return both.filter(lacking | pl.col("recent")).select("stream_id", "batch")


def _landed_ends(zone: Zone) -> dict[str, int]:
    """Return the offset after the furthest that any table of a zone holds, by `topic-partition`."""
    ends: dict[str, int] = {}
    for table in zone.tables():
        for name, offset in zone.offsets(table).items():
            ends[name] = max(offset + 1, ends.get(name, 0))
    return ends


def _name(place: TopicPartition) -> str:
    return f"{place.topic}-{place.partition}"
