"""The group of housing: temporary and supported homes, homelessness, bedrooms, energy bands, help with rent."""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.entry import category, count, flag
from linkage.features.households import account_households, case_households, case_rows, claim_households, claims_held
from linkage.features.windows import months_before, newest, within
from schemas.codes import AwardKind, CircumstanceKind, EnergyBand, Tenure
from schemas.contracts.base import Feed
from schemas.features import FeatureDefinition, HouseholdBasis, MarmotDomain, Sensitivity

ROUGH_SLEEPER: Final = "HM01"
_AWARDS: Final = {
    "hsf_award_12m": (AwardKind.HOUSEHOLD_SUPPORT_FUND, "Household Support Fund"),
    "dhp_award_12m": (AwardKind.DISCRETIONARY_HOUSING_PAYMENT, "Discretionary Housing Payment"),
}
_NO_CLAIM: Final = "the person is in no current claim"


def _entries() -> list[FeatureDefinition]:
    welfare = {"sources": (Feed.WELFARE,), "sensitivity": Sensitivity.WELFARE, "marmot_domain": MarmotDomain.PLACES}
    claim = {**welfare, "household_basis": HouseholdBasis.CLAIM}
    homeless = {
        "sources": (Feed.WELFARE, Feed.HEALTH),
        "sensitivity": Sensitivity.INCLUSION,
        "marmot_domain": MarmotDomain.PLACES,
    }
    occupancy = {**claim, "covered_by": ("occupancies",), "unknown_when": "no extract counts the home's bedrooms"}
    case = {
        **welfare,
        "sensitivity": Sensitivity.INCLUSION,
        "household_basis": HouseholdBasis.HOMELESSNESS_CASE,
        "covered_by": ("homelessness",),
        "unknown_when": "the person is in no source of a controller that delivers homelessness cases",
    }
    award = {
        **claim,
        "marmot_domain": MarmotDomain.STANDARD_OF_LIVING,
        "covered_by": ("awards",),
        "look_back_months": 12,
        "unknown_when": f"{_NO_CLAIM}, or no source of its controllers delivers awards",
    }
    return [
        flag(
            "temp_accommodation",
            "A claim of the person's states temporary accommodation, or an open homelessness case of a member of the "
            "claim's household does.",
            **{**claim, "unknown_when": f"{_NO_CLAIM}, or no claim states a tenure"},
        ),
        flag(
            "supported_accommodation",
            "A claim of the person's is for supported accommodation.",
            **{**claim, "unknown_when": f"{_NO_CLAIM}, or no claim says"},
        ),
        flag(
            "homeless_duty_12m",
            "A council owed the person a homelessness duty (prevention, relief or main) in the last 12 months.",
            covered_by=("homelessness",),
            look_back_months=12,
            unknown_when="the person is in no source of a controller that delivers homelessness cases",
            **{**homeless, "sources": (Feed.WELFARE,)},
        ),
        flag(
            "rough_sleep_flag",
            "An open homelessness case says that the person sleeps rough, or the newest accommodation status of the "
            "last 24 months does (HM01).",
            covered_by=("homelessness", "circumstances"),
            look_back_months=24,
            unknown_when="no source of the person, or of its controllers, delivers cases or accommodation status",
            **homeless,
        ),
        count(
            "case_household_size",
            (0, 1, 2, 3, 4, 5),
            "People of the person's open homelessness case; 0 where there is none.",
            **case,
        ),
        flag(
            "case_temp_accommodation",
            "The person's open homelessness case states temporary accommodation.",
            **case,
        ),
        count(
            "account_household_size",
            (1, 2, 3, 4, 5, 6),
            "People in the claims that name the person's council-tax account.",
            **{
                **welfare,
                "household_basis": HouseholdBasis.COUNCIL_TAX_ACCOUNT,
                "unknown_when": "no claim of the person's names a council-tax account",
            },
        ),
        count(
            "under_occupied_bedrooms",
            (0, 1, 2),
            "Bedrooms beyond what the claim's household needs, by the newest under-occupation extract.",
            **occupancy,
        ),
        flag(
            "overcrowded", "The home has fewer bedrooms than the claim's household needs, by the extract.", **occupancy
        ),
        category(
            "epc_band",
            tuple(EnergyBand),
            "Energy band of the newest certificate of a home that a member of the claim's household is recorded at.",
            ordered=True,
            **{**claim, "covered_by": ("dwellings",), "unknown_when": "no certificate of the home is supplied"},
        ),
        *(
            flag(name, f"A member of the claim's household was granted a {title} award in 12 months.", **award)
            for name, (_, title) in _AWARDS.items()
        ),
    ]


