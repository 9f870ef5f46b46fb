"""Homelessness applications (`medway.hclic`, `swale.hclic`): each person's part, duty by duty, with support needs.

A household is owed prevention or relief first, for 56 days; what is not solved by then goes on to relief and to the
main duty (Homelessness Reduction Act 2017). Support needs follow from what weighs on the person.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from linkage.synthesise.chance import Flags, Ints
from linkage.synthesise.feeds.drawing import flags
from linkage.synthesise.feeds.facts import NEVER, Facts
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.homes import Holding, HomeKind
from linkage.synthesise.identifiers import record_ids
from linkage.synthesise.world import REFERENCE_DAY
from schemas.codes import Condition, HomelessnessDuty, SupportNeed
from schemas.contracts.facts_welfare import HomelessnessCase

DUTY_DAYS = 56
_DUTIES = tuple(HomelessnessDuty)


def content(lives: Lives) -> dict[str, Facts]:
    """Return the facts of applications by list column; owners are rows of the world."""
    facts = Facts(HomelessnessCase, lives.world_spans)
    world, hard = lives.world, lives.hardship
    people = np.flatnonzero(hard.homeless)
    home = world.home[people]
    reference = record_ids(lives.chance.stream("feeds.homelessness.case"), "HA", len(world.homes))
    draw = lives.chance.stream("feeds.homelessness.duty")
    prevented = draw.random(len(world.homes)) < 0.5
    placed = draw.random(len(world.homes)) < 0.4
    temporary = (world.homes.tenure == Holding.TEMPORARY) | (world.homes.kind == HomeKind.HOSTEL)
    since = hard.homeless_since[people]
    until = np.where(hard.homeless_until[people] == NEVER, REFERENCE_DAY + 1, hard.homeless_until[people])
    start, step = since, np.where(prevented[home], 0, 1)
    needs = _needs(lives, people)
    for number, duty in enumerate(_DUTIES):
        owed = (step <= number) & (start < until)
        end = np.minimum(start + DUTY_DAYS, until) if number < 2 else until
        in_place = temporary[home] | (placed[home] & (number > 0))
        facts.add(
            people[owed], case_reference=reference.gather(home[owed]), duty=duty, started_on=start[owed],
            ended_on=np.where(end > REFERENCE_DAY, NEVER, end)[owed], temporary_accommodation=in_place[owed],
            rough_sleeping=hard.rough[people][owed], support_needs=needs.filter(pl.Series(owed)),
        )  # fmt: skip
        start = np.where(owed, end, start)
    return {"homelessness": facts}


def _needs(lives: Lives, people: Ints) -> pl.Series:
    """Return each person's support needs as codes with a space between, null where there are none."""
    draw = lives.chance.stream("feeds.homelessness.needs")
    hard, at = lives.hardship, lives.at[people]

    def has(*conditions: Condition) -> Flags:
        ill = np.zeros(len(people), dtype=np.bool_)
        for condition in conditions:
            ill |= lives.has[condition][np.maximum(at, 0)] & (at >= 0)
        return ill

    grown = lives.world.age[people] >= 16.0
    needs: dict[SupportNeed, Flags] = {
        SupportNeed.MENTAL_HEALTH: grown
        & (
            has(Condition.DEPRESSION, Condition.SEVERE_MENTAL_ILLNESS, Condition.ANXIETY)
            | flags(draw, np.full(len(people), 0.15))
        ),
        SupportNeed.PHYSICAL_HEALTH: has(
            Condition.PAINFUL_CONDITION, Condition.COPD, Condition.EPILEPSY, Condition.DIABETES
        ),
        SupportNeed.LEARNING_DISABILITY: has(Condition.LEARNING_DISABILITY),
        SupportNeed.DRUG_DEPENDENCY: hard.substance[people],
        SupportNeed.OFFENDING_HISTORY: hard.justice[people],
        SupportNeed.ROUGH_SLEEPING: hard.rough[people],
        SupportNeed.DOMESTIC_ABUSE: grown & flags(draw, 0.05 + 0.10 * (lives.world.sex[people] == 1)),
        SupportNeed.YOUNG_PERSON: grown & (lives.world.age[people] < 25.0) & flags(draw, np.full(len(people), 0.4)),
    }
    chosen = [pl.when(pl.Series(needed)).then(pl.lit(need.value)) for need, needed in needs.items()]
    return pl.select(
        pl.concat_str(chosen, separator=" ", ignore_nulls=True).replace("", None).alias("needs")
    ).to_series()
