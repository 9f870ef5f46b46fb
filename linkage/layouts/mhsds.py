"""MHSDS, the Mental Health Services Data Set: a table of people and one for each kind of thing that happens to them.

Tables and the columns of the people's (`mhs001mpi`) as in an ICB's open repository of its warehouse; the others'
columns are from general knowledge of the data set and can be renamed in the settings. People are named by the data
set's own `person_id` (domain `mhsds.person_id`, with the publisher's bridging table), or by the pseudonymised NHS
number beside it. The service is sensitive in itself: every day leaves as its month. A hospital spell has no admission
method here, so that it does not count among a general hospital's emergencies.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from linkage.layouts.gathering import KEY, facts, gathered, month_of
from linkage.layouts.mapped import Mapped
from linkage.layouts.sus_op import ATTENDED, NEVER_DUE
from linkage.layouts.tables import ROW, Table
from schemas.codes import CircumstanceKind, EncounterKind, InjuryIntent, ReferralService

PERSON: Final = "person_id"
TABLES: Final = (
    Table(
        "mhs001mpi",
        (PERSON,),
        (
            "nhs_number_pseudo", "nhs_number", "person_birth_date", "postcode", "gender", "ethnic_category",
            "lsoa2011", "lsoa2021", "accommodation_national_latest", "employment_national_latest",
        ),
    ),
    Table("mhs003accommstatus", (PERSON, "accommodation_type", "accommodation_type_date"), optional=True),
    Table("mhs004empstatus", (PERSON, "employ_status", "employ_status_rec_date"), optional=True),
    Table("mhs101referral", (PERSON, "referral_request_received_date"), ("serv_disch_date",), optional=True),
    Table("mhs201carecontact", (PERSON, "care_cont_date"), ("attend_or_dna_code",), optional=True),
    Table("mhs401mhactperiod", (PERSON, "start_date_mh_act"), ("end_date_mh_act",), optional=True),
    Table(
        "mhs501hospprovspell", (PERSON, "start_date_hosp_prov_spell"), ("disch_date_hosp_prov_spell",), optional=True
    ),
    Table("mhs507selfharm", (PERSON, "self_harm_date"), optional=True),
)  # fmt: skip
_DAYS: Final = {
    "mhs003accommstatus": ("accommodation_type_date",),
    "mhs004empstatus": ("employ_status_rec_date",),
    "mhs101referral": ("referral_request_received_date", "serv_disch_date"),
    "mhs201carecontact": ("care_cont_date",),
    "mhs401mhactperiod": ("start_date_mh_act", "end_date_mh_act"),
    "mhs501hospprovspell": ("start_date_hosp_prov_spell", "disch_date_hosp_prov_spell"),
    "mhs507selfharm": ("self_harm_date",),
}
OWN_PSEUDONYM, NHS_PSEUDONYM = PERSON, "nhs_number_pseudo"


def clear_rows(tables: Mapping[str, pl.DataFrame], extracted_on: date, pseudonym: str = OWN_PSEUDONYM) -> Mapped:
    """Return one clear row a person of the people's table. `pseudonym` is the column that names them in a domain."""
    coarse = {
        name: tables[name].with_columns(month_of(tables[name][day]) for day in _DAYS[name])
        for name in _DAYS
        if name in tables
    }
    people = tables["mhs001mpi"].unique(PERSON, keep="last", maintain_order=True)
    frame = people.select(
        pl.col(PERSON).alias(KEY),
        ROW,
        "nhs_number",
        "postcode",
        "ethnic_category",
        pseudonym=pl.col(pseudonym),
        date_of_birth=pl.col("person_birth_date"),
        sex=pl.col("gender"),
        lsoa=pl.coalesce("lsoa2021", "lsoa2011"),
    )
    lists = {
        "encounters": _encounters(coarse),
        "referrals": _referrals(coarse),
        "circumstances": _circumstances(people, coarse, extracted_on),
    }
    kept = frame.filter(pl.col(KEY).is_not_null())
    counts = {"people": kept.height, "days as months": sum(int(coarse[n][d].count()) for n in coarse for d in _DAYS[n])}
    return gathered(kept, lists, counts)


def _encounters(tables: Mapping[str, pl.DataFrame]) -> list[pl.DataFrame]:
    found = []
    if (contacts := tables.get("mhs201carecontact")) is not None:
        due = contacts.filter(~pl.col("attend_or_dna_code").is_in(NEVER_DUE).fill_null(False))
        found.append(
            facts(
                due,
                PERSON,
                kind=pl.lit(EncounterKind.MENTAL_HEALTH_CONTACT.value),
                started_on=pl.col("care_cont_date"),
                attended=pl.col("attend_or_dna_code").replace(ATTENDED),
            )
        )
    if (harm := tables.get("mhs507selfharm")) is not None:
        found.append(
            facts(
                harm,
                PERSON,
                kind=pl.lit(EncounterKind.MENTAL_HEALTH_CONTACT.value),
                started_on=pl.col("self_harm_date"),
                injury_intent=pl.lit(InjuryIntent.SELF_INFLICTED.value),
            )
        )
    for table, kind, start, end in (
        ("mhs401mhactperiod", EncounterKind.MENTAL_HEALTH_DETENTION, "start_date_mh_act", "end_date_mh_act"),
        ("mhs501hospprovspell", EncounterKind.ADMISSION, "start_date_hosp_prov_spell", "disch_date_hosp_prov_spell"),
    ):
        if (spells := tables.get(table)) is not None:
            dated = {"started_on": pl.col(start), "ended_on": pl.col(end)}
            found.append(facts(spells, PERSON, kind=pl.lit(kind.value), **dated))
    return found


def _referrals(tables: Mapping[str, pl.DataFrame]) -> list[pl.DataFrame]:
    if (referrals := tables.get("mhs101referral")) is None:
        return []
    return [
        facts(
            referrals,
            PERSON,
            service=pl.lit(ReferralService.MENTAL_HEALTH.value),
            opened_on=pl.col("referral_request_received_date"),
            closed_on=pl.col("serv_disch_date"),
        )
    ]


def _circumstances(people: pl.DataFrame, tables: Mapping[str, pl.DataFrame], extracted_on: date) -> list[pl.DataFrame]:
    """Return accommodation and employment: of the tables of their own, and the latest that the people's table has."""
    found = []
    month = extracted_on.replace(day=1).isoformat()
    for kind, table, code, on in (
        (CircumstanceKind.ACCOMMODATION, "mhs003accommstatus", "accommodation_type", "accommodation_type_date"),
        (CircumstanceKind.EMPLOYMENT, "mhs004empstatus", "employ_status", "employ_status_rec_date"),
    ):
        latest_known = f"{kind.value}_national_latest"
        if (own := tables.get(table)) is not None:
            found.append(facts(own, PERSON, kind=pl.lit(kind.value), code=pl.col(code), recorded_on=pl.col(on)))
        else:
            known = people.filter(pl.col(latest_known).is_not_null())
            dated = {"code": pl.col(latest_known), "recorded_on": pl.lit(month)}
            found.append(facts(known, PERSON, kind=pl.lit(kind.value), **dated))
    return [frame for frame in found if frame.height]
