"""The group of the claim household's income: caps and shortfalls, poverty, living standard, help not claimed, debts.

What is derived follows the working definition that `reference` names (`schemas/working_definitions`), which lists its
doubts. Amounts are those of the claims of claimant and partner; a non-dependant's own claim is another household's.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.features.bands import ARREARS_BANDS, PENSION_AGE_YEARS
from linkage.features.context import Context
from linkage.features.credit import recent_periods
from linkage.features.entry import category, count, flag
from linkage.features.households import (
    ROLE_ORDER,
    Households,
    claim_households,
    claim_units,
    claimants_ages,
    claims_now,
)
from linkage.features.people import banded
from linkage.features.tables import SUBJECT
from linkage.features.windows import months_before, newest, within
from schemas.codes import ArrearsKind, Benefit, Entitlement, LivingStandard, RecoveryStage, Tenure
from schemas.contracts.base import Feed
from schemas.contracts.subject import ClaimRole
from schemas.features import FeatureDefinition, HouseholdBasis, MarmotDomain, Sensitivity
from schemas.working_definitions import LIVING_STANDARD, Equivalence, WeeklyCosts, living_standard

EQUIVALISED_BANDS: Final[tuple[tuple[int, str], ...]] = (
    (-(10**9), "under_200"),
    (20_000, "200_to_349"),
    (35_000, "350_to_499"),
    (50_000, "500_to_749"),
    (75_000, "750_and_over"),
)
"""Lowest weekly equivalised income in pence of each band; labels are pounds a week."""

UNCLAIMED: Final[dict[str, tuple[Entitlement, str]]] = {
    "unclaimed_pc": (Entitlement.PENSION_CREDIT, "Pension Credit"),
    "unclaimed_ctr": (Entitlement.COUNCIL_TAX_REDUCTION, "Council Tax Reduction"),
    "unclaimed_fsm": (Entitlement.FREE_SCHOOL_MEALS, "free school meals"),
    "unclaimed_healthystart": (Entitlement.HEALTHY_START, "Healthy Start"),
    "unclaimed_aa": (Entitlement.ATTENDANCE_ALLOWANCE, "Attendance Allowance"),
    "unclaimed_ca": (Entitlement.CARERS_ALLOWANCE, "Carer's Allowance"),
}
_RENT: Final = (ArrearsKind.RENT_COUNCIL, ArrearsKind.RENT_HOUSING_ASSOCIATION)
_STAGES: Final = [stage.value for stage in RecoveryStage]
_STANDARDS: Final = [standard.value for standard in LivingStandard]
_NO_CLAIM: Final = "the person is in no current claim"
_WEEKS_A_YEAR: Final = 52


def _entries() -> list[FeatureDefinition]:
    claim = {
        "sources": (Feed.WELFARE,),
        "sensitivity": Sensitivity.WELFARE,
        "household_basis": HouseholdBasis.CLAIM,
        "marmot_domain": MarmotDomain.STANDARD_OF_LIVING,
    }
    stated = {**claim, "unknown_when": f"{_NO_CLAIM}, or none states it"}
    derived = {**claim, "reference": LIVING_STANDARD}
    money = f"{_NO_CLAIM}, or its income, rent or members are not known"
    owed = {
        **claim,
        "covered_by": ("arrears",),
        "unknown_when": f"{_NO_CLAIM}, or no source of its controllers delivers arrears",
    }
    missed = {
        **claim,
        "covered_by": ("unclaimed",),
        "unknown_when": f"{_NO_CLAIM}, or no member is in a source that tells of unclaimed help",
    }
    return [
        count(
            "lha_shortfall_pm",
            (0, 1, 5_000, 10_000, 20_000, 40_000),
            "Pence a month by which the household's contractual rent is above its Local Housing Allowance.",
            **stated,
        ),
        flag("benefit_capped", "The benefit cap reduces what the household is paid.", **stated),
        count(
            "cap_weekly",
            (0, 1, 2_500, 5_000, 10_000),
            "Pence a week by which the benefit cap reduces what the household is paid.",
            **stated,
        ),
        flag(
            "two_child_limit_affected",
            "A Universal Credit period that holds says that the two-child limit applies; as supplied, "
            "whatever the rule of the day is [K].",
            **{**stated, "marmot_domain": MarmotDomain.BEST_START},
        ),
        category(
            "net_income_eq_band",
            tuple(label for _, label in EQUIVALISED_BANDS),
            "Band of weekly income before housing costs, equivalised: assessed income, Universal Credit and Housing "
            "Benefit, by the working definition [K].",
            ordered=True,
            **{**derived, "unknown_when": money},
        ),
        flag(
            "relative_poverty_ahc",
            "Equivalised income after housing costs is below the poverty line of the working definition [K].",
            **{**derived, "unknown_when": money},
        ),
        flag(
            "fuel_poverty_lilee",
            "The home's energy band is D to G and what is left after housing and required energy is below the poverty "
            "line: low income, low energy efficiency, by the working definition [K].",
            **{**derived, "marmot_domain": MarmotDomain.PLACES, "unknown_when": f"{money}, or its energy band is not"},
        ),
        category(
            "living_standard_cat",
            tuple(LivingStandard),
            "How far the household's income reaches: the newest supplied category where one holds, else that of the "
            "working definition; `cat_source` says whose it is.",
            ordered=True,
            **{**derived, "unknown_when": f"no category is supplied, and {money}"},
        ),
        category(
            "cat_source",
            (),
            "Who defined the living standard's category, with its version; `hwlink.` starts ours.",
            **{**derived, "unknown_when": "there is no category"},
        ),
        count(
            "cat_change_3m",
            (-3, -2, -1, 0, 1, 2, 3),
            "Steps by which the supplied category is worse (above 0) or better than the one of three months before, by "
            "the same definition.",
            look_back_months=3,
            **{**claim, "unknown_when": "no category of one definition is supplied for both dates"},
        ),
        flag(
            "workless_household",
            "Somebody of working age is in the claim's household, and nobody of working age there is in work.",
            **{
                **claim,
                "marmot_domain": MarmotDomain.FAIR_WORK,
                "unknown_when": f"{_NO_CLAIM}, or a member's work is not known",
            },
        ),
        flag(
            "child_in_poverty_household",
            "Under 18 and living in relative poverty after housing costs.",
            **{**derived, "marmot_domain": MarmotDomain.BEST_START, "unknown_when": f"the age is unknown, or {money}"},
        ),
        *(
            flag(name, f"The household seems to miss {title}, by the supplier's newest result that holds.", **missed)
            for name, (_, title) in UNCLAIMED.items()
        ),
        count(
            "unclaimed_total_pa",
            (0, 1, 50_000, 100_000, 250_000, 500_000),
            "Pence a year that all that the household seems to miss would be worth, by the supplier's estimates.",
            **missed,
        ),
        category(
            "ct_arrears_band",
            tuple(label for _, label in ARREARS_BANDS),
            "Band of the household's council-tax arrears in pounds.",
            ordered=True,
            **owed,
        ),
        category(
            "rent_arrears_band",
            tuple(label for _, label in ARREARS_BANDS),
            "Band of the household's arrears of rent to a council or housing association in pounds.",
            ordered=True,
            **owed,
        ),
        category(
            "recovery_stage",
            tuple(RecoveryStage),
            "The furthest stage that the recovery of a debt of the household has reached.",
            ordered=True,
            **owed,
        ),
    ]


ENTRIES: Final = tuple(_entries())


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the group's features of everybody."""
    households = claim_households(context)
    of_households = _income(context, households)
    for part in (_living_standards(context, households), _unclaimed(context, households), _debts(context, households)):
        of_households = of_households.join(part, on="household", how="left")
    frame = context.beside(households.of_people(of_households.with_columns(_in_claim=pl.lit(True))))
    in_claim = pl.col("_in_claim").fill_null(False)
    owes = context.known("arrears") & in_claim
    misses = in_claim & pl.col("_tells").fill_null(False)
    supplied = pl.col("_supplied").is_not_null()
    return frame.select(
        "person_id",
        "lha_shortfall_pm",
        (pl.col("cap_weekly") > 0).alias("benefit_capped"),
        "cap_weekly",
        "two_child_limit_affected",
        "net_income_eq_band",
        "relative_poverty_ahc",
        "fuel_poverty_lilee",
        pl.coalesce("_supplied", "_derived").alias("living_standard_cat"),
        pl.when(supplied)
        .then("_supplied_by")
        .when(pl.col("_derived").is_not_null())
        .then(pl.lit(LIVING_STANDARD))
        .alias("cat_source"),
        "cat_change_3m",
        "workless_household",
        ((pl.col("age") < 18) & pl.col("relative_poverty_ahc")).alias("child_in_poverty_household"),
        *(pl.when(misses).then(pl.col(name).fill_null(False)).alias(name) for name in UNCLAIMED),
        pl.when(misses).then(pl.col("unclaimed_total_pa").fill_null(0)).alias("unclaimed_total_pa"),
        *(
            pl.when(owes).then(banded(pl.col(f"_{kind}").fill_null(0), ARREARS_BANDS)).alias(f"{kind}_arrears_band")
            for kind in ("ct", "rent")
        ),
        pl.when(owes).then(pl.col("recovery_stage").fill_null(RecoveryStage.NONE.value)).alias("recovery_stage"),
    )


