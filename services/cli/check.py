"""`hwlink check`: what a file is like before anyone sends it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.pseudonymise import BesideOption, LayoutOption, LayoutSettingsOption, open_raw_layout, read_agreement

if TYPE_CHECKING:
    from services.pseudonymise.fitness import Fitness

_DAY = ["%Y-%m-%d"]


def register(app: typer.Typer) -> None:
    """Add the command `check`."""
    app.command("check")(check)


def check(
    path: Annotated[Path, typer.Argument(help="Clear file, or a file or folder of a raw layout.", metavar="FILE")],
    layout: LayoutOption = None,
    layout_settings: LayoutSettingsOption = None,
    beside: BesideOption = None,
    feed: Annotated[
        str | None, typer.Option(metavar="health|welfare", help="Which kind of records they are; a layout says it.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="MAP.toml", help="Column map: a TOML file, or a shipped one (febrl).")
    ] = None,
    agreement: Annotated[
        str, typer.Option(metavar="A", help="A shipped agreement (default, test), or an agreement file.")
    ] = "default",
    extract_date: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="When the data were extracted; today if not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Report a file's fitness before anyone sends it: completeness, codes, dummy values, duplicates, dates. No key is
    needed, nothing is written, and no value and no small count is told. An unfit file exits with 3.
    """
    from schemas.contracts.base import Feed
    from schemas.errors import InputError, Reason
    from services.pseudonymise import ColumnMap, read_column_map
    from services.pseudonymise.clear import ClearSource
    from services.pseudonymise.fitness import Verdict
    from services.pseudonymise.fitness import check as examined

    raw = open_raw_layout(layout, layout_settings, beside, feed)
    said = feed if raw is None else raw.feed
    if said not in list(Feed):
        raise InputError(Reason.OPTION_INVALID, "--feed is health or welfare; give one of the two, or --layout.")
    if raw is not None and columns is not None:
        raise InputError(Reason.OPTION_INVALID, "A layout knows its columns; give --layout or --columns, not both.")
    source = ClearSource(path, Feed(said), raw, ColumnMap() if columns is None else read_column_map(columns))
    day = datetime.now(UTC).date() if extract_date is None else extract_date.date()
    fitness = examined(source, read_agreement(agreement), day)
    if as_json:
        typer.echo(json.dumps(fitness.as_json()))
    else:
        _tell(fitness, path.name)
    if fitness.verdict is Verdict.UNFIT:
        raise InputError(
            Reason.FIELD_INVALID,
            f"{path.name} is unfit to be sent; mend what the report names as unfit, at its source.",
        )


def _tell(fitness: Fitness, name: str) -> None:
    typer.echo(f"{name}: {fitness.verdict}. {fitness.records} records of {fitness.rows} rows")
    for finding in fitness.findings:
        typer.echo(
            f"{finding.severity}: {finding.check}, {finding.field}: {finding.count} ({finding.share}): "
            f"{finding.meaning} [{finding.threshold}]"
        )
    typer.echo(f"{'field':<20}{'filled':>10}{'usable':>10}")
    for field, filled, usable in fitness.fields:
        typer.echo(f"{field:<20}{filled:>10}{usable:>10}")
    typer.echo(f"{'kind of fact':<20}{'facts':>10}{'records':>10}")
    for kind, facts, records in fitness.facts:
        typer.echo(f"{kind:<20}{facts:>10}{records:>10}")
    for what, count in fitness.held:
        typer.echo(f"{count:>10}  {what}")
    for column, count in fitness.left_out:
        typer.echo(f"{count:>10}  values of {column} left out: they must not leave")
    if fitness.columns_left_out:
        typer.echo(f"columns left out: {', '.join(fitness.columns_left_out)}")
    typer.echo("Counts are to the nearest five, those below eight are not told.")
