"""What searches in the GP system found, and where people stand in cancer screening.

Four practices of five run the searches. Groups follow the people's own values by the published rules in short; the
shares reviewed are those of Medway and Swale's table of spring 2024 (asthma 80, 70 and 69 %, COPD 73, 67 and 3 %,
diabetes 33, 37 and 34 %, hypertension 41, 44 and 51 %).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from linkage.synthesise.chance import Flags, Floats, Ints, scatter
from linkage.synthesise.feeds.drawing import ago, flags, one_of, who
from linkage.synthesise.feeds.facts import NEVER, Facts, codes
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.feeds.medicines import attacks
from linkage.synthesise.feeds.readings import Values
from linkage.synthesise.world import REFERENCE_DAY
from schemas.codes import Condition, ScreeningProgramme, ScreeningStatus, SearchKind
from schemas.contracts.facts_health import Screening, SearchResult

RUN_DAY: Final = REFERENCE_DAY - 45
"""The latest run of the searches; the one before was half a year earlier."""
REVIEWED: Final = {
    Condition.ASTHMA: (0.8035, 0.6988, 0.6936, 0.5),
    Condition.COPD: (0.7291, 0.6691, 0.0253, 0.02),
    Condition.DIABETES: (0.3325, 0.3727, 0.3409, 0.3),
    Condition.HYPERTENSION: (0.4059, 0.4355, 0.5146, 0.5),
}
"""Share reviewed of each priority group 1 to 4; the table has no fourth group [assumption]."""
_SEARCH_IDS: Final = {
    Condition.ASTHMA: "ucl-asthma.3",
    Condition.COPD: "ucl-copd.3",
    Condition.DIABETES: "ucl-dm.3",
    Condition.HYPERTENSION: "ucl-htn.3",
}


def searched(lives: Lives, own: Values, practice: Ints) -> Facts:
    """Return what searches found; `practice` is everybody's practice as a number."""
    facts = Facts(SearchResult, lives.spans)
    running = scatter(practice, 61) % 5 < 4
    for condition, group in _groups(lives, own).items():
        draw = lives.chance.stream(f"feeds.search.{condition.value}")
        earlier = who(draw, (running & (group > 0)) * 0.6)
        now = who(draw, (running & (group > 0)) * 0.93)
        share = np.array([0.0, *REVIEWED[condition]])
        for owner, day in ((earlier, RUN_DAY - 182), (now, RUN_DAY)):
            reviewed = draw.random(len(owner)) < share[group[owner]]
            on = day - draw.integers(5, 360, size=len(owner))
            facts.add(
                owner, search=SearchKind.PRIORITY_GROUP, search_id=_SEARCH_IDS[condition], condition=condition,
                run_on=day, priority_group=group[owner], reviewed_on=np.where(reviewed, on, NEVER),
            )  # fmt: skip
    for condition, hidden in lives.hidden.items():
        draw = lives.chance.stream(f"feeds.search.uncoded.{condition.value}")
        # Most of those missed are found, and a few who are well.
        owner = who(draw, running * np.where(hidden, 0.75, 0.002 * (lives.patients.age >= 40.0)))
        coded = lives.has[condition][owner]
        facts.add(
            owner[~coded], search=SearchKind.SUSPECTED_UNCODED, search_id=f"uncoded-{condition.value}.2",
            condition=condition, run_on=RUN_DAY,
        )  # fmt: skip
    draw = lives.chance.stream("feeds.search.highest")
    age = lives.patients.age
    young = (age >= 5.0) & (age < 18.0) & (attacks(lives) > 1.8)
    owner = who(draw, running * np.where(young, 0.9, 0.0))
    facts.add(
        owner, search=SearchKind.HIGHEST_RISK, search_id="cyp-asthma.1", condition=Condition.ASTHMA, run_on=RUN_DAY
    )
    return facts


