"""A backup while everything runs: what is known first, what it is known about afterwards.

The registry is read in one state. Whatever that state names was on the bus before, and stays there for days, so the
lake, the keys and (where it is embedded) the bus are copied after it: they hold all of it, and something newer, which
is dealt with again after a restore. `decisions/0001` walks through it.
"""

from __future__ import annotations

import errno
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from schemas.errors import InputError, Reason, StateError, TransientError
from schemas.topics import CONTENT, INTERNAL, PERSONS, SUBJECTS, Topic
from services.bus import Bus, TopicPartition
from services.registry import PublishedTransaction
from services.store import manifest
from services.store.manifest import Manifest
from services.store.stores import Stores, Tell

KEPT_SNAPSHOTS: Final = 10
"""Published snapshots whose tables stay readable through backups and vacuums, the newest ones."""

LANDING: Final[Mapping[str, tuple[Topic, ...]]] = {
    "landing-linkage": (SUBJECTS,),
    "landing-content": tuple(CONTENT.values()),
}
_POLL_S: Final = 0.25
_PERSONS_POLL_S: Final = 10.0
_SENT: Final = pl.Schema({"sequence": pl.Int64(), "payload": pl.Binary(), "events": pl.String(), "changes": pl.Int64()})


def back_up(stores: Stores, folder: Path, tell: Tell, wait_s: float = 60.0) -> Manifest:
    """Write a backup of everything to a new or empty folder, and return its manifest.

    Nothing stops meanwhile. Raises InputError OPTION_INVALID when the folder holds something, StateError STORE_MISSING
    when it cannot be written, TransientError UNAVAILABLE when it is full; nothing of a failed backup stays.
    TransientError DEADLINE when landing on a bus of its own servers is not up to date within `wait_s`.
    """
    with _folder(folder), closing(stores.open_bus()) as bus:
        taken_at_ms = time.time_ns() // 1_000_000
        tell("reading the registry")
        archived = stores.registry.dump(folder / manifest.REGISTRY)
        _unread(bus, folder).write_parquet(folder / manifest.PERSONS)
        if stores.bus_file is None:
            _await_landing(bus, time.monotonic() + wait_s)
        lake: dict[str, dict[str, int]] = {}
        for name, zone in stores.zones.items():
            lake[name] = {}
            for table in zone.tables():
                tell(f"copying {name}/{table}")
                kept = snapshot_versions(folder / manifest.REGISTRY, table) if name == "products" else []
                lake[name][table] = zone.copy(table, kept, folder / manifest.LAKE / name / table)
        if stores.keys.is_dir():
            shutil.copytree(stores.keys, folder / manifest.KEYS)
        positions = _positions(bus)
        if stores.bus_file is not None:
            tell("copying the bus")
            stores.bus_file.copy(stores.bus_file.path, folder / manifest.BUS)
        tell("checking")
        made = Manifest(
            taken_at_ms=taken_at_ms,
            revision=archived.revision,
            rows=dict(archived.rows),
            lake=lake,
            bus=positions,
            bus_file=stores.bus_file is not None,
            files=manifest.fingerprints(folder),
        )
        manifest.write(folder, made)
    return made


def snapshot_versions(registry: Path, table: str) -> list[int]:
    """Return the versions of a table of the products zone that the newest snapshots of a registry's files name."""
    held = pl.read_parquet(registry / "snapshots.parquet", columns=["serial", "tables"])
    newest = held.sort("serial", descending=True).head(KEPT_SNAPSHOTS)["tables"]
    return [version for text in newest for name, version in json.loads(text).items() if name == table]


def unread(folder: Path) -> tuple[PublishedTransaction, ...]:
    """Return the transactions of a backup that its feature builder had not taken in."""
    return tuple(PublishedTransaction(*row) for row in pl.read_parquet(folder / manifest.PERSONS).rows())


