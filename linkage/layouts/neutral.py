"""Neutral records, for data sets that have no national layout to go by: one file, one row an event; of social care, a
table of clients with their services and flags beside.

Adult social care, the child measurement programme and social prescribing are asked for in these columns; a controller's
own names are given in the settings. Nobody publishes these layouts: they are this programme's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from linkage.layouts.gathering import KEY, facts, gathered, latest
from linkage.layouts.mapped import Mapped
from linkage.layouts.tables import ROW, Table
from schemas.codes import CarePackage, MeasurementKind, ReferralReason, ReferralService

PERSON: Final = "person_id"
IDENTITY: Final = (
    "nhs_number", "pseudonym", "forename", "middle_names", "surname", "date_of_birth", "sex", "ethnic_category",
    "postcode", "address", "uprn", "lsoa",
)  # fmt: skip
"""Columns of who somebody is that each of these may have, named as a clear file's."""

ASC_TABLES: Final = (
    Table("client", (PERSON,), IDENTITY),
    Table("service", (PERSON, "service_type", "start_date"), ("end_date", "weekly_hours"), optional=True),
    Table("inclusion_flag", (PERSON, "group", "stated_date"), ("ended_date",), optional=True),
)
NCMP_TABLES: Final = (Table("measurement", (PERSON, "measured_on", "bmi_p_score"), IDENTITY),)
JOY_TABLES: Final = (Table("referral", (PERSON, "referred_on"), (*IDENTITY, "closed_on", "reason")),)

SERVICES: Final = {
    "home care": CarePackage.HOME_CARE.value,
    "day care": CarePackage.DAY_CARE.value,
    "direct payment": CarePackage.DIRECT_PAYMENT.value,
    "reablement": CarePackage.REABLEMENT.value,
    "residential care": CarePackage.CARE_HOME_RESIDENTIAL.value,
    "nursing care": CarePackage.CARE_HOME_NURSING.value,
}
"""Types of service as short- and long-term support is reported by; our own codes pass as they are."""

REASONS: Final = {
    "housing": ReferralReason.HOUSING.value,
    "money": ReferralReason.MONEY.value,
    "employment": ReferralReason.WORK.value,
    "isolation": ReferralReason.LONELINESS.value,
    "mental health": ReferralReason.MENTAL_WELLBEING.value,
    "exercise": ReferralReason.PHYSICAL_ACTIVITY.value,
    "carer": ReferralReason.CARING.value,
    "other": ReferralReason.OTHER.value,
}
"""Reasons of referral; our own codes pass as they are."""


def asc_rows(tables: Mapping[str, pl.DataFrame], extracted_on: date) -> Mapped:
    """Return one clear row a client of adult social care, with their packages of care."""
    clients = tables["client"].unique(PERSON, keep="last", maintain_order=True).filter(pl.col(PERSON).is_not_null())
    people = clients.select(pl.col(PERSON).alias(KEY), ROW, *IDENTITY)
    lists: dict[str, list[pl.DataFrame]] = {}
    if (services := tables.get("service")) is not None:
        package = pl.col("service_type").str.to_lowercase().replace(SERVICES)
        dated = {"started_on": pl.col("start_date"), "ended_on": pl.col("end_date")}
        hours = pl.col("weekly_hours")
        lists["care_arrangements"] = [facts(services, PERSON, package=package, **dated, weekly_hours=hours)]
    if (flags := tables.get("inclusion_flag")) is not None:
        said = {"group": pl.col("group"), "stated_on": pl.col("stated_date"), "ended_on": pl.col("ended_date")}
        lists["inclusion_flags"] = [facts(flags, PERSON, **said)]
    return gathered(people, lists, {"clients": people.height})


def ncmp_rows(tables: Mapping[str, pl.DataFrame], extracted_on: date) -> Mapped:
    """Return one clear row a child measured. `bmi_p_score` is the share (0 to 1) of the 1990 reference below them."""
    table = tables["measurement"]
    share = pl.col("bmi_p_score").cast(pl.Float64, strict=False)
    centile = pl.when(share.is_between(0.0, 1.0)).then((share * 100.0).round(2).cast(pl.String))
    measured = facts(
        table,
        PERSON,
        kind=pl.lit(MeasurementKind.BMI_CENTILE_UK90.value),
        # A centile in the column of shares is refused and reported, not taken for one.
        value=pl.coalesce(centile, pl.when(pl.col("bmi_p_score").is_not_null()).then(pl.lit("not a share"))),
        recorded_on=pl.col("measured_on"),
    )
    people = latest(table, pl.col(PERSON), "measured_on", _identity())
    return gathered(people, {"measurements": [measured]}, {"measurements": table.height})


def joy_rows(tables: Mapping[str, pl.DataFrame], extracted_on: date) -> Mapped:
    """Return one clear row a person referred to social prescribing."""
    table = tables["referral"]
    referrals = facts(
        table,
        PERSON,
        service=pl.lit(ReferralService.SOCIAL_PRESCRIBING.value),
        opened_on=pl.col("referred_on"),
        closed_on=pl.col("closed_on"),
        reason=pl.col("reason").str.to_lowercase().replace(REASONS),
    )
    people = latest(table, pl.col(PERSON), "referred_on", _identity())
    return gathered(people, {"referrals": [referrals]}, {"referrals": table.height})


def _identity() -> dict[str, pl.Expr]:
    return {name: pl.col(name) for name in IDENTITY}
