"""The features role over real topics, Delta tables and a registry: what consumers and analysts find, whatever
happens.
"""

from __future__ import annotations

import json
import random
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import insert, update

from linkage.features import FEATURES, FeatureTables, compute
from linkage.features.tables import MEMBERSHIP
from schemas.columns import columns
from schemas.contracts.facts import Demographics, FactEnvelope
from schemas.contracts.facts_health import Diagnosis, Encounter
from schemas.contracts.facts_welfare import Arrears, ClaimMembership
from schemas.contracts.persons import MembershipChange
from schemas.errors import Reason, StateError, TransientError
from schemas.events import FeatureRecord
from schemas.features import Sensitivity
from schemas.purposes import shipped_purposes
from schemas.topics import INTERNAL, PERSONS, features_topic, person_events_topic
from schemas.wire import to_ipc
from services.bus import Outgoing, Producer
from services.bus.memory import MemoryBus
from services.features.builder import Reference
from services.features.content import Content
from services.features.membership import lineage
from services.features.records import Consumer, permitted_features
from services.features.role import Features, Pace
from services.lake.delta import DeltaZone
from services.registry import PAIR_COLUMNS, SUBJECT_COLUMNS, ResolverChange
from services.registry.sql import SqlRegistry, open_registry
from services.registry.sql.database import Database
from services.registry.sql.tables import features_state

GP, SHBE = "kmicb.gp", "medway.shbe"
TODAY = date(2026, 6, 30)
GEOGRAPHY = pl.DataFrame(
    {"lsoa": ["E01000001", "E01000002"], "ward": ["North", "South"], "authority": ["medway"] * 2, "imd_decile": [1, 8]}
)
EAGER = Pace(poll_s=0.0, quiet_s=0.0)
KINDS = {
    "health_demographics": Demographics,
    "health_diagnoses": Diagnosis,
    "health_encounters": Encounter,
    "welfare_demographics": Demographics,
    "welfare_claims": ClaimMembership,
    "welfare_arrears": Arrears,
}


