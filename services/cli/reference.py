"""`hwlink reference kinds|import|show`: published tables of areas, deprivation and practices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON.")]
Store = Annotated[Path, typer.Option("--store", help="The reference store's folder.", metavar="DIR")]


def register(app: typer.Typer) -> None:
    """Add the command group `reference`."""
    group = typer.Typer(
        help="Reference data: areas, deprivation, practices, from their publishers' files.", no_args_is_help=True
    )
    group.command("kinds")(kinds)
    group.command("import")(import_file)
    group.command("show")(show)
    app.add_typer(group, name="reference")


def kinds(as_json: AsJson = False) -> None:
    """List the kinds of file, who publishes them, and patterns of the headers that are looked for."""
    from linkage.reference import KINDS

    if as_json:
        _print_json(
            [
                {
                    "kind": kind.name,
                    "title": kind.title,
                    "publisher": kind.publisher,
                    "columns": {column.name: column.header for column in kind.columns},
                }
                for kind in KINDS.values()
            ]
        )
        return
    for kind in KINDS.values():
        typer.echo(f"{kind.name}: {kind.title} ({kind.publisher})")
        for column in kind.columns:
            typer.echo(f"    {column.name:<24} {column.header}{'  (may be absent)' if column.optional else ''}")


def import_file(
    kind: Annotated[str, typer.Argument(help="Kind of file; `hwlink reference kinds` lists them.", metavar="KIND")],
    file: Annotated[Path, typer.Argument(help="The publisher's file, as CSV.", metavar="FILE")],
    store: Store,
    vintage: Annotated[str, typer.Option(help="The edition as its publisher names it, such as 2025 or 2022/23.")],
    as_json: AsJson = False,
) -> None:
    """Check a publisher's file and put it into a reference store, in place of an earlier one of its kind.

    A role takes up the store that HWLINK_REFERENCE_PATH names when it starts.
    """
    from linkage.reference import KINDS
    from schemas.errors import InputError, Reason
    from services.reference import import_table, open_store

    found = KINDS.get(kind)
    if found is None:
        raise InputError(Reason.OPTION_INVALID, f"There is no such kind of file; there are: {', '.join(KINDS)}.")
    entry = import_table(store, found, file, vintage)
    version = open_store(store).version
    if as_json:
        _print_json({**entry.model_dump(), "version": version})
        return
    typer.echo(f"{entry.kind} {entry.vintage}: {entry.rows:,} rows; the store is now {version}")


def show(store: Store, as_json: AsJson = False) -> None:
    """Say which tables a store holds, its version, and of how many areas and practices something is unknown."""
    from services.reference import open_store

    reference = open_store(store)
    areas, surgeries = reference.geography(), reference.practices()
    unknown = {
        "areas": {"all": len(areas), **{name: areas[name].null_count() for name in areas.columns[1:]}},
        "practices": {"all": len(surgeries), **{name: surgeries[name].null_count() for name in surgeries.columns[1:]}},
    }
    if as_json:
        tables = [table.model_dump() for table in reference.manifest.tables]
        _print_json({"version": reference.version, "tables": tables, "unknown": unknown})
        return
    typer.echo(f"version {reference.version}")
    for table in reference.manifest.tables:
        typer.echo(f"{table.kind:<22} {table.vintage:<10} {table.rows:>8,} rows  {table.publisher}  {table.file_name}")
    for what, counts in unknown.items():
        total = counts.pop("all")
        missing = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count) or "nothing"
        typer.echo(f"{total:,} {what}; unknown: {missing}")


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
