"""Every community. Shares are of the whole population, shaped after the 2021 census of Medway and Swale."""

from __future__ import annotations

from typing import Final

from linkage.synthesise.names import africa, asia, europe
from linkage.synthesise.names.community import Community

BRITISH: Final = Community(
    key="british",
    share=0.815,
    ethnic_category="A",
    men=(),
    women=(),
    surnames=(),
    middle_share=0.66,
    medway=0.92,
)
"""White British: names come from the cohort lists and the surname list with its tail."""

OTHERS: Final[tuple[Community, ...]] = (*europe.COMMUNITIES, *asia.COMMUNITIES, *africa.COMMUNITIES)
"""Communities other than the White British one; their shares and the British one's add up to about 1.

New ones go to the end of the list: people hold their community's number.
"""

COMMUNITIES: Final[tuple[Community, ...]] = (BRITISH, *OTHERS)