class World:
    """A bus, a lake and a registry, with hands to land facts and to say who belongs together."""

    def __init__(self, folder: Path) -> None:
        self.bus = MemoryBus()
        self.bus.create_topics(INTERNAL)
        self.content = DeltaZone(folder / "lake", "content")
        self.products = DeltaZone(folder / "lake", "products")
        self.registry_url = f"sqlite:///{folder / 'registry.db'}"
        self.registry: SqlRegistry = open_registry(self.registry_url)
        self.today = TODAY
        self.sequence = 0
        self.offset = 0
        self.person_of: dict[tuple[str, str], str] = {}

    def role(self, bus: MemoryBus | None = None, reference: Reference | None = None) -> Features:
        consumer = Consumer(shipped_purposes()["segmentation"], b"k" * 32, clock_ms=lambda: 0)
        return Features(
            bus or self.bus,
            self.content,
            self.products,
            self.registry.features,
            reference=reference or Reference(GEOGRAPHY),
            consumers=[consumer],
            today=lambda: self.today,
            model_id=lambda: "model-1",
            pace=EAGER,
        )

    def land(self, source: str, ref: int, version: int = 1, operation: str = "upsert", **facts: object) -> None:
        """Land one record: its demographics, and lists of further facts by kind."""
        feed = "health" if source == GP else "welfare"
        digest = zlib.crc32(repr(sorted(facts.items())).encode())
        demographics = facts.pop("demographics", {})
        for kind, listed in {"demographics": [demographics], **facts}.items():
            contract = KINDS[f"{feed}_{kind}"]
            schema = {**columns(FactEnvelope), **columns(contract)}
            head = {
                "source": source,
                "subject_ref": f"{ref:032x}",
                "version": version,
                "operation": operation,
                "content_hash": digest,
            }
            rows = [dict.fromkeys(schema) | head | {"ordinal": n} | fact for n, fact in enumerate(listed)]  # type: ignore[arg-type]
            frame = pl.DataFrame(rows, schema=schema).with_columns(
                _topic=pl.lit(f"hwlink.{feed}.v1"),
                _partition=pl.lit(0, pl.Int64),
                _offset=pl.lit(self.offset, pl.Int64),
            )
            self.content.append(f"{feed}_{kind}", frame, {f"hwlink.{feed}.v1-0": self.offset})
            self.offset += 1

    def join(self, *moves: tuple[str, int, str | None], events: str = "[]") -> None:
        """Publish one transaction: each subject's new person, None for a withdrawal."""
        self.sequence += 1
        rows = []
        for source, ref, person in moves:
            key = (source, f"{ref:032x}")
            rows.append(
                {
                    "source": source,
                    "subject_ref": key[1],
                    "person_id": person,
                    "previous_person_id": self.person_of.get(key),
                    "link_probability": None,
                }
            )
            self.person_of.pop(key, None)
            if person is not None:
                self.person_of[key] = person
        frame = pl.DataFrame(rows, schema=columns(MembershipChange))
        headers = {"kind": "transaction", "sequence": str(self.sequence), "events": events}
        self.bus.producer().send([Outgoing(PERSONS.name, 0, None, to_ipc(frame), headers)])

    def features(self) -> pl.DataFrame:
        version = self.registry.features.snapshots()[0].tables["features"]
        scan = self.products.scan("features", version)
        assert scan is not None
        return scan.collect().sort("person_id")

    def expected(self) -> pl.DataFrame:
        """Everything computed at once from what has landed."""
        content = Content(self.content)
        membership = pl.DataFrame(
            [
                {"person_id": p, "source": s, "subject_ref": r, "link_probability": None}
                for (s, r), p in self.person_of.items()
            ],
            schema={
                "person_id": pl.String,
                "source": pl.String,
                "subject_ref": pl.String,
                "link_probability": pl.Float64,
            },
        )
        tables = FeatureTables.from_facts(content.facts(), GEOGRAPHY, content.news(None, content.offsets()).coverage)
        return compute(tables, membership, self.today, previous=self.previous())

    def previous(self) -> pl.DataFrame | None:
        """What the newest snapshot of an earlier day said of everybody."""
        for snapshot in self.registry.features.snapshots():
            if snapshot.as_of < self.today:
                told = self.products.scan("features", snapshot.tables["features"])
                assert told is not None
                return told.select("person_id", "segment_code", pl.lit(snapshot.as_of).alias("as_of")).collect()
        return None

    def records(self) -> list[tuple[str, dict[str, object] | None]]:
        """What the consumer has been sent, oldest first within each partition."""
        consumer = self.bus.consumer("test", [features_topic("phm")])
        messages = consumer.poll(10_000, 0.0)
        return [(m.key.decode(), json.loads(m.value) if m.value else None) for m in messages if m.key]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.registry.close()


def _linked_person(world: World) -> None:
    copd = {"condition": "copd", "status": "active", "recorded_on": date(2020, 1, 1)}
    born = {"birth_year_month": "1970-05", "sex": "1", "lsoa": "E01000001"}
    world.land(GP, 1, demographics=born, diagnoses=[copd])
    world.land(SHBE, 2, demographics=born, claims=[_claim("c1")])
    world.join((GP, 1, "p1"), (SHBE, 2, "p1"))


def _claim(ref: str, role: str = "claimant", benefit: str = "hb") -> dict[str, object]:
    return {
        "claim_ref": ref,
        "benefit": benefit,
        "role": role,
        "status": "in_payment",
        "started_on": date(2024, 1, 1),
        "tenure": "council" if role == "claimant" else None,
        "weekly_income_pence": 12_000 if role == "claimant" else None,
    }


