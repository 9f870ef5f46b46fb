"""Council Tax Reduction (`medway.ctr`, `swale.ctr`): claims, and the help that goes with them.

Shares of help and amounts [assumption].
"""

from __future__ import annotations

import numpy as np

from linkage.synthesise.feeds.drawing import ago, flags
from linkage.synthesise.feeds.facts import Facts
from linkage.synthesise.feeds.households import Households
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.feeds.shbe import memberships
from schemas.codes import AwardKind, Benefit
from schemas.contracts.facts_welfare import DiscretionaryAward


def content(lives: Lives, homes: Households) -> dict[str, Facts]:
    """Return the facts of Council Tax Reduction by list column; owners are rows of people's parts in claims."""
    chosen = homes.has[Benefit.COUNCIL_TAX_REDUCTION]
    parts = homes.parts(chosen)
    award = homes.means.reduction_award
    claims = memberships(lives, homes, Benefit.COUNCIL_TAX_REDUCTION, parts, homes.reference, award)
    awards = Facts(DiscretionaryAward, homes.part_spans)
    at = homes.claimants(chosen)
    claim = homes.part_claim[at]
    families = homes.members.children[claim] > 0
    for kind, likely, amount in (
        (AwardKind.HOUSEHOLD_SUPPORT_FUND, np.where(families, 0.30, 0.09), 15_000),
        (AwardKind.COUNCIL_TAX_HARDSHIP, np.where(homes.members.pensioner[claim], 0.01, 0.05), 22_000),
    ):
        draw = lives.chance.stream(f"feeds.awards.{kind.value}")
        owner = at[flags(draw, likely)]
        awards.add(
            owner, kind=kind, awarded_on=ago(draw, len(owner), 5, 600),
            amount_pence=(amount * (0.4 + 1.2 * draw.random(len(owner)))).astype(np.int64),
        )  # fmt: skip
    return {"claims": claims, "awards": awards}
