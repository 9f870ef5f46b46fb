"""The schema's version: made new, checked on opening, moved on by `migrate`. Migrations ship inside this package."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from schemas.errors import Reason, StateError
from services.registry.sql.database import Database, take_turn

MIGRATIONS: Final = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def newest() -> str:
    """Return the revision that this version of hwlink works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None  # noqa: S101 - the package ships at least one migration
    return head


def known() -> set[str]:
    """Return every revision that this version of hwlink can bring up to date, the newest one too."""
    return {step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()}


def upgrade(connection: Connection, revision: str) -> None:
    """Bring the tables to a revision (`head` for the newest) within the caller's transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")  # an index on a large table takes its time
    command.upgrade(_config(connection), revision)


def refuse_another_version(database: Database) -> None:
    """Raise StateError STORE_VERSION when the tables are not of the newest version."""
    with database.reading() as connection:
        if _revision(connection) != newest():
            raise _another_version()


def prepare(database: Database) -> None:
    """Make the tables of an empty database; raise StateError STORE_VERSION when it holds another version."""
    with database.reading() as connection:
        if _revision(connection) == newest():
            return
    with database.writing() as connection:  # looked at again: another process may have made it meanwhile
        take_turn(connection, "schema")
        revision = _revision(connection)
        if revision is None and not inspect(connection).get_table_names():
            upgrade(connection, "head")
        elif revision != newest():
            raise _another_version()


def migrate(database: Database) -> bool:
    """Bring the tables to the newest version; return whether anything was done.

    Raises StateError STORE_VERSION for a database that is no registry, or that a later version of hwlink has written.
    """
    with database.writing() as connection:
        take_turn(connection, "schema")
        revision = _revision(connection)
        if revision == newest():
            return False
        if revision not in known() and not (revision is None and not inspect(connection).get_table_names()):
            raise StateError(
                Reason.STORE_VERSION,
                "This version of hwlink cannot bring that database up to date; install the newer version that "
                "wrote it, or check the registry URL.",
            )
        upgrade(connection, "head")
        return True


def _another_version() -> StateError:
    return StateError(
        Reason.STORE_VERSION,
        "Another version of hwlink wrote the registry; stop every role and run `hwlink store migrate`.",
    )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
