"""The registry over SQL: SQLite in a file by default, PostgreSQL in production, one schema for both."""

from __future__ import annotations

from services.registry.sql import schema
from services.registry.sql.adoption import SqlAdoptionRegistry
from services.registry.sql.database import BUSY_TIMEOUT_S, Database
from services.registry.sql.features import SqlFeaturesRegistry
from services.registry.sql.ingest import SqlIngestRegistry
from services.registry.sql.leases import SqlLeaseRegistry
from services.registry.sql.matcher import SqlMatcherRegistry
from services.registry.sql.query import SqlQueryRegistry
from services.registry.sql.resolver import SqlResolverRegistry
from services.registry.sql.review import SqlReviewRegistry


class SqlRegistry:
    """Every part of the registry over one database: `services.registry.Registry`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.ingest = SqlIngestRegistry(database)
        self.matcher = SqlMatcherRegistry(database)
        self.resolver = SqlResolverRegistry(database)
        self.features = SqlFeaturesRegistry(database)
        self.query = SqlQueryRegistry(database)
        self.review = SqlReviewRegistry(database)
        self.adoptions = SqlAdoptionRegistry(database)
        self.leases = SqlLeaseRegistry(database)

    def close(self) -> None:
        """Release the database's connections. Idempotent."""
        self._database.close()


def open_registry(url: str, busy_timeout_s: float = BUSY_TIMEOUT_S) -> SqlRegistry:
    """Open the registry at a SQLAlchemy URL; an empty database gets its tables.

    Raises StateError STORE_VERSION when its tables are of another version (`migrate` brings older ones up to date), and
    InputError OPTION_INVALID for a URL that names no registry.
    """
    database = Database(url, busy_timeout_s)
    try:
        schema.prepare(database)
    except BaseException:
        database.close()
        raise
    return SqlRegistry(database)


def migrate(url: str) -> bool:
    """Bring the registry's tables to this version of hwlink; return whether anything was done."""
    database = Database(url)
    try:
        return schema.migrate(database)
    finally:
        database.close()
