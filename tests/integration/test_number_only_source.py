"""A national data set names nobody: its subjects have a token of the NHS number, or nothing to link on, and content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pa_parquet
import pytest

from linkage.cluster import resolve
from linkage.encode import ProjectKeys, encode
from linkage.held import HeldSubjects
from linkage.match import Matcher
from linkage.subjects import Subjects
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.columns import conform
from schemas.contracts.base import Feed
from schemas.contracts.records import FileDeclaration
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS, Subject
from schemas.model import default_model
from services.link import run
from services.send.encode import close_request, columns_request, open_request

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
GP, HOSPITAL, COUNCIL = "kmicb.gp", "kmicb.sus", "medway.shbe"
UNIQUE = {GP: True, HOSPITAL: True, COUNCIL: False}
UNKNOWN = 30
"""People in hospital whose number nobody knew."""


@pytest.fixture(scope="module")
def encoded() -> dict[str, pl.DataFrame]:
    """Records of a GP and a council, and of a hospital's patients: a third of the GP's, and some whom it cannot name.

    Record ids are kept, so that a hospital's record is the GP's with an `E` before it.
    """
    made = population(1_500, 500, seed=21)
    numbered = made.health.filter(pl.col("nhs_number").is_not_null()).gather_every(3)
    events = numbered.select(("E" + pl.col("record_id")).alias("record_id"), "nhs_number", "encounters").with_columns(
        nhs_number=pl.when(pl.int_range(pl.len()) >= UNKNOWN).then("nhs_number")
    )
    clear = {GP: made.health, HOSPITAL: events, COUNCIL: made.welfare}
    return {
        source: encode(
            frame, AGREEMENT, KEYS, Feed.WELFARE if source == COUNCIL else Feed.HEALTH, True, source=source
        ).frame
        for source, frame in clear.items()
    }


def write(folder: Path, source: str, frame: pl.DataFrame) -> Path:
    declared = FileDeclaration(
        feed=Feed.WELFARE if source == COUNCIL else Feed.HEALTH, source=source, ids_kept=True,
        agreement_id=AGREEMENT.agreement_id, agreement_hash=AGREEMENT.content_hash, key_epoch=AGREEMENT.key_epoch,
        one_record_per_person=UNIQUE[source],
    )  # fmt: skip
    table = frame.to_arrow().replace_schema_metadata({b"hwlink": declared.model_dump_json(exclude_none=True).encode()})
    pa_parquet.write_table(table, folder / f"{source}.parquet")
    return folder / f"{source}.parquet"


def persons(frames: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return each subject's person, as the matcher and the resolver find them by the shipped model."""
    model = default_model()
    subjects = pl.concat(
        conform(frame.with_columns(source=pl.lit(source), content_hash=pl.lit(0)), Subject)
        for source, frame in frames.items()
    )
    held = HeldSubjects(model)
    pairs = Matcher(model).match(held.upsert(Subjects.from_frame(subjects, UNIQUE)), held)
    roster = subjects.with_columns(one_record_per_person=pl.col("source").replace_strict(UNIQUE))
    return resolve(roster, pairs, model.policy).labels


def test_the_hospital_has_tokens_of_the_number_alone(encoded: dict[str, pl.DataFrame]) -> None:
    held = encoded[HOSPITAL].select(pl.col(*TOKEN_COLUMNS, *FILTER_COLUMNS).count()).row(0, named=True)
    assert {name for name, count in held.items() if count} == {"token_nhs_number"}
    assert encoded[HOSPITAL]["encounters"].list.len().sum() > 0


def test_its_file_is_linked_to_the_gp_by_the_number_alone(encoded: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    """With a model fitted to the two files: each known number finds its GP record, and nobody else does."""
    files = [write(tmp_path, source, encoded[source]) for source in (GP, HOSPITAL)]
    summary = run(*files, tmp_path / "linked", shipped=default_model(), unique="both")
    links = pl.read_parquet(tmp_path / "linked" / "links.parquet").filter(decision="link")
    assert links["right_subject"].to_list() == ("E" + links["left_subject"]).to_list()
    assert links.height == encoded[HOSPITAL].height - UNKNOWN
    assert summary["counts"]["unlinkable"] >= UNKNOWN


def test_other_sources_link_as_without_it(encoded: dict[str, pl.DataFrame]) -> None:
    """By the shipped model, as services begin: GP and council keep their persons, whom the hospital joins."""
    without = persons({source: frame for source, frame in encoded.items() if source != HOSPITAL})
    everyone = persons(encoded)
    rest = everyone.filter(pl.col("source") != HOSPITAL)
    key = ["source", "subject_ref"]
    same = without.join(rest, on=key, suffix="_now").select("label", "label_now").unique()
    assert same.height == without["label"].n_unique() == rest["label"].n_unique()

    at_gp = everyone.filter(source=GP).select("label", gp="subject_ref")
    patients = everyone.filter(source=HOSPITAL).join(at_gp, on="label", how="left")
    assert patients["gp"].null_count() == UNKNOWN
    known = patients.drop_nulls("gp")
    assert known["subject_ref"].to_list() == ("E" + known["gp"]).to_list()


def test_the_door_takes_it_month_after_month(kit: Any, running: Any, encoded: dict[str, pl.DataFrame]) -> None:
    """A column that was never there has not collapsed, and a file without any filter is not of another recipe."""
    frame = kit.records(Feed.HEALTH, 1_200, seed=5)
    absent = [name for name in (*TOKEN_COLUMNS, *FILTER_COLUMNS) if name != "token_nhs_number"]
    named, bare = frame, frame.with_columns(pl.lit(None, dtype=frame.schema[n]).alias(n) for n in absent)
    for month in range(3):
        for source, records in ((HOSPITAL, bare), (GP, named)):
            opening = open_request(f"stream-{source[6:]}-{month}", kit.declaration(Feed.HEALTH, source=source))
            batch = records.with_columns(version=pl.lit(1_750_000_000_000 + month))
            requests = [opening, columns_request(Feed.HEALTH, 0, batch), close_request(Feed.HEALTH, 1)]
            (_, receipt, closed) = kit.client(running.address).exchange(Feed.HEALTH, requests)
            assert (receipt.receipt.accepted, closed.closed.accepted) == (1_200, 1_200)
