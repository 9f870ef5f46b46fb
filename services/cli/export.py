"""`hwlink export`: a consumer's tables outside the lake, from a published snapshot."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)


def export(
    purpose: Annotated[str, typer.Argument(help="Id of a purpose that takes features of persons.")],
    snapshot: Annotated[str | None, typer.Option(help="Snapshot to export; without it, the newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Replace a consumer's Delta tables: people under its own ids with the features it is permitted, and their meaning.

    They stand in HWLINK_EXPORTS_DIR, one folder a consumer, for Spark, Databricks, DuckDB or Polars to read.
    """
    from schemas.errors import InputError, Reason, StateError
    from schemas.purposes import purpose as named
    from services.bootstrap import consumer_keys, open_registry, open_zone
    from services.bootstrap.stores import open_export
    from services.cli.operate import deployment
    from services.exports.write import consumer_of, write_export

    settings = deployment()
    asking = named(purpose)
    consumer = consumer_of(asking)
    with closing(open_registry(settings)) as registry:
        found = registry.query.latest_snapshot() if snapshot is None else registry.query.snapshot(snapshot)
        if found is None and snapshot is None:
            raise StateError(Reason.NO_SNAPSHOT, "No snapshot has been published yet; wait for the features.")
        if found is None:
            raise InputError(Reason.NOT_FOUND, "There is no such snapshot; leave it out to export the newest.")
        done = write_export(
            found,
            asking,
            consumer_keys(settings).key(consumer),
            open_zone(settings, "products"),
            open_export(settings, consumer),
            registry.query,
        )
    if as_json:
        typer.echo(json.dumps(asdict(done), indent=2))
        return
    typer.echo(
        f"{done.people:,} people with {done.features} features of snapshot {done.snapshot_id} for {done.consumer}"
    )
