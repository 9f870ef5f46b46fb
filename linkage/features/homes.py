"""The group of the home: people who share a property on the lists of health sources, and what is known of them.

A household feature of a household of one is a fact about that person, and of two about the other one. So what comes
from health records is told on a person's row only where at least `LEAST_MEMBERS` people live there.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.entry import category, count, flag
from linkage.features.households import MOST_RESIDENTS, homes, property_households
from linkage.features.housing import accommodation
from schemas.codes import CarePackage, PropertyMatch
from schemas.contracts.base import Feed
from schemas.features import FeatureDefinition, HouseholdBasis, MarmotDomain, Sensitivity

LEAST_MEMBERS: Final = 3
STATUSES: Final = (
    "household",
    "homeless",
    "institutional",
    "too_many_residents",
    "match_uncertain",
    "no_property",
)
_HOMELESS_CODES: Final = ("HM01", "HM02", "HM03", "HM04", "HM05", "HM06", "HM07")
_INSTITUTIONS: Final = ("HS", "CH", "CJ")
_CARE_HOMES: Final = (CarePackage.CARE_HOME_RESIDENTIAL.value, CarePackage.CARE_HOME_NURSING.value)
_UNCERTAIN: Final = (PropertyMatch.IMPRECISE.value, PropertyMatch.MULTIPLE.value)


def _entries() -> list[FeatureDefinition]:
    ordinary = {
        "sources": (Feed.HEALTH,),
        "sensitivity": Sensitivity.SPECIAL_CATEGORY,
        "household_basis": HouseholdBasis.UPRN,
        "marmot_domain": MarmotDomain.PLACES,
    }
    shared = {
        **ordinary,
        "marmot_domain": MarmotDomain.PREVENTION,
        "unknown_when": f"fewer than {LEAST_MEMBERS} people share the home, it makes no household, or one is unknown",
    }
    return [
        category(
            "puprn_match_status",
            tuple(PropertyMatch),
            "How well the person's address was matched to a property.",
            **{**ordinary, "unknown_when": "no health source says"},
        ),
        category(
            "uprn_household_status",
            STATUSES,
            "Whether the person's property makes a household, or why it is lost to household features: homeless, in an "
            f"institution, more than {MOST_RESIDENTS} residents, an uncertain match, no property.",
            **{**ordinary, "unknown_when": "the person is in no health source"},
        ),
        count(
            "uprn_household_size",
            (1, 2, 3, 4, 5, 6),
            "People who share the person's property on the lists of health sources.",
            **{**ordinary, "quasi_identifier": True, "unknown_when": "the property makes no household"},
        ),
        count(
            "n_members_linked",
            (0, 1, 2, 3, 4),
            "People of the property whom a welfare source knows too.",
            **{**shared, "sources": (Feed.HEALTH, Feed.WELFARE), "sensitivity": Sensitivity.WELFARE},
        ),
        count("n_members_ltc", (0, 1, 2, 3, 4), "People of the property with a long-term condition.", **shared),
        flag("any_child_asthma", "A child under 18 on the asthma register shares the property.", **shared),
        flag("any_emergency_adm", "Somebody of the property had an emergency admission in 12 months.", **shared),
        flag("any_smoker", "Somebody of the property smokes, by the newest entry of the GP record.", **shared),
        category(
            "max_prio_group",
            ("1", "2", "3", "4", "none"),
            "The highest priority (1) of any priority group of anybody of the property, of the groups that are known.",
            ordered=True,
            **{**shared, "unknown_when": f"{shared['unknown_when']} of everybody"},
        ),
    ]


ENTRIES: Final = tuple(_entries())


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the group's features of everybody."""
    households = property_households(context)
    shared = households.of_people(_of_members(context))
    frame = context.beside(homes(context), shared, _lost(context))
    match = pl.col("property_match")
    return frame.select(
        "person_id",
        match.alias("puprn_match_status"),
        pl.when("in_health")
        .then(
            pl.when(pl.col("_homeless").fill_null(False))
            .then(pl.lit("homeless"))
            .when(pl.col("_institutional").fill_null(False) | (match == PropertyMatch.NON_RESIDENTIAL.value))
            .then(pl.lit("institutional"))
            .when((match == PropertyMatch.IMPROBABLE.value) | (pl.col("residents") > MOST_RESIDENTS))
            .then(pl.lit("too_many_residents"))
            .when(match.is_in(_UNCERTAIN))
            .then(pl.lit("match_uncertain"))
            .when(pl.col("_members").is_not_null())
            .then(pl.lit("household"))
            .otherwise(pl.lit("no_property"))
        )
        .alias("uprn_household_status"),
        pl.col("_members").alias("uprn_household_size"),
        *(pl.when(pl.col("_members") >= LEAST_MEMBERS).then(pl.col(name)).alias(name) for name in _SHARED),
    )


