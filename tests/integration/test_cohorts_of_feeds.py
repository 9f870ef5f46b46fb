"""Each of the programme's cohorts over every made-up feed, perfectly linked: a plausible safe answer, or its rule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from linkage.cohorts import select
from linkage.features import FeatureTables, compute
from linkage.features.tables import KINDS
from linkage.synthesise import REFERENCE_DATE
from linkage.synthesise.feeds import HEALTH_SOURCES, feeds
from linkage.synthesise.feeds.facts import CLEAR_NAMES
from schemas.cohort_documents import shipped_cohorts
from schemas.errors import PolicyError, Reason
from services.consumers import ConsumerKeys
from services.lake.delta import DeltaZone
from services.query.client import CohortClient
from services.query.service import CohortQuery
from services.query.states import States
from services.registry import Snapshot
from services.registry.sql import open_registry
from services.rpc.server import RpcServer

PEOPLE, CLAIMS = 30_000, 7_000
RESTRICTED = {"selfharm_10_24_household_stress", "meam_multiple_disadvantage"}
SUBJECT = ["source", "subject_ref"]


def _features() -> pl.DataFrame:
    """Features of the people whom the feeds write down, each record with the person that the truth says."""
    made = feeds(PEOPLE, CLAIMS, seed=3)
    ours = {clear: name for name, clear in CLEAR_NAMES.items()}
    parts: dict[str, list[pl.DataFrame]] = {}
    for source, frame in made.frames.items():
        subjects = frame.with_columns(source=pl.lit(source), subject_ref="record_id")
        parts.setdefault("demographics", []).append(
            subjects.with_columns(
                feed=pl.lit("health" if source in HEALTH_SOURCES else "welfare"),
                version=pl.lit(1),
                birth_year_month=pl.col("date_of_birth").str.slice(0, 7),
                sex=pl.col("sex").replace({"M": "1", "F": "2"}),
            ).drop(name for name in frame.columns if name in KINDS)
        )
        for kind in set(KINDS) & set(frame.columns):
            rows = subjects.select(*SUBJECT, kind).explode(kind, empty_as_null=False).unnest(kind)
            parts.setdefault(kind, []).append(rows.rename(ours, strict=False))
    facts = {kind: pl.concat(frames, how="diagonal_relaxed") for kind, frames in parts.items()}
    membership = made.truth.select(
        person_id=pl.col("person").cast(pl.String), source="source", subject_ref="record_id", link_probability=None
    )
    return compute(FeatureTables.from_facts(facts, made.geography, None, made.practices), membership, REFERENCE_DATE)


@pytest.fixture(scope="module")
def people() -> pl.DataFrame:
    return _features()


@pytest.fixture(scope="module")
def planning(people: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CohortClient]:
    folder: Path = tmp_path_factory.mktemp("cohorts")
    zone = DeltaZone(folder / "lake", "products")
    registry = open_registry(f"sqlite:///{folder / 'registry.db'}")
    version = zone.replace("features", people, {})
    snapshot = Snapshot("2026-06-30.1", 1, date(2026, 6, 30), {"features": version}, "m", {}, "{}")
    registry.features.publish_snapshot(snapshot, {}, 1)
    query = CohortQuery(States(zone, registry.query), registry.query, ConsumerKeys(folder / "keys"))
    server = RpcServer("127.0.0.1:0", [query.service])
    server.start()
    with CohortClient(server.address) as client:
        yield client
    server.stop(0)
    registry.close()


@pytest.mark.parametrize("cohort_id", sorted(set(shipped_cohorts()) - RESTRICTED))
def test_a_cohort_holds_some_and_not_most_and_tells_them_safely(
    planning: CohortClient, people: pl.DataFrame, cohort_id: str
) -> None:
    document = shipped_cohorts()[cohort_id]
    rows = select(document).rows(people)
    members, inside = int(rows.members.sum() or 0), int(rows.inside.sum() or 0)
    assert document.min_count <= members <= 0.6 * inside
    cells = planning.table(["authority"], cohort=cohort_id).cells
    told = cells.filter(~pl.col("suppressed"))["count"].to_list()
    assert told
    assert all(count == 0 or (count >= 10 and count % 5 == 0) for count in told)


def test_self_harm_is_told_for_whole_areas_only(planning: CohortClient) -> None:
    cells = planning.table(["authority"], cohort="selfharm_10_24_household_stress").cells
    assert cells["count"].drop_nulls().max() >= 10
    for by in (["age_band"], ["sex_code"], ["authority", "ethnic_group_5"]):
        with pytest.raises(PolicyError, match="wards and authorities only") as refused:
            planning.table(by, cohort="selfharm_10_24_household_stress")
        assert refused.value.reason is Reason.DISCLOSURE_RISK
    with pytest.raises(PolicyError, match="only through cohort selfharm_10_24_household_stress"):
        planning.count("selfharm_event_24m AND age < 18")


def test_multiple_disadvantage_is_never_told(planning: CohortClient) -> None:
    for ask in (
        lambda: planning.count(cohort="meam_multiple_disadvantage"),
        lambda: planning.table(["authority"], cohort="meam_multiple_disadvantage"),
        lambda: planning.count("meam_domain_count >= 3"),
        lambda: planning.count("multiple_disadvantage_case"),
    ):
        with pytest.raises(PolicyError, match="never published as a number") as refused:
            ask()
        assert refused.value.reason is Reason.DISCLOSURE_RISK
