"""Communities: what people of one background call their children, and how concentrated those names are.

Shares are of the whole population, shaped after the 2021 census of Medway and Swale; names are written for this
generator. A community is about names, not about persons' worth: it exists because linkage errs more where few
surnames are shared by many, where names are transliterated, and where birthdays were set to 1 January on arrival.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Community:
    """One naming community.

    `concentration` is the exponent of the Zipf law of its surnames (higher: fewer surnames for more people),
    `tail_share` the share of families with a surname put together from `stems` and `endings`. `new_year` is the
    share of adults born abroad whose official birthday is 1 January. `deprivation` and `medway` tilt where the
    community lives (1 = no tilt). `woman_surnames` replace the family's for `woman_surname_share` of its women.
    """

    key: str
    share: float
    ethnic_category: str
    men: tuple[str, ...]
    women: tuple[str, ...]
    surnames: tuple[str, ...]
    stems: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    concentration: float = 0.8
    tail_share: float = 0.3
    new_year: float = 0.0
    deprivation: float = 1.0
    medway: float = 1.0
    woman_surnames: tuple[str, ...] = ()
    woman_surname_share: float = 0.0
    gendered_endings: tuple[tuple[str, str], ...] = ()
    variant_factor: float = 1.0
    swap_factor: float = 1.0
    middle_share: float = 0.3
