"""All feeds of one made-up population: the clear records of every source, with their facts, and who is who.

The people are those of `linkage.synthesise.population` with the same arguments. Each source writes them down on its
own, and what the sources say of one person follows from one life.
"""

from linkage.synthesise.feeds.sources import HEALTH_SOURCES, SOURCES, WELFARE_SOURCES, Feeds, feeds

__all__ = ["HEALTH_SOURCES", "SOURCES", "WELFARE_SOURCES", "Feeds", "feeds"]
