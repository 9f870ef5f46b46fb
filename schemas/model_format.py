"""The shape of a model document, and how a document of an earlier shape becomes one of today's.

One step for each version, from a document of that version to one of the next, over plain JSON values. A step is never
changed once it was released: documents in registries and linkage zones are years old. Whoever changes the shape raises
`FORMAT_VERSION`, adds a step, and commits a document of the version before for the tests; where no step can tell what a
document would have held, its version leaves `STEPS`, and such documents are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from schemas.errors import InputError, Reason

FORMAT_VERSION: Final = 2
"""Version 2 names the levels that `m` and `u` follow, so that a change of the levels shows."""

_ADDRESS: Final = ("same", "close", "similar", "different", "unknown")
_POSTCODE: Final = ("same", "outcode", "different", "unknown")
_LEVELS_OF_VERSION_1: Final[dict[str, tuple[str, ...]]] = {
    "forename": (
        "exact",
        "nickname",
        "close",
        "phonetic",
        "similar",
        "faint",
        "different",
        "swapped",
        "half_swapped",
        "middle",
    ),
    "surname": ("exact", "close", "phonetic", "similar", "faint", "different"),
    "middle_names": ("exact", "different"),
    "date_of_birth": (
        "exact_same_sex",
        "exact",
        "exact_other_sex",
        "swapped",
        "year_month",
        "year_day",
        "month_day",
        "different",
        "unseen",
    ),
    "home": tuple(f"address_{a}_postcode_{p}" for a in _ADDRESS for p in _POSTCODE)[:-1],
    "nhs_number": ("exact", "different"),
    "nino": ("exact", "different"),
}
"""The levels of version 1, for good: they must not follow `schemas.model.COMPARISONS` when that changes."""

Document = dict[str, Any]


def _with_named_levels(document: Document) -> Document:
    named = [{**c, "levels": list(_LEVELS_OF_VERSION_1.get(c["name"], ()))} for c in document["comparisons"]]
    return {**document, "comparisons": named}


STEPS: Final[Mapping[int, Callable[[Document], Document]]] = {1: _with_named_levels}
"""For each earlier version the step to the next."""


def upgraded(
    document: Document, steps: Mapping[int, Callable[[Document], Document]] = STEPS, newest: int = FORMAT_VERSION
) -> Document:
    """Return the document in the shape of version `newest`; it keeps its id, since it is the same model.

    Raises InputError FIELD_INVALID for a version without a step, and for one that a later release has written.
    """
    version = document.get("format_version", 1)
    if not isinstance(version, int) or version > newest:
        raise InputError(
            Reason.FIELD_INVALID,
            f"The model document is of a later format than {newest}, which this release reads. Install the release "
            "that wrote it, or fit a model with `hwlink model fit`.",
        )
    while version < newest:
        step = steps.get(version)
        if step is None:
            raise InputError(
                Reason.FIELD_INVALID,
                f"The model document is of format {version}, which cannot be brought to format {newest}. "
                "Fit it again with `hwlink model fit`.",
            )
        try:
            document = step(document)
        except (KeyError, TypeError, AttributeError):
            raise InputError(
                Reason.FIELD_INVALID,
                f"The model document is no whole document of format {version}. Fit it again with `hwlink model fit`.",
            ) from None
        version += 1
        document = {**document, "format_version": version}
    return document
