"""`hwlink keys`, `hwlink agreement` and `hwlink pseudonymise`: what a controller runs on its own machine."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.agreement import Agreement
    from services.pseudonymise import Report
    from services.pseudonymise.bridges import Pseudonyms
    from services.pseudonymise.job import Progress
    from services.pseudonymise.layouts import Layout

_DAY = ["%Y-%m-%d"]
_MOST_WORKERS = 4
"""Beyond this the reading process, which also writes, is what the others wait for."""

AgreementOption = Annotated[
    str, typer.Option("--agreement", metavar="A", help="A shipped agreement (default, test), or an agreement file.")
]

LayoutOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The file stands in this raw layout, such as shbe; an unknown name lists them."),
]
LayoutSettingsOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE.toml", help="What a source's files in that layout leave open, such as units."),
]
BesideOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A second file that the layout joins, such as the claims.")
]

DomainOption = Annotated[
    str | None,
    typer.Option(metavar="D", help="The file's people have pseudonyms of this domain, such as mhsds.person_id."),
]
BridgeOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="From those to the agreement's domain: columns pseudonym, hub_pseudonym."),
]
SaltOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Make the agreement's pseudonyms of NHS numbers, with the salt in this file."),
]
HubOption = Annotated[
    str | None, typer.Option(metavar="D", help="The domain that the bridge leads to; the agreement's, if not given.")
]


def register(app: typer.Typer) -> None:
    """Add the commands `keys new`, `agreement show`, `agreement check` and `pseudonymise`."""
    keys = typer.Typer(help="Make the project secret that controllers share and nobody else has.", no_args_is_help=True)
    keys.command("new")(keys_new)
    app.add_typer(keys, name="keys")
    agreement = typer.Typer(help="Show or check the recipe of encodings that controllers share.", no_args_is_help=True)
    agreement.command("show")(agreement_show)
    agreement.command("check")(agreement_check)
    app.add_typer(agreement, name="agreement")
    app.command("pseudonymise")(pseudonymise)


def keys_new(
    file: Annotated[Path, typer.Argument(help="Where to write the secret; must not exist yet.", metavar="FILE")],
) -> None:
    """Write a new project secret to FILE, readable by you alone. Give it to the other controllers, and to nobody
    else.
    """
    from services.pseudonymise import new_key_file

    new_key_file(file)
    typer.echo(f"wrote {file}: keep it safe; without it nothing encoded with it can be linked to anything new")


def agreement_show(
    name: Annotated[str, typer.Argument(help="default, test, or an agreement file.", metavar="A")] = "default",
) -> None:
    """Print an agreement as JSON."""
    typer.echo(json.dumps(read_agreement(name).model_dump(mode="json"), indent=2))


def agreement_check(
    file: Annotated[str, typer.Argument(help="An agreement file, or a shipped agreement's name.", metavar="FILE")],
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Check that an agreement can be used: its shape, its rules, no token that counting decodes, filters well
    filled.
    """
    from linkage.encode import check_agreement

    agreement = read_agreement(file)
    check_agreement(agreement)
    facts = {
        "agreement_id": agreement.agreement_id,
        "content_hash": agreement.content_hash,
        "key_epoch": agreement.key_epoch,
        "tokens": len(agreement.tokens),
        "filters": len(agreement.filters),
        "accepts_test_identifiers": agreement.accept_test_identifiers,
    }
    if as_json:
        typer.echo(json.dumps(facts))
        return
    typer.echo(f"{agreement.agreement_id} can be used: key epoch {agreement.key_epoch}, {facts['tokens']} tokens and")
    typer.echo(f"compound keys, {facts['filters']} filters. Content hash {agreement.content_hash}")


