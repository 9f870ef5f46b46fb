"""Housing Benefit as councils hold it (`medway.shbe`, `swale.shbe`): claims, changes of circumstances, discretionary
payments. Shares [assumption].
"""

from __future__ import annotations

import numpy as np
import polars as pl

from linkage.synthesise.chance import Flags, Ints
from linkage.synthesise.claims import ROLES, Role
from linkage.synthesise.feeds.drawing import ago, events, flags
from linkage.synthesise.feeds.facts import NEVER, Facts, codes
from linkage.synthesise.feeds.households import Households, account_references
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.homes import Holding, HomeKind
from linkage.synthesise.welfare import TENURES
from linkage.synthesise.world import REFERENCE_DAY
from schemas.codes import AwardKind, Benefit, ClaimStatus, Passported
from schemas.contracts.facts_welfare import ClaimChange, ClaimMembership, DiscretionaryAward

_STATUS = (ClaimStatus.IN_PAYMENT, ClaimStatus.SUSPENDED, ClaimStatus.OTHER)
_PASSPORTED = (
    Passported.STANDARD, Passported.PENSION_CREDIT, Passported.UNIVERSAL_CREDIT, Passported.ESA_INCOME_RELATED,
    Passported.INCOME_SUPPORT, Passported.JSA_INCOME_BASED, Passported.NOT_KNOWN,
)  # fmt: skip


def content(lives: Lives, homes: Households) -> dict[str, Facts]:
    """Return the facts of Housing Benefit by list column; owners are rows of people's parts in claims."""
    chosen, old = homes.has[Benefit.HOUSING_BENEFIT], homes.members.pensioner
    claims = memberships(
        lives, homes, Benefit.HOUSING_BENEFIT, homes.parts(chosen), homes.reference, homes.means.housing_award
    )
    changes, awards = Facts(ClaimChange, homes.part_spans), Facts(DiscretionaryAward, homes.part_spans)
    draw = lives.chance.stream("feeds.claim_changes")
    at = homes.claimants(chosen)
    # Earnings, moves and households that change: some are reassessed every month.
    owner = at[events(draw, draw.gamma(0.8, 1.1, len(at)) * np.where(old[homes.part_claim[at]], 0.8, 2.4))]
    claim = homes.part_claim[owner]
    on = ago(draw, len(owner), 3, 730)
    on = np.where(on > homes.started[claim], on, NEVER)
    on = np.where((homes.ended[claim] != NEVER) & (on > homes.ended[claim]), NEVER, on)
    changes.add(owner, claim_reference=homes.reference.gather(claim), changed_on=on)
    draw = lives.chance.stream("feeds.awards.dhp")
    short = (
        (homes.tenancy.lha > 0) & (homes.tenancy.rent > homes.tenancy.lha)
        | (homes.means.cap_reduction > 0)
        | (homes.tenancy.bedrooms > homes.tenancy.bedrooms_needed)
    )
    owner = at[flags(draw, np.where(short & ~old, 0.16, 0.01)[homes.part_claim[at]])]
    awards.add(
        owner, kind=AwardKind.DISCRETIONARY_HOUSING_PAYMENT, awarded_on=ago(draw, len(owner), 5, 600),
        amount_pence=(20_000 + draw.gamma(2.0, 25_000.0, len(owner))).astype(np.int64),
    )  # fmt: skip
    return {"claims": claims, "claim_changes": changes, "awards": awards}