def test_a_linked_person_gets_features_a_snapshot_and_a_record(world: World) -> None:
    _linked_person(world)
    snapshot = world.role().drain()
    assert snapshot is not None
    assert (snapshot.model_id, snapshot.as_of, snapshot.snapshot_id) == ("model-1", TODAY, "2026-06-30.1")
    assert json.loads(snapshot.summary_json)["linked"] == 1
    row = world.features().row(0, named=True)
    assert (row["reg_copd"], row["hb_in_payment"], row["uc_in_payment"], row["core20"]) == (True, True, None, True)
    [(key, record)] = world.records()
    assert record is not None
    parsed = FeatureRecord.model_validate(record)
    assert parsed.person_id == key != "p1"
    assert parsed.features["reg_copd"] is True
    assert parsed.features["ae_attendances_12m"] is None
    assert set(parsed.features) == set(permitted_features(shipped_purposes()["segmentation"]))
    assert "age" not in parsed.features
    assert not any(FEATURES[name].sensitivity is Sensitivity.INCLUSION for name in parsed.features)


def test_nothing_new_publishes_nothing(world: World) -> None:
    _linked_person(world)
    role = world.role()
    assert role.drain() is not None
    assert role.drain() is None
    assert world.role().drain() is None


def test_revisions_rise_above_those_of_a_registry_that_was_lost_though_its_backup_has_no_snapshot(world: World) -> None:
    with closing(Database(world.registry_url)) as database, database.writing() as connection:
        connection.execute(insert(features_state).values(id=1, position="{}", sequence=0, revision=5_000))
    _linked_person(world)
    snapshot = world.role().drain()
    assert snapshot is not None
    assert snapshot.snapshot_id == "2026-06-30.5001"
    assert [record["revision"] for _, record in world.records() if record] == [5_001]


def test_on_a_new_bus_consumers_are_told_of_everybody_and_of_who_has_gone_since(world: World) -> None:
    _linked_person(world)
    world.land(GP, 7, demographics={"birth_year_month": "1980-01"}, diagnoses=[])
    world.join((GP, 7, "p7"))
    world.role().drain()
    (_, first), (_, second) = world.records()
    with closing(Database(world.registry_url)) as database, database.writing() as connection:
        connection.execute(update(features_state).values(position="{}"))
    world.bus = MemoryBus()
    world.bus.create_topics(INTERNAL)
    world.join((GP, 7, None))

    snapshot = world.role().drain()

    assert snapshot is not None
    assert first is not None
    assert second is not None
    told = dict(world.records())
    assert set(told) == {first["person_id"], second["person_id"]}
    assert sorted(record["revision"] for record in told.values() if record) == [2]  # type: ignore[type-var]
    assert list(told.values()).count(None) == 1
    assert world.role().drain() is None


def test_new_reference_data_are_a_new_snapshot_that_names_them(world: World) -> None:
    _linked_person(world)
    first = world.role().drain()
    assert first is not None
    assert json.loads(first.summary_json)["reference"] == ""
    spared = GEOGRAPHY.with_columns(imd_decile=pl.lit(9))
    role = world.role(reference=Reference(spared, version="ref-0123456789ab"))
    second = role.drain()
    assert second is not None
    assert json.loads(second.summary_json)["reference"] == "ref-0123456789ab"
    assert world.features()["core20"].to_list() == [False]
    assert role.drain() is None


def test_steps_gather_until_it_is_quiet_and_then_publish(world: World) -> None:
    _linked_person(world)
    role = world.role()
    while role.step():
        pass
    assert len(world.registry.features.snapshots()) == 1


def test_only_changed_records_are_sent_again(world: World) -> None:
    _linked_person(world)
    world.land(GP, 7, demographics={"birth_year_month": "1980-01"}, diagnoses=[])
    world.join((GP, 7, "p7"))
    role = world.role()
    role.drain()
    world.land(GP, 7, version=2, demographics={"birth_year_month": "1980-01", "sex": "2"})
    role.drain()
    sent = [record for _, record in world.records() if record]
    assert sorted(record["revision"] for record in sent) == [1, 1, 2]  # type: ignore[type-var]
    [again] = [record for record in sent if record["revision"] == 2]
    assert again["features"]["sex_code"] == "2"  # type: ignore[index]


