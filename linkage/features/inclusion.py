"""The group of inclusion health: the Catalyst's groups, Core20PLUS, multiple disadvantage, and gaps by Marmot domain.

What may not be derived (`schemas.codes.NEVER_DERIVED`) comes from controllers' flags alone and never leaves; contact
with the justice system and belonging to Gypsy, Roma and Traveller communities come from flags alone, too. Where a group
has several signals it is known as soon as one of them is: the others add people, and their absence takes none away.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.entry import count, flag
from linkage.features.housing import accommodation
from linkage.features.windows import within
from schemas.codes import (
    NEVER_DERIVED,
    Condition,
    DiagnosisStatus,
    EventCode,
    InclusionGroup,
    LivingStandard,
    ReferralService,
)
from schemas.contracts.base import Feed
from schemas.features import FeatureDefinition, FeatureOutput, MarmotDomain, Sensitivity

_BOTH: Final = (Feed.HEALTH, Feed.WELFARE)
_WHITE: Final = ("A", "B", "C")
_DEPENDENCE: Final = (Condition.ALCOHOL.value, Condition.DRUG_DEPENDENCE.value)
_SUBSTANCES: Final = r"(^|\s)F1\d"
_INTERNAL: Final = tuple(group for group in InclusionGroup if group in NEVER_DERIVED)

COUNTED: Final = (
    "mental_health",
    "drug_alcohol",
    "ethnic_minority",
    "multimorbidity",
    "gypsy_roma_traveller",
    "justice_contact",
    "homeless",
    "learning_disability",
    "coastal",
)
"""The groups of the Community Health Catalyst that may be told; the other four never are."""
MEAM: Final = ("homeless", "drug_alcohol", "mental_health", "justice_contact")
"""Making Every Adult Matter: homelessness, substance use, mental ill health, contact with the justice system."""
PLUS: Final[dict[str, tuple[str, ...]]] = {
    "ethnic_minority": ("inclusion_ethnic_minority",),
    "learning_disability": ("inclusion_learning_disability",),
    "multimorbidity": ("inclusion_multimorbidity",),
    "coastal": ("inclusion_coastal",),
    "inclusion_health": (
        "inclusion_drug_alcohol",
        "inclusion_gypsy_roma_traveller",
        "inclusion_homeless",
        "inclusion_justice_contact",
    ),
    "justice_contact": ("inclusion_justice_contact",),
    "young_carer": ("inclusion_young_carer",),
    "care_experience": ("inclusion_care_experience",),
}
"""PLUS groups of Core20PLUS5 and the features that make one: the last three are those of children."""

ADVERSE: Final[dict[MarmotDomain, tuple[str, ...]]] = {
    MarmotDomain.BEST_START: ("child_in_poverty_household", "two_child_limit_affected", "unclaimed_healthystart"),
    MarmotDomain.CAPABILITIES: ("unclaimed_fsm",),
    MarmotDomain.FAIR_WORK: ("workless_household", "sanctioned_12m", "earnings_below_lw"),
    MarmotDomain.STANDARD_OF_LIVING: ("relative_poverty_ahc", "benefit_capped", "_low_standard", "_in_arrears"),
    MarmotDomain.PLACES: ("temp_accommodation", "overcrowded", "fuel_poverty_lilee"),
    MarmotDomain.PREVENTION: ("reg_obesity", "_smokes", "_avoidable"),
}
"""What counts as adverse in each domain: our reading, not a published list [K]."""
_SAID: Final = {
    "_low_standard": "a living standard at risk or in crisis",
    "_in_arrears": "arrears",
    "_smokes": "smoking",
    "_avoidable": "an avoidable admission in 12 months",
}


def _entries() -> list[FeatureDefinition]:
    inclusion = {"sources": _BOTH, "sensitivity": Sensitivity.INCLUSION}
    flagged = {
        **inclusion,
        "sources": (Feed.HEALTH,),
        "covered_by": ("inclusion_flags",),
        "unknown_when": "no source of the person delivers flags of inclusion groups",
    }
    some = "no source of the person delivers any of the signals"
    filter_only = {"outputs": (FeatureOutput.FILTER,)}
    return [
        flag(
            "inclusion_mental_health",
            "On the register of severe mental illness, or with an open referral to mental health services.",
            unknown_when=some,
            **inclusion,
        ),
        flag(
            "inclusion_drug_alcohol",
            "Dependent on drugs or alcohol: coded in the GP record and not resolved, flagged by a controller, or a "
            "diagnosis F10 to F19 of an admission in 24 months.",
            unknown_when=some,
            **inclusion,
        ),
        flag(
            "inclusion_ethnic_minority",
            "States an ethnic category other than White British, Irish or other White.",
            unknown_when="no source states an ethnic category",
            **inclusion,
        ),
        flag("inclusion_multimorbidity", "Has two or more long-term conditions.", unknown_when=some, **inclusion),
        flag(
            "inclusion_gypsy_roma_traveller",
            "A controller states that the person belongs to a Gypsy, Roma or Traveller community; never inferred.",
            **{**flagged, **filter_only},
        ),
        flag(
            "inclusion_justice_contact",
            "A controller states contact with the justice system; never inferred.",
            **{**flagged, **filter_only},
        ),
        flag(
            "inclusion_homeless",
            "Owed a homelessness duty in 12 months, in temporary accommodation, sleeping rough, of homeless "
            "accommodation status or GP code in 24 months, or flagged by a controller.",
            unknown_when=some,
            **inclusion,
        ),
        flag(
            "inclusion_learning_disability",
            "On the register of learning disability; autism is not among the codes.",
            unknown_when=some,
            **inclusion,
        ),
        flag(
            "inclusion_coastal",
            "Belongs to a coastal community: lives in a coastal area.",
            unknown_when="the area is unknown",
            **inclusion,
        ),
        flag("inclusion_young_carer", "A controller states that the person is a young carer.", **flagged),
        flag(
            "inclusion_care_experience",
            "A controller states that the person is looked after by the council or has left care.",
            **flagged,
        ),
        flag(
            "multiple_disadvantage_case",
            "A controller states an open case of the multiple disadvantage network.",
            **{**flagged, **filter_only},
        ),
        *(
            flag(
                f"inclusion_{group}",
                f"A controller's flag {group.value}; never derived, internal: no question and no row may use it.",
                **{**flagged, "outputs": ()},
            )
            for group in _INTERNAL
        ),
        count(
            "inclusion_group_count",
            (0, 1, 2, 3, 4),
            "Number of inclusion groups that the person is known to belong to, of the nine that may be told.",
            unknown_when=f"{some} of any group",
            **inclusion,
        ),
        count(
            "meam_domain_count",
            (0, 1, 2, 3, 4),
            "Number of domains of multiple disadvantage that are known to hold: homelessness, substance use, mental "
            "ill health, contact with the justice system.",
            unknown_when=f"{some} of any domain",
            **{**inclusion, **filter_only},
        ),
        *(
            flag(
                f"plus_groups_{name}",
                f"In a PLUS group of Core20PLUS5: {name.replace('_', ' ')}.",
                unknown_when=some,
                **inclusion,
            )
            for name in PLUS
        ),
        *(
            flag(
                f"marmot_gap_{domain}",
                "Something adverse is known in the Marmot domain: "
                f"{', '.join(_SAID.get(name, name) for name in ADVERSE[domain])}; our reading [K].",
                sources=_BOTH,
                sensitivity=Sensitivity.WELFARE,
                marmot_domain=domain,
                unknown_when="none of these is known of the person",
            )
            for domain in MarmotDomain
        ),
    ]


ENTRIES: Final = tuple(_entries())


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the group's features of everybody."""
    frame = context.beside(
        _flags(context), _dependence(context), _admitted(context), _referred(context), _homeless(context)
    )
    known, flags = context.known, context.known("inclusion_flags")
    supplied = {group: pl.when(flags).then(pl.col(f"_flag_{group}").fill_null(False)) for group in InclusionGroup}
    said = {
        "mental_health": _or(
            pl.col("reg_smi"), pl.when(known(ReferralService.MENTAL_HEALTH)).then(pl.col("_referred").fill_null(False))
        ),
        "drug_alcohol": _or(
            supplied[InclusionGroup.DRUG_ALCOHOL],
            pl.when(known("diagnoses")).then(pl.col("_dependent").fill_null(False)),
            pl.when(known("admission")).then(pl.col("_substances").fill_null(False)),
        ),
        "ethnic_minority": ~pl.col("ethnic_cat_16").is_in(_WHITE),
        "multimorbidity": pl.col("ltc_count") >= 2,
        "gypsy_roma_traveller": supplied[InclusionGroup.GYPSY_ROMA_TRAVELLER],
        "justice_contact": supplied[InclusionGroup.JUSTICE_CONTACT],
        "homeless": _or(
            supplied[InclusionGroup.HOMELESS],
            pl.col("homeless_duty_12m"),
            pl.col("temp_accommodation"),
            pl.col("rough_sleep_flag"),
            pl.when(known("circumstances")).then(pl.col("_homeless_status").fill_null(False)),
            pl.when(known("coded_events")).then(pl.col("_homeless_code").fill_null(False)),
        ),
        "learning_disability": pl.col("reg_ld"),
        "coastal": pl.col("coastal_flag"),
        "young_carer": supplied[InclusionGroup.YOUNG_CARER],
        "care_experience": supplied[InclusionGroup.LOOKED_AFTER_CHILD] | supplied[InclusionGroup.CARE_LEAVER],
        **{str(group): supplied[group] for group in _INTERNAL},
    }
    frame = frame.with_columns(
        *(holds.alias(f"inclusion_{name}") for name, holds in said.items()),
        supplied[InclusionGroup.MULTIPLE_DISADVANTAGE_CASE].alias("multiple_disadvantage_case"),
        pl.col("living_standard_cat")
        .is_in([LivingStandard.AT_RISK.value, LivingStandard.IN_CRISIS.value])
        .alias("_low_standard"),
        _or(pl.col("ct_arrears_band") != "none", pl.col("rent_arrears_band") != "none").alias("_in_arrears"),
        (pl.col("smoking_status") == "current").alias("_smokes"),
        (pl.col("acsc_admissions_12m") > 0).alias("_avoidable"),
    )
    return frame.with_columns(
        _how_many(COUNTED).alias("inclusion_group_count"),
        _how_many(MEAM).alias("meam_domain_count"),
        *(_or(*map(pl.col, names)).alias(f"plus_groups_{name}") for name, names in PLUS.items()),
        *(_or(*map(pl.col, names)).alias(f"marmot_gap_{domain}") for domain, names in ADVERSE.items()),
    ).select("person_id", *(entry.name for entry in ENTRIES))


