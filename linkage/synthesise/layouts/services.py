"""Mental health and community data sets, written: what `linkage.layouts.mhsds` and `csds` read."""

from __future__ import annotations

import polars as pl

from linkage.layouts.csds import LOOKED_AFTER
from linkage.layouts.mhsds import PERSON
from linkage.layouts.sus_op import ATTENDED
from linkage.synthesise.layouts.flat import KEY, listed, people, pounds, turned
from schemas.codes import EncounterKind, InclusionGroup, ReferralService

_WHO = {
    PERSON: KEY, "nhs_number": "nhs_number", "nhs_number_pseudo": "pseudonym", "person_birth_date": "date_of_birth",
    "postcode": "postcode", "gender": "sex", "ethnic_category": "ethnic_category", "lsoa2021": "lsoa",
}  # fmt: skip
_REFERRAL = {PERSON: KEY, "referral_request_received_date": "opened_on", "serv_disch_date": "closed_on"}


def mental_health(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return MHSDS. `person_id` is the record id; a contact with self-harm goes to the table of self-harm alone."""
    seen, told = listed(frame, "encounters"), listed(frame, "circumstances")
    contacts = seen.filter(pl.col("kind") == EncounterKind.MENTAL_HEALTH_CONTACT.value)
    harm = pl.col("injury_intent").is_not_null()

    def spells(kind: EncounterKind, start: str, end: str) -> pl.DataFrame:
        return people(seen.filter(pl.col("kind") == kind.value), {PERSON: KEY, start: "started_on", end: "ended_on"})

    def status(kind: str, code: str, on: str) -> pl.DataFrame:
        return people(told.filter(pl.col("kind") == kind), {PERSON: KEY, code: "code", on: "recorded_on"})

    return {
        "mhs001mpi": people(frame, _WHO),
        "mhs003accommstatus": status("accommodation", "accommodation_type", "accommodation_type_date"),
        "mhs004empstatus": status("employment", "employ_status", "employ_status_rec_date"),
        "mhs101referral": _referrals(frame, ReferralService.MENTAL_HEALTH),
        "mhs201carecontact": _contacts(contacts.filter(~harm)).drop("cost"),
        "mhs401mhactperiod": spells(EncounterKind.MENTAL_HEALTH_DETENTION, "start_date_mh_act", "end_date_mh_act"),
        "mhs501hospprovspell": spells(
            EncounterKind.ADMISSION, "start_date_hosp_prov_spell", "disch_date_hosp_prov_spell"
        ),
        "mhs507selfharm": people(contacts.filter(harm), {PERSON: KEY, "self_harm_date": "started_on"}),
    }


def community(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return CSDS. `person_id` is the record id."""
    seen = listed(frame, "encounters").filter(pl.col("kind") == EncounterKind.COMMUNITY_CONTACT.value)
    flags = listed(frame, "inclusion_flags").filter(pl.col("group") == InclusionGroup.LOOKED_AFTER_CHILD.value)
    homes = listed(frame, "circumstances").filter(pl.col("kind") == "accommodation")
    who = people(frame, _WHO)
    looked_after = pl.col(PERSON).is_in(flags[KEY].unique().implode())
    return {
        "cyp001mpi": who.with_columns(pl.when(looked_after).then(pl.lit("Y")).alias(LOOKED_AFTER)),
        "cyp003accommtype": people(
            homes, {PERSON: KEY, "accommodation_type": "code", "accommodation_type_date": "recorded_on"}
        ),
        "cyp101referral": _referrals(frame, ReferralService.COMMUNITY),
        "cyp201carecontact": _contacts(seen),
    }


def _contacts(seen: pl.DataFrame) -> pl.DataFrame:
    table = people(
        seen.with_columns(price=pounds(pl.col("cost_pence"))),
        {PERSON: KEY, "care_cont_date": "started_on", "attend_or_dna_code": "attended", "cost": "price"},
    )
    return table.with_columns(pl.col("attend_or_dna_code").replace(turned(ATTENDED)))


def _referrals(frame: pl.DataFrame, service: ReferralService) -> pl.DataFrame:
    return people(listed(frame, "referrals").filter(pl.col("service") == service.value), _REFERRAL)
