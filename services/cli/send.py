"""`hwlink send`: stream a pseudonymised file to an ingest service, and say what became of every row."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.agreement import Agreement
    from services.send.report import SendReport
    from services.send.session import Progress

_DAY = ["%Y-%m-%d"]
SOME_REFUSED = 3
"""Exit code when the file arrived and some of its records were refused: that of an input error."""


def register(app: typer.Typer) -> None:
    """Add the command `send`."""
    app.command("send")(send)


def send(
    path: Annotated[Path, typer.Argument(help="Parquet file that `hwlink pseudonymise` wrote.", metavar="FILE")],
    feed: Annotated[str, typer.Option(metavar="health|welfare", help="Which kind of records they are.")],
    to: Annotated[str, typer.Option(metavar="HOST:PORT", help="Address of the ingest service.")],
    rows: Annotated[bool, typer.Option("--rows", help="Send typed rows instead of columns (slower).")] = False,
    batch_rows: Annotated[
        int | None, typer.Option(min=1, max=5_000, help="Rows of a batch; 5000, or 3000 with --rows, if not given.")
    ] = None,
    agreement: Annotated[
        Path | None, typer.Option(help="Agreement file, for what it says of sharing, if it does not ship.")
    ] = None,
    legal_basis: Annotated[str | None, typer.Option(help="Instead of what the file declares.")] = None,
    purpose: Annotated[str | None, typer.Option(help="Instead of what the file declares.")] = None,
    dsa: Annotated[str | None, typer.Option(help="Reference of the data-sharing agreement.")] = None,
    extract_date: Annotated[datetime | None, typer.Option(formats=_DAY, help="When the data were extracted.")] = None,
    opt_outs_applied: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="When the national data opt-out was applied.")
    ] = None,
    full_extract: Annotated[
        bool | None,
        typer.Option("--full-extract/--incremental", help="Whether the file holds everyone of its source."),
    ] = None,
    one_record_per_person: Annotated[
        bool | None,
        typer.Option(
            "--one-record-per-person/--no-one-record-per-person", help="Whether a person has at most one row here."
        ),
    ] = None,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to go on while the server is away.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Stream a pseudonymised file; run it again to go on after a break.

    Exits with 0 when every record was accepted, with 3 when some were refused.
    """
    from schemas.contracts.base import Feed
    from schemas.errors import InputError, Reason
    from services.send.file import FeedFile, Stated, lawful
    from services.send.session import Sending
    from services.send.session import send as send_file

    if feed not in list(Feed):
        raise InputError(Reason.OPTION_INVALID, "--feed is health or welfare; give one of the two.")
    file = FeedFile(path, Feed(feed))
    stated = Stated(
        legal_basis=legal_basis,
        purpose=purpose,
        data_sharing_agreement=dsa,
        extract_date=None if extract_date is None else extract_date.date(),
        opt_outs_applied_on=None if opt_outs_applied is None else opt_outs_applied.date(),
        full_extract=full_extract,
        one_record_per_person=one_record_per_person,
    )
    declared = lawful(file, _agreement(agreement, file.declaration.agreement_id), stated)
    gc.freeze()  # start-up's objects are no garbage; typed rows would have each full collection walk them again
    how = Sending(rows_entrance=rows, rows_a_batch=batch_rows, patience_s=patience)
    with _progress(path.name, file.rows) as progress:
        report = send_file(file, declared, to, how, progress)
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
    else:
        _tell(path.name, report)
    if report.refused or report.refusals:
        raise typer.Exit(SOME_REFUSED)


def _agreement(path: Path | None, agreement_id: str) -> Agreement | None:
    from schemas.agreement import SHIPPED, parse_agreement, shipped_agreement
    from schemas.errors import AgreementError, Reason

    if path is None:
        return shipped_agreement(agreement_id) if agreement_id in SHIPPED else None
    try:
        return parse_agreement(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise AgreementError(
            Reason.AGREEMENT_INVALID, "The agreement file cannot be read; give a JSON file in UTF-8."
        ) from None


@contextmanager
def _progress(name: str, total: int) -> Iterator[Progress]:
    """Show rows with a receipt on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=total)
        yield lambda done, _total: bar.update(task, completed=done)


def _tell(name: str, report: SendReport) -> None:
    if report.already_complete:
        typer.echo(f"{name}: this stream was complete already; nothing was sent")
    rate = report.sent_rows / report.seconds if report.seconds else 0.0
    typer.echo(
        f"{name}: accepted {report.accepted:,}, refused {report.refused:,}, sent twice {report.duplicate:,}; "
        f"{report.sent_rows:,} rows in {report.seconds:.1f} s ({rate:,.0f} a second)"
    )
    if report.first_batch:
        typer.echo(f"went on at batch {report.first_batch:,} of {report.batches:,}")
    if report.full_extract:
        typer.echo(f"full extract: withdrew {report.withdrawn:,} subjects that it no longer holds")
        if report.refused:
            typer.echo("nothing was withdrawn because records were refused: they are still in the extract; mend them")
    for one in report.first_refusals:
        typer.echo(f"row {one.row:,}, {one.field or 'the whole batch'}: {one.reason}")
    if len(report.first_refusals) < sum(report.refusals.values()):
        typer.echo("...")
    for (field, reason), count in sorted(report.refusals.items(), key=lambda item: (-item[1], item[0])):
        typer.echo(f"{count:>12,}  {field or 'the whole batch'} {reason}")
