"""Working definitions: figures and rules of our own that derived household features need, each a JSON document here.

They are configuration, not a standard: each names its doubts, and nothing that is derived by one carries another's
name. A document is never changed in place: other figures are a new version under a new id, which the features name.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, Final

from pydantic import Field

from schemas.codes import EnergyBand
from schemas.contracts.base import Contract, Pence
from schemas.errors import DefectError, Reason

LIVING_STANDARD: Final = "hwlink.living-standard.1"
"""The document by which households' income, poverty and living standard are worked out."""

Share = Annotated[float, Field(gt=0, le=2, allow_inf_nan=False)]


class Equivalence(Contract):
    """Weights by which a household's income is divided, so that households of different shapes compare."""

    first_adult: Share
    further_adult: Share
    child_14_and_over: Share
    child_under_14: Share


class WeeklyCosts(Contract):
    """What a household is taken to spend on one thing in a week: for the household, each adult and each child."""

    household_pence: Pence = 0
    adult_pence: Pence = 0
    child_pence: Pence = 0


class LivingStandardDefinition(Contract):
    """How income after housing is compared with costs.

    In crisis: below priority costs (energy, water, food). At risk: below those and other costs. Struggling: above them
    by less than `buffer_weekly_pence`. Coping: by more. Poverty lines are of equivalised weekly income after housing.
    """

    definition_id: Annotated[str, Field(pattern=r"^hwlink\.[a-z0-9.-]+$")]
    title: str
    source: str
    doubts: Annotated[tuple[str, ...], Field(min_length=1)]
    equivalence_before_housing: Equivalence
    equivalence_after_housing: Equivalence
    poverty_line_weekly_pence: Pence
    energy: WeeklyCosts
    water: WeeklyCosts
    food: WeeklyCosts
    other: WeeklyCosts
    buffer_weekly_pence: Pence
    inefficient_energy_bands: tuple[EnergyBand, ...]
    living_wage_hourly_pence: Pence
    supplied_holds_months: Annotated[int, Field(ge=1, le=60)]
    credit_period_holds_days: Annotated[int, Field(ge=1, le=366)]


@cache
def living_standard(definition_id: str = LIVING_STANDARD) -> LivingStandardDefinition:
    """Return a shipped working definition; DefectError INTERNAL where none of that id ships."""
    resource = files(__name__).joinpath(f"{definition_id.removeprefix('hwlink.').replace('.', '-')}.json")
    if not resource.is_file():
        raise DefectError(Reason.INTERNAL, "A working definition is missing from the package; report this as a defect.")
    return LivingStandardDefinition.model_validate_json(resource.read_text("utf-8"))