def pseudonymise(
    source_path: Annotated[
        Path,
        typer.Argument(help="Clear file: CSV (UTF-8, with a header) or Parquet; or what --layout says.", metavar="IN"),
    ],
    output_path: Annotated[Path, typer.Argument(help="Pseudonymised Parquet file to write.", metavar="OUT")],
    agreement_name: AgreementOption,
    key_file: Annotated[Path, typer.Option(metavar="K", help="The project secret, made by `hwlink keys new`.")],
    source: Annotated[str, typer.Option(metavar="ID", help="Whose data set this is: controller.dataset, medway.shbe.")],
    feed: Annotated[
        str | None, typer.Option(metavar="health|welfare", help="Which kind of records they are; a layout says it.")
    ] = None,
    layout: LayoutOption = None,
    layout_settings: LayoutSettingsOption = None,
    beside: BesideOption = None,
    areas: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Postcodes and their LSOAs (ONS postcode directory), for records without."),
    ] = None,
    domain: DomainOption = None,
    bridge: BridgeOption = None,
    hub: HubOption = None,
    salt: SaltOption = None,
    columns: Annotated[
        str | None, typer.Option(metavar="MAP.toml", help="Column map: a TOML file, or a shipped one (febrl).")
    ] = None,
    keep_ids: Annotated[
        bool, typer.Option("--keep-ids", help="Leave record_id clear, for evaluation: services refuse such a file.")
    ] = False,
    version: Annotated[
        int | None, typer.Option(min=0, help="Version of rows without one; the time in milliseconds if not given.")
    ] = None,
    one_record_per_person: Annotated[
        bool | None,
        typer.Option(
            "--one-record-per-person/--no-one-record-per-person",
            help="Whether a person has at most one row here; yes for health, no for welfare if not given.",
        ),
    ] = None,
    legal_basis: Annotated[str | None, typer.Option(help="Declared in the file; `send` passes it on.")] = None,
    purpose: Annotated[str | None, typer.Option(help="Declared in the file; `send` passes it on.")] = None,
    dsa: Annotated[str | None, typer.Option(help="Reference of the data-sharing agreement.")] = None,
    extract_date: Annotated[datetime | None, typer.Option(formats=_DAY, help="When the data were extracted.")] = None,
    opt_outs_applied: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="When the national data opt-out was applied.")
    ] = None,
    full_extract: Annotated[
        bool, typer.Option("--full-extract", help="The file holds everyone: who is not in it any more is withdrawn.")
    ] = False,
    epoch: Annotated[str | None, typer.Option(help="Key epoch, if not the agreement's present one.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes to encode with; as many as cores, up to four, if not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Turn a clear file into keyed tokens and filters. Run it where the clear data are: nothing is sent anywhere."""
    from linkage.encode import ProjectKeys
    from schemas.errors import InputError, Reason
    from services.pseudonymise import ColumnMap, Job, read_column_map, read_key_file, run
    from services.pseudonymise.areas import Areas
    from services.pseudonymise.declare import declaration

    agreement = read_agreement(agreement_name)
    raw = open_raw_layout(layout, layout_settings, beside, feed)
    if raw is not None and columns is not None:
        raise InputError(Reason.OPTION_INVALID, "A layout knows its columns; give --layout or --columns, not both.")
    declared = declaration(
        agreement,
        source=source,
        feed=feed or ("" if raw is None else raw.feed),
        epoch=epoch,
        ids_kept=keep_ids,
        one_record_per_person=one_record_per_person,
        legal_basis=legal_basis,
        purpose=purpose,
        data_sharing_agreement=dsa,
        extract_date=None if extract_date is None else extract_date.date(),
        opt_outs_applied_on=None if opt_outs_applied is None else opt_outs_applied.date(),
        full_extract=full_extract,
    )
    job = Job(
        source_path,
        output_path,
        agreement,
        ProjectKeys(read_key_file(key_file), declared.key_epoch),
        declared,
        ColumnMap() if columns is None else read_column_map(columns),
        version,
        raw,
        pseudonyms_of(domain, bridge, hub, salt),
        None if areas is None else Areas(areas),
    )
    _warn_of_open_key(key_file)
    with _progress(source_path.name) as progress:
        report = run(job, workers=workers or min(os.cpu_count() or 1, _MOST_WORKERS), progress=progress)
    if as_json:
        typer.echo(json.dumps(report.as_json()))
    else:
        _tell(report)


def pseudonyms_of(domain: str | None, bridge: Path | None, hub: str | None, salt: Path | None) -> Pseudonyms | None:
    """Return what the options say of a file's pseudonyms, or None; InputError OPTION_INVALID for half of them."""
    from schemas.errors import InputError, Reason
    from services.pseudonymise.bridges import Pseudonyms

    if domain is None and (bridge is not None or hub is not None):
        raise InputError(Reason.OPTION_INVALID, "--bridge and --hub lead from a domain; give --domain.")
    return None if domain is None and salt is None else Pseudonyms(domain, bridge, hub, salt)


def open_raw_layout(
    name: str | None, settings_file: Path | None, beside: Path | None, feed: str | None
) -> Layout | None:
    """Return the layout that the options name, or None; InputError OPTION_INVALID where they do not fit together."""
    from schemas.errors import InputError, Reason
    from services.pseudonymise.layouts import open_layout
    from services.pseudonymise.layouts.settings import read_settings

    if name is None:
        if settings_file is not None or beside is not None:
            raise InputError(Reason.OPTION_INVALID, "--layout-settings and --beside belong to a layout; give --layout.")
        return None
    settings = {} if settings_file is None else read_settings(settings_file)
    layout = open_layout(name, settings if beside is None else {**settings, "beside": beside})
    if feed is not None and feed != layout.feed:
        raise InputError(Reason.OPTION_INVALID, f"That layout holds {layout.feed} records; leave --feed out.")
    return layout


def read_agreement(name: str) -> Agreement:
    """Return a shipped agreement by name, or the one in a file; AgreementError where there is none that can be read."""
    from schemas.agreement import SHIPPED, parse_agreement, shipped_agreement
    from schemas.errors import AgreementError, Reason

    path = Path(name)
    if name in SHIPPED or name in SHIPPED.values() or not path.exists():
        return shipped_agreement(name)
    try:
        return parse_agreement(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise AgreementError(
            Reason.AGREEMENT_INVALID, "The agreement file cannot be read; give a JSON file in UTF-8."
        ) from None


def _warn_of_open_key(key_file: Path) -> None:
    from services.pseudonymise.keyfile import is_readable_by_others

    if is_readable_by_others(key_file):
        typer.echo(f"warning: others on this machine can read the key file; run: chmod 600 {key_file}", err=True)


@contextmanager
def _progress(name: str) -> Iterator[Progress]:
    """Show rows done on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    text = TextColumn("{task.description}: {task.fields[rows]} rows")
    with Bar(SpinnerColumn(), text, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None, rows="0")

        def show(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total, rows=f"{done:,}" + (f" of {total:,}" if total else ""))

        yield show


def _tell(report: Report) -> None:
    from linkage.normalise import EXPLAINED, FieldReason

    typer.echo(
        f"wrote {report.output}: {report.rows_written:,} records of {report.rows_read:,} rows "
        f"in {report.seconds:.1f} s ({report.records_per_second:,.0f} a second)"
    )
    if report.columns_left_out:
        typer.echo(f"columns left out: {', '.join(report.columns_left_out)}")
    for what, count in report.layout_counts.items():
        typer.echo(f"{count:>12,}  {what}")
    for column, count in report.values_left_out.items():
        typer.echo(f"{count:>12,}  values of {column} left out: they must not leave")
    if report.first_of_january_births:
        typer.echo(f"births on 1 January, often a guess: {report.first_of_january_births:,}")
    if report.rows_with_nothing_to_link_on:
        typer.echo(f"records kept that have nothing to be linked on: {report.rows_with_nothing_to_link_on:,}")
    for fault in report.faults:
        what = "row refused" if fault.row_refused else "field left out"
        typer.echo(f"row {fault.row:,}, {fault.field}: {EXPLAINED[FieldReason(fault.reason)]} ({what})")
    listed = sum(report.fault_counts.values())
    if listed > len(report.faults):
        typer.echo(f"... and {listed - len(report.faults):,} more in {report.faults_file}")
    for (name, reason, refused), count in sorted(report.fault_counts.items(), key=lambda item: -item[1]):
        typer.echo(f"{count:>12,}  {name} {reason}{' (rows refused)' if refused else ''}")
    if report.fault_counts:
        typer.echo(f"refused {report.rows_refused:,} rows, left out {report.fields_dropped:,} fields")