def _income(context: Context, households: Households) -> pl.DataFrame:
    """Return one row a claim with everything that follows from its income, rent, members and home."""
    rules = living_standard()
    frame = _members(context)
    for part in (_amounts(context), _credit(context), _energy(context, households)):
        frame = frame.join(part, on="household", how="left")
    parts = ("weekly_income_pence", "_uc_pence", "_uc_claim_pence")
    paid = pl.max_horizontal("_uc_pence", "_uc_claim_pence").fill_null(0) + pl.col("_hb_pence").fill_null(0)
    income = pl.when(pl.any_horizontal(pl.col(*parts).is_not_null())).then(
        pl.col("weekly_income_pence").fill_null(0) + paid
    )
    # An owner's mortgage is not known to a claim, so that only rent counts; a tenant's rent has to be stated.
    rent = pl.coalesce("weekly_contractual_rent_pence", "weekly_eligible_rent_pence")
    rent = pl.when(pl.col("tenure") == Tenure.OWNER.value).then(rent.fill_null(0)).otherwise(rent)
    tax = (pl.col("weekly_council_tax_pence") - pl.col("_ctr_pence").fill_null(0)).clip(0).fill_null(0)
    energy = pl.coalesce("_energy_pence", _cost(rules.energy))
    frame = frame.with_columns(
        income.alias("_income"),
        (income - rent - tax).alias("_left"),
        (energy + _cost(rules.water) + _cost(rules.food)).alias("_priority"),
    )
    before, after = _weight(rules.equivalence_before_housing), _weight(rules.equivalence_after_housing)
    line = rules.poverty_line_weekly_pence
    expected = pl.col("_priority") + _cost(rules.other)
    left = pl.col("_left")
    bands = [band.value for band in rules.inefficient_energy_bands]
    return frame.select(
        "household",
        ((pl.col("weekly_contractual_rent_pence") - pl.col("weekly_lha_pence")).clip(0) * _WEEKS_A_YEAR / 12)
        .round()
        .alias("lha_shortfall_pm"),
        pl.max_horizontal("weekly_cap_reduction_pence", "_uc_cap_pence").alias("cap_weekly"),
        "two_child_limit_affected",
        banded(pl.col("_income") / before, EQUIVALISED_BANDS).alias("net_income_eq_band"),
        (left / after < line).alias("relative_poverty_ahc"),
        (pl.col("energy_band").is_in(bands) & ((left - pl.col("_energy_pence")) / after < line)).alias(
            "fuel_poverty_lilee"
        ),
        pl.when(left < pl.col("_priority"))
        .then(pl.lit(LivingStandard.IN_CRISIS.value))
        .when(left < expected)
        .then(pl.lit(LivingStandard.AT_RISK.value))
        .when(left < expected + rules.buffer_weekly_pence)
        .then(pl.lit(LivingStandard.STRUGGLING.value))
        .when(left.is_not_null())
        .then(pl.lit(LivingStandard.COPING.value))
        .alias("_derived"),
        "workless_household",
    )


