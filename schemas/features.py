"""What a feature is: one registry entry each, so that every number can be traced to a sentence that says what it
means.

A feature has three states: a value, a true negative (`false`, 0, a named "none" band), and **unknown** (null)
because the person is unlinked or the feed is missing. Unknown is never turned into a negative: `unknown_when` says
when it arises.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.contracts.base import Contract, Feed


class FeatureType(StrEnum):
    """How a value is held: text of a fixed list (or of a geography), a boolean, a whole number with bands, a score.

    A `real` is a score or a measured value. It leaves in rows only: what may be filtered and tabulated is its band, a
    category of its own.
    """

    CATEGORY = "category"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    PROBABILITY = "probability"
    REAL = "real"


class Sensitivity(StrEnum):
    """Which rule of disclosure control a feature brings into a query; the strictest of a query's features holds.

    `special_category`: health and ethnicity (UK GDPR Article 9). `welfare`: benefit, income and debt data.
    `inclusion`: membership of an inclusion-health group.
    """

    ORDINARY = "ordinary"
    SPECIAL_CATEGORY = "special_category"
    WELFARE = "welfare"
    INCLUSION = "inclusion"


class MarmotDomain(StrEnum):
    """The six policy objectives of the Marmot reviews, which name the wider determinants of health."""

    BEST_START = "best_start"
    CAPABILITIES = "capabilities"
    FAIR_WORK = "fair_work"
    STANDARD_OF_LIVING = "standard_of_living"
    PLACES = "places"
    PREVENTION = "prevention"


class HouseholdBasis(StrEnum):
    """Which of the four different households a household feature speaks of; they are never mixed."""

    CLAIM = "claim"
    COUNCIL_TAX_ACCOUNT = "council_tax_account"
    UPRN = "uprn"
    HOMELESSNESS_CASE = "homelessness_case"


class FeatureOutput(StrEnum):
    """Where a feature may go: into filters, as a table's dimension, into rows of persons, into a consumer's topic."""

    FILTER = "filter"
    TABLE = "table"
    MEMBERS = "members"
    TOPIC = "topic"


def band_labels(edges: tuple[int, ...]) -> tuple[str, ...]:
    """Return the labels of the bands that start at `edges`, the last one open: (0, 1, 5) gives `0`, `1-4`, `5+`."""
    labels = [str(low) if high - low == 1 else f"{low}-{high - 1}" for low, high in pairwise(edges)]
    return (*labels, f"{edges[-1]}+") if edges else ()


class FeatureDefinition(Contract):
    """One feature. `values` lists a category's values in order (empty where a geography gives them).

    `band_edges` are the lowest values of an integer's bands, the first being the least value there is: filters may
    cut only there and tables show the bands, so that nobody can difference two cohorts by a year of age or one
    admission.
    `covered_by` names the facts of which a person's source must deliver one at all, or the feature is unknown.
    `quasi_identifier` says that the value could be known to an outsider and so counts towards k-anonymity.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,47}$")]
    type: FeatureType
    definition: Annotated[str, Field(min_length=20)]
    sources: tuple[Feed, ...]
    sensitivity: Sensitivity
    unknown_when: Annotated[str, Field(min_length=5)]
    values: tuple[str, ...] = ()
    ordered: bool = False
    band_edges: tuple[int, ...] = ()
    covered_by: tuple[str, ...] = ()
    look_back_months: Annotated[int, Field(ge=1, le=600)] | None = None
    marmot_domain: MarmotDomain | None = None
    household_basis: HouseholdBasis | None = None
    reference: str | None = None
    quasi_identifier: bool = False
    outputs: tuple[FeatureOutput, ...] = tuple(FeatureOutput)

    @model_validator(mode="after")
    def _shape_fits_type(self) -> Self:
        if self.band_edges and (
            self.type is not FeatureType.INTEGER or any(low >= high for low, high in pairwise(self.band_edges))
        ):
            raise ValueError("band_edges belong to integers and rise")
        if self.type is FeatureType.INTEGER and not self.band_edges and self.outputs:
            raise ValueError("an integer that leaves has bands")
        if self.type is FeatureType.REAL and {FeatureOutput.FILTER, FeatureOutput.TABLE} & set(self.outputs):
            raise ValueError("a real number is neither filtered on nor tabulated; its band is")
        if self.values and self.type is not FeatureType.CATEGORY:
            raise ValueError("values belong to categories")
        if self.ordered and not self.values:
            raise ValueError("an ordered category lists its values")
        return self

    @property
    def bands(self) -> tuple[str, ...]:
        """Return the labels of an integer's bands, lowest first: `0`, `1-4`, `5+`."""
        return band_labels(self.band_edges)

    @property
    def leaves(self) -> bool:
        """Whether the feature may leave at all; an internal one may not even be filtered on."""
        return bool(self.outputs)
