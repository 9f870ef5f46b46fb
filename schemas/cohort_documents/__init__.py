"""The cohorts that ship: one JSON document each, after what the board papers asked for.

To add one, write its document here under its id; a changed filter, denominator or exclusion is a new version.
`tests/unit/test_cohorts_shipped.py` parses every filter and checks that every feature named is there,
`test_cohorts_members.py` who just belongs and who just does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from schemas.cohorts import CohortDefinition, parse_cohort
from schemas.errors import InputError, Reason


@cache
def shipped_cohorts() -> dict[str, CohortDefinition]:
    """Return the cohorts that ship with hwlink, by id, in the order of their ids."""
    documents = sorted(
        (entry for entry in files(__name__).iterdir() if entry.name.endswith(".json")), key=lambda entry: entry.name
    )
    cohorts = [parse_cohort(entry.read_text("utf-8")) for entry in documents]
    return {cohort.cohort_id: cohort for cohort in cohorts}


def guards(cohorts: Mapping[str, CohortDefinition]) -> dict[str, CohortDefinition]:
    """Return each feature that may be asked of only through one of `cohorts`, with that cohort."""
    return {name: found for found in cohorts.values() for name in found.guards}


def cohort(cohort_id: str) -> CohortDefinition:
    """Return a shipped cohort; raises InputError COHORT_UNKNOWN where there is none of that id."""
    found = shipped_cohorts().get(cohort_id)
    if found is None:
        raise InputError(Reason.COHORT_UNKNOWN, f"There is no such cohort; there are: {', '.join(shipped_cohorts())}.")
    return found
