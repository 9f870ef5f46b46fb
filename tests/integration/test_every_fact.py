"""Every kind of fact, from a clear file through either entrance into the lake and to the features, and out again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from linkage.encode import ProjectKeys, subject_refs
from linkage.encode.content import KEYED_FROM
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.contracts.facts import FACT_KINDS, LISTED_FACTS
from services.features.content import Content
from services.lake.delta import DeltaZone
from services.landing.role import Landing, Pace
from services.pseudonymise.job import Job, run
from services.send.encode import close_request, columns_request, open_request, rows_request
from services.send.file import FeedFile
from tests.every_fact import clear_record, expected_facts

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
NOW = Pace(linger_s=0, poll_s=0)
DEMOGRAPHICS = {
    "birth_year_month": "1980-06", "sex": "2", "ethnic_category": "A", "lsoa": "E01016123",
    "death_year_month": "2026-05", "interpreter_needed": True, "property_match": "residency",
}  # fmt: skip


@dataclass
class Line:
    """Controllers, the door and landing in one folder."""

    kit: Any
    folder: Path
    running: Any

    @property
    def content(self) -> DeltaZone:
        return DeltaZone(self.folder / "lake", "content")

    def send(self, make: Any, feed: Feed, source: str, ids: list[str], version: int) -> Any:
        """Pseudonymise a full extract of records that say everything, send and land it; return how it closed."""
        name = f"{source.replace('.', '-')}-{version:04d}"
        clear = self.folder / f"{name}-clear.parquet"
        pl.DataFrame([clear_record(feed, one) for one in ids], infer_schema_length=None).write_parquet(clear)
        declared = self.kit.declaration(feed, source=source, full_extract=True, one_record_per_person=False)
        report = run(Job(clear, self.folder / f"{name}.parquet", AGREEMENT, KEYS, declared, version=version))
        assert (report.rows_written, dict(report.fault_counts)) == (len(ids), {})
        file = FeedFile(self.folder / f"{name}.parquet", feed)
        batches = [make(feed, number, frame) for number, _, frame in file.batches(500, 0)]
        file.close()
        opening, client = open_request(name, declared), self.kit.client(self.running.address)
        responses = client.exchange(feed, [opening, *batches])
        assert [response.receipt.accepted for response in responses[1:]] == [len(ids)]
        self.land()
        closed = client.exchange(feed, [opening, close_request(feed, len(batches))])[-1].closed
        self.land()
        return closed

    def land(self) -> None:
        for landing in (
            Landing.of_linkage(self.running.bus, self.running.zone, NOW),
            Landing.of_content(self.running.bus, self.content, NOW),
        ):
            while landing.step():
                pass
            landing.close()

    def facts(self, feed: Feed, source: str) -> dict[str, pl.DataFrame]:
        """Return the facts of a source that hold, as the features read them."""
        held = Content(self.content).facts()
        order = {"demographics": ["subject_ref"]}  # one a record
        return {
            kind: held[kind].filter(source=source).sort(order.get(kind, ["subject_ref", "ordinal"])).collect()
            for kind in FACT_KINDS[feed]
        }


@pytest.fixture
def line(kit: Any, tmp_path: Path) -> Any:
    running = kit.start(tmp_path)
    yield Line(kit, tmp_path, running)
    kit.stop(running)


@pytest.mark.parametrize("make", [rows_request, columns_request])
@pytest.mark.parametrize("feed", Feed)
def test_every_kind_of_fact_travels_the_whole_line(line: Line, feed: Feed, make: Any) -> None:
    line.send(make, feed, "medway.a1", ["R1"], version=1)
    assert set(line.content.tables()) == {f"{feed}_{kind}" for kind in FACT_KINDS[feed]}
    held = line.facts(feed, "medway.a1")
    for kind, facts in expected_facts(feed).items():
        contract = LISTED_FACTS[feed][kind]
        names = [name for name in contract.model_fields if name not in KEYED_FROM]
        assert held[kind].select(names).to_dicts() == facts, kind
        for name in set(contract.model_fields) & set(KEYED_FROM):
            assert held[kind][name].str.len_chars().to_list() == [32]
    (person,) = held["demographics"].to_dicts()
    assert {name: person[name] for name in DEMOGRAPHICS} == DEMOGRAPHICS
    assert len(person["property_ref"]) == 32


@pytest.mark.parametrize("feed", Feed)
def test_facts_of_subjects_that_left_a_full_extract_are_gone(line: Line, feed: Feed) -> None:
    """Of every kind, in their own source only: the other one, of the same record ids, never said that they left."""
    ids = [f"R{number}" for number in range(20)]
    line.send(columns_request, feed, "medway.a1", ids, version=1)
    line.send(rows_request, feed, "medway.b1", ids, version=1)
    assert line.send(columns_request, feed, "medway.a1", ids[1:], version=2).withdrawn == 1

    (gone,) = subject_refs("medway.a1", pl.Series(ids[:1]), KEYS)
    stayed = set(subject_refs("medway.a1", pl.Series(ids[1:]), KEYS))
    for kind, rows in line.facts(feed, "medway.a1").items():
        assert set(rows["subject_ref"]) == stayed, kind
        assert set(rows["version"]) == {2}, kind
    for kind, rows in line.facts(feed, "medway.b1").items():
        assert rows["subject_ref"].n_unique() == 20, kind
    touched = line.content.scan(f"{feed}_demographics")
    assert touched is not None
    assert touched.filter(subject_ref=gone, operation="withdraw").select(pl.len()).collect().item() == 1


@pytest.mark.parametrize("feed", Feed)
def test_kinds_that_a_new_version_no_longer_says_are_gone(line: Line, feed: Feed) -> None:
    """A record's new version is a source's whole word: a kind that it leaves out is not carried over from the old."""
    line.send(columns_request, feed, "medway.a1", ["R1", "R2"], version=1)
    said = line.facts(feed, "medway.a1")
    newer = line.kit.declaration(feed, source="medway.a1")
    bare = pl.DataFrame({"subject_ref": said["demographics"]["subject_ref"][:1], "version": [2]})
    batch = [open_request("bare-0001", newer), columns_request(feed, 0, bare), close_request(feed, 1)]
    line.kit.client(line.running.address).exchange(feed, batch)
    line.land()
    now = line.facts(feed, "medway.a1")
    assert now["demographics"].height == 2
    for kind in LISTED_FACTS[feed]:
        assert now[kind]["subject_ref"].unique().to_list() == said["demographics"]["subject_ref"][1:].to_list(), kind
