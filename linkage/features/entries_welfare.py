"""Entries from welfare facts: household features on the basis of the claim, the same for everybody in it."""

from __future__ import annotations

from typing import Final

from linkage.features.bands import ARREARS_BANDS, INCOME_BANDS
from linkage.features.entry import category, count, flag
from schemas.codes import Tenure
from schemas.contracts.base import Feed
from schemas.features import FeatureDefinition, HouseholdBasis, MarmotDomain, Sensitivity

_UNLINKED: Final = (
    "no subject of the person is in a welfare source that delivers these facts; "
    "a person who is not on benefit and one who is not linked look alike"
)
_NO_CLAIM: Final = "no welfare subject is linked, or none has a claim on the date that says it"


def welfare_entries() -> list[FeatureDefinition]:
    """Return the entries in the order of the catalogue."""
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