def _weight(scale: Equivalence) -> pl.Expr:
    return (
        scale.first_adult
        + scale.further_adult * (pl.col("_adults") - 1).clip(0)
        + scale.child_14_and_over * pl.col("_older_children")
        + scale.child_under_14 * (pl.col("_children") - pl.col("_older_children"))
    )


def _cost(costs: WeeklyCosts) -> pl.Expr:
    return costs.household_pence + costs.adult_pence * pl.col("_adults") + costs.child_pence * pl.col("_children")


def _members(context: Context) -> pl.DataFrame:
    """Return who is in each claim: adults, children, children of 14 and over, and whether anybody works."""
    current = claims_now(context).group_by("household", *SUBJECT).agg(pl.col("_rank").min())
    ages = claimants_ages(context)
    whose = context.subjects.select("person_id", *SUBJECT)
    work = context.persons.select("person_id", "in_work")
    child = pl.col("_rank") == ROLE_ORDER[ClaimRole.CHILD.value]
    of_working_age = ~child & pl.col("_age").is_between(16, PENSION_AGE_YEARS - 1)
    members = (
        current.join(ages, on=list(SUBJECT), how="left")
        .join(whose, on=list(SUBJECT), how="left")
        .join(work, on="person_id", how="left")
    )
    declared = (
        claims_now(context).group_by("household").agg(pl.col("children_declared", "non_dependants_declared").max())
    )
    counted = members.group_by("household").agg(
        child.sum().cast(pl.Int64).alias("_children"),
        (child & (pl.col("_age") >= 14)).sum().cast(pl.Int64).alias("_older_children"),
        (~child).sum().cast(pl.Int64).alias("_adults"),
        (pl.col("_rank") == ROLE_ORDER[ClaimRole.NON_DEPENDANT.value]).sum().cast(pl.Int64).alias("_others"),
        pl.col("in_work").filter(of_working_age).alias("_work"),
        of_working_age.any().alias("_able"),
        (~child & pl.col("_age").is_null()).any().alias("_ageless"),
    )
    works = pl.col("_work")
    # Somebody who works settles it; otherwise everybody of working age has to be known not to.
    settled = (
        pl.when(works.list.any())
        .then(pl.lit(False))
        .when(pl.col("_ageless") | works.list.eval(pl.element().is_null()).list.any())
        .then(None)
        .otherwise(pl.col("_able"))
    )
    return counted.join(declared, on="household", how="left").select(
        "household",
        pl.max_horizontal("_children", "children_declared").alias("_children"),
        "_older_children",
        (pl.col("_adults") + (pl.col("non_dependants_declared").fill_null(0) - pl.col("_others")).clip(0)).alias(
            "_adults"
        ),
        settled.alias("workless_household"),
    )