def _unread(bus: Bus, folder: Path) -> pl.DataFrame:
    """Return the transactions between the feature builder's sequence and the resolver's, which the topic holds.

    Those that the resolver has still to publish are in its outbox.
    """
    registry = folder / manifest.REGISTRY
    built = pl.read_parquet(registry / "features_state.parquet")
    resolved = pl.read_parquet(registry / "resolver_state.parquet")
    heard = built["sequence"].item() if built.height else 0
    until = resolved["relayed"].item() if resolved.height else 0
    position = json.loads(built["position"].item()) if built.height else {}
    found: list[tuple[int, bytes | None, str, int]] = []
    with closing(bus.consumer("store-backup", [PERSONS])) as consumer:
        begins = bus.begin_offsets(PERSONS)
        consumer.seek({p: max(begins[p], position.get(f"{p.topic}-{p.partition}", 0)) for p in consumer.position()})
        reached = heard
        while reached < until:
            messages = consumer.poll(500, _PERSONS_POLL_S)
            if not messages:
                raise TransientError(
                    Reason.UNAVAILABLE, f"{PERSONS.name} does not give what the registry says it holds; try again."
                )
            for message in messages:
                reached = int(message.headers["sequence"])
                if heard < reached <= until:
                    events, rows = message.headers.get("events", "[]"), int(message.headers.get("rows", "0"))
                    found.append((reached, message.value, events, rows))
    sent = pl.DataFrame(found, schema=_SENT, orient="row").unique("sequence").sort("sequence")
    if sent.height != until - heard:
        raise StateError(
            Reason.NOT_RECONCILED,
            f"Retention took transactions of {PERSONS.name} before the features role read them; start it, wait until "
            "`hwlink doctor` shows that it has caught up, and take the backup then.",
        )
    return sent


def _await_landing(bus: Bus, deadline: float) -> None:
    """Wait until what was on the ingest topics is in the lake.

    So that nothing that has a receipt in the registry's copy is missing in that of the lake.
    """
    ends = {group: _ends(bus, topics) for group, topics in LANDING.items()}
    while not all(
        bus.committed(group, topic)[place] >= end
        for group, topics in LANDING.items()
        for topic in topics
        for place, end in ends[group].items()
        if place.topic == topic.name
    ):
        if time.monotonic() >= deadline:
            raise TransientError(
                Reason.DEADLINE,
                "Landing is behind what was received; see that `hwlink serve landing` runs, and try again, or wait "
                "longer with --wait.",
            )
        time.sleep(_POLL_S)


def _ends(bus: Bus, topics: tuple[Topic, ...]) -> dict[TopicPartition, int]:
    return {place: end for topic in topics for place, end in bus.end_offsets(topic).items()}


def _positions(bus: Bus) -> dict[str, dict[str, int]]:
    """Return the topics' ends and landing's positions; those of the other roles are in the registry."""
    found = {"ends": _named(_ends(bus, tuple(INTERNAL)))}
    for group, topics in LANDING.items():
        found[group] = _named({p: at for topic in topics for p, at in bus.committed(group, topic).items()})
    return found


def _named(places: Mapping[TopicPartition, int]) -> dict[str, int]:
    return {f"{place.topic}-{place.partition}": offset for place, offset in places.items()}


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """Make the folder, and take back what was put there when something fails, an OSError as one of ours."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = next(folder.iterdir(), None)
    except OSError:
        raise _unwritable() from None
    if held is not None:
        raise InputError(Reason.OPTION_INVALID, "The folder holds something already; give a new one for each backup.")
    try:
        yield
    except BaseException as failure:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if isinstance(failure, OSError | pl.exceptions.ComputeError):
            raise _failed(failure) from None
        raise


def _failed(failure: Exception) -> StateError | TransientError:
    if isinstance(failure, OSError) and failure.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return _unwritable()
    return TransientError(
        Reason.UNAVAILABLE,
        "The backup could not be written: the disk is full, or failed. Nothing of it was kept; make room, or give a "
        "folder on another disk.",
    )


def _unwritable() -> StateError:
    return StateError(
        Reason.STORE_MISSING, "The backup's folder cannot be made or written; check the path and its permissions."
    )
