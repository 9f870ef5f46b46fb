"""`hwlink query`: what can be asked, safe counts and tables, and rows where a purpose permits them."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import polars as pl

    from services.query.client import Context

To = Annotated[str, typer.Option("--to", help="Query server to ask, such as 127.0.0.1:7402.", metavar="HOST:PORT")]
OptionalTo = Annotated[
    str | None,
    typer.Option("--to", help="Query server to ask; without it, what ships with hwlink.", metavar="HOST:PORT"),
]
Purpose = Annotated[str, typer.Option(help="Id of the purpose under which you ask.")]
Where = Annotated[str, typer.Option("--where", help="Filter in SQL WHERE syntax over feature names.")]
Cohort = Annotated[str, typer.Option(help="Id of a cohort; a filter narrows it.")]
Frozen = Annotated[str, typer.Option(help="Id of a frozen cohort, in place of a cohort.")]
Snapshot = Annotated[str | None, typer.Option(help="Snapshot to ask; without it, the newest.")]
AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON.")]

DEFAULT_ADDRESS = "127.0.0.1:7402"
WITHHELD = "*"
"""How tables for people show a number that disclosure control withheld."""


def register(app: typer.Typer) -> None:
    """Add the command group `query`."""
    group = typer.Typer(
        help="Ask about the linked people: features, cohorts, safe counts and tables, rows.", no_args_is_help=True
    )
    for command in (features, cohorts, count, table, members):
        group.command(command.__name__)(command)
    app.add_typer(group, name="query")


def features(to: OptionalTo = None, purpose: Purpose = "planning", as_json: AsJson = False) -> None:
    """List the features: name, type, values, class, where each comes from, what it means, and when it is unknown."""
    entries = _features_of_server(to, purpose) if to else _features_that_ship()
    if as_json:
        _print_json(entries)
        return
    _print_table(
        ["feature", "type", "values", "class", "from", "definition", "unknown when"],
        [
            [
                e["name"],
                e["type"],
                ", ".join(e["values"] or e["bands"]),
                e["sensitivity"],
                _origin(e),
                e["definition"],
                e["unknown_when"],
            ]
            for e in entries
        ],
    )


def _origin(entry: dict[str, Any]) -> str:
    """Return the feeds of a feature, how far back it looks, and the domain and household that it speaks of."""
    months = entry["look_back_months"]
    parts = [", ".join(entry["sources"]), f"{months} months" if months else None]
    parts += [entry["marmot_domain"], f"household: {entry['household_basis']}" if entry["household_basis"] else None]
    return "; ".join(part for part in parts if part)


def cohorts(to: OptionalTo = None, purpose: Purpose = "planning", as_json: AsJson = False) -> None:
    """List the cohorts: id, version, title and filter."""
    entries = _cohorts_of_server(to, purpose) if to else _cohorts_that_ship()
    if as_json:
        _print_json(entries)
        return
    _print_table(
        ["cohort", "version", "title", "filter", "denominator"],
        [[e["cohort_id"], str(e["version"]), e["title"], e["filter"], e["denominator"] or "everyone"] for e in entries],
    )


def count(
    to: To = DEFAULT_ADDRESS,
    where: Where = "",
    cohort: Cohort = "",
    purpose: Purpose = "planning",
    snapshot: Snapshot = None,
    frozen: Frozen = "",
    as_json: AsJson = False,
) -> None:
    """Count people: rounded, small numbers withheld, with the linkage rate beside it."""
    from services.query.client import CohortClient

    with CohortClient(to, purpose) as client:
        answer = client.count(where=where, cohort=cohort, snapshot=snapshot, frozen=frozen)
    if as_json:
        _print_json(dataclasses.asdict(answer))
        return
    _print_table(
        ["count", "of", "per cent", "cannot be told"],
        [[_shown(answer.count), _shown(answer.denominator), _shown(answer.percent), _shown(answer.unknown)]],
    )
    for rate in answer.linkage:
        typer.echo(
            f"Of these, in {rate.feed}: {_shown(rate.people)}, linked {_shown(rate.linked)} {_percent(rate.percent)}"
        )
    _print_context(answer.context)


def table(
    by: Annotated[str, typer.Option(help="One to three features to count by, with commas between them.")],
    to: To = DEFAULT_ADDRESS,
    where: Where = "",
    cohort: Cohort = "",
    purpose: Purpose = "planning",
    margins: Annotated[bool, typer.Option(help="Totals over each dimension.")] = True,
    snapshot: Snapshot = None,
    frozen: Frozen = "",
    as_json: AsJson = False,
) -> None:
    """Count people by features; every cell and every total is rounded by itself, so rows need not add up."""
    from services.query.client import CohortClient

    dimensions = [name.strip() for name in by.split(",") if name.strip()]
    with CohortClient(to, purpose) as client:
        answer = client.table(dimensions, where=where, cohort=cohort, margins=margins, snapshot=snapshot, frozen=frozen)
    if as_json:
        _print_json({"cells": answer.cells.to_dicts(), "context": dataclasses.asdict(answer.context)})
        return
    rows = [[*map(str, row[:-2]), WITHHELD if row[-1] else str(row[-2])] for row in answer.cells.iter_rows()]
    _print_table([*dimensions, "people"], rows)
    _print_context(answer.context)


def members(
    out: Annotated[Path, typer.Option(help="File to write: .parquet, .csv or .arrow.")],
    purpose: Annotated[str, typer.Option(help="Id of a purpose that permits rows.")],
    to: To = DEFAULT_ADDRESS,
    where: Where = "",
    cohort: Cohort = "",
    columns: Annotated[str, typer.Option("--features", help="Columns, with commas; all permitted ones if none.")] = "",
    snapshot: Snapshot = None,
    as_json: AsJson = False,
) -> None:
    """Write people as rows, under ids of the purpose's consumer, where the purpose permits it."""
    from services.query.client import CohortClient

    write = _writer(out)
    names = [name.strip() for name in columns.split(",") if name.strip()]
    with CohortClient(to, purpose) as client:
        answer = client.members(where=where, cohort=cohort, features=names, snapshot=snapshot)
        rows = answer.collect()
    write(rows)
    report = {"path": str(out), "rows": len(rows), **dataclasses.asdict(answer.anonymity)}
    if as_json:
        _print_json({**report, "context": dataclasses.asdict(answer.context)})
        return
    typer.echo(
        f"{len(rows)} rows in {out}; each shares its quasi-identifiers with {answer.anonymity.k - 1} others or more."
    )
    typer.echo(
        f"Gave up a value: {_shown(answer.anonymity.generalised)}; left out: {_shown(answer.anonymity.withheld)}"
    )
    _print_context(answer.context)