def _or(*signals: pl.Expr) -> pl.Expr:
    """Return whether any signal holds, of those that are known; unknown where none is."""
    return pl.max_horizontal(*signals)


def _how_many(groups: tuple[str, ...]) -> pl.Expr:
    names = [f"inclusion_{group}" for group in groups]
    return pl.when(pl.any_horizontal(pl.col(*names).is_not_null())).then(
        pl.sum_horizontal(pl.col(*names).cast(pl.Int32))
    )


def _flags(context: Context) -> pl.DataFrame:
    stated = context.facts("inclusion_flags").filter(
        (pl.col("stated_on") <= context.as_of) & (pl.col("ended_on").is_null() | (pl.col("ended_on") > context.as_of))
    )
    group = pl.col("group")
    return stated.group_by("person_id").agg((group == one.value).any().alias(f"_flag_{one}") for one in InclusionGroup)


def _dependence(context: Context) -> pl.DataFrame:
    coded = context.plan("diagnoses").filter(
        pl.col("condition").is_in(_DEPENDENCE) & (pl.col("recorded_on") <= context.as_of)
    )
    active, on = pl.col("status") == DiagnosisStatus.ACTIVE.value, pl.col("recorded_on")
    latest = coded.group_by("person_id", "condition").agg(
        on.filter(active).max().alias("_from"), on.filter(~active).max().alias("_until")
    )
    holds = pl.col("_until").is_null() | (pl.col("_from") > pl.col("_until"))
    held = latest.filter(pl.col("_from").is_not_null() & holds)
    return held.select("person_id", pl.lit(True).alias("_dependent")).unique().collect()


