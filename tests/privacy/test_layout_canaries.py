"""Whatever stands in any column of a raw health layout, read or not, none of it leaves in clear."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from linkage.encode import ProjectKeys
from linkage.layouts import csds, ecds, gp, mhsds, neutral, sus_apc, sus_op
from linkage.layouts.tables import Table
from schemas.agreement import PseudonymRecipe, shipped_agreement
from services.pseudonymise import Job, run
from services.pseudonymise.bridges import Pseudonyms
from services.pseudonymise.declare import declaration
from services.pseudonymise.layouts import open_layout

HUB = "nhs.hub"
AGREEMENT = shipped_agreement("test").model_copy(update={"pseudonym": PseudonymRecipe(domain=HUB)})
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
CANARY = "Xcanary"
WITHHELD = ("comments", "telephone", "arrival_time", "next_of_kin_name", "photo", "gender_same_at_birth")
LAYOUTS: dict[str, tuple[Table, ...]] = {
    "gp": gp.TABLES,
    "sus-apc": sus_apc.TABLES,
    "sus-op": sus_op.TABLES,
    "ecds": ecds.TABLES,
    "mhsds": mhsds.TABLES,
    "csds": csds.TABLES,
    "asc": neutral.ASC_TABLES,
    "ncmp": neutral.NCMP_TABLES,
    "joy": neutral.JOY_TABLES,
}


def everything_said(source: Path, layout: str) -> tuple[str, dict[str, int]]:
    """Return all that a run leaves behind, in lower case, and what it counted as kept back."""
    declared = declaration(AGREEMENT, source="kmicb.gp", feed="health", extract_date=date(2026, 6, 30))
    output = source.parent / "out.parquet"
    job = Job(
        source, output, AGREEMENT, KEYS, declared, version=1, layout=open_layout(layout, {}), pseudonyms=Pseudonyms(HUB)
    )
    report = run(job)
    rejects = output.with_name("out.parquet.rejects.csv")
    said = [str(pl.read_parquet(output).rows()), json.dumps(report.as_json())]
    said += [rejects.read_text("utf-8")] if rejects.exists() else []
    return " ".join(said).lower(), report.values_left_out


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_no_value_of_any_column_leaves(tmp_path: Path, layout: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for table in LAYOUTS[layout]:
        columns = (*table.columns, *WITHHELD)
        pl.DataFrame({name: [f"{CANARY} {name}"] for name in columns}).write_csv(folder / f"{table.name}.csv")
    said, left_out = everything_said(folder, layout)

    assert CANARY.lower() not in said
    assert set(left_out) == {f"{table.name}.{name}" for table in LAYOUTS[layout] for name in WITHHELD}


def test_no_value_of_any_element_leaves(tmp_path: Path) -> None:
    def canary(name: str) -> str:
        return f"{CANARY} {name}"

    patient: dict[str, Any] = {
        "resourceType": "Patient",
        "id": canary("id"),
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": canary("number")}],
        "name": [{"family": canary("family"), "given": [canary("given"), canary("middle")]}],
        "gender": canary("gender"),
        "birthDate": canary("birth"),
        "address": [{"line": [canary("line")], "postalCode": canary("postcode"), "text": canary("text")}],
        "telecom": [{"system": "phone", "value": canary("phone")}],
        "contact": [{"name": {"family": canary("contact")}}],
        "photo": [{"url": canary("photo")}],
        "text": {"div": canary("narrative")},
    }
    condition = {
        "resourceType": "Condition",
        "subject": {"reference": f"Patient/{canary('id')}"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "13645005"}], "text": canary("words")},
        "recordedDate": canary("date"),
        "note": [{"text": canary("note")}],
    }
    path = tmp_path / "resources.ndjson"
    path.write_text(f"{json.dumps(patient)}\n{json.dumps(condition)}\n{CANARY} no json", "utf-8")
    said, left_out = everything_said(path, "fhir")

    assert CANARY.lower() not in said
    assert left_out == {f"Patient.{name}": 1 for name in ("telecom", "photo", "contact", "text")}
