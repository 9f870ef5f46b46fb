"""Features from welfare facts, all on the basis of the claim's household: what holds for a claim holds for
everybody in it.

A claim is named by its source and keyed reference and may carry several benefits. Amounts, status and tenure are
read from the claimant's row where there is one, since only that row must have them.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.bands import ARREARS_BANDS, INCOME_BANDS, PENSION_AGE_YEARS
from linkage.features.context import Context
from linkage.features.entry import category, count, flag
from linkage.features.people import age_years, cut
from linkage.features.tables import SUBJECT
from schemas.codes import Benefit, ClaimStatus, Tenure
from schemas.contracts.base import Feed
from schemas.contracts.subject import ClaimRole
from schemas.features import FeatureDefinition, HouseholdBasis, MarmotDomain, Sensitivity

CLAIM: Final = ("source", "claim_ref")
_ROLE_ORDER: Final = {role.value: rank for rank, role in enumerate(ClaimRole)}
_IN_PAYMENT: Final = ("hb_in_payment", "ctr_in_payment", "uc_in_payment")
_NEWEST_FIRST: Final = {"descending": [False, True, True, False], "nulls_last": True}


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
    """Return `person_id` and the group's features of everybody."""
    current = current_claims(context.everybody("claims"), context.as_of)
    parts = context.subjects.select("person_id", *SUBJECT).join(current, on=list(SUBJECT), how="inner")
    households = claim_households(
        current, context.everybody("demographics"), context.everybody("arrears"), context.as_of
    )
    return _welfare_features(context.persons, parts, households)


def current_claims(claims: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the claim rows that hold on `as_of` (started, not ended), claimants first, with `_rank` and `_paid`."""
    return (
        claims.filter(
            (pl.col("started_on").is_null() | (pl.col("started_on") <= as_of))
            & (pl.col("ended_on").is_null() | (pl.col("ended_on") > as_of))
        )
        .with_columns(
            pl.col("role").replace_strict(_ROLE_ORDER, default=len(_ROLE_ORDER), return_dtype=pl.Int8).alias("_rank"),
            (pl.col("status") == ClaimStatus.IN_PAYMENT.value).fill_null(False).alias("_paid"),
        )
        .sort(
            *CLAIM,
            "_rank",
            "_paid",
            "started_on",
            "subject_ref",
            "benefit",
            descending=[False, False, False, True, True, False, False],
            nulls_last=True,
        )
    )


def claim_households(
    current: pl.DataFrame, demographics: pl.DataFrame, arrears: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """Return one row a claim with the household features and the three `*_in_payment` flags of the claim itself.

    `demographics` and `arrears` are those of the welfare subjects; a household's debts are those of its members.
    """
    paid = [
        pl.col("_paid").filter(pl.col("benefit") == benefit.value).first().fill_null(False).alias(name)
        for benefit, name in zip(
            (Benefit.HOUSING_BENEFIT, Benefit.COUNCIL_TAX_REDUCTION, Benefit.UNIVERSAL_CREDIT), _IN_PAYMENT, strict=True
        )
    ]
    claims = current.group_by(CLAIM, maintain_order=True).agg(
        *paid,
        pl.col("tenure").drop_nulls().first(),
        pl.col("weekly_income_pence").drop_nulls().first().alias("_income_pence"),
    )
    ages = demographics.select("source", "subject_ref", age_years(pl.col("birth_year_month"), as_of).alias("_age"))
    debts = arrears.group_by("source", "subject_ref").agg(pl.col("balance_pence").clip(0).sum().alias("_debt_pence"))
    is_role = {role: pl.col("_rank") == rank for rank, role in enumerate(ClaimRole)}
    members = (
        # One row a subject of a claim: a person has one part in it, whatever benefits it carries.
        current.group_by(*CLAIM, "subject_ref")
        .agg(pl.col("_rank").min())
        .join(ages, on=["source", "subject_ref"], how="left")
        .join(debts, on=["source", "subject_ref"], how="left")
        .group_by(CLAIM)
        .agg(
            pl.len().cast(pl.Int32).alias("household_size"),
            is_role[ClaimRole.CHILD].sum().cast(pl.Int32).alias("children_in_household"),
            is_role[ClaimRole.PARTNER].any().alias("_partner"),
            is_role[ClaimRole.NON_DEPENDANT].any().alias("_others"),
            (pl.col("_age") >= PENSION_AGE_YEARS)
            .filter(is_role[ClaimRole.CLAIMANT] | is_role[ClaimRole.PARTNER])
            .all(ignore_nulls=False)
            .alias("_pensioners"),
            pl.col("_debt_pence").sum(),
        )
    )
    return claims.join(members, on=list(CLAIM), how="left").with_columns(
        _household_type(),
        cut(pl.col("_income_pence"), *_bands(INCOME_BANDS)).alias("income_band"),
        cut(pl.col("_debt_pence"), *_bands(ARREARS_BANDS)).alias("arrears_band"),
    )


def _bands(bands: tuple[tuple[int, str], ...]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    return tuple(edge for edge, _ in bands), tuple(label for _, label in bands)


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


def _welfare_features(persons: pl.DataFrame, parts: pl.DataFrame, households: pl.DataFrame) -> pl.DataFrame:
    """Return `person_id` and every feature of the group.

    `persons` has `person_id` and `covers_hb`, `covers_ctr`, `covers_uc`, `covers_arrears`; `parts` are the persons'
    rows of
    `current_claims` with `person_id`; `households` comes from `claim_households`. A person in several claims has
    the household of one: in payment first, then by role, then the newest, then by reference; benefits count over
    all of them; income and tenure come from the first that states them.
    """
    held = parts.join(households, on=list(CLAIM), how="left", suffix="_claim")
    paid = held.group_by("person_id").agg(pl.col(name).any() for name in _IN_PAYMENT)
    chosen = (
        held.with_columns(pl.any_horizontal(_IN_PAYMENT).alias("_any_paid"))
        .sort(
            "person_id",
            "_any_paid",
            "_rank",
            "started_on",
            *CLAIM,
            descending=[False, True, False, True, False, False],
            nulls_last=True,
        )
        .group_by("person_id", maintain_order=True)
        .agg(
            pl.col("household_size", "children_in_household", "household_type", "arrears_band").first(),
            # A Universal Credit claim may state neither, where the same household's other claim does.
            pl.col("income_band").drop_nulls().first(),
            pl.col("tenure_claim").drop_nulls().first().alias("tenure"),
        )
    )
    frame = persons.join(paid, on="person_id", how="left").join(chosen, on="person_id", how="left")
    return frame.select(
        "person_id",
        *(
            pl.when(pl.col(f"covers_{name.partition('_')[0]}")).then(pl.col(name).fill_null(False)).alias(name)
            for name in _IN_PAYMENT
        ),
        "tenure",
        "household_size",
        "children_in_household",
        "household_type",
        pl.when(pl.col("covers_arrears")).then(pl.col("arrears_band")).alias("arrears_band"),
        "income_band",
    )
