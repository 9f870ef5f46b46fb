"""The books: what is in them, what makes them wrong, and what must not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.contracts.base import Feed
from services.admin.reconcile import StreamReconciliation, as_json, reconcile
from services.lake.delta import DeltaZone
from services.registry import IngestRegistry, StreamRow

Row = tuple[int, int]
"""A record's reference and its content's hash."""


class Lake:
    """Both zones, into which messages are put as landing does."""

    def __init__(self, root: Path, feed: Feed = Feed.WELFARE) -> None:
        self.zones = {"subjects": DeltaZone(root, "linkage"), f"{feed}_demographics": DeltaZone(root, "content")}
        self.linkage, self.content = self.zones.values()
        self._offset = 0

    def land(self, rows: Sequence[Row], batch: int | None = 0, stream: str = "s1", tables: int = 2) -> None:
        """Land one message, in both zones or in the first only."""
        frame = pl.DataFrame(
            {
                "subject_ref": [f"{ref:032x}" for ref, _ in rows],
                "version": [1] * len(rows),
                "content_hash": [content for _, content in rows],
            }
        ).with_columns(
            _topic=pl.lit("t"),
            _partition=pl.lit(0, pl.Int64),
            _offset=pl.lit(self._offset, pl.Int64),
            _stream=pl.lit(stream),
            _batch=pl.lit(None if batch is None else str(batch), pl.String),
        )
        for table, zone in list(self.zones.items())[:tables]:
            zone.append(table, frame, {"t-0": self._offset})
        self._offset += 1


def registry(accepted: int, refused: int = 0, stream: str = "s1") -> IngestRegistry:
    """A registry that knows one welfare stream."""
    row = StreamRow(stream, "x.a", "welfare", "{}", 1, accepted, refused, 0, completed=True)
    return cast(IngestRegistry, SimpleNamespace(streams=lambda: [row]))


def books(lake: Lake, accepted: int, refused: int = 0) -> StreamReconciliation:
    [row] = reconcile(registry(accepted, refused), lake.linkage, lake.content)
    return row


def test_every_record_is_accounted_for(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.land([(1, 0), (2, 0)], batch=0)
    lake.land([(3, 0)], batch=1)
    row = books(lake, accepted=3, refused=2)
    assert (row.sent, row.accepted, row.refused, row.landed, row.duplicate) == (5, 3, 2, 3, 0)
    assert row.agrees


def test_a_batch_that_was_delivered_again_counts_once(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.land([(1, 0), (2, 0)])
    lake.land([(3, 0), (4, 0)])
    lake.land([(1, 0), (2, 0)])
    row = books(lake, accepted=4)
    assert (row.landed, row.duplicate) == (4, 0)
    assert row.agrees


def test_a_record_that_came_in_two_batches_is_a_duplicate(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.land([(1, 0), (2, 0)], batch=0)
    lake.land([(2, 0), (3, 0)], batch=1)
    row = books(lake, accepted=4)
    assert (row.landed, row.duplicate) == (3, 1)
    assert row.agrees


def test_a_record_that_stands_twice_in_a_batch_is_a_duplicate_even_if_the_batch_is_delivered_again(
    tmp_path: Path,
) -> None:
    lake = Lake(tmp_path)
    for _ in range(2):
        lake.land([(1, 0), (1, 0), (2, 0)])
    row = books(lake, accepted=3)
    assert (row.landed, row.duplicate) == (2, 1)
    assert row.agrees


def test_two_contents_of_one_version_are_two_records(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.land([(1, 7), (1, 8)])
    assert books(lake, accepted=2).landed == 2


def test_a_lost_record_shows_even_where_another_was_delivered_again(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.land([(1, 0)], batch=0)
    lake.land([(1, 0)], batch=0)
    row = books(lake, accepted=2)
    assert row.landed == 1
    assert not row.agrees


def test_a_record_that_landed_in_one_zone_only_shows(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.land([(1, 0)], batch=0)
    lake.land([(2, 0)], batch=1, tables=1)
    row = books(lake, accepted=2)
    assert (row.landed, row.content_landed) == (2, 1)
    assert not row.agrees


def test_more_landed_than_accepted_shows(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.land([(1, 0), (2, 0)])
    assert not books(lake, accepted=1).agrees


def test_withdrawals_that_ingest_made_are_in_nobodys_books(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.land([(1, 0)])
    lake.land([(2, 0), (3, 0)], batch=None)
    assert books(lake, accepted=1).agrees


def test_streams_have_books_of_their_own(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.land([(1, 0)], stream="s1")
    lake.land([(1, 0)], stream="s2")
    assert books(lake, accepted=1).agrees


def test_before_anything_landed_the_books_say_so(tmp_path: Path) -> None:
    row = books(Lake(tmp_path), accepted=4, refused=1)
    assert (row.sent, row.landed, row.agrees) == (5, 0, False)


def test_nothing_sent_agrees(tmp_path: Path) -> None:
    assert books(Lake(tmp_path), accepted=0).agrees


def test_the_books_as_json_say_whether_all_agree(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.land([(1, 0)])
    said: dict[str, Any] = json.loads(as_json([books(lake, accepted=1)]))
    assert said["agrees"] is True
    assert said["streams"][0]["landed"] == 1
    assert said["streams"][0]["feed"] == "welfare"
    assert json.loads(as_json([books(lake, accepted=2)]))["agrees"] is False


@settings(max_examples=15, deadline=None)
@given(
    batches=st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=4), max_size=4),
    redelivered=st.lists(st.integers(0, 3), max_size=3),
)
def test_redelivery_never_changes_the_books(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], redelivered: list[int]
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    sent = [[(ref, 0) for ref in refs] for refs in batches]
    for number, rows in enumerate(sent):
        lake.land(rows, batch=number)
    for number in redelivered:
        if number < len(sent):
            lake.land(sent[number], batch=number)
    row = books(lake, accepted=sum(map(len, sent)))
    assert row.agrees
    assert row.landed == len({ref for refs in batches for ref in refs})
