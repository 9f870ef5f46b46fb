"""The reference store: published tables, imported once, checked, versioned, and read by whoever needs them."""

from __future__ import annotations

from services.reference.store import Reference, import_table, open_store

__all__ = ["Reference", "import_table", "open_store"]
