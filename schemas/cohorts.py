"""Cohort definitions: versioned documents that say whom a cohort holds, of whom it is a part, and what it may answer.

A filter is an expression in SQL WHERE syntax over feature names; `linkage.cohorts` parses and compiles it.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from schemas.contracts.base import Contract
from schemas.errors import InputError, Reason
from schemas.purposes import Output

FilterText = Annotated[str, Field(max_length=4000)]
"""SQL WHERE syntax over feature names; empty means everyone."""


class Exclusion(Contract):
    """People who are left out of a cohort and of its denominator, and why."""

    filter: Annotated[str, Field(min_length=1, max_length=4000)]
    because: Annotated[str, Field(min_length=5)]


class CohortDefinition(Contract):
    """One cohort at one version. A changed filter, denominator or exclusion is a new version.

    `source` says which paper or programme asked for it; `review_on` when somebody must look at it again. `min_count` is
    how many people it must find before it answers at all, where that is more than the disclosure policy asks for.

    Three fields restrict it further. `dimensions` are the features by which its people may be counted or narrowed; None
    permits all. `guards` are features that may be asked of only through this cohort: without that, the same question
    without its name would pass by its rules. `refusal` says why, to whoever asks for more; a cohort without any output
    answers everybody with it.
    """

    cohort_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,63}$")]
    version: Annotated[int, Field(ge=1)]
    title: Annotated[str, Field(min_length=5)]
    description: Annotated[str, Field(min_length=20)]
    source: Annotated[str, Field(min_length=5)]
    filter: Annotated[str, Field(min_length=1, max_length=4000)]
    denominator: FilterText = ""
    exclusions: tuple[Exclusion, ...] = ()
    outputs: tuple[Output, ...] = (Output.COUNTS,)
    min_count: Annotated[int, Field(ge=0)] = 0
    review_on: date | None = None
    dimensions: tuple[str, ...] | None = None
    guards: tuple[str, ...] = ()
    refusal: str = ""

    @model_validator(mode="after")
    def _refuses_with_a_reason(self) -> Self:
        restricted = self.dimensions is not None or self.guards or not self.outputs
        if restricted and len(self.refusal) < 20:
            raise ValueError("a restricted cohort says why")
        return self


def parse_cohort(text: str) -> CohortDefinition:
    """Return the cohort of a JSON document; raises InputError FIELD_INVALID naming the fields that are wrong."""
    try:
        return CohortDefinition.model_validate_json(text)
    except ValidationError as error:
        places = {".".join(map(str, e["loc"])) or "document" for e in error.errors(include_input=False)}
        raise InputError(
            Reason.FIELD_INVALID,
            f"The cohort definition is wrong at: {', '.join(sorted(places))}. Mend these fields and try again.",
        ) from None
