"""Features from welfare facts, all on the basis of the claim's household: what holds for a claim holds for
everybody in it.

A claim is named by its source and keyed reference and may carry several benefits. Amounts, status and tenure are
read from the claimant's row where there is one, since only that row must have them.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.features.bands import ARREARS_BANDS, INCOME_BANDS, PENSION_AGE_YEARS
from linkage.features.context import Context
from linkage.features.entry import category, count, flag
from linkage.features.households import claim_households, claimants_ages, claims_held, claims_now, paid_benefits
from linkage.features.people import banded
from linkage.features.tables import SUBJECT
from linkage.features.windows import months_before, months_between
from schemas.codes import Benefit, Passported, Tenure
from schemas.contracts.base import Feed
from schemas.contracts.subject import ClaimRole
from schemas.features import FeatureDefinition, HouseholdBasis, MarmotDomain, Sensitivity

_UNLINKED: Final = (
    "no subject of the person is in a welfare source that delivers these facts; "
    "a person who is not on benefit and one who is not linked look alike"
)
_NO_CLAIM: Final = "no welfare subject is linked, or none has a claim on the date that says it"


def _entries() -> list[FeatureDefinition]:
    shared = {
        "sources": (Feed.WELFARE,),
        "sensitivity": Sensitivity.WELFARE,
        "household_basis": HouseholdBasis.CLAIM,
        "marmot_domain": MarmotDomain.STANDARD_OF_LIVING,
    }
    benefit = {**shared, "unknown_when": _UNLINKED}
    household = {**shared, "unknown_when": _NO_CLAIM}
    return [
        flag(
            "hb_in_payment",
            "Lives in the household of a Housing Benefit claim that is in payment.",
            covered_by=("hb",),
            **benefit,
        ),
        flag(
            "ctr_in_payment",
            "Lives in the household of a Council Tax Reduction claim that is in payment.",
            covered_by=("ctr",),
            **benefit,
        ),
        flag(
            "uc_in_payment",
            "Lives in the household of a Universal Credit claim that is in payment.",
            covered_by=("uc",),
            **benefit,
        ),
        category(
            "tenure",
            tuple(Tenure),
            "Tenure that the household's claim states.",
            **{**household, "marmot_domain": MarmotDomain.PLACES},
        ),
        count(
            "household_size",
            (1, 2, 3, 4, 5, 6),
            "People in the household of the person's claim by the rule of Leeds: claimant and partner, and of children "
            "and non-dependants those that the claim declares or those that it names, whichever are more.",
            quasi_identifier=True,
            **household,
        ),
        count(
            "children_in_household",
            (0, 1, 2, 3, 4),
            "Dependent children in the household of the person's claim: declared or named, whichever are more.",
            quasi_identifier=True,
            **{**household, "marmot_domain": MarmotDomain.BEST_START},
        ),
        count(
            "n_children_u5",
            (0, 1, 2, 3),
            "Children under five whom the person's claim names, by the month of birth on the claim.",
            quasi_identifier=True,
            **{**household, "marmot_domain": MarmotDomain.BEST_START},
        ),
        count(
            "n_nondeps",
            (0, 1, 2, 3),
            "Non-dependants in the household of the person's claim: declared or named, whichever are more.",
            quasi_identifier=True,
            **household,
        ),
        category(
            "household_type",
            ("single", "couple", "lone_parent", "couple_with_children", "pensioner", "multi_adult"),
            "Shape of the claim's household; pensioner where those of State Pension age live alone.",
            quasi_identifier=True,
            **household,
        ),
        category(
            "passported",
            tuple(Passported),
            "By which benefit the household's claim is passported, as the claim states it; the numbers of the extract "
            "are mapped by the council [K].",
            **household,
        ),
        flag(
            "disability_benefit_any",
            "A disability premium or benefit is counted for somebody in the claim's household.",
            **{**household, "unknown_when": f"{_NO_CLAIM}: no claim says whether a premium is counted"},
        ),
        count(
            "months_on_benefit",
            (0, 3, 6, 12, 24, 60),
            "Whole months since the start of the oldest claim in payment that the person is in; 0 where none is.",
            **{**household, "unknown_when": f"{_NO_CLAIM}, or its start is not stated"},
        ),
        count(
            "hb_change_events_12m",
            (0, 1, 2, 4, 8),
            "Changes of circumstances on the household's claims in the 12 months up to the as-of date.",
            covered_by=("claim_changes",),
            look_back_months=12,
            **{**household, "unknown_when": f"{_NO_CLAIM}, or its council delivers no changes"},
        ),
        category(
            "arrears_band",
            tuple(label for _, label in ARREARS_BANDS),
            "Band of the debts, in pounds, that members of the claim's household owe to a council or social landlord.",
            ordered=True,
            covered_by=("arrears",),
            **{**household, "unknown_when": f"{_NO_CLAIM}, or the source delivers no arrears"},
        ),
        category(
            "income_band",
            tuple(label for _, label in INCOME_BANDS),
            "Band of the household's weekly income, in pounds, as the claim assessed it; not equivalised.",
            ordered=True,
            **household,
        ),
    ]


ENTRIES: Final = tuple(_entries())

_FIRST: Final = (
    "household_size",
    "children_in_household",
    "n_children_u5",
    "n_nondeps",
    "household_type",
    "disability_benefit_any",
    "hb_change_events_12m",
    "arrears_band",
)
"""What the person's best claim decides."""


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the group's features of everybody.

    A person in several claims has the household of the best one (`households.claims_held`); benefits count over all
    of them; income and tenure come from the first that states them.
    """
    held = claims_held(context).join(_of_claims(context), on="household", how="left", suffix="_claim")
    found = held.group_by("person_id", maintain_order=True).agg(
        *(pl.col(benefit.value).any().alias(f"{benefit}_in_payment") for benefit in Benefit),
        pl.col(*_FIRST).first(),
        # A Universal Credit claim may state neither, where the same household's other claim does.
        pl.col("income_band").drop_nulls().first(),
        pl.col("tenure_claim").drop_nulls().first().alias("tenure"),
        pl.col("passported_claim").drop_nulls().first().alias("passported"),
        # A claim that is not in payment pays for no month; one without a start leaves it open.
        pl.when(pl.col("_any_paid").any())
        .then(pl.col("started_on").filter("_any_paid").min())
        .otherwise(pl.lit(context.as_of))
        .alias("_since"),
    )
    return context.beside(found).select(
        "person_id",
        *(
            pl.when(context.known(benefit)).then(pl.col(name).fill_null(False)).alias(name)
            for benefit, name in ((benefit, f"{benefit}_in_payment") for benefit in Benefit)
        ),
        "tenure",
        "household_size",
        "children_in_household",
        "household_type",
        "n_children_u5",
        "n_nondeps",
        "passported",
        "disability_benefit_any",
        months_between(pl.col("_since"), context.as_of).alias("months_on_benefit"),
        pl.when(context.known("claim_changes")).then(pl.col("hb_change_events_12m")).alias("hb_change_events_12m"),
        pl.when(context.known("arrears")).then(pl.col("arrears_band")).alias("arrears_band"),
        "income_band",
    )


def _of_claims(context: Context) -> pl.DataFrame:
    """Return one row a claim with its benefits in payment and its household's features."""
    current = claims_now(context)
    stated = current.group_by("household", maintain_order=True).agg(
        pl.col("tenure", "passported", "children_declared", "non_dependants_declared").drop_nulls().first(),
        pl.col("weekly_income_pence").drop_nulls().first().alias("_income_pence"),
        _any_known("disability_premium").alias("disability_benefit_any"),
    )
    ages = claimants_ages(context)
    debts = (
        claim_households(context)
        .facts(context, "arrears")
        .group_by("household")
        .agg(pl.col("balance_pence").clip(0).sum().alias("_debt_pence"))
    )
    is_role = {role: pl.col("_rank") == rank for rank, role in enumerate(ClaimRole)}
    members = (
        # One row a subject of a claim: a person has one part in it, whatever benefits it carries.
        current.group_by("household", *SUBJECT)
        .agg(pl.col("_rank").min())
        .join(ages, on=list(SUBJECT), how="left")
        .group_by("household")
        .agg(
            pl.len().alias("_named"),
            is_role[ClaimRole.CHILD].sum().alias("_children"),
            is_role[ClaimRole.NON_DEPENDANT].sum().alias("_non_dependants"),
            (is_role[ClaimRole.CHILD] & (pl.col("_age") < 5)).sum().cast(pl.Int32).alias("n_children_u5"),
            is_role[ClaimRole.PARTNER].any().alias("_partner"),
            (pl.col("_age") >= PENSION_AGE_YEARS)
            .filter(is_role[ClaimRole.CLAIMANT] | is_role[ClaimRole.PARTNER])
            .all(ignore_nulls=False)
            .alias("_pensioners"),
        )
    )
    changes = (
        claim_households(context)
        .facts(context, "claim_changes")
        .filter(pl.col("changed_on").is_between(months_before(context.as_of, 12), context.as_of, closed="right"))
        .unique(["household", "source", "claim_ref", "changed_on"])
        .group_by("household")
        .agg(pl.len().cast(pl.Int32).alias("hb_change_events_12m"))
    )
    frame = paid_benefits(context)
    for part in (stated, members, debts, changes):
        frame = frame.join(part, on="household", how="left")
    declared = pl.sum_horizontal("children_declared", "non_dependants_declared", ignore_nulls=True)
    others = pl.col("_children") + pl.col("_non_dependants")
    return frame.with_columns(
        (pl.col("_named") - others + pl.max_horizontal(declared, others)).cast(pl.Int32).alias("household_size"),
        pl.max_horizontal("_children", "children_declared").cast(pl.Int32).alias("children_in_household"),
        pl.max_horizontal("_non_dependants", "non_dependants_declared").cast(pl.Int32).alias("n_nondeps"),
        pl.col("hb_change_events_12m").fill_null(0),
    ).with_columns(
        _household_type(),
        banded(pl.col("_income_pence"), INCOME_BANDS).alias("income_band"),
        banded(pl.col("_debt_pence").fill_null(0), ARREARS_BANDS).alias("arrears_band"),
    )


def _any_known(name: str) -> pl.Expr:
    """Return whether a flag is true anywhere in a group; null where no row says."""
    return pl.col(name).drop_nulls().max()


def _household_type() -> pl.Expr:
    children = pl.col("children_in_household") > 0
    return (
        pl.when(children & pl.col("_partner"))
        .then(pl.lit("couple_with_children"))
        .when(children)
        .then(pl.lit("lone_parent"))
        .when(pl.col("n_nondeps") > 0)
        .then(pl.lit("multi_adult"))
        .when(pl.col("_pensioners"))
        .then(pl.lit("pensioner"))
        .when(pl.col("_partner"))
        .then(pl.lit("couple"))
        .otherwise(pl.lit("single"))
        .alias("household_type")
    )
