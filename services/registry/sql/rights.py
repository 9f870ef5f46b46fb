"""Which tables each role may read and write: the separation of roles, held by PostgreSQL.

`python -m services.registry.sql.rights > deploy/postgresql/roles.sql` writes what operators apply. Landing has no role:
it does not open the registry. Backup, restore and migration run as the owner of the tables.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from services.registry.sql.tables import metadata

PREFIX: Final = "hwlink_"

_READ: Final = ("SELECT",)
_ADD: Final = ("SELECT", "INSERT")
_KEEP: Final = ("SELECT", "INSERT", "UPDATE")
_ALL: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
_QUEUE: Final = ("SELECT", "INSERT", "DELETE")
_APPEND_TO_CHAIN: Final = ("INSERT", "SELECT (serial, hash)")
"""Whoever is audited adds events and sees where the chain ends; nobody changes one, and only governance reads them."""

RIGHTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "ingest": {"streams": _KEEP, "stream_batches": _ADD, "stream_refusals": _KEEP, "source_fields": _KEEP},
    "matcher": {
        "models": _ADD,
        "shards": _ALL,
        "drifts": _KEEP,
        "adoptions": _READ,
        "leases": _ALL,
        "resolver_state": ("SELECT (position)",),
    },
    "resolver": {
        "resolver_state": _KEEP,
        "persons": _KEEP,
        "roster": _KEEP,
        "pairs": _QUEUE,
        "outbox": _QUEUE,
        "overrides": _READ,
        "models": ("SELECT", "UPDATE"),
        "shards": _ALL,
        "drifts": ("SELECT", "DELETE"),
        "adoptions": ("SELECT", "UPDATE"),
        "candidate_roster": _ALL,
        "candidate_pairs": _QUEUE,
        "candidate_moves": _QUEUE,
        "leases": _ALL,
        "audit": _APPEND_TO_CHAIN,
    },
    # The cohort side: who is in which person, and nothing of why. No token, claim, pair, weight or model document.
    "features": {
        "features_state": _KEEP,
        "snapshots": _ADD,
        "models": ("SELECT (model_id, active)",),
        "roster": ("SELECT (serial, source, subject_ref, person, link_probability)",),
        "persons": ("SELECT (serial, person_id)",),
        "resolver_state": ("SELECT (sequence)",),
    },
    "query": {"snapshots": _READ, "releases": _ADD, "audit": _APPEND_TO_CHAIN},
    "review": {
        "pairs": _READ,
        "roster": _READ,
        "persons": _READ,
        "overrides": _ADD,
        "models": _READ,
        "adoptions": _READ,
        "snapshots": _READ,
        "streams": _READ,
        "audit": _APPEND_TO_CHAIN,
    },
    # Operators and governance: how far everything is, adoption of models, and the audit; no pairs.
    "admin": {
        "streams": _READ,
        "stream_batches": _READ,
        "stream_refusals": _READ,
        "source_fields": _READ,
        "models": _ADD,
        "shards": ("SELECT", "UPDATE"),
        "drifts": ("SELECT", "DELETE"),
        "leases": _READ,
        "adoptions": _KEEP,
        "candidate_moves": ("SELECT", "DELETE"),
        "candidate_pairs": ("DELETE",),
        "candidate_roster": ("DELETE",),
        "resolver_state": _READ,
        "outbox": _READ,
        "roster": ("SELECT (serial, source, subject_ref, person)",),
        "persons": ("SELECT (serial, person_id)",),
        "features_state": _READ,
        "snapshots": _READ,
        "releases": _READ,
        "audit": _ADD,
    },
}
"""By role and table, what PostgreSQL lets it do, whole tables or columns. What stands here is all a role may do."""


def roles_sql() -> str:
    """Return the SQL that makes the roles and gives each its rights, and takes from it whatever else it had."""
    lines = [
        "-- Roles of the registry, and what each may do. Written by services/registry/sql/rights.py; do not edit.",
        "-- Apply as the owner of the tables after `hwlink store migrate`, again after each release:",
        "--   psql --single-transaction -v ON_ERROR_STOP=1 -f deploy/postgresql/roles.sql DATABASE",
        "-- Then make a login for each process, and grant it the role: CREATE ROLE kmpt_matcher LOGIN PASSWORD '...';",
        "-- GRANT hwlink_matcher TO kmpt_matcher. `hwlink serve review` needs hwlink_review and hwlink_admin.",
        "",
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC;",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
    ]
    for role, tables in RIGHTS.items():
        name = PREFIX + role
        lines += [
            "",
            f"DO $$ BEGIN CREATE ROLE {name} NOLOGIN; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;",
            f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name};",
            f"GRANT USAGE ON SCHEMA public TO {name};",
            f"GRANT SELECT ON alembic_version TO {name};",
        ]
        for table, rights in sorted(tables.items()):
            lines.append(f"GRANT {', '.join(rights)} ON {table} TO {name};")
            lines += [f"GRANT USAGE ON SEQUENCE {s} TO {name};" for s in _sequences(table) if "INSERT" in rights]
    return "\n".join(lines) + "\n"


def _sequences(table: str) -> list[str]:
    """Return the sequences from which PostgreSQL numbers a table's rows."""
    column = metadata.tables[table].autoincrement_column
    return [] if column is None else [f"{table}_{column.name}_seq"]


if __name__ == "__main__":
    sys.stdout.write(roles_sql())