def _admitted(context: Context) -> pl.DataFrame:
    recent = context.plan("encounters").filter(
        (pl.col("kind") == "admission") & within(pl.col("started_on"), context.as_of, 24)
    )
    codes = pl.concat_str("primary_diagnosis", "secondary_diagnoses", separator=" ", ignore_nulls=True)
    found = recent.filter(codes.str.contains(_SUBSTANCES))
    return found.select("person_id", pl.lit(True).alias("_substances")).unique().collect()


def _referred(context: Context) -> pl.DataFrame:
    open_now = context.plan("referrals").filter(
        (pl.col("service") == ReferralService.MENTAL_HEALTH.value)
        & (pl.col("opened_on") <= context.as_of)
        & (pl.col("closed_on").is_null() | (pl.col("closed_on") > context.as_of))
    )
    return open_now.select("person_id", pl.lit(True).alias("_referred")).unique().collect()


def _homeless(context: Context) -> pl.DataFrame:
    status = (
        accommodation(context)
        .group_by("person_id")
        .agg(pl.col("code").str.starts_with("HM").any().alias("_homeless_status"))
    )
    coded = context.plan("coded_events").filter(
        (pl.col("code") == EventCode.HOMELESS.value) & within(pl.col("recorded_on"), context.as_of, 24)
    )
    codes = coded.select("person_id", pl.lit(True).alias("_homeless_code")).unique().collect()
    return status.join(codes, on="person_id", how="full", coalesce=True)