_SHARED: Final = (
    "n_members_linked",
    "n_members_ltc",
    "any_child_asthma",
    "any_emergency_adm",
    "any_smoker",
    "max_prio_group",
)


_READ: Final = (
    "in_welfare",
    "ltc_count",
    "age",
    "reg_asthma",
    "emergency_admissions_12m",
    "smoking_status",
    "^prio_group_.*$",
)
"""Features of members that the home's are counted from: each of a member's own facts alone."""


def _of_members(context: Context) -> pl.DataFrame:
    """Return one row a property: how many people, and what the features of each say."""
    people = property_households(context).people.join(
        context.persons.select("person_id", *_READ), on="person_id", how="inner"
    )
    return people.group_by("household").agg(
        pl.len().alias("_members"),
        pl.col("in_welfare").sum().alias("n_members_linked"),
        _total((pl.col("ltc_count") > 0).cast(pl.Int32)).alias("n_members_ltc"),
        _somebody((pl.col("age") < 18) & pl.col("reg_asthma")).alias("any_child_asthma"),
        _somebody(pl.col("emergency_admissions_12m") > 0).alias("any_emergency_adm"),
        _somebody(pl.col("smoking_status") == "current").alias("any_smoker"),
        pl.concat_list("^prio_group_.*$").list.min().min().alias("max_prio_group"),
    )


def _total(value: pl.Expr) -> pl.Expr:
    """Return the sum over members, unknown where one member's value is."""
    return pl.when(value.null_count() == 0).then(value.sum())


def _somebody(holds: pl.Expr) -> pl.Expr:
    """Return whether it holds of a member: unknown where it is known of none that it does, and unknown of one."""
    return holds.any(ignore_nulls=False)


def _lost(context: Context) -> pl.DataFrame:
    """Return who is homeless and who lives in an institution, by accommodation status, cases and care homes."""
    code = pl.col("code")
    status = (
        accommodation(context)
        .group_by("person_id")
        .agg(
            code.is_in(_HOMELESS_CODES).any().alias("_status_homeless"),
            code.str.slice(0, 2).is_in(_INSTITUTIONS).any().alias("_institution"),
        )
    )
    stays = context.facts("care_arrangements").filter(
        pl.col("package").is_in(_CARE_HOMES)
        & (pl.col("started_on") <= context.as_of)
        & (pl.col("ended_on").is_null() | (pl.col("ended_on") > context.as_of))
    )
    cared = stays.select("person_id").unique().with_columns(_care_home=pl.lit(True))
    cases = context.facts("homelessness").filter(
        (pl.col("started_on") <= context.as_of) & (pl.col("ended_on").is_null() | (pl.col("ended_on") > context.as_of))
    )
    without = cases.group_by("person_id").agg(
        (pl.col("rough_sleeping") | pl.col("temporary_accommodation")).any().alias("_case_homeless")
    )
    frame = context.persons.select("person_id")
    for part in (status, cared, without):
        frame = frame.join(part, on="person_id", how="left")
    return frame.select(
        "person_id",
        pl.max_horizontal("_status_homeless", "_case_homeless").alias("_homeless"),
        pl.max_horizontal("_institution", "_care_home").alias("_institutional"),
    )
