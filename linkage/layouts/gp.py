"""A GP extract: people registered, their observations, medications, referrals, search results and fit notes.

Tables as an extract of a GP system is arranged in (OLIDS, EMIS): one row an entry, each with the reference set
(cluster) that its code is of. What a cluster means stands in a named code list (`gp-clusters-1`), which the settings
may replace. Columns follow the open models of an ICB's warehouse; where a system names them otherwise, the settings
rename them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from linkage.layouts.codes import meanings
from linkage.layouts.gathering import KEY, facts, gathered, usable
from linkage.layouts.mapped import Mapped
from linkage.layouts.tables import ROW, Table
from schemas.code_lists import CodeMap, code_map
from schemas.codes import PropertyMatch

PATIENT: Final = "patient_id"
_OPTIONAL_IDENTITY: Final = ("forename", "middle_names", "surname", "date_of_birth", "postcode", "address", "uprn")
TABLES: Final = (
    Table(
        "patient",
        (PATIENT,),
        (
            "nhs_number", "pseudo_nhs_number", "nhs_number_status", *_OPTIONAL_IDENTITY, "gender", "ethnic_category",
            "interpreter_required", "practice_code", "lsoa", "uprn_match", "date_of_death",
        ),
    ),
    Table("observation", (PATIENT, "clinical_effective_date", "cluster_id"), ("result_value",), optional=True),
    Table(
        "medication", (PATIENT, "clinical_effective_date", "cluster_id"), ("issues", "distinct_drugs"), optional=True
    ),
    Table("referral", (PATIENT, "clinical_effective_date", "service"), ("closed_date", "reason"), optional=True),
    Table(
        "search",
        (PATIENT, "search", "search_id", "condition", "run_date"),
        ("priority_group", "reviewed_date"),
        optional=True,
    ),
    Table("fit_note", (PATIENT, "start_date", "end_date"), optional=True),
    Table("inclusion_flag", (PATIENT, "group", "stated_date"), ("ended_date",), optional=True),
)  # fmt: skip

MATCH: Final = {str(number): status.value for number, status in enumerate(PropertyMatch, start=1)}
"""ASSIGN's status of an address match, 1 to 6; our own codes pass as they are."""
CLUSTERS: Final = "gp-clusters-1"


def clear_rows(tables: Mapping[str, pl.DataFrame], extracted_on: date, clusters: CodeMap | None = None) -> Mapped:
    """Return one clear row a registration, read by a code list of clusters (the shipped one, if none is given)."""
    meaning = meanings(clusters or code_map(CLUSTERS))
    patient = tables["patient"].unique(PATIENT, keep="last", maintain_order=True).filter(pl.col(PATIENT).is_not_null())
    status = pl.col("nhs_number_status")
    people = patient.select(
        pl.col(PATIENT).alias(KEY),
        ROW,
        *_OPTIONAL_IDENTITY,
        "ethnic_category",
        "practice_code",
        "lsoa",
        "date_of_death",
        nhs_number=usable(pl.col("nhs_number"), status),
        pseudonym=usable(pl.col("pseudo_nhs_number"), status),
        sex=pl.col("gender"),
        interpreter_needed=pl.col("interpreter_required"),
        property_match=pl.col("uprn_match").replace(MATCH),
    )
    counts = {"people registered": people.height}
    lists: dict[str, list[pl.DataFrame]] = {}
    for name in ("observation", "medication"):
        if name in tables:
            read = _entries(tables[name], meaning)
            counts[f"{name}s of clusters that are on no list: left out"] = tables[name].height - read.height
            for kind, frame in _by_kind(read).items():
                lists.setdefault(kind, []).append(frame)
    lists |= {name: [frame] for name, frame in _others(tables).items()}
    return gathered(people, lists, counts)


def _entries(table: pl.DataFrame, meaning: pl.DataFrame) -> pl.DataFrame:
    code = pl.col("cluster_id").str.to_uppercase().alias("code")
    return table.with_columns(code).join(meaning, on="code", how="inner", maintain_order="left")


def _by_kind(entries: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the entries as facts of their kinds; a kind that the table cannot hold (a drug observed) is none."""
    on = pl.col("clinical_effective_date")
    has = entries.columns
    if "result_value" in has:
        members: dict[str, dict[str, pl.Expr]] = {
            "diagnoses": {"condition": pl.col("means"), "status": pl.col("status"), "recorded_on": on},
            "coded_events": {"code": pl.col("means"), "recorded_on": on},
            "measurements": {
                "kind": pl.col("means"),
                "value": pl.col("result_value"),
                "recorded_on": on,
                "setting": pl.col("status"),
            },
            "screenings": {"programme": pl.col("means"), "status": pl.col("status"), "recorded_on": on},
        }
    else:
        members = {
            "medications": {
                "drug_group": pl.col("means"),
                "issued_on": on,
                "issues": pl.col("issues"),
                "distinct_drugs": pl.col("distinct_drugs"),
            }
        }
    return {kind: facts(entries.filter(pl.col("kind") == kind), PATIENT, **each) for kind, each in members.items()}


def _others(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    columns = {
        "referral": ("referrals", {"service": "service", "opened_on": "clinical_effective_date",
                                   "closed_on": "closed_date", "reason": "reason"}),
        "search": ("searches", {"search": "search", "search_id": "search_id", "condition": "condition",
                                "run_on": "run_date", "priority_group": "priority_group",
                                "reviewed_on": "reviewed_date"}),
        "fit_note": ("fit_notes", {"started_on": "start_date", "ended_on": "end_date"}),
        "inclusion_flag": ("inclusion_flags", {"group": "group", "stated_on": "stated_date",
                                               "ended_on": "ended_date"}),
    }  # fmt: skip
    return {
        kind: facts(tables[table], PATIENT, **{member: pl.col(column) for member, column in members.items()})
        for table, (kind, members) in columns.items()
        if table in tables
    }
