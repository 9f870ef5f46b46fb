"""The registry: small, transactional state that roles keep: streams, shards, roster, links, persons, snapshots, audit.

The port, one protocol a role, so that each role can be given only its own tables. The adapter is SQLAlchemy Core
(`services/registry/sql`), SQLite embedded and PostgreSQL in production, with one schema under Alembic.
One contract suite, `tests/contract/test_registry.py`, runs over all adapters.
"""

from __future__ import annotations

from typing import Protocol

from services.registry.adoption import AdoptionRegistry
from services.registry.features import FeaturesRegistry, Snapshot
from services.registry.ingest import IngestRegistry, RecordedBatch, StreamRow
from services.registry.leases import LeaseRegistry
from services.registry.matcher import MatcherRegistry, Shard
from services.registry.query import AuditEvent, QueryRegistry
from services.registry.resolver import (
    MATCH_SUM_COLUMNS,
    OVERRIDE_COLUMNS,
    PAIR_COLUMNS,
    SUBJECT_COLUMNS,
    LinkageSummary,
    Neighbourhood,
    PublishedTransaction,
    ResolverChange,
    ResolverRegistry,
    ResolverState,
)
from services.registry.review import ReviewRegistry

__all__ = [
    "MATCH_SUM_COLUMNS",
    "OVERRIDE_COLUMNS",
    "PAIR_COLUMNS",
    "SUBJECT_COLUMNS",
    "AuditEvent",
    "FeaturesRegistry",
    "IngestRegistry",
    "LeaseRegistry",
    "LinkageSummary",
    "MatcherRegistry",
    "Neighbourhood",
    "PublishedTransaction",
    "QueryRegistry",
    "RecordedBatch",
    "Registry",
    "ResolverChange",
    "ResolverRegistry",
    "ResolverState",
    "ReviewRegistry",
    "Shard",
    "Snapshot",
    "StreamRow",
]


class Registry(Protocol):
    """All of the registry, as an adapter opens it. Wiring hands each role its own part only."""

    @property
    def ingest(self) -> IngestRegistry:
        """What ingest keeps."""
        ...

    @property
    def matcher(self) -> MatcherRegistry:
        """What the matcher keeps."""
        ...

    @property
    def resolver(self) -> ResolverRegistry:
        """What the resolver keeps."""
        ...

    @property
    def features(self) -> FeaturesRegistry:
        """What the feature builder keeps."""
        ...

    @property
    def query(self) -> QueryRegistry:
        """What query and governance keep."""
        ...

    @property
    def review(self) -> ReviewRegistry:
        """What review keeps."""
        ...

    @property
    def adoptions(self) -> AdoptionRegistry:
        """What is kept of a model that is being adopted."""
        ...

    @property
    def leases(self) -> LeaseRegistry:
        """Which processes of a role are alive."""
        ...

    def close(self) -> None:
        """Release what the registry holds."""
        ...
