"""General practice (`kmicb.gp`): registers, measurements, prescriptions, searches, screening, fit notes, referrals.

Shares without a source beside them are [assumption].
"""

from __future__ import annotations

import numpy as np
import polars as pl

from linkage.synthesise.chance import Ints
from linkage.synthesise.feeds import coded, medicines, readings, searches
from linkage.synthesise.feeds.drawing import Rates, ago, events, flags, one_of
from linkage.synthesise.feeds.facts import NEVER, Facts
from linkage.synthesise.feeds.lives import Lives, registers_of
from linkage.synthesise.world import REFERENCE_DAY
from schemas.codes import Condition, DiagnosisStatus, InclusionGroup, ReferralService
from schemas.contracts.facts_health import Diagnosis, FitNote, InclusionFlag, Referral


def content(lives: Lives, practice: Ints) -> dict[str, Facts]:
    """Return the facts of general practice by list column; owners are positions among those registered."""
    own = readings.values(lives)
    return {
        "diagnoses": _diagnoses(lives),
        "measurements": readings.measured(lives, own),
        "medications": medicines.prescribed(lives, own),
        "coded_events": coded.coded(lives, own),
        "screenings": searches.screened(lives),
        "searches": searches.searched(lives, own, practice),
        "referrals": _referrals(lives, own),
        "fit_notes": _fit_notes(lives),
        "inclusion_flags": _flags(lives),
    }


def _diagnoses(lives: Lives) -> Facts:
    facts = Facts(Diagnosis, lives.spans)
    entries, owner = registers_of(lives)
    facts.add(
        owner,
        condition=entries["condition"],
        status=entries["status"],
        recorded_on=entries["recorded_on"].to_physical().cast(pl.Int64).to_numpy(),
    )
    for condition, people in lives.beside.items():
        draw = lives.chance.stream(f"feeds.beside.{condition.value}.entry")
        # Within the last seven years, as far as they have lived and were a few months old.
        lived = np.minimum((lives.patients.age[people] - 0.8) * 365.0, 2_500.0)
        on = lives.spans.last[people] - np.floor(draw.random(len(people)) * lived).astype(np.int64)
        facts.add(people, condition=condition, status=DiagnosisStatus.ACTIVE, recorded_on=on)
    return facts


def _referrals(lives: Lives, own: readings.Values) -> Facts:
    facts = Facts(Referral, lives.spans)
    age = lives.patients.age
    draw = lives.chance.stream("feeds.referral.symptoms")
    owner = events(draw, 2.0 * (age >= 40.0) * (0.004 + 0.006 * lives.patients.old))
    opened = ago(draw, len(owner), 5, 730)
    facts.add(
        owner, service=ReferralService.NON_SPECIFIC_SYMPTOMS, opened_on=opened,
        closed_on=opened + draw.integers(14, 90, size=len(owner)),
    )  # fmt: skip
    draw = lives.chance.stream("feeds.referral.weight")
    child = (age >= 4.0) & (age < 18.0)
    owner = np.flatnonzero(flags(draw, child * 0.012 * (0.5 + lives.patients.strain)))
    opened = ago(draw, len(owner), 5, 900)
    closed = np.where(draw.random(len(owner)) < 0.6, opened + 120, NEVER)
    facts.add(owner, service=ReferralService.CHILD_WEIGHT_TIER_3, opened_on=opened, closed_on=closed)
    return facts


def _fit_notes(lives: Lives) -> Facts:
    """Fit notes of two years: of those in work who fall ill, and again and again of those unfit for work."""
    facts = Facts(FitNote, lives.spans)
    draw = lives.chance.stream("feeds.fit_notes")
    age, has = lives.patients.age, lives.has
    working_age = (age >= 18.0) & (age < 66.0)
    limited = lives.limited[lives.rows] > 0
    mind = has[Condition.DEPRESSION] | has[Condition.ANXIETY] | has[Condition.PAINFUL_CONDITION]
    # 11 million fit notes a year in England for some 35 million of working age.
    own = draw.gamma(0.35, 1.0 / 0.35, len(age))
    owner = events(draw, working_age * 2.0 * own * (0.10 + 0.30 * mind + 0.8 * limited))
    weeks = np.array([1, 2, 4, 8, 13])[one_of(draw, (0.30, 0.30, 0.26, 0.09, 0.05), len(owner))]
    weeks = np.where(limited[owner], np.maximum(weeks, 4), weeks)
    started = ago(draw, len(owner), 1, 730)
    facts.add(owner, started_on=started, ended_on=np.minimum(started + 7 * weeks - 1, REFERENCE_DAY + 91))
    return facts


def _flags(lives: Lives) -> Facts:
    """Inclusion groups as the controller states them; the rarest a handful in the whole of Medway and Swale."""
    facts = Facts(InclusionFlag, lives.spans)
    age, hard, newcomer = lives.patients.age, lives.hardship, lives.world.community[lives.rows] > 0
    grown = age >= 18.0
    stated: tuple[tuple[InclusionGroup, Rates], ...] = (
        (InclusionGroup.DRUG_ALCOHOL, 0.45 * hard.substance[lives.rows]),
        (InclusionGroup.JUSTICE_CONTACT, 0.5 * hard.justice[lives.rows]),
        (InclusionGroup.HOMELESS, 0.4 * hard.homeless[lives.rows] + 0.3 * hard.rough[lives.rows]),
        (InclusionGroup.GYPSY_ROMA_TRAVELLER, np.where(newcomer, 0.001, 0.0045)),
        (InclusionGroup.VULNERABLE_MIGRANT, 0.012 * newcomer),
        (InclusionGroup.LOOKED_AFTER_CHILD, 0.006 * ~grown),
        (InclusionGroup.CARE_LEAVER, 0.010 * (grown & (age < 25.0))),
        (InclusionGroup.YOUNG_CARER, 0.015 * (~grown & (age >= 7.0))),
        (InclusionGroup.LGBTQIA, 0.006 * grown),
        (InclusionGroup.SEX_WORKER, 0.00008 * grown),
        (InclusionGroup.MODERN_SLAVERY, 0.00006 * grown),
    )
    for group, likely in stated:
        draw = lives.chance.stream(f"feeds.flag.{group.value}")
        owner = np.flatnonzero(flags(draw, likely))
        on = ago(draw, len(owner), 5, 1_400)
        over = draw.random(len(owner)) < 0.2
        facts.add(owner, group=group, stated_on=on, ended_on=np.where(over, on + 300, NEVER))
    return facts
