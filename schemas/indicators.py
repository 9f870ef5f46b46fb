"""Published indicators of an area beside England: what one record says, and which indicators the programme follows.

The comparison and its score follow the Medway and Swale PHM programme's paper of spring 2024, section 2.2.1.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from schemas.contracts.base import Contract


class Comparison(StrEnum):
    """How an area stands to England, a value to an earlier one, or a trend to none; `similar` is neither."""

    WORSE = "worse"
    SIMILAR = "similar"
    BETTER = "better"


class Method(StrEnum):
    """How a value was worked out: crude rate, indirectly or directly standardised ratio or rate, coverage."""

    CRUDE = "crude"
    INDIRECTLY_STANDARDISED = "isr"
    DIRECTLY_STANDARDISED = "dsr"
    COVERAGE = "coverage"


class Indicator(Contract):
    """One indicator of the list. `higher_is` says what a higher value means."""

    indicator_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,47}$")]
    title: Annotated[str, Field(min_length=3)]
    higher_is: Comparison


class IndicatorRecord(Contract):
    """One indicator of one area. `rag_2023` is the comparison with England that is scored; `rag_2021` is shown only.

    `change_since_2021` compares the latest value with that of 2021; `trend` and `england_trend` say where the two
    are going, and are missing where no trend is published. `lcl` and `ucl` are the 95 % confidence limits.
    """

    indicator_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,47}$")]
    period_label: Annotated[str, Field(min_length=4, max_length=32)]
    area: Annotated[str, Field(min_length=2, max_length=64)]
    value: Annotated[float, Field(allow_inf_nan=False)] | None = None
    lcl: Annotated[float, Field(allow_inf_nan=False)] | None = None
    ucl: Annotated[float, Field(allow_inf_nan=False)] | None = None
    method: Method
    rag_2021: Comparison | None = None
    rag_2023: Comparison
    change_since_2021: Comparison
    trend: Comparison | None = None
    england_trend: Comparison | None = None

    @model_validator(mode="after")
    def _limits_hold_the_value(self) -> Self:
        limits = [number for number in (self.lcl, self.value, self.ucl) if number is not None]
        if limits != sorted(limits):
            raise ValueError("the value lies between its limits")
        return self


_WORSE, _BETTER = Comparison.WORSE, Comparison.BETTER

INDICATORS: Final[dict[str, Indicator]] = {
    indicator_id: Indicator(indicator_id=indicator_id, title=title, higher_is=higher_is)
    for indicator_id, title, higher_is in (
        ("excess_weight_year_6", "Children with excess weight in year 6, three years together", _WORSE),
        ("epilepsy_admissions_under_19", "Admissions for epilepsy under 19", _WORSE),
        ("bowel_screening_coverage", "Bowel cancer screening coverage", _BETTER),
        ("breast_screening_coverage", "Breast cancer screening coverage", _BETTER),
        ("cervical_screening_coverage", "Cervical cancer screening coverage", _BETTER),
        ("hypertension_prevalence", "Prevalence of hypertension", _WORSE),
        ("chd_prevalence", "Prevalence of coronary heart disease", _WORSE),
        ("ckd_prevalence_18_plus", "Prevalence of chronic kidney disease from 18", _WORSE),
        ("stroke_prevalence", "Prevalence of stroke", _WORSE),
        ("smi_prevalence", "Prevalence of severe mental illness", _WORSE),
        ("depression_prevalence", "Prevalence of depression", _WORSE),
        ("osteoporosis_prevalence", "Prevalence of osteoporosis", _WORSE),
        ("smoking_prevalence", "Prevalence of smoking", _WORSE),
        ("diabetes_admissions_under_19", "Admissions for diabetes under 19", _WORSE),
        ("asthma_admissions_under_19", "Admissions for asthma under 19", _WORSE),
        ("cancer_mortality_under_75", "Mortality from cancer under 75", _WORSE),
        ("circulatory_mortality_under_75", "Mortality from circulatory disease under 75", _WORSE),
        ("hip_fractures_65_plus", "Hip fractures from 65", _WORSE),
        ("falls_admissions_65_plus", "Emergency admissions for falls from 65", _WORSE),
        ("acsc_admissions", "Admissions for chronic ambulatory care sensitive conditions", _WORSE),
        ("conceptions_under_18", "Conceptions under 18", _WORSE),
        ("life_expectancy_male", "Life expectancy at birth, male", _BETTER),
        ("life_expectancy_female", "Life expectancy at birth, female", _BETTER),
        ("excess_weight_adults", "Adults with excess weight", _WORSE),
        ("physically_inactive_adults", "Physically inactive adults", _WORSE),
        ("ae_attendances_0_4", "A&E attendances of children aged 0 to 4", _WORSE),
        ("antibiotics_prescribed", "Antibiotics prescribed in primary care", _WORSE),
        ("low_birth_weight", "Low birth weight of term babies", _WORSE),
        ("infant_mortality", "Infant mortality", _WORSE),
        ("mental_health_admissions_0_17", "Admissions for mental health from 0 to 17", _WORSE),
        ("substance_misuse_admissions_15_24", "Admissions for substance misuse from 15 to 24", _WORSE),
        ("self_harm_admissions_10_24", "Admissions for self-harm from 10 to 24", _WORSE),
        ("suicide_persons", "Suicide, persons", _WORSE),
        ("suicide_male", "Suicide, male", _WORSE),
        ("dementia_diagnosis_rate", "Dementia diagnosis rate from 65", _BETTER),
        ("smoking_at_delivery", "Smoking at the time of delivery", _WORSE),
        ("fine_particulate_matter", "Air pollution: fine particulate matter", _WORSE),
        ("stillbirths", "Stillbirths", _WORSE),
        ("dental_decay_5_years", "Five-year-olds with dental decay", _WORSE),
        ("cancers_diagnosed_early", "Cancers diagnosed at stages 1 and 2", _BETTER),
        ("alcohol_specific_admissions", "Admissions for alcohol-specific conditions", _WORSE),
    )
}
"""Indicators of the programme's Table 1; the last seven are those that the paper names and does not show."""
