"""How pairs become decisions: the thresholds that turn odds into `link`, `review` or `apart`; part of a match model."""

from __future__ import annotations

from enum import StrEnum
from math import log2
from typing import Annotated

from pydantic import Field, model_validator

from schemas.contracts.base import Contract


class Decision(StrEnum):
    """What was decided about a pair: one person, a question for a reviewer, or different people as far as is known."""

    LINK = "link"
    REVIEW = "review"
    APART = "apart"


class ConstraintKind(StrEnum):
    """A reviewer's override of a pair: it must be one person, or it cannot be."""

    MUST_LINK = "must_link"
    CANNOT_LINK = "cannot_link"


class Constraint(Contract):
    """One override. It survives retraining, and it is never a label: the reviewer saw no more than the model."""

    left_source: str
    left_ref: str
    right_source: str
    right_ref: str
    kind: ConstraintKind


class LoneBits(Contract):
    """By how many bits a match is likelier of two subjects of these sources that have nobody else than of any two."""

    left_source: str
    right_source: str
    bits: Annotated[float, Field(ge=0)]


class RecordsPerPerson(Contract):
    """Which share of a source's records belong to people of 1, 2, ... records in it, and last of all larger ones."""

    source: str
    shares: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(min_length=2)]


class DecisionPolicy(Contract):
    """The thresholds of a decision. Probabilities are those that count a pair's rivals.

    `link_probability`: from here on a pair may be linked. `review_probability`: from here on it is put to a reviewer
    when it is not linked; the matcher emits pairs whose own odds reach it. `margin_bits`: a pair whose best rival
    comes this close is put to review, and so is the rival. `absent_bits`: what a pair that was not found, or is
    guarded, counts against joining the two groups that it lies between; they are joined where the odds of all pairs
    between them, taken together, still reach those of `link_probability`. `lone`: what it adds, by pair of sources
    that may repeat people, that neither subject has anybody else; learnt with the model. `repeats`: how many records
    people have in each source that may repeat them, which says how likely two groups are one person; learnt likewise.
    """

    link_probability: Annotated[float, Field(gt=0, lt=1)] = 0.5
    review_probability: Annotated[float, Field(gt=0, lt=1)] = 0.3
    margin_bits: Annotated[float, Field(ge=0)] = 1.0
    absent_bits: Annotated[float, Field(ge=0)] = 7.0
    lone: tuple[LoneBits, ...] = ()
    repeats: tuple[RecordsPerPerson, ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> DecisionPolicy:
        if self.review_probability > self.link_probability:
            raise ValueError("review_probability must not exceed link_probability")
        return self

    @property
    def link_log2_odds(self) -> float:
        """Log2 odds of `link_probability`."""
        return log2(self.link_probability / (1 - self.link_probability))
