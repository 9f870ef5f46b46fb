"""A GP extract, written: what `linkage.layouts.gp` reads."""

from __future__ import annotations

import polars as pl

from linkage.layouts.codes import meanings
from linkage.layouts.gp import CLUSTERS, MATCH, PATIENT
from linkage.synthesise.layouts.flat import KEY, listed, people, turned
from schemas.code_lists import code_map

_MEMBERS = {
    "diagnoses": ("condition", "status", None, "recorded_on"),
    "coded_events": ("code", None, None, "recorded_on"),
    "measurements": ("kind", "setting", "value", "recorded_on"),
    "screenings": ("programme", "status", None, "recorded_on"),
}
"""List column -> its members that are a cluster's meaning and status, the value, and the day."""


def tables(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the tables of an extract; facts that no cluster of the shipped list says are left out."""
    patient = people(
        frame,
        {
            PATIENT: KEY, "nhs_number": "nhs_number", "pseudo_nhs_number": "pseudonym", "forename": "forename",
            "middle_names": "middle_names", "surname": "surname", "date_of_birth": "date_of_birth", "gender": "sex",
            "ethnic_category": "ethnic_category", "interpreter_required": "interpreter_needed",
            "practice_code": "practice_code", "lsoa": "lsoa", "postcode": "postcode", "address": "address",
            "uprn": "uprn", "uprn_match": "property_match", "date_of_death": "date_of_death",
        },
    )  # fmt: skip
    said = pl.concat([_entries(listed(frame, kind), kind, *members) for kind, members in _MEMBERS.items()])
    drugs = _coded(listed(frame, "medications").rename({"drug_group": "means"}), "medications", status=None)
    return {
        "patient": patient.with_columns(pl.col("uprn_match").replace(turned(MATCH))),
        "observation": said,
        "medication": people(
            drugs,
            {
                PATIENT: KEY, "clinical_effective_date": "issued_on", "cluster_id": "cluster", "issues": "issues",
                "distinct_drugs": "distinct_drugs",
            },
        ),
        "referral": people(
            listed(frame, "referrals"),
            {
                PATIENT: KEY, "clinical_effective_date": "opened_on", "service": "service", "closed_date": "closed_on",
                "reason": "reason",
            },
        ),
        "search": people(
            listed(frame, "searches"),
            {
                PATIENT: KEY, "search": "search", "search_id": "search_id", "condition": "condition",
                "run_date": "run_on", "priority_group": "priority_group", "reviewed_date": "reviewed_on",
            },
        ),
        "fit_note": people(
            listed(frame, "fit_notes"), {PATIENT: KEY, "start_date": "started_on", "end_date": "ended_on"}
        ),
        "inclusion_flag": people(
            listed(frame, "inclusion_flags"),
            {PATIENT: KEY, "group": "group", "stated_date": "stated_on", "ended_date": "ended_on"},
        ),
    }  # fmt: skip


def _entries(
    facts: pl.DataFrame, kind: str, means: str, status: str | None, value: str | None, on: str
) -> pl.DataFrame:
    """Return facts of one kind as observations."""
    coded = _coded(facts.rename({means: "means"}), kind, status)
    return people(
        coded,
        {PATIENT: KEY, "clinical_effective_date": on, "cluster_id": "cluster", "result_value": value or "no value"},
    )


def _coded(facts: pl.DataFrame, kind: str, status: str | None) -> pl.DataFrame:
    """Return the facts that some cluster says, with it."""
    known = meanings(code_map(CLUSTERS)).filter(pl.col("kind") == kind)
    clusters = known.select("means", pl.col("status").alias("asked"), pl.col("code").alias("cluster")).unique(
        ["means", "asked"], keep="first", maintain_order=True
    )
    asked = pl.lit(None, dtype=pl.String) if status is None else pl.col(status)
    return facts.with_columns(asked=asked).join(
        clusters, on=["means", "asked"], how="inner", nulls_equal=True, maintain_order="left"
    )
