"""Backup, restore, compaction and vacuum of stores that nothing is running on, and the errors of bad cases."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from sqlalchemy import select
from typer.testing import CliRunner

from schemas.errors import HwlinkError, Reason
from schemas.topics import PERSONS
from services.bootstrap import open_bus, open_registry, open_zone
from services.bus import Outgoing
from services.cli.store import open_stores, register
from services.consumers import ConsumerKeys
from services.registry import AuditEvent, PublishedTransaction, ResolverChange, Snapshot
from services.registry.chain import first_break
from services.registry.resolver import PAIR_COLUMNS, SUBJECT_COLUMNS
from services.registry.sql.database import Database
from services.registry.sql.tables import metadata
from services.settings import Settings, read_settings
from services.store import upkeep
from services.store.backup import back_up
from services.store.manifest import fingerprints
from services.store.restore import restore

EVENT = AuditEvent("a", "p", "act", "done", {"n": "1"})


def told(_: str) -> None:
    """Hear what is being done."""


def settings_in(folder: Path, registry_url: str = "") -> Settings:
    given = {"HWLINK_DATA_DIR": str(folder)} | ({"HWLINK_REGISTRY_URL": registry_url} if registry_url else {})
    return read_settings(given)


def fill(settings: Settings) -> None:
    """Put something into every store: among it, a transaction that features has still to read."""
    with closing(open_registry(settings)) as registry, closing(open_bus(settings)) as bus:
        registry.ingest.open_stream("s", "a.one", "health", '{"\u00e9":1}')
        registry.ingest.record_batch("s", 0, "d", accepted=3, refused={"FIELD_INVALID": 1}, fields={"token_nino": 2})
        registry.matcher.adopt_first_model("m", "{}")
        shard = registry.matcher.claim_shard("m", 0, "w")
        registry.matcher.advance_shard("m", 0, shard.epoch, {}, {"t-0": 3}, {"a.one": "[]"})
        state = registry.resolver.claim("r")
        rows = [
            (1, "a.one", "x", 1, False, -(2**63), True, b"\x00\xff", 1, 1, None),
            (2, "a.one", "", 1, True, 0, True, None, 1, None, 0.1),
        ]
        subjects = pl.DataFrame(rows, SUBJECT_COLUMNS, orient="row")
        pairs = pl.DataFrame(
            [(1, 2, 1, 1, 0, 2**63 - 1, 7, 0.1, -1e300, None, "m", 0, 0.5, "review")], PAIR_COLUMNS, orient="row"
        )
        after = replace(state, sequence=2, position={"l-0": 4}, next_subject=3, next_person=2)
        registry.resolver.apply(
            ResolverChange(
                state,
                after,
                subjects,
                subjects.head(0),
                pairs.head(0).select("left_serial", "right_serial"),
                pairs,
                pl.DataFrame({"serial": [1], "person_id": ["1" * 32]}),
                pl.DataFrame(schema={"serial": pl.Int64, "superseded_by": pl.Int64}),
                PublishedTransaction(2, b"second", "[]", 1),
            )
        )
        with closing(bus.producer()) as producer:
            headers = {"kind": "transaction", "sequence": "1", "events": "[]", "rows": "1"}
            producer.send([Outgoing(PERSONS.name, 0, None, b"first", headers)])
        registry.resolver.mark_relayed(1)
        registry.review.override(1, 2, "must_link", EVENT)
        products = open_zone(settings, "products")
        frame = pl.DataFrame({"person_id": ["1" * 32], "n": [1]})
        versions = [products.replace("features", frame.with_columns(n=pl.lit(n)), {}) for n in range(3)]
        for n, version in enumerate(versions[:2]):
            snapshot = Snapshot(f"2026-01-01.{n + 1}", 1, date(2026, 1, 1), {"features": version}, "m", {}, "{}")
            registry.features.publish_snapshot(snapshot, {f"{PERSONS.name}-0": 0}, 0)
        registry.query.record_release("2026-01-01.1", "q", "d", EVENT)
    linkage = open_zone(settings, "linkage")
    for n in range(3):
        rows_of = pl.DataFrame({"ref": [f"r{n}"], "_topic": ["t"], "_partition": [0], "_offset": [n]})
        linkage.append("subjects", rows_of, {"t-0": n})
    ConsumerKeys(settings.data_dir / "keys").key("phm")


def contents(settings: Settings) -> dict[str, list[Any]]:
    """Return all rows of all tables, less what a restore changes by design."""
    with closing(Database(settings.registry_url)) as database, database.reading() as connection:
        found = {t.name: [dict(r) for r in connection.execute(select(t)).mappings()] for t in metadata.sorted_tables}
    for table, names in {
        "shards": ("epoch", "owner"),
        "resolver_state": ("epoch", "owner", "relayed"),
        "features_state": ("position", "revision"),
    }.items():
        for row in found[table]:
            for name in names:
                del row[name]
    del found["outbox"], found["leases"]
    return {name: sorted(rows, key=str) for name, rows in found.items()}


@pytest.fixture
def filled(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path / "data")
    fill(settings)
    return settings


@pytest.fixture
def backup(filled: Settings, tmp_path: Path) -> Path:
    back_up(open_stores(filled), tmp_path / "backup", told)
    return tmp_path / "backup"


def _reason(call: Callable[[], object]) -> Reason:
    with pytest.raises(HwlinkError) as caught:
        call()
    return caught.value.reason


# --- there and back ---------------------------------------------------------------------------------------------------
def _is_as_it_was(before: Settings, after: Settings) -> None:
    assert contents(after) == contents(before)
    with closing(open_registry(after)) as registry, closing(open_bus(after)) as bus:
        assert first_break(registry.query.audit_events()) is None
        registry.query.audit(EVENT)
        registry.query.record_release("2026-01-01.1", "q2", "d", EVENT)
        assert registry.ingest.open_stream("t", "a.one", "health", "{}").next_batch == 0
        assert [(t.sequence, t.payload) for t in registry.resolver.outbox(0, 9)] == [(1, b"first"), (2, b"second")]
        assert registry.resolver.relayed() == 0
        assert registry.resolver.lineage("1" * 32) == (False, None)
        (position, sequence), ends = registry.features.features_position(), bus.end_offsets(PERSONS)
        assert (position, sequence) == ({f"{p.topic}-{p.partition}": end for p, end in ends.items()}, 0)
        assert registry.features.last_revision() >= 1_000
        assert registry.matcher.claim_shard("m", 0, "w").epoch > 1_000
        assert registry.resolver.claim("r").epoch > 1_000
        for snapshot in registry.features.snapshots():
            scan = open_zone(after, "products").scan("features", snapshot.tables["features"])
            assert scan is not None
            assert scan.select("n").collect().item() == snapshot.tables["features"]
    assert open_zone(after, "linkage").offsets("subjects") == {"t-0": 2}
    keys = [ConsumerKeys(s.data_dir / "keys").key("phm") for s in (before, after)]
    assert keys[0] == keys[1]


def test_what_was_backed_up_comes_back(filled: Settings, backup: Path, tmp_path: Path) -> None:
    after = settings_in(tmp_path / "other")
    restore(open_stores(after), backup, told)
    _is_as_it_was(filled, after)


@pytest.mark.brokers
def test_a_backup_of_an_embedded_registry_goes_into_postgresql(
    filled: Settings, backup: Path, tmp_path: Path, postgresql_url: str
) -> None:
    after = settings_in(tmp_path / "other", postgresql_url)
    restore(open_stores(after), backup, told)
    _is_as_it_was(filled, after)


@pytest.mark.brokers
def test_a_backup_of_postgresql_goes_into_a_file(tmp_path: Path, postgresql_url: str) -> None:
    before, after = settings_in(tmp_path / "data", postgresql_url), settings_in(tmp_path / "other")
    fill(before)
    back_up(open_stores(before), tmp_path / "backup", told)
    restore(open_stores(after), tmp_path / "backup", told)
    _is_as_it_was(before, after)


def test_a_backup_can_be_taken_of_what_was_restored(backup: Path, tmp_path: Path) -> None:
    second, third = settings_in(tmp_path / "second"), settings_in(tmp_path / "third")
    restore(open_stores(second), backup, told)
    back_up(open_stores(second), tmp_path / "again", told)
    restore(open_stores(third), tmp_path / "again", told)
    assert contents(third) == contents(second)


def test_only_the_owner_reads_a_backup_and_what_is_restored(backup: Path, tmp_path: Path) -> None:
    after = settings_in(tmp_path / "other")
    restore(open_stores(after), backup, told)
    for path in (
        backup,
        tmp_path / "other" / "bus.db",
        tmp_path / "other" / "registry.db",
        tmp_path / "other" / "keys",
    ):
        assert path.stat().st_mode & 0o077 == 0, path


# --- bad cases --------------------------------------------------------------------------------------------------------
def test_a_backup_needs_a_new_folder(filled: Settings, backup: Path) -> None:
    assert _reason(lambda: back_up(open_stores(filled), backup, told)) is Reason.OPTION_INVALID
    assert (backup / "manifest.json").exists()


def test_a_folder_that_cannot_be_made_is_named_as_such(filled: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    failing = lambda: back_up(open_stores(filled), tmp_path / "file" / "backup", told)  # noqa: E731
    assert _reason(failing) is Reason.STORE_MISSING


FULL = """
import resource, sys
from pathlib import Path
from schemas.errors import HwlinkError
from services.cli.store import open_stores
from services.settings import read_settings
from services.store.backup import back_up

