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
from linkage.features.households import claim_households, claims_held, claims_now, paid_benefits
from linkage.features.people import age_years, banded
from linkage.features.tables import SUBJECT
from schemas.codes import Benefit, Tenure
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
            "People in the household of the person's claim: claimant, partner, children, non-dependants.",
            quasi_identifier=True,
            **household,
        ),
        count(
            "children_in_household",
            (0, 1, 2, 3, 4),
            "Dependent children in the household of the person's claim.",
            quasi_identifier=True,
            **{**household, "marmot_domain": MarmotDomain.BEST_START},
        ),
        category(
            "household_type",
            ("single", "couple", "lone_parent", "couple_with_children", "pensioner", "multi_adult"),
            "Shape of the claim's household; pensioner where those of State Pension age live alone.",
            quasi_identifier=True,
            **household,
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


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the group's features of everybody.

    A person in several claims has the household of the best one (`households.claims_held`); benefits count over all
    of them; income and tenure come from the first that states them.
    """
    held = claims_held(context).join(_of_claims(context), on="household", how="left", suffix="_claim")
    found = held.group_by("person_id", maintain_order=True).agg(
        *(pl.col(benefit.value).any().alias(f"{benefit}_in_payment") for benefit in Benefit),
        pl.col("household_size", "children_in_household", "household_type", "arrears_band").first(),
        # A Universal Credit claim may state neither, where the same household's other claim does.
        pl.col("income_band").drop_nulls().first(),
        pl.col("tenure_claim").drop_nulls().first().alias("tenure"),
    )
    frame = context.persons.join(found, on="person_id", how="left")
    return frame.select(
        "person_id",
        *(
            pl.when(context.known(benefit)).then(pl.col(name).fill_null(False)).alias(name)
            for benefit, name in ((benefit, f"{benefit}_in_payment") for benefit in Benefit)
        ),
        "tenure",
        "household_size",
        "children_in_household",
        "household_type",
        pl.when(context.known("arrears")).then(pl.col("arrears_band")).alias("arrears_band"),
        "income_band",
    )


def _of_claims(context: Context) -> pl.DataFrame:
    """Return one row a claim with its benefits in payment and its household's features."""
    current = claims_now(context)
    stated = current.group_by("household", maintain_order=True).agg(
        pl.col("tenure").drop_nulls().first(),
        pl.col("weekly_income_pence").drop_nulls().first().alias("_income_pence"),
    )
    demographics = context.everybody("demographics")
    ages = demographics.select(*SUBJECT, age_years(pl.col("birth_year_month"), context.as_of).alias("_age"))
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
            pl.len().cast(pl.Int32).alias("household_size"),
            is_role[ClaimRole.CHILD].sum().cast(pl.Int32).alias("children_in_household"),
            is_role[ClaimRole.PARTNER].any().alias("_partner"),
            is_role[ClaimRole.NON_DEPENDANT].any().alias("_others"),
            (pl.col("_age") >= PENSION_AGE_YEARS)
            .filter(is_role[ClaimRole.CLAIMANT] | is_role[ClaimRole.PARTNER])
            .all(ignore_nulls=False)
            .alias("_pensioners"),
        )
    )
    frame = paid_benefits(context).join(stated, on="household", how="left").join(members, on="household", how="left")
    return frame.join(debts, on="household", how="left").with_columns(
        _household_type(),
        banded(pl.col("_income_pence"), INCOME_BANDS).alias("income_band"),
        banded(pl.col("_debt_pence").fill_null(0), ARREARS_BANDS).alias("arrears_band"),
    )


def _household_type() -> pl.Expr:
    children = pl.col("children_in_household") > 0
    return (
        pl.when(children & pl.col("_partner"))
        .then(pl.lit("couple_with_children"))
        .when(children)
        .then(pl.lit("lone_parent"))
        .when(pl.col("_others"))
        .then(pl.lit("multi_adult"))
        .when(pl.col("_pensioners"))
        .then(pl.lit("pensioner"))
        .when(pl.col("_partner"))
        .then(pl.lit("couple"))
        .otherwise(pl.lit("single"))
        .alias("household_type")
    )
