"""`hwlink store backup|restore|compact|vacuum|migrate`: the registry, the lake, the keys and the bus as a whole."""

from __future__ import annotations

import json
import os
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from services.lake import ZoneName
    from services.settings import Settings
    from services.store.manifest import Manifest
    from services.store.stores import Stores
    from services.store.upkeep import Kept

AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON.")]
Folder = Annotated[Path, typer.Argument(help="The backup's folder.", metavar="DIR")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The registry, the lake and the keys themselves.", no_args_is_help=True)
    group.command("backup")(backup)
    group.command("restore")(restore)
    group.command("new-bus")(new_bus)
    group.command("compact")(compact)
    group.command("vacuum")(vacuum)
    group.command("migrate")(migrate)
    app.add_typer(group, name="store")


def backup(
    folder: Folder,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for landing, on Kafka.", min=0, metavar="SECONDS")
    ] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Write registry, lake, consumers' keys and an embedded bus to a new folder, while everything runs.

    The folder holds tokens, links and keys: keep it as safe as the data. A Kafka bus is not in it.
    """
    from services.cli.operate import deployment
    from services.store.backup import back_up

    _tell_backup(back_up(open_stores(deployment()), folder, _tell, wait), as_json, "written")


def restore(folder: Folder, as_json: AsJson = False) -> None:
    """Put a backup into an empty data folder or database, of either kind, and bring it to this version of hwlink.

    Let no role run before or meanwhile. Person ids are as they were; records sent after the backup are read again from
    the bus when the roles start.
    """
    from services.store.restore import restore as put_back

    _tell_backup(put_back(open_stores(_settings()), folder, _tell), as_json, "restored")


def new_bus(as_json: AsJson = False) -> None:
    """Let an empty bus stand in for one that was lost: it is numbered on from where registry and lake stand.

    Let no role run. Receipts of batches that may not have landed whole are taken back: their sources send the same
    files again in the same way, and go on there. On Kafka it runs as an administrator; apply the topics first.
    """
    from services.bootstrap import open_layout
    from services.store.new_bus import number_on

    settings = _settings()
    done = number_on(open_stores(settings), partial(open_layout, settings), _tell)
    if as_json:
        _print_json(vars(done))
        return
    typer.echo(f"the bus goes on where registry and lake stand, in {len(done.begins)} partitions")
    for stream_id, batches in done.taken_back.items():
        typer.echo(f"{stream_id}: {batches:,} batches are to be sent again")


def compact(as_json: AsJson = False) -> None:
    """Rewrite the lake's many small files as few large ones; everybody goes on meanwhile."""
    from services.cli.operate import deployment
    from services.store.upkeep import compact as rewrite

    _tell_kept(rewrite(open_stores(deployment()).zones, _tell), as_json)


def vacuum(
    older_than: Annotated[
        int, typer.Option(help="Hours that files stay for readers of a former version.", min=1, metavar="HOURS")
    ] = 24,
    snapshots: Annotated[
        int, typer.Option(help="How many of the newest snapshots stay readable.", min=1, metavar="COUNT")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """Delete the files that neither the present state nor the newest snapshots need, and give back the registry's room.

    Readers go on meanwhile; writers of an embedded registry wait for it.
    """
    from services.bootstrap import open_registry
    from services.cli.operate import deployment
    from services.store.upkeep import vacuum as delete_unneeded

    settings = deployment()
    with closing(open_registry(settings)) as registry:
        kept = registry.features.snapshots()[:snapshots]
    stores = open_stores(settings)
    _tell_kept(delete_unneeded(stores.zones, stores.registry, kept, older_than, _tell), as_json)


def migrate(as_json: AsJson = False) -> None:
    """Bring the registry's tables to this version of hwlink. Stop every role first; nothing stored is lost."""
    from services.registry.sql import migrate as bring_up_to_date

    migrated = bring_up_to_date(_settings().registry_url)
    if as_json:
        _print_json({"migrated": migrated})
        return
    typer.echo("the registry was brought up to date" if migrated else "the registry is up to date")


def open_stores(settings: Settings) -> Stores:
    """Return everything that is kept, as backups see it."""
    from services.bootstrap import open_bus, open_zone
    from services.bus.sqlite_file import copy_file
    from services.registry.sql.archive import SqlArchive
    from services.store.stores import BusFile, Stores

    scheme, _, rest = settings.bus_url.partition("://")
    names: tuple[ZoneName, ...] = ("linkage", "content", "products")
    return Stores(
        registry=SqlArchive(settings.registry_url),
        zones={name: open_zone(settings, name) for name in names},
        keys=settings.data_dir / "keys",
        open_bus=partial(open_bus, settings),
        bus_file=BusFile(Path(rest.removeprefix("/")), copy_file) if scheme == "sqlite" else None,
    )


def _settings() -> Settings:
    from services.settings import read_settings

    return read_settings(os.environ)


def _tell(text: str) -> None:
    typer.echo(text, err=True)


def _tell_backup(made: Manifest, as_json: bool, what: str) -> None:
    size = sum(size for size, _ in made.files.values())
    if as_json:
        _print_json(
            {
                "taken_at_ms": made.taken_at_ms,
                "revision": made.revision,
                "registry_rows": sum(made.rows.values()),
                "lake": made.lake,
                "bus": made.bus,
                "bus_file": made.bus_file,
                "files": len(made.files),
                "bytes": size,
            }
        )
        return
    tables = sum(map(len, made.lake.values()))
    typer.echo(
        f"{what}: {sum(made.rows.values()):,} rows of the registry, {tables} tables of the lake, "
        f"{len(made.files):,} files, {size:,} bytes{'' if made.bus_file else '; the bus is Kafka, which is not in it'}"
    )


def _tell_kept(report: list[Kept], as_json: bool) -> None:
    if as_json:
        _print_json([{**vars(kept), "freed_bytes": kept.freed_bytes} for kept in report])
        return
    for kept in report:
        typer.echo(f"{kept.store:<28} {kept.after_bytes:>15,} bytes, {kept.freed_bytes:,} freed, {kept.files:,} files")


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
