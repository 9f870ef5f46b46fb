"""H-CLIC homelessness cases: sections joined by the case id, one clear row a member of each application's household.

Verified (MHCLG, specification 1.4.5 of 18 May 2020): the sections, that a case id joins them, and that people are given
one by one. Column names and labels are this project's [D]; a council's own go into the settings. Assistance and reviews
are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from linkage.layouts.gathering import KEY, facts, gathered
from linkage.layouts.mapped import Mapped
from linkage.layouts.plain import WHO, day, slug
from linkage.layouts.tables import ROW, Table
from schemas.codes import HomelessnessDuty, SupportNeed

CASE: Final = "case_id"
_DUTIES: Final = {
    "prevention": HomelessnessDuty.PREVENTION,
    "relief": HomelessnessDuty.RELIEF,
    "final_duty": HomelessnessDuty.MAIN,
}
TABLES: Final = (
    Table("people", (CASE, "person_id"), (*WHO, "rough_sleeping")),
    Table("main", (CASE,), ("accommodation_at_application", "rough_sleeping"), optional=True),
    Table("support", (CASE, "support_need"), ("person_id",), optional=True),
    *(Table(name, (CASE, "started_on"), ("ended_on",), optional=True) for name in _DUTIES),
    Table("temporary_accommodation", (CASE, "started_on"), ("ended_on",), optional=True),
)

SUPPORT_NEEDS: Final = {
    "history_of_mental_health_problems": SupportNeed.MENTAL_HEALTH,
    "physical_ill_health_and_disability": SupportNeed.PHYSICAL_HEALTH,
    "at_risk_of_has_experienced_domestic_abuse": SupportNeed.DOMESTIC_ABUSE,
    "at_risk_of_has_experienced_sexual_abuse_exploitation": SupportNeed.SEXUAL_ABUSE,
    "at_risk_of_has_experienced_abuse_non_domestic_abuse": SupportNeed.OTHER_ABUSE,
    "history_of_repeat_homelessness": SupportNeed.REPEAT_HOMELESSNESS,
    "history_of_rough_sleeping": SupportNeed.ROUGH_SLEEPING,
    "drug_dependency_needs": SupportNeed.DRUG_DEPENDENCY,
    "alcohol_dependency_needs": SupportNeed.ALCOHOL_DEPENDENCY,
    "young_person_aged_16_17_years": SupportNeed.YOUNG_PERSON,
    "young_person_aged_18_25_years_requiring_support_to_manage_independently": SupportNeed.YOUNG_PERSON,
    "young_parent_requiring_support_to_manage_independently": SupportNeed.YOUNG_PARENT,
    "care_leaver_aged_18_20_years": SupportNeed.CARE_LEAVER,
    "care_leaver_aged_21_years": SupportNeed.CARE_LEAVER,
    "served_in_hm_forces": SupportNeed.ARMED_FORCES,
    "access_to_education_employment_or_training": SupportNeed.EDUCATION_EMPLOYMENT_TRAINING,
    "difficulties_budgeting": SupportNeed.BUDGETING,
}
"""Labels of the homelessness statistics, written as `slug` writes them [K]; our own codes pass as they are."""
_TRUE: Final = ("1", "yes", "y", "true")


def clear_rows(
    tables: Mapping[str, pl.DataFrame], extracted_on: date, *, values: Mapping[str, Mapping[str, str]] | None = None
) -> Mapped:
    """Return one clear row a person of each case (`case_id|person_id`), with a fact for each duty owed to the case.

    `values` maps a council's own values of `support_need` and `accommodation_at_application` to ours. A section that is
    not given leaves what it would say unknown; one that is given says of everybody else that they have none of it.
    """
    people = tables["people"].with_columns(pl.concat_str(CASE, "person_id", separator="|").alias(KEY))
    told = people.select(KEY, CASE, "person_id", pl.col("rough_sleeping").alias("own_rough"))
    needs, left_out = _support(tables.get("support"), told, values or {})
    about = (
        told.join(needs, on=KEY, how="left")
        .pipe(_rough, tables.get("main"), values or {})
        .pipe(_housed, tables.get("temporary_accommodation"), extracted_on)
    )
    owed = [
        facts(
            about.join(tables[name].drop(ROW), on=CASE, how="inner"),
            KEY,
            case_reference=pl.col(CASE),
            duty=pl.lit(duty.value),
            started_on=pl.col("started_on"),
            ended_on=pl.col("ended_on"),
            temporary_accommodation=pl.col("housed"),
            rough_sleeping=pl.col("rough"),
            support_needs=pl.col("support_needs"),
        )
        for name, duty in _DUTIES.items()
        if name in tables
    ]
    counts = {"people of cases": people.height, "cases": people[CASE].n_unique()}
    if left_out:
        counts["support needs that are not on the list, left out"] = left_out
    rows = people.select(KEY, ROW, *WHO).unique(KEY, keep="first", maintain_order=True)
    return gathered(rows, {"homelessness": owed}, counts)


def _support(
    support: pl.DataFrame | None, told: pl.DataFrame, values: Mapping[str, Mapping[str, str]]
) -> tuple[pl.DataFrame, int]:
    """Return (`record_id` and the person's support needs in one text, how many entries are on no list).

    An entry without a person is everybody's in the case.
    """
    if support is None:
        return pl.DataFrame(schema={KEY: pl.String, "support_needs": pl.String}), 0
    said = slug(pl.col("support_need").replace(dict(values.get("support_need", {}))))
    known = {label: need.value for label, need in SUPPORT_NEEDS.items()}
    coded = support.select(CASE, pl.col("person_id").alias("only"), need=said.replace(known))
    listed = coded.filter(pl.col("need").is_in([need.value for need in SupportNeed]))
    each = told.join(listed, on=CASE, how="inner", maintain_order="left_right").filter(
        pl.col("only").is_null() | (pl.col("only") == pl.col("person_id"))
    )
    texts = each.group_by(KEY).agg(pl.col("need").unique(maintain_order=True).str.join(" ").alias("support_needs"))
    return texts, coded.height - listed.height


def _rough(about: pl.DataFrame, main: pl.DataFrame | None, values: Mapping[str, Mapping[str, str]]) -> pl.DataFrame:
    """Add `rough`: whether somebody slept rough, by their own flag, or else the case's or its accommodation."""
    own = pl.col("own_rough").str.to_lowercase().is_in(_TRUE).cast(pl.String)
    if main is None:
        return about.with_columns(rough=own)
    lodging = slug(
        pl.col("accommodation_at_application").replace(dict(values.get("accommodation_at_application", {})))
    ).str.starts_with("rough_sleeping")
    flag = pl.col("rough_sleeping").str.to_lowercase().is_in(_TRUE)
    asked = main.group_by(CASE).agg((flag.fill_null(False) | lodging.fill_null(False)).any().alias("of_case"))
    return about.join(asked, on=CASE, how="left").with_columns(
        rough=pl.coalesce(own, pl.col("of_case").cast(pl.String))
    )


def _housed(about: pl.DataFrame, stays: pl.DataFrame | None, extracted_on: date) -> pl.DataFrame:
    """Add `housed`: whether the case is in temporary accommodation at the extract."""
    if stays is None:
        return about.with_columns(housed=pl.lit(None, dtype=pl.String))
    present = stays.filter((day(pl.col("ended_on")) >= extracted_on).fill_null(True))[CASE]
    return about.with_columns(housed=pl.col(CASE).is_in(present.implode()).cast(pl.String))
