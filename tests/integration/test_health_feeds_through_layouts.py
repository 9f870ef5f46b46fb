"""The made-up population in raw layouts: what a source knows of its people comes through its layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from linkage.encode import ProjectKeys, encode
from linkage.synthesise.feeds import Feeds, feeds
from linkage.synthesise.layouts import gp, hospital, neutral, services
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.contracts.facts import LISTED_FACTS
from services.pseudonymise import Report
from services.pseudonymise.layouts import open_layout

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
EXTRACTED_ON = date(2026, 6, 30)

ALL = tuple(LISTED_FACTS[Feed.HEALTH])
SOURCES: tuple[tuple[str, str, Callable[[pl.DataFrame], dict[str, pl.DataFrame]], set[str], set[str], bool], ...] = (
    ("kmicb.gp", "gp", gp.tables, set(), set(), False),
    ("kmicb.sus", "sus-apc", hospital.spells, {"admission"}, set(), False),
    ("kmicb.sus", "sus-op", hospital.appointments, {"outpatient"}, {"ended_on"}, False),
    # A made-up homeless person's accommodation has a day of its own; the data set has it with an attendance alone.
    ("kmicb.ecds", "ecds", hospital.attendances, {"ae_attendance"}, {"ended_on", "started_on", "recorded_on"}, False),
    ("kmpt.mhsds", "mhsds", services.mental_health, set(), {"cost_pence", "ended_on", "primary_diagnosis"}, True),
    ("kcht.csds", "csds", services.community, set(), {"ended_on"}, False),
    ("medway.asc", "asc", neutral.social_care, set(), set(), False),
    ("kcc.asc", "asc", neutral.social_care, set(), set(), False),
    ("medway.ncmp", "ncmp", neutral.child_measurement, set(), set(), False),
    ("kmicb.joy", "joy", neutral.social_prescribing, set(), set(), False),
)
"""Source, layout, writer; kinds of encounters that it is for; members that it cannot say; whether days are months."""


@pytest.fixture(scope="module")
def population() -> Feeds:
    return feeds(1_500, 400, seed=11)


def facts(
    frame: pl.DataFrame, name: str, kinds: set[str], silent: set[str], months: bool
) -> Counter[tuple[object, ...]]:
    """Return the facts of one list column over everybody, without what the layout cannot say."""
    coded = encode(frame, AGREEMENT, KEYS, Feed.HEALTH, True, source="a.b", latest=EXTRACTED_ON).frame
    long = coded.select(name).explode(name).drop_nulls().unnest(name).drop(silent, strict=False)
    if kinds and name == "encounters":
        long = long.filter(pl.col("kind").is_in(kinds))
    if months:
        long = long.with_columns(pl.col(pl.Date).dt.month_start())
    return Counter(long.rows())


@pytest.mark.parametrize(
    ("source", "layout", "write", "kinds", "silent", "months"), SOURCES, ids=[f"{s[0]}-{s[1]}" for s in SOURCES]
)
def test_what_a_source_knows_comes_through_its_layout(
    tmp_path: Path,
    population: Feeds,
    source: str,
    layout: str,
    write: Callable[[pl.DataFrame], dict[str, pl.DataFrame]],
    kinds: set[str],
    silent: set[str],
    months: bool,
) -> None:
    frame = population.frames[source]
    for name, table in write(frame).items():
        table.write_csv(tmp_path / f"{name}.csv")
    chunks = open_layout(layout, {}).rows(tmp_path, EXTRACTED_ON, Report("out"))
    found = pl.concat([chunk.frame for chunk in chunks])

    met = 0
    for name in ALL:
        if name in frame.columns and not (kinds and name not in ("encounters", "fit_notes")):
            known = facts(frame, name, kinds, silent, months)
            assert facts(found, name, kinds, silent, months) == known, name
            met += known.total()
    assert met > 0
