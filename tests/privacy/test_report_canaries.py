"""The report leaves the linkage zone: nothing that the run's folder has of a subject is in its page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pyarrow.parquet as pa_parquet

from linkage.encode import ProjectKeys, encode
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.contracts.records import FileDeclaration
from schemas.disclosure import shipped_policy
from schemas.model import default_model
from services.link import run
from services.link.evidence import read_run
from services.report import FinishedRun, page_of_run

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)


def encoded(path: Path, clear: pl.DataFrame, source: str, feed: Feed) -> Path:
    identity = clear.select(name for name in clear.columns if clear[name].dtype == pl.String)
    frame = encode(identity, AGREEMENT, KEYS, feed, True, source=source).frame
    declaration = FileDeclaration(
        feed=feed, source=source, agreement_id=AGREEMENT.agreement_id, agreement_hash=AGREEMENT.content_hash,
        key_epoch=AGREEMENT.key_epoch, ids_kept=True,
    )  # fmt: skip
    metadata = {b"hwlink": declaration.model_dump_json(exclude_none=True).encode()}
    pa_parquet.write_table(frame.to_arrow().replace_schema_metadata(metadata), path)
    return path


def test_no_canary_of_a_run_is_in_its_report(tmp_path: Path) -> None:
    people = population(1_500, 500, seed=7)
    left = encoded(tmp_path / "canary-left.parquet", people.health, "kmpt.gp", Feed.HEALTH)
    right = encoded(tmp_path / "canary-right.parquet", people.welfare, "medway.shbe", Feed.WELFARE)
    run(left, right, tmp_path / "out", shipped=default_model())
    finished = read_run(tmp_path / "out")
    page = page_of_run(FinishedRun(finished.summary, finished.model, finished.evidence), shipped_policy())

    canaries = {str(tmp_path), "canary-left", "canary-right"}
    for clear in (people.health, people.welfare):
        for name in ("record_id", "surname", "nhs_number", "nino", "date_of_birth", "postcode", "address"):
            if name in clear.columns:
                canaries |= set(clear[name].drop_nulls().cast(pl.String))
    canaries |= {prefix for table in finished.model.frequencies for prefix in table.values}
    canaries |= {str(key) for block in finished.model.passes for key in block.stop_keys}
    for path in (left, right):
        frame = pl.read_parquet(path)
        for name, dtype in frame.schema.items():
            if dtype == pl.Binary:
                canaries |= set(frame[name].drop_nulls().head(300).bin.encode("hex"))
    words = set(re.split(r"[^\w./#-]+", page))

    # Short values (a year, a surname that is a word) would be found by chance: whole words, and long ones anywhere.
    found = sorted(canary for canary in canaries if canary in words or (len(canary) >= 9 and canary in page))
    assert found == []
    assert len(canaries) > 3_000
    bits = {f"{value:.4f}" for value in finished.evidence["weight_bits"]} & words
    assert not bits, "an exact weight names a frequency"
    assert json.dumps(finished.summary["files"][0]["path"]) not in page