def test_a_retired_person_leaves_the_table_and_a_tombstone(world: World) -> None:
    _linked_person(world)
    world.land(GP, 7, demographics={"birth_year_month": "1980-01"})
    world.join((GP, 7, "p7"))
    role = world.role()
    role.drain()
    world.join((GP, 7, None))
    role.drain()
    assert world.features()["person_id"].to_list() == ["p1"]
    tombstones = [key for key, record in world.records() if record is None]
    assert len(tombstones) == 1


def test_lineage_reaches_the_consumer_under_its_own_ids(world: World) -> None:
    _linked_person(world)
    merge = json.dumps([{"kind": "merge", "person_id": "p9", "superseded_by": "p1", "sequence": 2}])
    world.join((GP, 1, "p1"), events=merge)
    world.role().drain()
    [message] = world.bus.consumer("test", [person_events_topic("phm")]).poll(10, 0.0)
    body = json.loads(message.value or b"")
    [(key, _)] = world.records()
    assert (body["kind"], body["superseded_by"], body["sequence"]) == ("merge", key, 2)
    assert body["person_id"] not in ("p9", key)


def test_the_turn_of_a_day_rolls_the_as_of_date(world: World) -> None:
    _linked_person(world)
    visit = {"kind": "ae_attendance", "started_on": date(2025, 7, 1)}
    world.land(GP, 1, version=2, demographics={"birth_year_month": "1970-05"}, encounters=[visit])
    role = world.role()
    role.drain()
    assert world.features()["ae_attendances_12m"].to_list() == [1]
    world.today = date(2026, 7, 2)
    assert role.drain() is not None
    assert world.features()["ae_attendances_12m"].to_list() == [0]


def test_a_move_changes_everybody_in_the_old_and_the_new_household(world: World) -> None:
    for ref in (2, 3, 4):
        world.land(
            SHBE, ref, demographics={}, claims=[_claim("c1" if ref < 4 else "c2", "claimant" if ref != 3 else "child")]
        )
        world.join((SHBE, ref, f"p{ref}"))
    for ref in range(10, 30):
        world.land(SHBE, ref, demographics={}, claims=[_claim(f"c{ref}")])
        world.join((SHBE, ref, f"p{ref}"))
    role = world.role()
    role.drain()
    assert dict(world.features().select("person_id", "household_size").iter_rows())["p2"] == 2
    world.land(SHBE, 3, version=2, demographics={}, claims=[_claim("c2", "child")])
    role.drain()
    sizes = dict(world.features().select("person_id", "household_size").iter_rows())
    assert (sizes["p2"], sizes["p3"], sizes["p4"]) == (1, 2, 2)
    assert_frame_equal(world.features(), world.expected())


def test_a_first_fact_of_a_kind_turns_unknown_into_a_negative_for_the_whole_source(world: World) -> None:
    for ref in range(20):
        world.land(GP, ref, demographics={"birth_year_month": "1980-01"})
        world.join((GP, ref, f"p{ref}"))
    role = world.role()
    role.drain()
    assert world.features()["reg_chd"].null_count() == 20
    chd = {"condition": "chd", "status": "active", "recorded_on": date(2020, 1, 1)}
    world.land(GP, 0, version=2, demographics={"birth_year_month": "1980-01"}, diagnoses=[chd])
    role.drain()
    assert world.features()["reg_chd"].sum() == 1
    assert world.features()["reg_chd"].null_count() == 0


def test_a_missing_transaction_stops_the_role(world: World) -> None:
    _linked_person(world)
    world.sequence += 1
    world.join((GP, 1, "p2"))
    with pytest.raises(StateError) as caught:
        world.role().drain()
    assert caught.value.reason is Reason.NOT_RECONCILED