def memberships(
    lives: Lives, homes: Households, benefit: Benefit, parts: Ints, reference: pl.Series, award: Ints
) -> Facts:
    """Return the part that each of `parts` has in a claim of one benefit: the household's amounts on the claimant's
    row, what is a person's own on each adult's.
    """
    facts = Facts(ClaimMembership, homes.part_spans)
    draw = lives.chance.stream(f"feeds.claims.{benefit.value}")
    n = len(homes)
    claim, role = homes.part_claim[parts], homes.part_role[parts]
    status = np.searchsorted([0.93, 0.95], draw.random(n), side="right")
    status = np.where(homes.ended != NEVER, 2, status)
    started = np.minimum(homes.started + np.floor(draw.random(n) * 200).astype(np.int64), REFERENCE_DAY - 20)
    started = np.where(homes.ended != NEVER, homes.started, started)
    stopped = started + 7 + np.floor(draw.random(n) * np.maximum(REFERENCE_DAY - 8 - started, 1)).astype(np.int64)
    ended = np.where(homes.ended != NEVER, homes.ended, np.where(status == 2, stopped, NEVER))
    # Nobody is in a claim before birth; who has died is in none.
    begins = np.maximum(started[claim], homes.part_spans.first[parts])
    dead = homes.part_spans.dead[parts]
    ends = np.where(dead & (ended[claim] == NEVER), homes.part_spans.last[parts], ended[claim])
    over = np.where(ends != NEVER, 2, status[claim])
    claimant = role == Role.CLAIMANT
    adult = claimant | (role == Role.PARTNER)
    person = homes.part_person[parts]
    hb, uc = benefit is Benefit.HOUSING_BENEFIT, benefit is Benefit.UNIVERSAL_CREDIT

    def household(values: Ints | Flags | pl.Series) -> pl.Series:
        column = values if isinstance(values, pl.Series) else pl.Series(values)
        return column.gather(claim).set(pl.Series(~claimant), None)

    def own(values: pl.Series) -> pl.Series:
        return values.set(pl.Series(~adult), None)

    kind = lives.world.homes.kind[lives.world.home[homes.lead]]
    unwell = (homes.tenure == Holding.HOUSING_ASSOCIATION) & (homes.members.limited == 2)
    supported = (kind == HomeKind.HOSTEL) | flags(draw, 0.12 * unwell)
    # The cap takes from Housing Benefit where there is one.
    capped = np.where(homes.has[Benefit.HOUSING_BENEFIT] == hb, homes.means.cap_reduction, 0)
    lha = pl.Series(homes.tenancy.lha).set(pl.Series(homes.tenancy.lha == 0), None)
    tenure = codes(TENURES, np.where(kind == HomeKind.HOSTEL, 4, homes.tenure))
    facts.add(
        parts,
        claim_reference=reference.gather(claim),
        benefit=benefit,
        role=codes(ROLES, role),
        status=codes(_STATUS, over),
        started_on=begins,
        ended_on=ends,
        tenure=tenure.gather(claim),
        weekly_award_pence=household(award),
        # What the household has before Housing Benefit and Universal Credit.
        weekly_income_pence=household(homes.means.net_income - homes.means.housing_award - homes.means.credit_award),
        account_reference=None if uc else household(account_references(lives, homes)),
        passported=None if uc else household(codes(_PASSPORTED, _passports(draw, homes))),
        children_declared=household(homes.members.children),
        non_dependants_declared=None if uc else household(homes.members.non_dependants),
        weekly_eligible_rent_pence=household(homes.tenancy.eligible_rent) if hb else None,
        weekly_contractual_rent_pence=household(homes.tenancy.rent) if hb or uc else None,
        weekly_lha_pence=household(lha) if hb or uc else None,
        weekly_council_tax_pence=None if uc else household(homes.tenancy.council_tax),
        weekly_cap_reduction_pence=household(capped) if hb or uc else None,
        capital_pence=household(homes.means.capital),
        weekly_earnings_pence=own(pl.Series(homes.members.part_earnings[parts])),
        weekly_work_hours=own(pl.Series(homes.members.part_hours[parts])),
        disability_premium=own(pl.Series(homes.members.disabled[claim] & (claimant | (lives.limited[person] == 2)))),
        carer_premium=own(pl.Series(lives.carer[person])),
        supported_accommodation=household(supported) if hb else None,
    )
    return facts


def _passports(draw: np.random.Generator, homes: Households) -> Ints:
    n = len(homes)
    old = np.where(draw.random(n) < 0.62, 1, 0)
    legacy = 3 + np.searchsorted([0.7, 0.85], draw.random(n), side="right")
    working_age = np.where(homes.has[Benefit.UNIVERSAL_CREDIT], 2, np.where(homes.members.earnings > 12_000, 0, legacy))
    passported: Ints = np.where(draw.random(n) < 0.02, 6, np.where(homes.members.pensioner, old, working_age))
    return passported
