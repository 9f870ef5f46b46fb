"""Mental health services (`kmpt.mhsds`): referrals, contacts, detentions, and where people live and whether they work.

About 4 % of people are in contact with secondary mental health services in a year (MHSDS annual statistics); the
leaning with illness and hardship is an [assumption].
"""

from __future__ import annotations

import numpy as np

from linkage.synthesise.chance import Ints
from linkage.synthesise.feeds.drawing import ago, events, flags, one_of
from linkage.synthesise.feeds.facts import NEVER, Facts, codes
from linkage.synthesise.feeds.hospital import accommodation
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.world import PENSION_AGE, REFERENCE_DAY
from schemas.codes import CircumstanceKind, Condition, EncounterKind, ReferralService
from schemas.contracts.facts_health import Circumstance, Encounter, Referral

_EMPLOYMENT = ("01", "02", "03", "04", "05", "06", "07", "08", "ZZ")
"""NHS Data Dictionary: employed, unemployed, student, long-term sick, homemaker, not seeking, voluntary, retired, not
stated."""


def content(lives: Lives) -> dict[str, Facts]:
    """Return the facts of mental health services by list column; owners are positions among those registered."""
    encounters, referrals = Facts(Encounter, lives.spans), Facts(Referral, lives.spans)
    age, has, hard = lives.patients.age, lives.has, lives.hardship
    severe, low = has[Condition.SEVERE_MENTAL_ILLNESS], has[Condition.DEPRESSION] | has[Condition.ANXIETY]
    teenager = (age >= 11.0) & (age < 18.0)
    draw = lives.chance.stream("feeds.mental.referral")
    likely = 0.008 + 0.55 * severe + 0.07 * low + 0.05 * teenager + 0.20 * has[Condition.DEMENTIA]
    likely = likely + 0.15 * hard.substance[lives.rows] + 0.12 * hard.rough[lives.rows]
    likely = likely + 0.18 * hard.homeless[lives.rows]
    likely = likely * (0.6 + 0.8 * lives.patients.strain) * (age >= 4.0)
    owner = np.repeat(np.arange(len(age)), flags(draw, likely).astype(np.int64) + flags(draw, 0.25 * likely))
    opened = ago(draw, len(owner), 5, 1_200)
    length = 40 + np.floor(draw.gamma(1.3, 220.0 + 500.0 * severe[owner])).astype(np.int64)
    closed = np.where(opened + length < REFERENCE_DAY, opened + length, NEVER)
    facts = {"encounters": encounters, "referrals": referrals}
    referrals.add(owner, service=ReferralService.MENTAL_HEALTH, opened_on=opened, closed_on=closed)
    _contacts(lives, encounters, owner, opened, closed)
    draw = lives.chance.stream("feeds.mental.detention")
    # 52,000 detentions a year in England: about 1 in 1,000, nearly all with severe illness.
    held = events(draw, 2.5 * (severe * 0.045 + 0.0002) * (0.5 + lives.patients.strain) * (age >= 16.0))
    on = ago(draw, len(held), 5, 1_000)
    encounters.add(
        held, kind=EncounterKind.MENTAL_HEALTH_DETENTION, started_on=on,
        ended_on=on + 5 + np.floor(draw.gamma(1.2, 30.0, len(held))).astype(np.int64),
    )  # fmt: skip
    return {**facts, "circumstances": _circumstances(lives, np.unique(np.concatenate([owner, held])))}


def _contacts(lives: Lives, facts: Facts, referred: Ints, opened: Ints, closed: Ints) -> None:
    draw = lives.chance.stream("feeds.mental.contact")
    until = np.where(closed == NEVER, REFERENCE_DAY, closed)
    at = np.repeat(np.arange(len(referred)), draw.poisson(np.maximum(until - opened, 0) / 45.0))
    on = opened[at] + np.floor(draw.random(len(at)) * (until - opened)[at]).astype(np.int64)
    came = draw.random(len(at)) < 0.86
    cost = np.where(came, 21_000, 6_000)
    facts.add(
        referred[at], kind=EncounterKind.MENTAL_HEALTH_CONTACT, started_on=on, ended_on=on, attended=came,
        cost_pence=cost,
    )  # fmt: skip


def _circumstances(lives: Lives, known: Ints) -> Facts:
    facts = Facts(Circumstance, lives.spans)
    draw = lives.chance.stream("feeds.mental.circumstances")
    owner = known[flags(draw, np.full(len(known), 0.7))]
    facts.add(
        owner, kind=CircumstanceKind.ACCOMMODATION, code=accommodation(lives, owner, draw),
        recorded_on=ago(draw, len(owner), 5, 700),
    )  # fmt: skip
    owner = known[flags(draw, 0.75 * (lives.patients.age[known] >= 16.0))]
    age, limited = lives.patients.age[owner], lives.limited[lives.rows[owner]] > 0
    work = one_of(draw, (0.45, 0.20, 0.05, 0.08, 0.06, 0.08, 0.02, 0.0, 0.06), len(owner))
    work = np.where(limited, np.where(draw.random(len(owner)) < 0.8, 3, work), work)
    work = np.where((age < 19.0) & (draw.random(len(owner)) < 0.8), 2, np.where(age >= PENSION_AGE, 7, work))
    facts.add(
        owner,
        kind=CircumstanceKind.EMPLOYMENT,
        code=codes(_EMPLOYMENT, work),
        recorded_on=ago(draw, len(owner), 5, 700),
    )
    return facts
