"""What a purpose may ask: features by their class, cohorts by their outputs, places that there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from linkage.cohorts import Selection, select
from linkage.cohorts.nodes import Among, Every, Node, Some
from linkage.features import feature
from schemas.cohort_documents import guards
from schemas.cohorts import CohortDefinition
from schemas.errors import InputError, PolicyError, Reason
from schemas.features import FeatureDefinition, FeatureOutput
from schemas.purposes import Output, Purpose
from services.query.states import State


def permit(asking: Purpose, used: FeatureDefinition) -> None:
    """Raise PolicyError PURPOSE_NOT_PERMITTED unless the purpose may use the feature."""
    if used.sensitivity not in asking.sensitivities:
        raise PolicyError(
            Reason.PURPOSE_NOT_PERMITTED,
            f"Purpose {asking.purpose_id} may not use {used.name}, which is of class {used.sensitivity}.",
        )


def may_ask(asking: Purpose, cohort: CohortDefinition) -> bool:
    """Return whether the purpose may use every feature of a cohort, and gets some output that it gives.

    One that answers nobody is shown with the others, for what it says.
    """
    used = {found.sensitivity for found in select(cohort).features}
    return used <= set(asking.sensitivities) and (bool(set(cohort.outputs) & set(asking.outputs)) or not cohort.outputs)


def cohort_for(cohorts: Mapping[str, CohortDefinition], cohort_id: str, output: Output) -> CohortDefinition | None:
    """Return the cohort of an id, None for no id.

    Raises InputError COHORT_UNKNOWN, or PolicyError when it does not give the output: DISCLOSURE_RISK with the rule
    that the cohort states, else PURPOSE_NOT_PERMITTED.
    """
    if not cohort_id:
        return None
    found = cohorts.get(cohort_id)
    if found is None:
        raise InputError(Reason.COHORT_UNKNOWN, f"There is no such cohort; there are: {', '.join(sorted(cohorts))}.")
    if output not in found.outputs and found.refusal:
        raise PolicyError(Reason.DISCLOSURE_RISK, f"Cohort {found.cohort_id} gives no {output}. {found.refusal}")
    if output not in found.outputs:
        raise PolicyError(
            Reason.PURPOSE_NOT_PERMITTED,
            f"Cohort {found.cohort_id} gives no {output}; it gives: {', '.join(found.outputs)}.",
        )
    return found


def obey_rules(cohorts: Mapping[str, CohortDefinition], cohort_id: str, features: Iterable[FeatureDefinition]) -> None:
    """Raise PolicyError DISCLOSURE_RISK unless people of a cohort may be narrowed, counted or shown by `features`.

    `features` are those that a question adds to the cohort's own. A guarded one is asked of only through its cohort.
    """
    guarding = guards(cohorts)
    asked = cohorts.get(cohort_id)
    for used in features:
        guard = guarding.get(used.name)
        if guard is not None and guard is not asked:
            raise PolicyError(
                Reason.DISCLOSURE_RISK,
                f"{used.name} is asked of only through cohort {guard.cohort_id}. {guard.refusal}",
            )
        if asked is not None and asked.dimensions is not None and used.name not in asked.dimensions:
            raise PolicyError(
                Reason.DISCLOSURE_RISK,
                f"Cohort {asked.cohort_id} is not told by {used.name}, only by: "
                f"{', '.join(asked.dimensions) or 'nothing'}. {asked.refusal}",
            )


def dimensions_for(names: Sequence[str], asking: Purpose, most: int) -> list[FeatureDefinition]:
    """Return the features to count by; raises InputError OPTION_INVALID or FEATURE_UNKNOWN, or as `permit`."""
    if not 1 <= len(names) <= most or len(set(names)) != len(names):
        raise InputError(Reason.OPTION_INVALID, f"A table has one to {most} different dimensions; name that many.")
    found = [feature(name) for name in names]
    for dimension in found:
        permit(asking, dimension)
        if FeatureOutput.TABLE not in dimension.outputs:
            raise InputError(Reason.OPTION_INVALID, f"{dimension.name} is no dimension; choose another feature.")
    return found


def refuse_large_table(state: State, dimensions: Sequence[FeatureDefinition], largest: int) -> None:
    """Raise InputError OPTION_INVALID when a table would have more than `largest` entries, margins included."""
    if int(np.prod([state.dimension(d).width + 1 for d in dimensions])) > largest:
        raise InputError(
            Reason.OPTION_INVALID, f"The table would have more than {largest} cells; leave a dimension out."
        )


def refuse_unknown_places(state: State, selection: Selection) -> None:
    """Raise InputError FILTER_FORBIDDEN for a value that no place of the snapshot has.

    It is a slip, or a text that has no business in ledger and audit.
    """
    for node in (selection.members, selection.denominator, selection.excluded):
        for leaf in _leaves(node):
            if not leaf.feature.values and not set(leaf.values) <= set(state.values(leaf.feature)):
                raise InputError(
                    Reason.FILTER_FORBIDDEN,
                    f"The filter compares {leaf.feature.name} with a value that it never has in this snapshot; "
                    f"a table by {leaf.feature.name} shows which there are.",
                )


def _leaves(node: Node) -> list[Among]:
    if isinstance(node, Every | Some):
        return [leaf for part in node.parts for leaf in _leaves(part)]
    return [node] if isinstance(node, Among) and any(isinstance(value, str) for value in node.values) else []
