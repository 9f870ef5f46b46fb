"""What Alembic runs: migrations over the connection that `schema.py` hands over, within its transaction."""

from __future__ import annotations

from alembic import context

from services.registry.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most things in place
    transactional_ddl=True,
)
context.run_migrations()
