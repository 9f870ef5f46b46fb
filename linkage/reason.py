"""Why a pair was decided as it was, in one word of nine and in plain English, from what is kept of the pair."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import polars as pl

from linkage.explain import log2_odds
from linkage.weigh import Guard
from schemas.decision import ConstraintKind, Decision, DecisionPolicy


class Because(StrEnum):
    """Why a pair is a link, a review or apart."""

    EVIDENCE = "evidence"
    OTHERS = "others"
    REVIEWER = "reviewer"
    EXCLUDED = "excluded"
    GUARD = "guard"
    UNCERTAIN = "uncertain"
    BELOW = "below"
    RIVALS = "rivals"
    GROUP = "group"


WORDS: Final = {
    Because.EVIDENCE: "The evidence reaches the link threshold, and nothing speaks against it.",
    Because.OTHERS: "Both are linked with the same others; their own evidence would not have linked them.",
    Because.REVIEWER: "A reviewer decided it.",
    Because.EXCLUDED: "They are known to be two people: members of one claim, or two records of a source that holds "
    "one record for each person.",
    Because.GUARD: "A rule asks a reviewer, whatever the evidence weighs.",
    Because.UNCERTAIN: "The evidence lies between the review threshold and the link threshold.",
    Because.BELOW: "The evidence does not reach the review threshold.",
    Because.RIVALS: "Another pair competes for one of the two, and too nearly or more strongly to tell which is right.",
    Because.GROUP: "Joining the two would join others too, whom the evidence or a rule keeps apart.",
}
"""What each reason means, in a sentence."""

GUARD_WORDS: Final = {
    "twin": "They share surname and date of birth but not the forename: twins look like this, and people who were "
    "given one birthday.",
    "namesake": "They share the name but not the date of birth: parent and child, or neighbours, of one name look like "
    "this.",
    "nhs_conflict": "Their NHS numbers, or the pseudonyms of these, differ, and one person has one.",
    "nino_conflict": "Their National Insurance numbers differ, and one person has one.",
    "home_only": "Nothing but the home can be compared, and that fits everybody who lives there.",
    "repeat": "They share an NHS or National Insurance number, and the date of birth or both names: one person "
    "whom a source holds twice, though it declares one record for each.",
}
"""What each guard has seen, by its label."""


def guard_words(guard: str | None) -> str:
    """Return what a guard has seen, in a sentence; empty without a guard."""
    if not guard:
        return ""
    return GUARD_WORDS.get(guard, f"The rule «{guard}» lets only a reviewer link them.")


def because(policy: DecisionPolicy) -> pl.Expr:
    """Return the reason of each row of a frame as a `Because` value.

    Needs `decision, probability, log2_odds, rival_bits, guard` and `override` (`ConstraintKind`, null without). Rivals
    are told from the sum of their odds: several weak ones are the same reason as a strong one. A pair that reaches the
    threshold with no guard and no rival in reach, and yet is no link, was held back by its group.
    """
    decision, probability = pl.col("decision"), pl.col("probability")
    free = pl.col("guard").is_null() | (pl.col("guard") == Guard.REPEAT.label)
    able = (probability >= policy.link_probability) & free
    # Rivals' odds are 2**rival_bits - 1, and the pair's 2**log2_odds: too near from `margin_bits` below it on.
    near = pl.col("rival_bits") >= (1 + 2.0 ** (pl.col("log2_odds") - policy.margin_bits).clip(-60, 60)).log(2)
    below = pl.col("log2_odds") < log2_odds(policy.review_probability)
    return (
        pl.when(pl.col("override").is_not_null())
        .then(pl.lit(Because.REVIEWER.value))
        .when(decision == Decision.LINK.value)
        .then(pl.when(able).then(pl.lit(Because.EVIDENCE.value)).otherwise(pl.lit(Because.OTHERS.value)))
        .when(probability == 0)
        .then(pl.lit(Because.EXCLUDED.value))
        .when(decision == Decision.APART.value)
        .then(pl.when(below).then(pl.lit(Because.BELOW.value)).otherwise(pl.lit(Because.RIVALS.value)))
        .when(~free)
        .then(pl.lit(Because.GUARD.value))
        .when(able & ~near)
        .then(pl.lit(Because.GROUP.value))
        .when(pl.col("log2_odds") < policy.link_log2_odds)
        .then(pl.lit(Because.UNCERTAIN.value))
        .otherwise(pl.lit(Because.RIVALS.value))
    )


def reason(
    decision: Decision,
    probability: float,
    own_log2_odds: float,
    rival_bits: float,
    guard: str | None,
    override: ConstraintKind | None,
    policy: DecisionPolicy,
) -> Because:
    """Return the reason of one pair, see `because`."""
    row = {
        "decision": decision.value,
        "probability": probability,
        "log2_odds": own_log2_odds,
        "rival_bits": rival_bits,
        "guard": guard,
        "override": None if override is None else override.value,
    }
    frame = pl.DataFrame([row], schema_overrides={"guard": pl.String, "override": pl.String})
    return Because(frame.select(because(policy)).item())