def _amounts(context: Context) -> pl.DataFrame:
    """Return the amounts that the claims of claimant and partner state, the largest where two state one."""
    own = claims_now(context).filter(pl.col("_rank") == 0).drop("household")
    rows = claim_units(context).join(own, on=list(SUBJECT), how="inner")
    award = pl.col("weekly_award_pence").filter("_paid")
    names = (
        "weekly_income_pence",
        "weekly_contractual_rent_pence",
        "weekly_eligible_rent_pence",
        "weekly_lha_pence",
        "weekly_council_tax_pence",
        "weekly_cap_reduction_pence",
    )
    tenures = claims_now(context).group_by("household", maintain_order=True).agg(pl.col("tenure").drop_nulls().first())
    return (
        rows.group_by("household")
        .agg(
            pl.col(*names).max(),
            award.filter(pl.col("benefit").filter("_paid") == Benefit.HOUSING_BENEFIT.value).max().alias("_hb_pence"),
            award.filter(pl.col("benefit").filter("_paid") == Benefit.COUNCIL_TAX_REDUCTION.value)
            .max()
            .alias("_ctr_pence"),
            award.filter(pl.col("benefit").filter("_paid") == Benefit.UNIVERSAL_CREDIT.value)
            .max()
            .alias("_uc_claim_pence"),
        )
        .join(tenures, on="household", how="left")
    )


