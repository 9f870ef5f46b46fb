"""The catalogue of features: every entry with all that it says of itself, by group, from the registry alone."""

from __future__ import annotations

from typing import Final

from linkage.features.groups import GROUPS
from schemas.features import FeatureDefinition, FeatureType

PATH: Final = "linkage/features/CATALOGUE.md"
_HEAD: Final = """# Catalogue of features

Generated from the registry by `python -m services.generate`: edit the entries, not this file. `hwlink query
features` lists those that may leave.

Each feature has three states: a value; a true negative (`false`, 0, a value such as `none`); and unknown, never told
as a negative. `covered by` names the facts of which one has to be delivered for the absence of any to count as one.
[K] in a definition marks what is configuration and not confirmed from a source. A household feature names its basis.
"""


def catalogue() -> dict[str, str]:
    """Return the catalogue's text by its path relative to the checkout."""
    parts = [_HEAD]
    for group in GROUPS:
        parts.append(f"## {group.name}\n\n{group.summary.strip()}\n")
        parts.extend(_entry(entry) for entry in group.entries)
    return {PATH: "\n".join(parts)}


def _entry(entry: FeatureDefinition) -> str:
    facts = {
        "values": _values(entry),
        "unknown when": entry.unknown_when,
        "sources": ", ".join(feed.value for feed in entry.sources),
        "covered by": ", ".join(f"`{fact}`" for fact in entry.covered_by),
        "look-back": f"{entry.look_back_months} months" if entry.look_back_months else "",
        "reference": f"`{entry.reference}`" if entry.reference else "",
        "Marmot domain": entry.marmot_domain.value if entry.marmot_domain else "",
        "household": entry.household_basis.value if entry.household_basis else "",
        "sensitivity": entry.sensitivity.value + (", quasi-identifier" if entry.quasi_identifier else ""),
        "goes to": ", ".join(output.value for output in entry.outputs) or "nowhere: internal",
    }
    lines = [f"- {name}: {text}" for name, text in facts.items() if text]
    return "\n".join([f"### `{entry.name}`", "", entry.definition, "", *lines, ""])


def _values(entry: FeatureDefinition) -> str:
    if entry.type is FeatureType.BOOLEAN:
        return "true, false"
    if entry.values:
        listed = ", ".join(f"`{value}`" for value in entry.values)
        return f"{listed}{', in this order' * entry.ordered}"
    if entry.bands:
        return f"a whole number, filtered and tabulated in bands: {', '.join(entry.bands)}"
    if entry.type is FeatureType.CATEGORY:
        return "as the reference data or the source names them"
    return "a number"
