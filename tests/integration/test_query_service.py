"""The query service over TCP, from a real Delta table: safe numbers, permissions, refusals, the ledger, rows, the
audit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import grpc
import polars as pl
import pytest

from linkage.cohorts import select
from linkage.disclosure import release_count
from linkage.features import FEATURES, FeatureTables, compute
from linkage.rekey import rekey
from linkage.synthesise import REFERENCE_DATE, geography, population
from schemas.cohort_documents import guards, shipped_cohorts
from schemas.disclosure import shipped_policy
from schemas.errors import HwlinkError, PolicyError, Reason
from schemas.features import FeatureOutput, Sensitivity
from schemas.purposes import Output, shipped_purposes
from services.consumers import ConsumerKeys
from services.lake.delta import DeltaZone
from services.pb.hwlink.v1 import cohort_pb2, cohort_pb2_grpc
from services.query.client import TOTAL, UNKNOWN, CohortClient
from services.query.members import GIVE_UP_FIRST
from services.query.service import CohortQuery
from services.query.states import States
from services.registry import Snapshot
from services.registry.sql import SqlRegistry, open_registry
from services.rpc.server import RpcServer

POLICY = shipped_policy()


def _people() -> pl.DataFrame:
    """Features of some thousands of synthetic people, linked as the truth says."""
    made = population(6_000, 1_500, seed=11)
    feeds = {"health": made.health, "welfare": made.welfare}
    parts: dict[str, list[pl.DataFrame]] = {}
    membership = []
    for feed, frame in feeds.items():
        subjects = frame.with_columns(pl.lit(f"test.{feed}").alias("source"), pl.col("record_id").alias("subject_ref"))
        parts.setdefault("demographics", []).append(
            subjects.select(
                "source",
                "subject_ref",
                pl.lit(feed).alias("feed"),
                pl.lit(1).alias("version"),
                pl.col("date_of_birth").str.slice(0, 7).alias("birth_year_month"),
                pl.col("sex").replace({"M": "1", "F": "2"}),
                "ethnic_category",
                "lsoa",
            )
        )
        for kind in ("diagnoses", "encounters", "claims", "arrears"):
            if kind in frame.columns:
                rows = subjects.select("source", "subject_ref", kind).explode(kind, empty_as_null=False).unnest(kind)
                parts[kind] = [rows.rename({"claim_reference": "claim_ref"}, strict=False)]
        membership.append(subjects.select("source", "subject_ref"))
    facts = {kind: pl.concat(frames) for kind, frames in parts.items()}
    truth = made.truth.unique("right_subject").select(
        pl.col("right_subject").alias("subject_ref"), pl.col("left_subject").alias("person_id")
    )
    people = (
        pl.concat(membership)
        .join(truth, on="subject_ref", how="left")
        .with_columns(
            pl.coalesce("person_id", "subject_ref").alias("person_id"), pl.lit(None).alias("link_probability")
        )
    )
    return compute(FeatureTables.from_facts(facts, geography.table()), people, REFERENCE_DATE)


@pytest.fixture(scope="module")
def people() -> pl.DataFrame:
    return _people()


@dataclass
class Running:
    registry: SqlRegistry
    address: str
    folder: Path


def _snapshot(number: int, version: int) -> Snapshot:
    return Snapshot(f"2026-01-01.{number}", number, date(2026, 1, 1), {"features": version}, "model-1", {}, "{}")


@pytest.fixture
def running(tmp_path: Path, people: pl.DataFrame) -> Iterator[Running]:
    zone = DeltaZone(tmp_path / "lake", "products")
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    # Rows in another order than the ids: nothing may depend on how a table happens to lie.
    version = zone.replace("features", people.sample(fraction=1.0, shuffle=True, seed=1), {})
    registry.features.publish_snapshot(_snapshot(1, version), {}, 1)
    server = RpcServer("127.0.0.1:0", [_service(tmp_path, registry).service])
    server.start()
    yield Running(registry, server.address, tmp_path)
    server.stop(0)
    registry.close()


def _service(folder: Path, registry: SqlRegistry) -> CohortQuery:
    states = States(DeltaZone(folder / "lake", "products"), registry.query)
    return CohortQuery(states, registry.query, ConsumerKeys(folder / "keys"))


@pytest.fixture
def planning(running: Running) -> Iterator[CohortClient]:
    with CohortClient(running.address, "planning") as client:
        yield client


@pytest.fixture
def segmentation(running: Running) -> Iterator[CohortClient]:
    with CohortClient(running.address, "segmentation") as client:
        yield client


def test_a_count_is_rounded_and_says_what_it_was_computed_from(planning: CohortClient, people: pl.DataFrame) -> None:
    answer = planning.count("reg_htn")
    exact = people["reg_htn"].sum()
    assert answer.count == release_count(exact, POLICY.rule([Sensitivity.SPECIAL_CATEGORY])) != exact
    assert answer.denominator is not None
    assert abs(answer.denominator - len(people)) <= 2
    assert answer.unknown == release_count(people["reg_htn"].null_count(), POLICY.rule([Sensitivity.SPECIAL_CATEGORY]))
    assert (answer.context.snapshot_id, answer.context.model_id) == ("2026-01-01.1", "model-1")
    assert answer.context.policy_id == POLICY.policy_id
    welfare = answer.context.linkage[1]
    assert welfare.feed == "welfare"
    assert welfare.percent == round(100 * (welfare.linked or 0) / (welfare.people or 1), 1)


@pytest.mark.parametrize("cohort_id", list(shipped_cohorts()))
def test_every_shipped_cohort_answers_as_its_document_says(
    planning: CohortClient, people: pl.DataFrame, cohort_id: str
) -> None:
    selection = select(shipped_cohorts()[cohort_id])
    rows = selection.rows(people)
    document = shipped_cohorts()[cohort_id]
    if rows.members.sum() < document.min_count or Output.COUNTS not in document.outputs:
        with pytest.raises(PolicyError) as refused:
            planning.count(cohort=cohort_id)
        assert refused.value.reason is Reason.DISCLOSURE_RISK
        assert Output.COUNTS in document.outputs or document.refusal in refused.value.message
        return
    answer = planning.count(cohort=cohort_id)
    rule = POLICY.rule(feature.sensitivity for feature in selection.features)
    assert answer.count in (None, release_count(rows.members.sum(), rule, of=rows.inside.sum()))
    assert answer.denominator in (None, release_count(rows.inside.sum(), rule))


def test_a_small_count_is_withheld_with_its_share(planning: CohortClient, people: pl.DataFrame) -> None:
    rare = "reg_smi AND age < 25 AND core20"
    assert 0 <= select(None, rare).rows(people).members.sum() <= 9
    answer = planning.count(rare)
    assert (answer.count, answer.percent) == (None, None)


def test_asking_again_gives_the_same_answer_and_another_server_too(running: Running, planning: CohortClient) -> None:
    first = [planning.count("reg_dm"), planning.count("reg_dm AND core20")]
    table = planning.table(["age_band", "reg_dm"])
    again = RpcServer("127.0.0.1:0", [_service(running.folder, running.registry).service])
    again.start()
    with CohortClient(again.address) as client:
        assert [client.count("reg_dm"), client.count("core20 AND (reg_dm)")] == first
        assert client.table(["age_band", "reg_dm"]).cells.equals(table.cells)
    again.stop(0)
    assert len(running.registry.query.released("2026-01-01.1")) == 3


def test_a_table_has_every_value_the_unknown_and_the_totals(planning: CohortClient, people: pl.DataFrame) -> None:
    cells = planning.table(["authority", "sex_code"]).cells
    assert cells.height == (people["authority"].n_unique() + 1) * 5
    assert cells["authority"].unique().sort().to_list() == [TOTAL, UNKNOWN, "medway", "swale"]
    total = cells.row(-1, named=True)
    assert (total["authority"], total["sex_code"]) == (TOTAL, TOTAL)
    assert abs(total["count"] - len(people)) <= 2
    for row in cells.iter_rows(named=True):
        assert (row["count"] is None) == row["suppressed"]
        if row["count"] is not None and TOTAL not in (row["authority"], row["sex_code"]) and row["count"] > 0:
            exact = people.filter(
                *(
                    pl.col(name).is_null() if row[name] == UNKNOWN else pl.col(name) == row[name]
                    for name in ("authority", "sex_code")
                )
            ).height
            assert abs(row["count"] - exact) <= 2


def test_a_table_without_totals_has_none_and_the_same_cells(planning: CohortClient) -> None:
    whole = planning.table(["core20", "reg_copd"]).cells
    inner = planning.table(["core20", "reg_copd"], margins=False).cells
    kept = whole.filter((pl.col("core20") != TOTAL) & (pl.col("reg_copd") != TOTAL))
    assert inner.equals(kept)


def test_tables_page_with_tokens_bound_to_their_request(running: Running) -> None:
    with grpc.insecure_channel(running.address) as channel:
        stub = cohort_pb2_grpc.CohortQueryServiceStub(channel)
        request = cohort_pb2.TableRequest(purpose="planning", dimensions=["age_band"], page_size=7, margins=True)
        cells, pages = [], 0
        while True:
            page = stub.Table(request)
            cells += page.cells
            pages += 1
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
        assert (len(cells), pages) == (21, 3)
        request.dimensions[:] = ["sex_code"]
        with pytest.raises(grpc.RpcError) as caught:
            stub.Table(request)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_the_ledger_refuses_a_question_that_isolates_a_few_people(
    running: Running, planning: CohortClient, people: pl.DataFrame
) -> None:
    few = next(
        ward
        for ward, size in people.filter(pl.col("reg_htn"))["ward"].value_counts().sort("count").iter_rows()
        if ward is not None and 0 < size < POLICY.min_difference
    )
    assert planning.count("reg_htn").count is not None
    with pytest.raises(PolicyError) as caught:
        planning.count(f"reg_htn AND ward <> '{few}'")
    assert caught.value.reason is Reason.DISCLOSURE_RISK
    _, event, _ = running.registry.query.audit_events()[-1]
    assert (event.outcome, event.detail) == ("refused", {"reason": "DISCLOSURE_RISK"})


def test_the_ledger_withholds_a_cell_that_isolates_a_few_people(planning: CohortClient, people: pl.DataFrame) -> None:
    wards = people.filter(pl.col("reg_htn"))["ward"].value_counts().sort("count").drop_nulls()
    few = next(ward for ward, size in wards.iter_rows() if size < POLICY.min_difference)
    planning.table(["reg_htn"])
    narrowed = planning.table(
        ["reg_htn"], where=f"ward <> '{few}' OR ward IS NULL OR NOT reg_htn OR reg_htn IS NULL"
    ).cells
    assert narrowed.filter(pl.col("reg_htn") == "true")["suppressed"].all()


@pytest.mark.parametrize(
    ("purpose", "where", "reason"),
    [
        ("planning", "reg_cpod", Reason.FEATURE_UNKNOWN),
        ("planning", "age >= 66", Reason.FILTER_FORBIDDEN),
        ("planning", "ward = 'Atlantis'", Reason.FILTER_FORBIDDEN),
        ("planning", "(SELECT 1)", Reason.FILTER_FORBIDDEN),
        ("planning", "reg_copd AND", Reason.FILTER_UNPARSABLE),
        ("nobody-knows", "reg_copd", Reason.PURPOSE_NOT_PERMITTED),
        ("linkage-quality", "hb_in_payment", Reason.PURPOSE_NOT_PERMITTED),
    ],
)
def test_a_refusal_names_its_reason_and_is_audited(running: Running, purpose: str, where: str, reason: Reason) -> None:
    with CohortClient(running.address, purpose) as client, pytest.raises(HwlinkError) as caught:
        client.count(where)
    assert caught.value.reason is reason
    _, event, _ = running.registry.query.audit_events()[-1]
    assert event.detail == {"reason": reason.value}
    assert event.purpose in (purpose, "unknown")
    assert "nobody-knows" not in json.dumps(event.detail) + event.purpose


def test_unknown_cohorts_snapshots_and_dimensions_are_named_as_such(planning: CohortClient) -> None:
    for ask, reason in (
        (lambda: planning.count(cohort="nobody"), Reason.COHORT_UNKNOWN),
        (lambda: planning.count(snapshot="2020-01-01.9"), Reason.NOT_FOUND),
        (lambda: planning.table([]), Reason.OPTION_INVALID),
        (lambda: planning.table(["age", "age"]), Reason.OPTION_INVALID),
        (lambda: planning.table(["lsoa"]), Reason.FEATURE_UNKNOWN),
        (lambda: planning.table(["ward", "age_band", "age"]), Reason.OPTION_INVALID),
    ):
        with pytest.raises(HwlinkError) as caught:
            ask()
        assert caught.value.reason is reason


def test_without_a_snapshot_there_is_no_answer(tmp_path: Path) -> None:
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    server = RpcServer("127.0.0.1:0", [_service(tmp_path, registry).service])
    server.start()
    with CohortClient(server.address) as client, pytest.raises(HwlinkError) as caught:
        client.count()
    assert caught.value.reason is Reason.NO_SNAPSHOT
    server.stop(0)
    registry.close()


def test_an_old_snapshot_can_be_asked_again(running: Running, planning: CohortClient, people: pl.DataFrame) -> None:
    before = planning.count("reg_htn")
    zone = DeltaZone(running.folder / "lake", "products")
    version = zone.replace("features", people.head(3000), {})
    running.registry.features.publish_snapshot(_snapshot(2, version), {}, 2)
    assert planning.count("reg_htn").count != before.count
    assert planning.count("reg_htn", snapshot="2026-01-01.1") == before


def test_rows_come_under_the_consumers_ids_with_permitted_features_only(
    running: Running, segmentation: CohortClient, people: pl.DataFrame
) -> None:
    answer = segmentation.members("reg_htn")
    rows = answer.collect()
    permitted = shipped_purposes()["segmentation"].sensitivities
    allowed = {d.name for d in FEATURES.values() if FeatureOutput.MEMBERS in d.outputs and d.sensitivity in permitted}
    allowed -= set(guards(shipped_cohorts()))
    assert set(rows.columns) == {"person_id"} | allowed
    assert rows["person_id"].is_sorted()
    meant = people.filter(pl.col("reg_htn"))
    assert set(rows["person_id"]) <= set(rekey(meant["person_id"], ConsumerKeys(running.folder / "keys").key("phm")))
    assert not set(rows["person_id"]) & set(people["person_id"])
    held = [name for name in GIVE_UP_FIRST if name in rows.columns]
    assert list(answer.anonymity.quasi_identifiers) == held
    assert rows.group_by(held).len()["len"].min() >= answer.anonymity.k == POLICY.k_anonymity
    assert rows["reg_htn"].all()


def test_rows_are_for_purposes_that_permit_them(planning: CohortClient, segmentation: CohortClient) -> None:
    with pytest.raises(PolicyError):
        planning.members("reg_htn")
    with pytest.raises(PolicyError):
        segmentation.members(cohort="multimorbid_deprived")
    with pytest.raises(PolicyError):
        segmentation.members("reg_htn", features=["age"])
    assert segmentation.members(cohort="frailty_unclaimed_pc", features=["ltc_count"]).collect().width == 2


def test_a_tiny_cohort_gives_no_rows(segmentation: CohortClient) -> None:
    answer = segmentation.members("reg_smi AND age < 25 AND core20")
    assert answer.collect().is_empty()
    assert answer.anonymity.withheld is None


def test_rows_page_and_go_on_after_a_break(running: Running, segmentation: CohortClient) -> None:
    with grpc.insecure_channel(running.address) as channel:
        stub = cohort_pb2_grpc.CohortQueryServiceStub(channel)
        request = cohort_pb2.MembersRequest(
            purpose="segmentation", selection=cohort_pb2.Selection(filter="reg_htn"), features=["reg_dm"], page_size=100
        )
        parts = [answer for answer in stub.Members(request) if answer.HasField("rows")]
        assert len(parts) > 2
        request.page_token = parts[0].rows.next_page_token
        resumed = [answer.rows.arrow_ipc for answer in stub.Members(request) if answer.HasField("rows")]
    assert resumed == [part.rows.arrow_ipc for part in parts[1:]]


def test_lists_name_what_a_purpose_may_use(running: Running, planning: CohortClient) -> None:
    names = {feature.name for feature in planning.features()}
    assert names == {d.name for d in FEATURES.values() if d.leaves}
    assert {cohort.cohort_id for cohort in planning.cohorts()} == set(shipped_cohorts())
    with CohortClient(running.address, "linkage-quality") as client:
        assert all(feature.sensitivity != "welfare" for feature in client.features())
        assert {cohort.cohort_id for cohort in client.cohorts()} == {
            "cyp_asthma_highest_risk",
            "cyp_t3_weight",
            "diabetes_pg12_unreviewed",
            "htn_uncoded_core20",
            "multimorbid_deprived",
        }


def test_every_answer_is_in_the_audit_chain_with_its_question(running: Running, planning: CohortClient) -> None:
    planning.features()
    planning.count("reg_htn")
    planning.table(["sex_code"])
    events = [event for _, event, _ in running.registry.query.audit_events()]
    # The list of features comes in pages, each of them audited.
    assert list(dict.fromkeys(event.action for event in events)) == ["query.features", "query.count", "query.table"]
    [counted] = [event for event in events if event.action == "query.count"]
    assert json.loads(counted.detail["question"])["members"] == "reg_htn"
    assert {event.outcome for event in events} == {"released"}


def test_no_two_told_numbers_isolate_a_few_people_over_many_questions(
    running: Running, planning: CohortClient, people: pl.DataFrame
) -> None:
    """A tracker asks for overlapping groups; whatever is told differs by nobody or by enough people."""
    told: list[pl.Series] = []
    for filter_text in (
        "reg_htn",
        "reg_htn AND age >= 18",
        "reg_htn AND age >= 25",
        "reg_htn AND NOT reg_smi",
        "reg_htn AND NOT (reg_smi AND core20)",
        "reg_htn OR reg_pad",
        "reg_htn AND sex_code IN ('1', '2')",
        "reg_htn AND NOT deceased",
    ):
        try:
            answer = planning.count(filter_text)
        except PolicyError:
            continue
        if answer.count is not None:
            told.append(select(None, filter_text).rows(people).members)
    assert len(told) >= 3
    for at, first in enumerate(told):
        for second in told[:at]:
            apart = (first != second).sum()
            assert apart == 0 or apart >= POLICY.min_difference


def test_a_cohort_below_its_own_floor_is_refused(running: Running) -> None:
    cohort = replace_floor(10_000)
    states = States(DeltaZone(running.folder / "lake", "products"), running.registry.query)
    service = CohortQuery(
        states, running.registry.query, ConsumerKeys(running.folder / "keys"), cohorts={cohort.cohort_id: cohort}
    )
    server = RpcServer("127.0.0.1:0", [service.service])
    server.start()
    with CohortClient(server.address) as client, pytest.raises(PolicyError) as caught:
        client.count(cohort=cohort.cohort_id)
    assert caught.value.reason is Reason.DISCLOSURE_RISK
    server.stop(0)


def replace_floor(least: int):  # type: ignore[no-untyped-def]
    return shipped_cohorts()["multimorbid_deprived"].model_copy(update={"min_count": least})


def test_a_snapshot_value_is_not_changed_by_asking(running: Running, planning: CohortClient) -> None:
    snapshot = running.registry.query.latest_snapshot()
    planning.count("reg_htn")
    assert snapshot is not None
    assert running.registry.query.latest_snapshot() == replace(snapshot)