def _groups(lives: Lives, own: Values) -> dict[Condition, Ints]:
    """Return everybody's priority group of each condition, 0 for those without it."""
    has, age = lives.has, lives.patients.age
    level = attacks(lives)
    heart = (
        has[Condition.CHD] | has[Condition.STROKE] | has[Condition.PAD] | has[Condition.CKD] | has[Condition.DIABETES]
    )
    limit = np.where(age > 80.0, 150.0, 140.0)

    def first(condition: Condition, *rules: Flags) -> Ints:
        # Adults are searched, but for asthma.
        member = has[condition] & ((age >= 17.0) | (condition is Condition.ASTHMA))
        return np.where(member, np.select(rules, range(1, len(rules) + 1), 4), 0).astype(np.int64)

    return {
        # As supplied: nobody publishes the asthma rules. A third, a quarter and the rest.
        Condition.ASTHMA: first(Condition.ASTHMA, level > 1.5, level > 0.8, level > 0.15),
        Condition.COPD: first(
            Condition.COPD,
            (own.fev1 < 30.0) | (own.breathlessness == 5) | own.oxygen,
            (own.fev1 < 50.0) | (own.breathlessness == 4) | (own.exacerbations >= 2),
            (own.fev1 < 80.0) | (own.breathlessness >= 2) | (own.exacerbations == 1),
        ),
        Condition.DIABETES: first(
            Condition.DIABETES,
            (own.hba1c > 90.0) | (own.egfr < 15.0) | (own.acr > 250.0),
            (own.hba1c >= 75.0) | (own.egfr < 30.0) | (own.acr > 70.0),
            own.hba1c >= 58.0,
        ),
        Condition.HYPERTENSION: first(
            Condition.HYPERTENSION,
            own.systolic > 180.0,
            (own.systolic > 160.0) | ((own.systolic > 140.0) & heart & (lives.patients.strain > 0.8)),
            own.systolic > limit,
        ),
    }


def screened(lives: Lives) -> Facts:
    """Return where people stand in cancer screening: uptake leans with deprivation (Fingertips coverage, 2023)."""
    facts = Facts(Screening, lives.spans)
    age, strain, woman = lives.patients.age, lives.patients.strain, lives.patients.sex == 1
    statuses = (
        ScreeningStatus.COMPLETE, ScreeningStatus.DUE, ScreeningStatus.OVERDUE, ScreeningStatus.DECLINED,
        ScreeningStatus.NOT_ELIGIBLE,
    )  # fmt: skip
    invited: tuple[tuple[ScreeningProgramme, Flags, float, int], ...] = (
        (ScreeningProgramme.BOWEL, (age >= 54.0) & (age < 75.0), 0.78, 730),
        (ScreeningProgramme.BREAST, woman & (age >= 50.5) & (age < 71.0), 0.74, 1_095),
        (ScreeningProgramme.CERVICAL, woman & (age >= 25.0) & (age < 65.0), 0.77, 1_800),
    )
    for programme, eligible, best, round_days in invited:
        draw = lives.chance.stream(f"feeds.screening.{programme.value}")
        owner = np.flatnonzero(eligible & flags(draw, np.full(len(age), 0.98)))
        done: Floats = best - 0.22 * strain[owner] - 0.08 * lives.hardship.substance[lives.rows[owner]]
        behind = one_of(draw, (0.30, 0.50, 0.17, 0.03), len(owner)) + 1
        status = np.where(draw.random(len(owner)) < done, 0, behind)
        # An invitation is recent, a result may be as old as a round.
        on = ago(draw, len(owner), 1, 365)
        on = np.where(status == 0, REFERENCE_DAY - draw.integers(1, round_days, size=len(owner)), on)
        facts.add(owner, programme=programme, status=codes(statuses, status), recorded_on=on)
        # The round before.
        before = draw.random(len(owner)) < 0.5
        facts.add(
            owner[before], programme=programme, status=ScreeningStatus.COMPLETE,
            recorded_on=on[before] - round_days - draw.integers(0, 200, size=int(before.sum())),
        )  # fmt: skip
    return facts
