"""What must be true of a line when it has come to rest, told from the records alone."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from polars.testing import assert_frame_equal
from sqlalchemy import select

from linkage.block import Probes
from linkage.features import feature_columns
from linkage.features.tables import GEOGRAPHY, MEMBERSHIP, PRACTICES
from linkage.held import HeldSubjects
from linkage.match import Matcher
from linkage.subjects import Subjects
from schemas.columns import conform
from schemas.contracts.base import Feed
from schemas.contracts.subject import Subject
from schemas.model import default_model
from services.admin.dead_letters import count as dead_letters
from services.features.builder import Reference, nobody, rebuild
from services.features.content import Content
from services.features.role import FEATURES_TABLE, MEMBERSHIP_TABLE, PREVIOUS_TABLE
from services.link import run as link
from services.registry import PAIR_COLUMNS, SUBJECT_COLUMNS
from services.registry.sql.database import Database
from services.registry.sql.fetching import large_frame
from services.registry.sql.tables import pairs, roster
from tests.robustness.line import Line
from tests.robustness.records import SOURCES, UNIQUE, Records

PAIR = ("left_source", "left_ref", "right_source", "right_ref", "left_hash", "right_hash", "pattern", "weight_bits")
_SUBJECT = ["source", "subject_ref"]
BRUTE_FORCE_RECORDS = 150_000
"""Above so many, candidates are not sought by brute force: joins of passes with themselves take too much memory."""


def check(line: Line, records: Records) -> dict[str, Any]:
    """Assert everything; return the figures."""
    found = {
        **check_receipts(line, records),
        **check_pairs(line, records),
        **check_persons(line, records),
        **check_features(line),
    }
    assert dead_letters(line.bus) == 0, "messages were put aside"
    return found


def check_receipts(line: Line, records: Records) -> dict[str, Any]:
    """Receipts equal what is stored, and what was sent."""
    books = json.loads(line.hwlink("doctor", "--wait", "120", "--reconcile", "--json"))
    assert books["agrees"], books
    assert sorted(one["accepted"] for one in books["streams"]) == sorted(stream.rows for stream in records.streams)
    assert all(one["completed"] for one in books["streams"])
    return {"streams": len(books["streams"]), "receipts_for_records": sum(one["accepted"] for one in books["streams"])}


def check_pairs(line: Line, records: Records) -> dict[str, Any]:
    """No pair is missed and none is too many: those stored are those of one batch, whose candidates are those of a
    join of every pass with itself.
    """
    subjects = conform(records.subjects(), Subject)
    held = HeldSubjects(default_model())
    rows = held.upsert(Subjects.from_frame(subjects, {SOURCES[UNIQUE]: True}))
    figures: dict[str, Any] = {}
    if subjects.height <= BRUTE_FORCE_RECORDS:
        met = np.sort(np.concatenate([_numbered(left, right, held) for left, right in held.candidates(rows)]))
        by_force = candidates_by_force(held)
        assert np.array_equal(met, by_force), f"{len(met):,} candidates, {len(by_force):,} by brute force"
        figures["candidates_by_brute_force"] = len(by_force)
    expected = Matcher(default_model()).match(rows, held).select(PAIR)
    _, kept = stored(line.settings.registry_url)
    kept = kept.select(PAIR)
    missed = expected.join(kept, on=PAIR, how="anti").height
    too_many = kept.join(expected, on=PAIR, how="anti").height
    assert (missed, too_many) == (0, 0), f"of {expected.height:,} pairs {missed:,} were missed, {too_many:,} too many"
    assert kept.height == expected.height > subjects.height // 50
    return figures | {"subjects": subjects.height, "pairs": kept.height}


def candidates_by_force(held: HeldSubjects) -> np.ndarray:
    """Return every pair that shares a key of some pass or crossing, from joins alone, numbered and in order."""
    model, subjects = default_model(), held.subjects
    probes = Probes.of(model.passes, model.crossings)
    keys = held.keyed(model.passes)
    identifiers = {("token_nhs_number",), ("token_pseudonym",), ("token_nino",)}
    by_identifier = [identifiers.issuperset(one.parts) for one in model.passes]
    unique = np.asarray(subjects.unique)[subjects.source]
    number = pl.Series("row", np.arange(len(held)))
    found = []
    for ask, hold in zip(probes.asked, probes.held, strict=True):
        asking = pl.DataFrame({"row": number, "key": keys[:, ask]}).filter(pl.col("key") != 0)
        holding = pl.DataFrame({"other": number, "key": keys[:, hold]}).filter(pl.col("key") != 0)
        met = asking.join(holding, on="key").filter(pl.col("row") != pl.col("other"))
        left, right = (met[name].to_numpy() for name in ("row", "other"))
        apart = (subjects.source[left] == subjects.source[right]) & unique[left]
        if by_identifier[ask]:
            apart[:] = False
        group = subjects.claim_group[left]
        apart |= (
            (group != 0) & (group == subjects.claim_group[right]) & (subjects.source[left] == subjects.source[right])
        )
        found.append(np.unique(_numbered(left[~apart], right[~apart], held)))
    return np.unique(np.concatenate(found))


def _numbered(left: np.ndarray, right: np.ndarray, held: HeldSubjects) -> np.ndarray:
    return np.maximum(left, right) * np.int64(len(held)) + np.minimum(left, right)


def check_persons(line: Line, records: Records) -> dict[str, Any]:
    """`hwlink link` over the records that hold finds the persons that the services hold."""
    model = default_model()
    with tempfile.TemporaryDirectory() as out:
        link(
            records.holding[Feed.HEALTH],
            records.holding[Feed.WELFARE],
            Path(out) / "linked",
            shipped=model,
            model=model,
            unique="left",
        )
        offline = pl.read_parquet(Path(out) / "linked" / "persons.parquet").rename({"subject": "subject_ref"})
    online = line.registry.resolver.persons()
    ours, theirs = partition(online), partition(offline)
    both = ours.join(theirs, on=_SUBJECT, how="full", coalesce=True, suffix="_offline")
    moved = both.filter(pl.col("first").ne_missing(pl.col("first_offline")))
    assert moved.is_empty(), f"{moved.height:,} of {both.height:,} subjects are with other people"
    return {"persons": online["person_id"].n_unique(), "of_several": _of_several(online)}


def partition(persons: pl.DataFrame) -> pl.DataFrame:
    """Return of each subject the first subject of its person, whatever ids persons have."""
    named = persons.with_columns(name=pl.concat_str("source", pl.lit(" "), "subject_ref"))
    return named.select(*_SUBJECT, first=pl.col("name").min().over("person_id"))


def _of_several(persons: pl.DataFrame) -> int:
    return persons.group_by("person_id").len().filter(pl.col("len") > 1).height


def check_features(line: Line) -> dict[str, Any]:
    """The last snapshot is what a rebuild from the lake gives, and its membership is the resolver's."""
    snapshot = line.registry.features.snapshots()[0]
    zones = line.zones()
    _, membership = line.registry.features.membership()
    state = nobody()
    # What an earlier day said is no content: a storm over midnight looks back at it, as the role does.
    before = zones["products"].scan(PREVIOUS_TABLE, snapshot.tables[PREVIOUS_TABLE])
    assert before is not None
    expected = rebuild(
        replace(state, membership=membership.cast(MEMBERSHIP), previous=before.collect()),
        [],
        Content(zones["content"]),
        Reference(pl.DataFrame(schema=GEOGRAPHY), pl.DataFrame(schema=PRACTICES)),
        snapshot.as_of,
    ).state
    for table, rows, key in (
        (FEATURES_TABLE, expected.features, ["person_id"]),
        (MEMBERSHIP_TABLE, expected.membership, _SUBJECT),
    ):
        written = zones["products"].scan(table, snapshot.tables[table]).collect()
        schema = feature_columns() if table == FEATURES_TABLE else MEMBERSHIP
        assert_frame_equal(
            written.select(schema.names()).cast(dict(schema)).sort(key), rows.select(schema.names()).sort(key)
        )
    return {"snapshots": len(line.registry.features.snapshots()), "people_with_features": expected.features.height}


def stored(url: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the roster and the pairs that the resolver keeps, with the keys of both ends."""
    database = Database(url)
    with database.reading() as connection:
        subjects = large_frame(connection, select(*(roster.c[name] for name in SUBJECT_COLUMNS)), SUBJECT_COLUMNS)
        kept = large_frame(connection, select(*(pairs.c[name] for name in PAIR_COLUMNS)), PAIR_COLUMNS)
    database.close()
    for side in ("left", "right"):
        named = subjects.select(
            **{f"{side}_serial": "serial", f"{side}_source": "source", f"{side}_ref": "subject_ref"}
        )
        kept = kept.join(named, on=f"{side}_serial")
    return subjects, kept
