"""What a deployment consists of, as backups see it. `services.cli.store` puts it together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.bus import Bus
from services.lake import Zone, ZoneName
from services.registry.archive import RegistryArchive

Tell = Callable[[str], None]
"""Told what is being done, in a few words."""


@dataclass(frozen=True)
class BusFile:
    """The file of an embedded bus, and what writes a copy of it as it stands at one moment."""

    path: Path
    copy: Callable[[Path, Path], None]


@dataclass(frozen=True)
class Stores:
    """All that is kept. `bus_file` is None for a bus that other servers keep; `open_bus` makes an embedded one."""

    registry: RegistryArchive
    zones: Mapping[ZoneName, Zone]
    keys: Path
    open_bus: Callable[[], Bus]
    bus_file: BusFile | None