ENTRIES: Final = tuple(_entries())


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the group's features of everybody."""
    frame = context.beside(_claims(context), _cases(context), _accounts(context), _own_cases(context), _rough(context))
    cases = context.known("homelessness")
    return frame.select(
        "person_id",
        "temp_accommodation",
        "supported_accommodation",
        pl.when(cases).then(pl.col("_duty").fill_null(False)).alias("homeless_duty_12m"),
        pl.max_horizontal(
            pl.when(cases).then(pl.col("_rough_case").fill_null(False)),
            pl.when(context.known("circumstances")).then(pl.col("_rough_status").fill_null(False)),
        ).alias("rough_sleep_flag"),
        pl.when(cases).then(pl.col("_in_case").fill_null(0)).alias("case_household_size"),
        pl.when(cases)
        .then(pl.when(pl.col("_in_case").is_null()).then(pl.lit(False)).otherwise("_case_temporary"))
        .alias("case_temp_accommodation"),
        "account_household_size",
        "under_occupied_bedrooms",
        "overcrowded",
        "epc_band",
        *(
            pl.when(context.known("awards") & pl.col("_in_claim")).then(pl.col(name).fill_null(False)).alias(name)
            for name in _AWARDS
        ),
    )


def people_in(subjects: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Return how many people each household's subjects are: `household, people`; an unknown person is one."""
    named = subjects.join(
        context.subjects.select("person_id", "source", "subject_ref"), on=["source", "subject_ref"], how="left"
    )
    person = pl.col("person_id")
    return named.group_by("household").agg((person.drop_nulls().n_unique() + person.null_count()).alias("people"))


def _claims(context: Context) -> pl.DataFrame:
    households = claim_households(context)
    stated = (
        claims_held(context)
        .group_by("person_id")
        .agg(
            pl.col("tenure").eq(Tenure.TEMPORARY.value).drop_nulls().max().alias("_temporary"),
            pl.col("supported_accommodation").drop_nulls().max(),
        )
    )
    cases = _open(households.facts(context, "homelessness"), context)
    temporary = cases.group_by("household").agg(pl.col("temporary_accommodation").drop_nulls().max().alias("_case"))
    bedrooms = newest(
        _recorded(households.facts(context, "occupancies"), context), ["household"], "recorded_on"
    ).select(
        "household",
        (pl.col("bedrooms") - pl.col("bedrooms_needed")).clip(0).alias("under_occupied_bedrooms"),
        (pl.col("bedrooms") < pl.col("bedrooms_needed")).alias("overcrowded"),
    )
    banded = households.facts(context, "dwellings").filter(pl.col("energy_band").is_not_null())
    energy = newest(_recorded(banded, context), ["household"], "recorded_on").select(
        "household", pl.col("energy_band").alias("epc_band")
    )
    recent = households.facts(context, "awards").filter(within(pl.col("awarded_on"), context.as_of, 12))
    awards = recent.group_by("household").agg(
        (pl.col("kind") == kind.value).any().alias(name) for name, (kind, _) in _AWARDS.items()
    )
    people = households.people
    for part in (temporary, bedrooms, energy, awards):
        people = people.join(part, on="household", how="left")
    return people.join(stated, on="person_id", how="left").with_columns(
        pl.max_horizontal("_temporary", "_case").alias("temp_accommodation"), pl.lit(True).alias("_in_claim")
    )


def _recorded(facts: pl.DataFrame, context: Context) -> pl.DataFrame:
    return facts.filter(pl.col("recorded_on") <= context.as_of)


def _open(cases: pl.DataFrame, context: Context) -> pl.DataFrame:
    ended = pl.col("ended_on")
    return cases.filter((pl.col("started_on") <= context.as_of) & (ended.is_null() | (ended > context.as_of)))


def _cases(context: Context) -> pl.DataFrame:
    households = case_households(context)
    rows = case_rows(context)
    size = people_in(rows.select("household", "source", "subject_ref").unique(), context)
    stated = rows.group_by("household").agg(
        pl.col("temporary_accommodation").drop_nulls().max().alias("_case_temporary")
    )
    return households.of_people(size.rename({"people": "_in_case"}).join(stated, on="household"))


def _own_cases(context: Context) -> pl.DataFrame:
    cases = context.facts("homelessness").filter(pl.col("started_on") <= context.as_of)
    since = months_before(context.as_of, 12)
    duty = cases.group_by("person_id").agg(
        (pl.col("ended_on").is_null() | (pl.col("ended_on") > since)).any().alias("_duty")
    )
    rough = _open(cases, context).group_by("person_id").agg(pl.col("rough_sleeping").any().alias("_rough_case"))
    return duty.join(rough, on="person_id", how="left")


def _rough(context: Context) -> pl.DataFrame:
    return (
        accommodation(context)
        .select("person_id", (pl.col("code") == ROUGH_SLEEPER).any().over("person_id").alias("_rough_status"))
        .unique()
    )


def accommodation(context: Context) -> pl.DataFrame:
    """Return the newest accommodation status of each person in 24 months; statuses of one day all hold."""
    stated = context.facts("circumstances").filter(
        (pl.col("kind") == CircumstanceKind.ACCOMMODATION.value) & within(pl.col("recorded_on"), context.as_of, 24)
    )
    return stated.filter(pl.col("recorded_on") == pl.col("recorded_on").max().over("person_id"))


def _accounts(context: Context) -> pl.DataFrame:
    households = account_households(context)
    size = people_in(households.members, context).rename({"people": "account_household_size"})
    return households.of_people(size)
