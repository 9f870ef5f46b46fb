"""Giving back room: small files of the lake made into large ones, and files and rows that nothing needs deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.lake import Zone, ZoneName
from services.registry import Snapshot
from services.registry.archive import RegistryArchive
from services.store.stores import Tell

Zones = Mapping[ZoneName, Zone]


@dataclass(frozen=True)
class Kept:
    """What one store takes, in bytes, before and after; `files` is how many files of it were deleted."""

    store: str
    before_bytes: int
    after_bytes: int
    files: int

    @property
    def freed_bytes(self) -> int:
        """What the machine has got back; less than nothing while the files that were replaced still stand."""
        return self.before_bytes - self.after_bytes


def compact(zones: Zones, tell: Tell) -> list[Kept]:
    """Rewrite each table's small files as few large ones. No row changes, and everybody goes on meanwhile.

    The files that are replaced stand until a vacuum finds them old enough, so that room is taken first.
    """
    report = []
    for name, table, zone in _tables(zones):
        tell(f"compacting {name}/{table}")
        before = zone.size_bytes(table)
        zone.compact(table)
        report.append(Kept(f"{name}/{table}", before, zone.size_bytes(table), 0))
    return report


def vacuum(
    zones: Zones, registry: RegistryArchive, snapshots: list[Snapshot], older_than_h: int, tell: Tell
) -> list[Kept]:
    """Delete every file that neither a table's present state nor one of `snapshots` needs, and is older than that.

    Readers of those states go on meanwhile; a reader of a former version that began more than `older_than_h` hours ago
    may fail. The registry gives back the room of deleted rows; writers of an embedded one wait for that.
    """
    report = []
    for name, table, zone in _tables(zones):
        tell(f"vacuuming {name}/{table}")
        before = zone.size_bytes(table)
        named = [s.tables[table] for s in snapshots if table in s.tables] if name == "products" else []
        files = zone.vacuum(table, named, older_than_h)
        zone.expire_log(table)
        report.append(Kept(f"{name}/{table}", before, zone.size_bytes(table), files))
    tell("vacuuming the registry")
    before = registry.size_bytes()
    registry.vacuum()
    report.append(Kept("registry", before, registry.size_bytes(), 0))
    return report


def _tables(zones: Zones) -> list[tuple[ZoneName, str, Zone]]:
    return [(name, table, zone) for name, zone in zones.items() for table in zone.tables()]
