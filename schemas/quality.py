"""The quality report: what is known of a linkage's errors without labels, and how it was found.

Shape after GUILD (Gilbert et al., J Public Health 2018) and Harron et al. (Int J Epidemiol 2017): inputs, accuracy
with intervals, characteristics of linked and unlinked, sensitivity to the threshold, implausible links. What cannot be
estimated says why instead of giving a number.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.contracts.base import Contract

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class NotEstimable(StrEnum):
    """Why there is no estimate."""

    NO_FIT = "no_fit"
    """The model was not fitted to these sources: its probabilities are not known to be theirs."""
    TOO_FEW_LINKS = "too_few_links"
    """Fewer links than an estimate needs."""
    OVERLAP_UNKNOWN = "overlap_unknown"
    """How many matches there are is not known well enough."""
    EVIDENCE_WEAK = "evidence_weak"
    """Too many pairs could be either, match or not, beside the links that were made."""
    GROUP_UNKNOWN = "group_unknown"
    """Matches that were missed are of subjects of whom the group is not known."""
    NO_KEY = "no_key"
    """No pair of subjects that may be linked has the key on both sides, or too few have."""


class Estimate(Contract):
    """A share with its 95 % interval, or why there is none."""

    value: Share | None = None
    low: Share | None = None
    high: Share | None = None
    not_estimable: NotEstimable | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = [number for number in (self.value, self.low, self.high) if number is not None]
        if len(given) not in {0, 3} or bool(given) == (self.not_estimable is not None):
            raise ValueError("give value, low and high, or the reason why there are none")
        if given and not given[1] <= given[0] <= given[2]:
            raise ValueError("the interval must contain the value")
        return self


class Accuracy(Contract):
    """Estimated accuracy of pairs: `found` were made, of which `expected_false` are thought wrong, and
    `expected_missed` right ones are thought to be missing, `expected_beyond` of them never emitted.
    """

    found: Count
    expected_false: float | None = None
    expected_missed: float | None = None
    expected_beyond: float | None = None
    precision: Estimate
    recall: Estimate


class GroupQuality(Contract):
    """One group of one source's subjects, by one variable: who is linked, and how well.

    `standardised_difference` compares how common the group is among the linked with how common it is among the
    unlinked. `noteworthy`: it is beyond 0.1 either way. `below_overall`: the link rate is more than 5 percentage
    points below the source's.
    """

    source: str
    variable: str
    group: str
    subjects: Count
    linked: Count
    unlinkable: Count
    link_rate: Estimate
    precision: Estimate
    recall: Estimate
    standardised_difference: float | None
    noteworthy: bool
    below_overall: bool


class SourceQuality(Contract):
    """One source: how many of its subjects are linked (with another file, or at all when there is one), how many could
    not be, how complete its fields are, and the standardised difference of each variable as a whole.
    """

    source: str
    subjects: Count
    linked: Count
    unlinkable: Count
    link_rate: Estimate
    completeness: dict[str, Share]
    differences: dict[str, float]


class ThresholdQuality(Contract):
    """What the linkage would be at another link threshold."""

    name: str
    link_probability: Share
    links: Count
    persons_of_two_or_more: Count
    precision: Estimate
    recall: Estimate
    link_rates: dict[str, Share]


class GradeCount(Contract):
    """Links between two sources by how sure they are."""

    left_source: str
    right_source: str
    grade: str
    links: Count


class ReviewReason(Contract):
    """Pairs put to review for one reason: the name of the guard that asks (`twin`, `namesake` and so on), or what else
    keeps the pair from being a link: `uncertain`, `rivals`, `group`.
    """

    reason: str
    pairs: Count
    per_10000_subjects: float


class KeyCheck(Contract):
    """Relinking with a key hidden: of pairs that share the key, the share found (recall); of pairs found whose subjects
    both have the key, the share that share it (precision).
    """

    key: str
    true_pairs: Count
    found_pairs: Count
    precision: Estimate
    recall: Estimate


class Spread(Contract):
    """What the intervals are made of besides counting.

    `refit_false` and `refit_missed`: standard deviations, as shares, of the expected numbers of false links and missed
    matches when the model and its prior are drawn anew. `model_bits`: by how much the model's log2 odds may be out
    all alike, `kind_bits`: those of each kind of pair by itself; measured constants. `beyond`: by how much the odds
    (natural logarithm) may be out with which a match is beyond reach.
    """

    refit_false: float
    refit_missed: float
    model_bits: float
    kind_bits: float = 0.0
    beyond: float


class QualityReport(Contract):
    """The report of one linkage."""

    format_version: int = 1
    model_id: str
    links: Accuracy
    persons: Accuracy
    spread: Spread
    sources: tuple[SourceQuality, ...]
    groups: tuple[GroupQuality, ...]
    thresholds: tuple[ThresholdQuality, ...]
    grades: tuple[GradeCount, ...]
    reviews: tuple[ReviewReason, ...]
    guards: dict[str, Count]
    implausible: dict[str, Count]
    key_check: KeyCheck | None = None
    statement: str