stores = open_stores(read_settings({"HWLINK_DATA_DIR": sys.argv[1]}))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    back_up(stores, Path(sys.argv[2]), lambda text: None)
except HwlinkError as error:
    sys.exit(f"{error.reason}")
"""


@pytest.mark.parametrize("limit", [100, 3_000, 60_000])
def test_a_disk_that_is_full_leaves_no_backup_and_says_so(filled: Settings, tmp_path: Path, limit: int) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    folder = tmp_path / "backup"
    words = [sys.executable, "-c", FULL, str(filled.data_dir), str(folder), str(limit)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.strip() == Reason.UNAVAILABLE, done.stderr
    assert list(folder.iterdir()) == []


def test_a_restore_needs_empty_stores_and_leaves_them_so_when_it_fails(
    backup: Path, filled: Settings, tmp_path: Path
) -> None:
    assert _reason(lambda: restore(open_stores(filled), backup, told)) is Reason.OPTION_INVALID
    after = settings_in(tmp_path / "other")
    stores = open_stores(after)
    ConsumerKeys(stores.keys).key("phm")
    assert _reason(lambda: restore(stores, backup, told)) is Reason.OPTION_INVALID
    (stores.keys / "phm.key").unlink()

    broken = replace(stores, zones={**stores.zones, "products": _Unwritable()})  # type: ignore[dict-item]
    assert _reason(lambda: restore(broken, backup, told)) is Reason.UNAVAILABLE
    assert open_zone(after, "linkage").tables() == []
    assert not any(stores.keys.iterdir())
    (backup / "registry" / "pairs.parquet").rename(backup / "registry" / "roster.parquet")
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["files"] = {name: entry for name, entry in fingerprints(backup).items() if name != "manifest.json"}
    (backup / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(Exception, match=r"\w"):
        restore(stores, backup, told)
    assert [open_zone(after, name).tables() for name in ("linkage", "content", "products")] == [[], [], []]
    assert not stores.keys.exists()
    assert not (after.data_dir / "bus.db").exists()
    stores.registry.refuse_unless_empty()


class _Unwritable:
    def tables(self) -> list[str]:
        return []

    def put(self, table: str, source: Path) -> None:
        raise OSError("no room")

    def drop(self, table: str) -> None:
        return


@pytest.mark.parametrize(
    "name",
    ["registry/roster.parquet", "lake/linkage/subjects/_delta_log/00000000000000000000.json", "keys/phm.key", "bus.db"],
)
def test_a_damaged_backup_is_refused_before_anything_is_written(backup: Path, tmp_path: Path, name: str) -> None:
    path, stores = backup / name, open_stores(settings_in(tmp_path / "other"))
    held = path.read_bytes()
    for damaged in (held[:-1] + bytes([held[-1] ^ 1]), held[:-1], held + b"\0"):
        path.write_bytes(damaged)
        assert _reason(lambda: restore(stores, backup, told)) is Reason.FILE_UNREADABLE
    path.unlink()
    assert _reason(lambda: restore(stores, backup, told)) is Reason.FILE_UNREADABLE
    path.write_bytes(held)
    (backup / "more").write_text("")
    assert _reason(lambda: restore(stores, backup, told)) is Reason.FILE_UNREADABLE
    assert not (tmp_path / "other" / "lake").exists()


def test_what_is_no_whole_backup_is_refused(backup: Path, tmp_path: Path) -> None:
    stores = open_stores(settings_in(tmp_path / "other"))
    assert _reason(lambda: restore(stores, tmp_path / "nowhere", told)) is Reason.STORE_MISSING
    manifest = backup / "manifest.json"
    held = json.loads(manifest.read_text())
    for change, reason in (
        ({"revision": "9999"}, Reason.STORE_VERSION),
        ({"format": 2}, Reason.STORE_VERSION),
        ({"files": None}, Reason.FILE_UNREADABLE),
        ({"unknown": 1}, Reason.FILE_UNREADABLE),
    ):
        manifest.write_text(json.dumps({**held, **change}))
        assert _reason(lambda: restore(stores, backup, told)) is reason, change
    manifest.write_text("{")
    assert _reason(lambda: restore(stores, backup, told)) is Reason.FILE_UNREADABLE
    manifest.unlink()
    assert _reason(lambda: restore(stores, backup, told)) is Reason.STORE_MISSING


def test_an_older_registry_is_migrated_before_it_is_backed_up(filled: Settings, tmp_path: Path) -> None:
    with closing(Database(filled.registry_url)) as database, database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")
    assert _reason(lambda: back_up(open_stores(filled), tmp_path / "backup", told)) is Reason.STORE_VERSION


# --- giving back room -------------------------------------------------------------------------------------------------
def test_compaction_and_vacuum_give_back_room_and_keep_what_snapshots_name(filled: Settings) -> None:
    stores = open_stores(filled)
    linkage, products = stores.zones["linkage"], stores.zones["products"]
    with closing(open_registry(filled)) as registry:
        snapshots = registry.features.snapshots()
    reader = linkage.scan("subjects")
    assert reader is not None

    assert {kept.store for kept in upkeep.compact(stores.zones, told)} == {"linkage/subjects", "products/features"}
    report = {kept.store: kept for kept in upkeep.vacuum(stores.zones, stores.registry, snapshots[:1], 0, told)}

    assert report["linkage/subjects"].files >= 3
    assert report["products/features"].files == 1
    assert set(report) == {"linkage/subjects", "products/features", "registry"}
    held = linkage.scan("subjects")
    assert held is not None
    assert sorted(held.collect()["ref"]) == ["r0", "r1", "r2"]
    assert products.scan("features", snapshots[0].tables["features"]).collect()["n"].to_list() == [1]  # type: ignore[union-attr]
    with pytest.raises(OSError, match=r"\w"):
        products.scan("features", snapshots[1].tables["features"]).collect()  # type: ignore[union-attr]


def test_a_reader_goes_on_when_what_it_reads_was_replaced_however_old_its_files_are(filled: Settings) -> None:
    stores = open_stores(filled)
    long_ago = time.time() - 30 * 86_400
    for file in (filled.data_dir / "lake").rglob("*.parquet"):
        os.utime(file, (long_ago, long_ago))
    readers = {
        name: stores.zones[name].scan(table) for name, table in (("linkage", "subjects"), ("products", "features"))
    }  # type: ignore[index]

    upkeep.compact(stores.zones, told)
    stores.zones["products"].replace("features", pl.DataFrame({"person_id": ["2" * 32], "n": [9]}), {})
    report = upkeep.vacuum(stores.zones, stores.registry, [], 1, told)

    # Time counts from when the table gave a file up, not from when it was written.
    assert {kept.store: kept.files for kept in report}["linkage/subjects"] == 0
    assert [reader.collect().height for reader in readers.values() if reader is not None] == [3, 1]


@pytest.mark.brokers
def test_a_registry_on_postgresql_is_vacuumed(tmp_path: Path, postgresql_url: str) -> None:
    settings = settings_in(tmp_path / "data", postgresql_url)
    fill(settings)
    before = contents(settings)
    stores = open_stores(settings)
    (report,) = [k for k in upkeep.vacuum(stores.zones, stores.registry, [], 24, told) if k.store == "registry"]
    assert report.before_bytes > 0
    assert contents(settings) == before


def test_an_embedded_registry_gives_back_what_was_deleted(filled: Settings) -> None:
    with closing(open_registry(filled)) as registry:
        for n in range(300):
            registry.query.audit(AuditEvent("a", "p", "x" * 100, "done", {"n": str(n) * 50}))
    with closing(Database(filled.registry_url)) as database, database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM audit")
    stores = open_stores(filled)
    before = stores.registry.size_bytes()
    stores.registry.vacuum()
    assert stores.registry.size_bytes() < before


# --- the commands -----------------------------------------------------------------------------------------------------
def hwlink(*words: str | Path) -> str:
    """Run a store command in this process and return what it prints."""
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, ["store", *map(str, words)])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_the_commands_do_all_of_it(filled: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWLINK_DATA_DIR", str(filled.data_dir))
    assert json.loads(hwlink("migrate", "--json")) == {"migrated": False}
    assert hwlink("migrate") == "the registry is up to date\n"
    written = json.loads(hwlink("backup", tmp_path / "backup", "--json"))
    assert written["bus_file"] is True
    assert {kept["store"] for kept in json.loads(hwlink("compact", "--json"))} == {
        "linkage/subjects",
        "products/features",
    }
    assert {kept["files"] for kept in json.loads(hwlink("vacuum", "--json"))} == {0}  # everything is young still
    assert "registry" in hwlink("vacuum", "--snapshots", "1")
    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path / "other"))
    assert hwlink("restore", tmp_path / "backup").startswith("restored: ")
    assert contents(settings_in(tmp_path / "other")) == contents(filled)
    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path / "nothing"))
    assert _reason(lambda: hwlink("backup", tmp_path / "second")) is Reason.STORE_MISSING
    assert json.loads(hwlink("migrate", "--json")) == {"migrated": True}
