"""A restore: everything back into empty stores, and then the registry, which is told what has passed since."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from schemas.errors import InputError, Reason, TransientError
from schemas.topics import PERSONS
from services.registry.archive import Aftermath, Archived
from services.store import manifest
from services.store.backup import unread
from services.store.manifest import Manifest
from services.store.stores import Stores, Tell

LEAST_JUMP: Final = 1_000
"""What epochs and revisions rise by at least, should the clock have been put back since the backup."""


def restore(stores: Stores, folder: Path, tell: Tell) -> Manifest:
    """Put a backup into empty stores and bring it to this version of hwlink; return its manifest.

    Person ids, decisions of reviewers and the audit are as they were. No role may run. Raises what `manifest.read`
    does, InputError OPTION_INVALID when a store is not empty, StateError STORE_VERSION for a backup of a later version.
    TransientError
    UNAVAILABLE when there is no room. Whatever fails, the stores are empty again.
    """
    tell("checking the backup")
    made = manifest.read(folder)
    stores.registry.refuse_later(made.revision)
    stores.registry.refuse_unless_empty()
    _refuse_unless_empty(stores, made)
    with _our_errors(), ExitStack() as undo:
        for name, tables in made.lake.items():
            zone = next(zone for zone_name, zone in stores.zones.items() if zone_name == name)
            for table in tables:
                tell(f"restoring {name}/{table}")
                undo.callback(zone.drop, table)
                zone.put(table, folder / manifest.LAKE / name / table)
        if (folder / manifest.KEYS).is_dir():
            undo.callback(shutil.rmtree, stores.keys, ignore_errors=True)
            shutil.copytree(folder / manifest.KEYS, stores.keys, dirs_exist_ok=True)
        if stores.bus_file is not None and made.bus_file:
            undo.callback(stores.bus_file.path.unlink, missing_ok=True)
            stores.bus_file.path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / manifest.BUS, stores.bus_file.path)
            stores.bus_file.path.chmod(0o600)
        with closing(stores.open_bus()) as bus:
            ends = {f"{p.topic}-{p.partition}": end for p, end in bus.end_offsets(PERSONS).items()}
        tell("restoring the registry")
        undo.callback(stores.registry.clear)
        # Nothing is claimed or published more often than once in a millisecond.
        jump = max(LEAST_JUMP, time.time_ns() // 1_000_000 - made.taken_at_ms)
        archived = Archived(made.revision, made.rows)
        stores.registry.load(folder / manifest.REGISTRY, archived, Aftermath(jump, ends, unread(folder)))
        undo.pop_all()
    return made


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except OSError:
        raise TransientError(
            Reason.UNAVAILABLE,
            "The backup could not be restored: the disk is full, cannot be written, or failed. The stores are empty "
            "again; make room, check permissions, and try again.",
        ) from None


def _refuse_unless_empty(stores: Stores, made: Manifest) -> None:
    if stores.bus_file is not None and not made.bus_file:
        raise InputError(
            Reason.OPTION_INVALID,
            "This is a backup of a deployment whose bus is Kafka; set HWLINK_BUS_URL to that bus.",
        )
    kept: list[str] = [name for name, zone in stores.zones.items() if zone.tables()]
    if stores.keys.is_dir() and any(stores.keys.iterdir()):
        kept.append("keys")
    if stores.bus_file is not None and stores.bus_file.path.exists():
        kept.append("bus")
    if kept:
        raise InputError(
            Reason.OPTION_INVALID,
            f"There is something already: {', '.join(kept)}. Restore into an empty HWLINK_DATA_DIR, and let no role "
            "run before.",
        )
