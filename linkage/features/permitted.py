"""Which features a consumer gets on rows that are sent to it: on its topic and in its exported table, the same."""

from __future__ import annotations

from linkage.features.registry import FEATURES
from schemas.cohort_documents import guards, shipped_cohorts
from schemas.features import FeatureOutput
from schemas.purposes import Purpose


def permitted_features(purpose: Purpose) -> list[str]:
    """Return the names of the features that a purpose's consumer may be sent; none that a cohort guards."""
    guarded = guards(shipped_cohorts())
    return [
        definition.name
        for definition in FEATURES.values()
        if FeatureOutput.TOPIC in definition.outputs
        and definition.sensitivity in purpose.sensitivities
        and definition.name not in guarded
    ]
