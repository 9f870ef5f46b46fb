"""Made-up people in the shape of Medway and Swale, as a health file, a welfare file and the truth between them.

Pure and seeded: the same arguments give the same frames. Every identifier lies in a range that no real person can
have.
"""

from linkage.synthesise.feeds import SOURCES, Feeds, feeds
from linkage.synthesise.population import HEALTH_COLUMNS, WELFARE_COLUMNS, Population, population
from linkage.synthesise.rates import ErrorRates
from linkage.synthesise.world import REFERENCE_DATE

__all__ = [
    "HEALTH_COLUMNS",
    "REFERENCE_DATE",
    "SOURCES",
    "WELFARE_COLUMNS",
    "ErrorRates",
    "Feeds",
    "Population",
    "feeds",
    "population",
]
