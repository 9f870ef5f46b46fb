"""What entries of health groups have in common: sources, sensitivity, and when they are unknown."""

from __future__ import annotations

from typing import Final

from schemas.contracts.base import Feed
from schemas.features import MarmotDomain, Sensitivity

UNLINKED: Final = "no subject of the person is in a health source that delivers these facts"
"""For facts of lists that hold everybody: registers, measurements, screening, searches."""
EVENTLESS: Final = "the person is in no health source, or no source delivers facts of this kind"
"""For facts of files that hold nobody without an event: hospital, community, social care."""


def health(facts: tuple[str, ...], **more: object) -> dict[str, object]:
    """Return the fields of an entry from health facts that `facts` names; `more` adds to them or overrides them."""
    return {
        "sources": (Feed.HEALTH,),
        "sensitivity": Sensitivity.SPECIAL_CATEGORY,
        "marmot_domain": MarmotDomain.PREVENTION,
        "covered_by": facts,
        "unknown_when": UNLINKED,
        **more,
    }