def _writer(out: Path) -> Callable[[pl.DataFrame], None]:
    """Return what writes a frame to a file, by its ending; checked before the server is asked."""
    from schemas.errors import InputError, Reason

    def write(frame: pl.DataFrame) -> None:
        try:
            if out.suffix == ".parquet":
                frame.write_parquet(out)
            elif out.suffix == ".csv":
                frame.write_csv(out)
            else:
                frame.write_ipc(out)
        except OSError:
            raise InputError(
                Reason.FILE_UNREADABLE, "The file cannot be written there; choose another place for --out."
            ) from None

    if out.suffix not in (".parquet", ".csv", ".arrow"):
        raise InputError(Reason.OPTION_INVALID, "Name a file that ends in .parquet, .csv or .arrow with --out.")
    return write


def _features_that_ship() -> list[dict[str, Any]]:
    from linkage.features import FEATURES

    return [
        {
            "name": d.name,
            "type": d.type.value,
            "values": list(d.values),
            "bands": list(d.bands),
            "definition": d.definition,
            "unknown_when": d.unknown_when,
            "sources": [feed.value for feed in d.sources],
            "sensitivity": d.sensitivity.value,
            "marmot_domain": d.marmot_domain,
            "household_basis": d.household_basis,
            "look_back_months": d.look_back_months,
            "reference": d.reference,
            "outputs": [output.value for output in d.outputs],
        }
        for d in FEATURES.values()
        if d.leaves
    ]


def _features_of_server(to: str, purpose: str) -> list[dict[str, Any]]:
    from services.pb.hwlink.v1 import cohort_pb2, core_pb2
    from services.query.client import CohortClient

    with CohortClient(to, purpose) as client:
        found = client.features()
    kind, feed = cohort_pb2.ValueType.Name, core_pb2.Feed.Name
    return [
        {
            "name": f.name,
            "type": kind(f.value_type).removeprefix("VALUE_TYPE_").lower(),
            "values": list(f.values),
            "bands": list(f.bands),
            "definition": f.definition,
            "unknown_when": f.unknown_when,
            "sources": [feed(source).removeprefix("FEED_").lower() for source in f.sources],
            "sensitivity": f.sensitivity,
            "marmot_domain": f.marmot_domain or None,
            "household_basis": f.household_basis or None,
            "look_back_months": f.look_back_months or None,
            "outputs": list(f.outputs),
        }
        for f in found
    ]


def _cohorts_that_ship() -> list[dict[str, Any]]:
    from schemas.cohort_documents import shipped_cohorts

    return [cohort.model_dump(mode="json") for cohort in shipped_cohorts().values()]


def _cohorts_of_server(to: str, purpose: str) -> list[dict[str, Any]]:
    from services.pb.hwlink.v1 import cohort_pb2
    from services.query.client import CohortClient

    with CohortClient(to, purpose) as client:
        found = client.cohorts()
    return [
        {
            "cohort_id": c.cohort_id,
            "version": c.version,
            "title": c.title,
            "description": c.description,
            "source": c.source,
            "filter": c.filter,
            "denominator": c.denominator,
            "exclusions": [{"filter": e.filter, "because": e.because} for e in c.exclusions],
            "outputs": [cohort_pb2.Output.Name(output).removeprefix("OUTPUT_").lower() for output in c.outputs],
            "min_count": c.min_count,
            "review_on": c.review_on or None,
            "dimensions": list(c.dimensions) if c.restricted else None,
            "refusal": c.refusal,
        }
        for c in found
    ]


def _shown(number: float | None) -> str:
    return WITHHELD if number is None else f"{number:,}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"({share} %)"


def _print_context(context: Context) -> None:
    """Say what an answer is of, and how sure the linkage is, below it."""
    for rate in context.linkage:
        typer.echo(
            f"Known to {rate.feed}: {_shown(rate.people)}, linked {_shown(rate.linked)} {_percent(rate.percent)}"
        )
    typer.echo(
        f"Snapshot {context.snapshot_id}, as of {context.as_of}, model {context.model_id or 'none'}, "
        f"reference data {context.reference_version or 'none'}, policy {context.policy_id}. "
        f"{WITHHELD} is withheld; numbers are rounded."
    )


def _print_table(headers: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(*headers, header_style="bold")
    for row in rows:
        shown.add_row(*row)
    # Without a terminal nothing is cut to a width: whoever reads the output gets whole names.
    width = None if sys.stdout.isatty() else 250
    Console(width=width, highlight=False, markup=False).print(shown)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