class _Failing(MemoryBus):
    """A bus whose producers fail once, after everything before it was written."""

    def __init__(self, inner: MemoryBus) -> None:
        self._store = inner._store
        self.fail = True

    def producer(self) -> Producer:  # type: ignore[override]
        real, outer = super().producer(), self

        class Once:
            def send(self, messages: list[Outgoing]) -> list[object]:
                sent = real.send(messages)
                if outer.fail:
                    outer.fail = False
                    raise TransientError(Reason.UNAVAILABLE, "The bus went away; try again.")
                return sent  # type: ignore[return-value]

            def close(self) -> None:
                real.close()

        return Once()  # type: ignore[return-value]


@pytest.mark.parametrize("restart", [False, True])
def test_a_failure_between_sending_and_committing_repeats_the_same_records(world: World, restart: bool) -> None:
    _linked_person(world)
    bus = _Failing(world.bus)
    role = world.role(bus)
    with pytest.raises(TransientError):
        role.drain()
    assert world.registry.features.snapshots() == []
    (world.role() if restart else role).drain()
    records = world.records()
    assert len(records) == 2
    assert records[0] == records[1]
    assert_frame_equal(world.features(), world.expected())


@pytest.mark.parametrize("seed", range(4))
def test_any_history_of_facts_and_moves_equals_a_full_rebuild(tmp_path: Path, seed: int) -> None:
    """Late facts, corrections, withdrawals, moves between households, merges, splits, replays, restarts, a new day."""
    draw = random.Random(seed)
    world = World(tmp_path)
    for ref in range(24):
        world.land(GP if ref % 2 else SHBE, ref, demographics={"birth_year_month": "1980-01"})
        world.join((GP if ref % 2 else SHBE, ref, f"p{ref}"))
    role = world.role()
    role.drain()
    for turn in range(10):
        for _ in range(draw.randint(1, 3)):
            ref = draw.randrange(26)
            source = GP if ref % 2 else SHBE
            match draw.randrange(4):
                case 0 if source == GP:
                    world.land(source, ref, draw.randrange(5), demographics=_born(draw), diagnoses=_conditions(draw))
                case 0 | 1:
                    claims = [_claim(f"c{draw.randrange(6)}", draw.choice(["claimant", "child", "non_dependant"]))]
                    kind = {"encounters": []} if source == GP else {"claims": claims, "arrears": _debts(draw)}
                    world.land(source, ref, draw.randrange(5), demographics=_born(draw), **kind)
                case 2:
                    world.join((source, ref, draw.choice([None, f"p{draw.randrange(26)}"])))
                case 3:
                    world.land(source, ref, draw.randrange(5), draw.choice(["upsert", "withdraw"]), demographics={})
        if turn == 6:
            world.today = date(2026, 12, 31)
        if turn == 8:
            world.today = date(2027, 1, 1)
        if draw.random() < 0.3:
            role = world.role()
        role.drain()
        assert_frame_equal(world.features(), world.expected())
    latest = dict(world.records())
    assert sum(record is not None for record in latest.values()) == len(world.features())
    world.registry.close()


def _born(draw: random.Random) -> dict[str, object]:
    return {
        "birth_year_month": draw.choice([None, "1950-03", "1990-07", "2020-02"]),
        "sex": draw.choice(["1", "2", "X", None]),
        "ethnic_category": draw.choice(["A", "M", "Z", None]),
        "lsoa": draw.choice(["E01000001", "E01000002", "E01999999", None]),
    }


def _conditions(draw: random.Random) -> list[dict[str, object]]:
    return [
        {
            "condition": draw.choice(["dm", "htn", "copd"]),
            "status": draw.choice(["active", "resolved"]),
            "recorded_on": date(2020, 1, draw.randint(1, 3)),
        }
        for _ in range(draw.randrange(4))
    ]


def _debts(draw: random.Random) -> list[dict[str, object]]:
    return [{"kind": "council_tax", "balance_pence": draw.choice([0, 40_000, 90_000]), "recovery_stage": "none"}]