def _credit(context: Context) -> pl.DataFrame:
    """Return what the Universal Credit periods of claimant and partner that hold come to in a week."""
    units = claim_units(context).lazy()
    periods = units.join(context.tables.facts["credit_periods"], on=list(SUBJECT), how="inner").collect()
    award = ["household", "source", "claim_ref"]
    holding = recent_periods(periods, context.as_of)
    holding = holding.filter(pl.col("period_from") == pl.col("period_from").max().over(award))
    of_awards = holding.group_by(award).agg(
        pl.col("monthly_net_award_pence", "monthly_cap_reduction_pence").max(),
        pl.col("two_child_limit").drop_nulls().max(),
    )
    weekly = 12 / _WEEKS_A_YEAR
    return of_awards.group_by("household").agg(
        _total("monthly_net_award_pence", weekly).alias("_uc_pence"),
        _total("monthly_cap_reduction_pence", weekly).alias("_uc_cap_pence"),
        pl.col("two_child_limit").drop_nulls().max().alias("two_child_limit_affected"),
    )


def _total(name: str, factor: float) -> pl.Expr:
    """Return the sum of what is stated, null where nothing is, times `factor` in whole pence."""
    stated = pl.when(pl.col(name).count() > 0).then(pl.col(name).sum())
    return (stated * factor).round().cast(pl.Int64)


def _energy(context: Context, households: Households) -> pl.DataFrame:
    """Return the newest energy band of the home, and what enough warmth costs there in a week."""
    dwellings = households.facts(context, "dwellings").filter(pl.col("recorded_on") <= context.as_of)
    return newest(dwellings, ["household"], "recorded_on").select(
        "household",
        "energy_band",
        (pl.col("yearly_energy_pence") / _WEEKS_A_YEAR).round().cast(pl.Int64).alias("_energy_pence"),
    )


def _living_standards(context: Context, households: Households) -> pl.DataFrame:
    """Return the supplied category that holds, who defined it, and how it has moved in three months."""
    rules = living_standard()
    supplied = households.facts(context, "living_standards")
    now = newest(
        supplied.filter(within(pl.col("assessed_on"), context.as_of, rules.supplied_holds_months)),
        ["household"],
        "assessed_on",
    ).select("household", pl.col("category").alias("_supplied"), pl.col("definition_source").alias("_supplied_by"))
    then_on = months_before(context.as_of, 3)
    earlier = supplied.filter(within(pl.col("assessed_on"), then_on, rules.supplied_holds_months))
    then = newest(earlier, ["household", "definition_source"], "assessed_on").select(
        "household", pl.col("definition_source").alias("_supplied_by"), pl.col("category").alias("_then")
    )
    step = [pl.col(name).replace_strict(_STANDARDS, range(4), return_dtype=pl.Int32) for name in ("_supplied", "_then")]
    moved = now.join(then, on=["household", "_supplied_by"], how="left")
    return moved.with_columns((step[0] - step[1]).alias("cat_change_3m")).drop("_then")


def _unclaimed(context: Context, households: Households) -> pl.DataFrame:
    """Return what a household's members are told to miss, of those with a member in a source that tells."""
    tells = context.tables.coverage.filter(pl.col("fact") == "unclaimed").select("source")
    told = households.members.join(tells, on="source", how="semi").select("household").unique()
    held = households.facts(context, "unclaimed").filter(
        within(pl.col("assessed_on"), context.as_of, living_standard().supplied_holds_months)
    )
    last = newest(held, ["household", "entitlement"], "assessed_on")
    missed = last.group_by("household").agg(
        *(
            (pl.col("entitlement") == entitlement.value).any().alias(name)
            for name, (entitlement, _) in UNCLAIMED.items()
        ),
        pl.col("yearly_pence").clip(0).sum().alias("unclaimed_total_pa"),
    )
    return told.with_columns(_tells=pl.lit(True)).join(missed, on="household", how="left")


def _debts(context: Context, households: Households) -> pl.DataFrame:
    debts = households.facts(context, "arrears")
    owed, kind = pl.col("balance_pence").clip(0), pl.col("kind")
    stage = pl.col("recovery_stage").replace_strict(_STAGES, range(len(_STAGES)), default=None, return_dtype=pl.Int32)
    return debts.group_by("household").agg(
        owed.filter(kind == ArrearsKind.COUNCIL_TAX.value).sum().alias("_ct"),
        owed.filter(kind.is_in([one.value for one in _RENT])).sum().alias("_rent"),
        stage.max()
        .replace_strict(range(len(_STAGES)), _STAGES, default=None, return_dtype=pl.String)
        .alias("recovery_stage"),
    )
