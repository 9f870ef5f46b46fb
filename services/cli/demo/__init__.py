"""`hwlink demo`: the whole line on synthetic people, in the open: it runs the commands that a user would run."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Size(StrEnum):
    """How many people: `small` for a look, `medway` for all of Medway and Swale."""

    SMALL = "small"
    MEDWAY = "medway"


PEOPLE_AND_CLAIMS = {Size.SMALL: (20_000, 6_000), Size.MEDWAY: (428_000, 60_000)}
"""Rows of the health and of the welfare file. 428,324 people were registered in Medway and Swale in 2022/23."""


def register(app: typer.Typer) -> None:
    """Add the command `demo`."""
    app.command("demo")(demo)


def demo(
    size: Annotated[Size, typer.Option(help="How many people.")] = Size.SMALL,
    out: Annotated[Path, typer.Option(help="Folder for everything the demo makes; its contents are replaced.")] = Path(
        "out/demo"
    ),
    bus: Annotated[str, typer.Option(help="sqlite (a file), kafka (found or started), or a kafka:// URL.")] = "sqlite",
    registry: Annotated[
        str,
        typer.Option(
            help="sqlite (a file), postgresql (found or started), or the URL of an empty PostgreSQL database."
        ),
    ] = "sqlite",
    seed: Annotated[int, typer.Option(help="Seed of the synthetic people.", min=0)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the measurements as JSON, and no narrative.")] = False,
) -> None:
    """Synthesise people, pseudonymise, stream over gRPC, link, resolve, build features and ask three safe questions."""
    from services.cli.demo.run import run
    from services.cli.demo.servers import servers

    people, claims = PEOPLE_AND_CLAIMS[size]
    with servers(bus, registry, lambda text: None if as_json else typer.echo(text)) as environ:
        result = run(out, people=people, claims=claims, seed=seed, quiet=as_json, environ=environ)
    (out / "demo.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(result, indent=2))