def _persons(registry: SqlRegistry, *people: tuple[str, list[tuple[str, int]]], sequence: int) -> None:
    """Let the registry hold these people, as the resolver's transactions up to `sequence` have left it."""
    state = registry.resolver.claim("test")
    ids = pl.DataFrame({"serial": range(1, len(people) + 1), "person_id": [person for person, _ in people]})
    rows = [
        (source, f"{ref:032x}", 1, False, 0, False, None, 1, serial, None)
        for serial, (_, members) in enumerate(people, 1)
        for source, ref in members
    ]
    subjects = pl.DataFrame([(n, *row) for n, row in enumerate(rows, 1)], SUBJECT_COLUMNS, orient="row")
    nothing = pl.DataFrame(schema=PAIR_COLUMNS)
    registry.resolver.apply(
        ResolverChange(
            before=state,
            after=replace(state, sequence=sequence),
            subjects_added=subjects,
            subjects_changed=subjects.clear(),
            pairs_removed=nothing.select("left_serial", "right_serial"),
            pairs_written=nothing,
            persons_added=ids,
            persons_retired=pl.DataFrame(schema={"serial": pl.Int64, "superseded_by": pl.Int64}),
            transaction=None,
        )
    )


@pytest.mark.parametrize("stays_up", [True, False])
@pytest.mark.parametrize("goes_on", [True, False])
def test_transactions_that_retention_took_are_made_up_for_from_the_registry(
    world: World, stays_up: bool, goes_on: bool
) -> None:
    _linked_person(world)
    for ref in (3, 4, 5):
        world.land(GP, ref)
    world.join((GP, 3, "p3"), (GP, 4, "p4"), (GP, 5, "p4"))
    role = world.role()
    role.drain()
    sent = len(world.records())
    # Told to nobody: p1 falls apart, p3 goes into p4 and its own subject leaves, and somebody new comes.
    world.land(SHBE, 6)
    world.join((SHBE, 2, "p9"), (GP, 3, "p4"))
    world.join((SHBE, 6, "p6"), (GP, 5, None))
    world.bus.trim(2**53)
    _persons(
        world.registry,
        ("p1", [(GP, 1)]),
        ("p9", [(SHBE, 2)]),
        ("p4", [(GP, 3), (GP, 4)]),
        ("p6", [(SHBE, 6)]),
        sequence=world.sequence,
    )
    if goes_on:
        world.join((GP, 5, "p5"))
    if not stays_up:
        role = world.role()
    snapshot = role.drain()
    assert snapshot is not None
    assert_frame_equal(world.features(), world.expected().sort("person_id"))
    assert world.registry.features.features_position()[1] == world.sequence
    assert role.drain() is None
    events = world.bus.consumer("test", [person_events_topic("phm")]).poll(100, 0)
    kinds = Counter(json.loads(m.value or b"")["kind"] for m in events)
    assert kinds == {"split": 1, "merge": 1}
    assert {record for _, record in world.records()[sent:] if record is None} == {None}  # p3's tombstone


def test_lineage_between_memberships_says_who_went_where() -> None:
    def membership(**people: str) -> pl.DataFrame:
        rows = [(person, "s.s", ref, None) for person, refs in people.items() for ref in refs]
        return pl.DataFrame(rows, MEMBERSHIP, orient="row")

    told = lineage(membership(p1="abc", p2="de", p3="f", p4="g"), membership(p1="ad", p2="e", p5="b", p6="c"), 7)
    assert [(event.kind.value, event.person_id, event.superseded_by) for event in told] == [
        ("split", "p1", "p5"),
        ("split", "p1", "p6"),
        ("retire", "p3", None),
        ("retire", "p4", None),
    ]
    assert {event.sequence for event in told} == {7}
    (merged,) = lineage(membership(p1="abc", p2="d"), membership(p2="abcd"), 8)
    assert (merged.kind.value, merged.person_id, merged.superseded_by) == ("merge", "p1", "p2")
    assert lineage(membership(p1="ab"), membership(p1="ab"), 9) == []
