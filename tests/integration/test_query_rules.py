"""A cohort's own rules hold in the query path, and cannot be passed by asking the same without the cohort's name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from linkage.features import feature_columns
from schemas.cohorts import CohortDefinition
from schemas.errors import PolicyError, Reason
from services.consumers import ConsumerKeys
from services.lake.delta import DeltaZone
from services.query.client import CohortClient
from services.query.service import CohortQuery
from services.query.states import States
from services.registry import Snapshot
from services.registry.sql import open_registry
from services.rpc.server import RpcServer

PEOPLE = 400
RULE = "It is released for direct care only, and by ward at the finest."


def _cohort(cohort_id: str, **more: object) -> CohortDefinition:
    return CohortDefinition.model_validate(
        {
            "cohort_id": cohort_id,
            "version": 1,
            "title": "Some cohort",
            "description": "Somebody whom this test is about.",
            "source": "a test",
            **more,
        }
    )


COHORTS = {
    cohort.cohort_id: cohort
    for cohort in (
        _cohort("by_place", filter="reg_smi", guards=("reg_smi",), dimensions=("ward", "authority"), refusal=RULE),
        _cohort("never", filter="ltc_count >= 3", guards=("ltc_count",), outputs=(), refusal="Too few ever fit. " * 2),
        _cohort("free", filter="reg_htn"),
    )
}


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    rows = pl.DataFrame({"person_id": [f"{n:032x}" for n in range(PEOPLE)]}).with_row_index("n")
    people = rows.select(
        "person_id",
        reg_smi=pl.col("n") % 4 == 0,
        reg_htn=pl.col("n") % 3 == 0,
        ltc_count=(pl.col("n") % 5).cast(pl.Int32),
        ward=pl.when(pl.col("n") % 2 == 0).then(pl.lit("North")).otherwise(pl.lit("South")),
        authority=pl.lit("medway"),
        age=pl.lit(40, pl.Int32),
        sex_code=pl.lit("1"),
        in_health=pl.lit(True),
        in_welfare=pl.col("n") % 2 == 0,
    )
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in feature_columns().items() if name not in people]
    zone = DeltaZone(tmp_path / "lake", "products")
    version = zone.replace("features", people.with_columns(missing).select(feature_columns().names()), {})
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    summary = '{"reference": "ref-0123456789ab"}'
    snapshot = Snapshot("2026-01-01.1", 1, date(2026, 1, 1), {"features": version}, "model-1", {}, summary)
    registry.features.publish_snapshot(snapshot, {}, 1)
    query = CohortQuery(States(zone, registry.query), registry.query, ConsumerKeys(tmp_path / "keys"), cohorts=COHORTS)
    server = RpcServer("127.0.0.1:0", [query.service])
    server.start()
    yield server.address
    server.stop(0)
    registry.close()


@pytest.fixture
def planning(address: str) -> Iterator[CohortClient]:
    with CohortClient(address, "planning") as client:
        yield client


def test_a_restricted_cohort_is_told_by_its_dimensions_only(planning: CohortClient) -> None:
    assert planning.count(cohort="by_place").count == 100
    wards = planning.table(["ward"], cohort="by_place").cells
    assert wards.filter(ward="North")["count"].to_list() == [100]
    assert planning.count(cohort="by_place", where="ward = 'North'").count == 100
    for ask in (
        lambda: planning.table(["age_band"], cohort="by_place"),
        lambda: planning.table(["ward", "sex_code"], cohort="by_place"),
        lambda: planning.count(cohort="by_place", where="reg_htn"),
        lambda: planning.count(cohort="by_place", where="ward = 'North' OR age >= 65"),
    ):
        with pytest.raises(PolicyError, match="by ward at the finest") as refused:
            ask()
        assert refused.value.reason is Reason.DISCLOSURE_RISK


def test_a_cohort_without_outputs_answers_everybody_with_its_rule(planning: CohortClient) -> None:
    with pytest.raises(PolicyError, match="Too few ever fit"):
        planning.count(cohort="never")
    with pytest.raises(PolicyError, match="Too few ever fit"):
        planning.table(["ward"], cohort="never")


def test_a_guarded_feature_is_asked_of_only_through_its_cohort(planning: CohortClient) -> None:
    for ask in (
        lambda: planning.count("reg_smi"),
        lambda: planning.count("NOT reg_smi AND age >= 18"),
        lambda: planning.table(["reg_smi"]),
        lambda: planning.table(["ltc_count"]),
        lambda: planning.count("ltc_count IS NULL"),
        lambda: planning.count(cohort="free", where="reg_smi"),
        lambda: planning.table(["ltc_count"], cohort="by_place"),
    ):
        with pytest.raises(PolicyError, match="only through cohort") as refused:
            ask()
        assert refused.value.reason is Reason.DISCLOSURE_RISK
    assert planning.count("reg_htn").count == 135


def test_a_guarded_feature_stands_on_no_row(address: str) -> None:
    with CohortClient(address, "segmentation") as client:
        with pytest.raises(PolicyError, match="gives no members"):
            client.members(cohort="by_place").collect()
        with pytest.raises(PolicyError, match="reg_smi"):
            client.members(where="reg_htn", features=["reg_smi"]).collect()
        rows = client.members(where="reg_htn").collect()
        assert {"reg_smi", "ltc_count"}.isdisjoint(rows.columns)


def test_cohorts_show_their_rules_and_answers_their_reference_data(planning: CohortClient) -> None:
    shown = {cohort.cohort_id: cohort for cohort in planning.cohorts()}
    assert set(shown) == set(COHORTS)
    assert (shown["by_place"].restricted, list(shown["by_place"].dimensions)) == (True, ["ward", "authority"])
    assert shown["by_place"].refusal == RULE
    assert not shown["free"].restricted
    assert list(shown["never"].outputs) == []
    assert planning.count("reg_htn").context.reference_version == "ref-0123456789ab"


@pytest.mark.parametrize("more", [{"dimensions": ()}, {"guards": ("reg_smi",)}, {"outputs": ()}])
def test_a_restriction_states_its_reason(more: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="says why"):
        _cohort("restricted", filter="reg_smi", **more)
