"""A cohort is frozen in one snapshot and followed in later ones, through the query service's control and ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from linkage.features import feature_columns
from linkage.features.tables import MEMBERSHIP
from schemas.cohorts import CohortDefinition
from schemas.errors import DefectError, InputError, PolicyError, Reason, StateError
from schemas.purposes import purpose
from services.bootstrap import open_bus
from services.cli.app import build
from services.consumers import ConsumerKeys
from services.lake.delta import DeltaZone
from services.query.client import CohortClient
from services.query.freezes import MEMBERS_TABLE, Freeze, Freezes
from services.query.service import CohortQuery
from services.query.states import States
from services.registry import Snapshot
from services.registry.sql import SqlRegistry, open_registry
from services.rpc.server import RpcServer
from services.settings import read_settings

PEOPLE = 600
DAYS = (date(2026, 1, 31), date(2026, 4, 30), date(2026, 8, 3))
COHORT = CohortDefinition(
    cohort_id="multimorbid_deprived",
    version=3,
    title="On two registers",
    description="People on both registers, for this test.",
    source="a test",
    filter="dm_and_htn",
    denominator="core20",
)


@dataclass
class Line:
    products: DeltaZone
    registry: SqlRegistry
    address: str
    folder: Path

    def snapshot(self, number: int) -> Snapshot:
        return next(s for s in self.registry.query.snapshots() if s.snapshot_id.endswith(f".{number}"))


def _publish(products: DeltaZone, registry: SqlRegistry, number: int) -> None:
    """Snapshot 2 has everybody under new ids and hospital visits; snapshot 3 has lost the last hundred people."""
    count = PEOPLE - 100 * (number == 3)
    person = pl.format("{}-{}", pl.lit("a" if number == 1 else "b"), "n")
    rows = pl.DataFrame({"n": range(count)})
    people = rows.select(
        person_id=person,
        dm_and_htn=pl.col("n") % 3 == 0,
        core20=pl.lit(True),
        emergency_admissions_12m=pl.when(pl.col("n") % 2 == 0).then(number).otherwise(0).cast(pl.Int32),
        in_health=pl.lit(True),
        in_welfare=pl.lit(False),
        authority=pl.lit("medway"),
    )
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in feature_columns().items() if name not in people]
    membership = rows.select(
        person_id=person, source=pl.lit("kmicb.gp"), subject_ref=pl.format("{}", "n"), link_probability=None
    )
    tables = {
        "features": products.replace("features", people.with_columns(missing).select(feature_columns().names()), {}),
        "membership": products.replace("membership", membership.cast(MEMBERSHIP), {}),  # type: ignore[arg-type]
    }
    day = DAYS[number - 1]
    registry.features.publish_snapshot(Snapshot(f"{day}.{number}", number, day, tables, "m", {}, "{}"), {}, number)


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path))
    settings = read_settings({"HWLINK_DATA_DIR": str(tmp_path)})
    open_bus(settings)
    products = DeltaZone(tmp_path / "lake", "products")
    registry = open_registry(settings.registry_url)
    for number in (1, 2, 3):
        _publish(products, registry, number)
    query = CohortQuery(
        States(products, registry.query),
        registry.query,
        ConsumerKeys(tmp_path / "keys"),
        cohorts={COHORT.cohort_id: COHORT},
    )
    server = RpcServer("127.0.0.1:0", [query.service])
    server.start()
    yield Line(products, registry, server.address, tmp_path)
    server.stop(0)
    registry.close()


def _frozen(line: Line, definition: CohortDefinition = COHORT) -> Freeze:
    return Freezes(line.products).freeze(definition, line.snapshot(1), purpose("planning"), line.registry.query)


def test_the_same_people_are_counted_in_later_snapshots(line: Line) -> None:
    freeze = _frozen(line)
    with CohortClient(line.address) as client:
        then, later, last = (
            client.count(frozen=freeze.freeze_id, snapshot=line.snapshot(n).snapshot_id) for n in (1, 2, 3)
        )
    assert (then.count, then.denominator) == (200, 600)
    assert (later.count, later.denominator) == (200, 600)  # under other ids
    assert (last.count, last.denominator) == (165, 500)  # 167: the others left


def test_outcomes_are_followed_by_the_dates_of_snapshots(line: Line) -> None:
    freeze = _frozen(line)
    command = ["cohort", "follow", freeze.freeze_id, "--by", "emergency_admissions_12m", "--to", line.address]
    done = CliRunner().invoke(build(), [*command, "--json"])
    assert done.exception is None, done.exception
    steps = json.loads(done.output)["steps"]
    assert [(step["months"], step["snapshot_id"]) for step in steps] == [
        (0, "2026-01-31.1"),
        (3, "2026-04-30.2"),
        (6, "2026-08-03.3"),
        (12, None),
    ]
    visits = [{cell["value"]: cell["count"] for cell in step["cells"]} for step in steps[:3]]
    assert (visits[0]["1"], visits[1]["2"], visits[2]["3-4"]) == (100, 100, 85)
    assert "no snapshot serves" in CliRunner().invoke(build(), command).output


def test_a_filter_narrows_a_frozen_cohort(line: Line) -> None:
    freeze = _frozen(line)
    with CohortClient(line.address) as client:
        answer = client.count("emergency_admissions_12m >= 1", frozen=freeze.freeze_id, snapshot="2026-04-30.2")
    assert (answer.count, answer.denominator) == (100, 200)


def test_freezing_the_same_again_changes_nothing(line: Line) -> None:
    first = _frozen(line)
    assert _frozen(line) == first
    assert Freezes(line.products).all() == [first]
    rows = line.products.scan(MEMBERS_TABLE)
    assert rows is not None
    assert len(rows.collect()) == 200
    assert first.freeze_id == f"multimorbid_deprived.2026-01-31.{first.digest[:8]}"
    actions = [event.action for _, event, _ in line.registry.query.audit_events()]
    assert actions == ["cohort.freeze"] * 2


def test_answers_about_a_frozen_cohort_are_in_the_ledger_and_come_again_after_a_restart(line: Line) -> None:
    freeze = _frozen(line)
    with CohortClient(line.address) as client:
        first = client.count(frozen=freeze.freeze_id)
        [(question, _)] = line.registry.query.released(first.context.snapshot_id)
        assert freeze.freeze_id in question
    query = CohortQuery(
        States(line.products, line.registry.query),
        line.registry.query,
        ConsumerKeys(line.folder / "keys"),
        cohorts={COHORT.cohort_id: COHORT},
    )
    server = RpcServer("127.0.0.1:0", [query.service])
    server.start()
    with CohortClient(server.address) as client:
        assert client.count(frozen=freeze.freeze_id) == first
        # The same people asked for by their feature are no others: the same number.
        assert client.count("dm_and_htn").count == first.count
    server.stop(0)


def test_the_rules_of_its_cohort_hold_for_a_frozen_one(line: Line) -> None:
    restricted = COHORT.model_copy(
        update={"dimensions": ("authority",), "refusal": "Told by authority and nothing else."}
    )
    freeze = _frozen(line, restricted)
    query = CohortQuery(
        States(line.products, line.registry.query),
        line.registry.query,
        ConsumerKeys(line.folder / "keys"),
        cohorts={COHORT.cohort_id: restricted},
    )
    server = RpcServer("127.0.0.1:0", [query.service])
    server.start()
    with CohortClient(server.address) as client:
        assert client.table(["authority"], frozen=freeze.freeze_id).cells["count"].max() == 165
        with pytest.raises(PolicyError, match="by authority and nothing else"):
            client.table(["emergency_admissions_12m"], frozen=freeze.freeze_id)
    server.stop(0)


def test_a_cohort_that_answers_nobody_is_not_frozen(line: Line) -> None:
    never = COHORT.model_copy(update={"outputs": (), "refusal": "Its people are too few, always."})
    with pytest.raises(PolicyError, match="too few, always") as refused:
        _frozen(line, never)
    assert refused.value.reason is Reason.DISCLOSURE_RISK
    on_benefit = COHORT.model_copy(update={"filter": "hb_in_payment"})
    with pytest.raises(PolicyError, match="may not use every feature"):
        Freezes(line.products).freeze(on_benefit, line.snapshot(1), purpose("linkage-quality"), line.registry.query)
    assert Freezes(line.products).all() == []


def test_wrong_questions_are_refused(line: Line) -> None:
    freeze = _frozen(line)
    with CohortClient(line.address) as client:
        with pytest.raises(InputError, match="no frozen cohort"):
            client.count(frozen="multimorbid_deprived.2026-01-31.00000000")
        with pytest.raises(InputError, match="not for both"):
            client.count(cohort="multimorbid_deprived", frozen=freeze.freeze_id)


def test_other_people_under_an_id_are_noticed(line: Line) -> None:
    freeze = _frozen(line)
    rows = line.products.scan(MEMBERS_TABLE)
    assert rows is not None
    line.products.replace(MEMBERS_TABLE, rows.collect().head(150), {})
    with pytest.raises(DefectError, match="other people"):
        Freezes(line.products).present(freeze.freeze_id, line.snapshot(1))
    with pytest.raises(StateError, match="membership"):
        Freezes(line.products).present(
            _frozen(line).freeze_id, Snapshot("2026-09-01.9", 9, date(2026, 9, 1), {}, "m", {}, "{}")
        )


def test_the_commands_freeze_and_list(line: Line) -> None:
    made = CliRunner().invoke(build(), ["cohort", "freeze", "multimorbid_deprived", "--snapshot", "2026-01-31.1"])
    assert made.exception is None, made.exception
    listed = json.loads(CliRunner().invoke(build(), ["cohort", "frozen", "--json"]).output)
    assert [one["snapshot_id"] for one in listed] == ["2026-01-31.1"]
    # The id, the snapshot and the digest, and not how many there are.
    one = listed[0]
    told = f"{one['freeze_id']}: frozen in snapshot {one['snapshot_id']}, SHA-256 {one['digest']}\n"
    assert made.output == told
    for wrong in ("0,x", ""):
        done = CliRunner().invoke(
            build(), ["cohort", "follow", listed[0]["freeze_id"], "--by", "core20", "--months", wrong]
        )
        assert isinstance(done.exception, InputError)
