"""CSDS, the Community Services Data Set: a table of people, referrals, contacts and accommodation.

The tables' names and what they hold are from an ICB's open repository of its warehouse, the columns from general
knowledge of the data set; they can be renamed in the settings. People are named by the data set's own `person_id`
(domain `csds.person_id`), or by the pseudonymised NHS number beside it. Safeguarding factors, disability supervision
and wishes for the end of life are left out; that a child is looked after leaves as an inclusion flag that the
controller states.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from linkage.layouts.gathering import KEY, facts, gathered
from linkage.layouts.mapped import Mapped
from linkage.layouts.money import Unit, pence
from linkage.layouts.sus_op import ATTENDED, NEVER_DUE
from linkage.layouts.tables import ROW, Table
from schemas.codes import CircumstanceKind, EncounterKind, InclusionGroup, ReferralService

PERSON: Final = "person_id"
LOOKED_AFTER: Final = "looked_after_child_indicator"
NHS_PSEUDONYM: Final = "nhs_number_pseudo"
TABLES: Final = (
    Table(
        "cyp001mpi",
        (PERSON,),
        (
            "nhs_number_pseudo", "nhs_number", "person_birth_date", "postcode", "gender", "ethnic_category", "lsoa2011",
            "lsoa2021", LOOKED_AFTER,
        ),
    ),
    Table("cyp003accommtype", (PERSON, "accommodation_type", "accommodation_type_date"), optional=True),
    Table("cyp101referral", (PERSON, "referral_request_received_date"), ("serv_disch_date",), optional=True),
    Table("cyp201carecontact", (PERSON, "care_cont_date"), ("attend_or_dna_code", "cost"), optional=True),
)  # fmt: skip


def clear_rows(tables: Mapping[str, pl.DataFrame], extracted_on: date, pseudonym: str = PERSON) -> Mapped:
    """Return one clear row a person of the people's table. `pseudonym` is the column that names them in a domain."""
    people = tables["cyp001mpi"].unique(PERSON, keep="last", maintain_order=True).filter(pl.col(PERSON).is_not_null())
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
    looked_after = people.filter(pl.col(LOOKED_AFTER).str.to_uppercase() == "Y")
    lists = {
        "encounters": _contacts(tables.get("cyp201carecontact")),
        "referrals": _referrals(tables.get("cyp101referral")),
        "circumstances": _accommodation(tables.get("cyp003accommtype")),
        "inclusion_flags": [
            facts(
                looked_after,
                PERSON,
                group=pl.lit(InclusionGroup.LOOKED_AFTER_CHILD.value),
                stated_on=pl.lit(extracted_on.isoformat()),
            )
        ],
    }
    return gathered(frame, lists, {"people": frame.height})


def _contacts(table: pl.DataFrame | None) -> list[pl.DataFrame]:
    if table is None:
        return []
    due = table.filter(~pl.col("attend_or_dna_code").is_in(NEVER_DUE).fill_null(False))
    return [
        facts(
            due,
            PERSON,
            kind=pl.lit(EncounterKind.COMMUNITY_CONTACT.value),
            started_on=pl.col("care_cont_date"),
            attended=pl.col("attend_or_dna_code").replace(ATTENDED),
            cost_pence=pence(pl.col("cost"), Unit.POUNDS),
        )
    ]


def _referrals(table: pl.DataFrame | None) -> list[pl.DataFrame]:
    if table is None:
        return []
    opened, closed = pl.col("referral_request_received_date"), pl.col("serv_disch_date")
    service = pl.lit(ReferralService.COMMUNITY.value)
    return [facts(table, PERSON, service=service, opened_on=opened, closed_on=closed)]


def _accommodation(table: pl.DataFrame | None) -> list[pl.DataFrame]:
    if table is None:
        return []
    kind = pl.lit(CircumstanceKind.ACCOMMODATION.value)
    code, on = pl.col("accommodation_type"), pl.col("accommodation_type_date")
    return [facts(table, PERSON, kind=kind, code=code, recorded_on=on)]
