"""`hwlink cohort freeze|frozen|follow`: a cohort as it is on a date, and what became of its people."""

from __future__ import annotations

import json
from calendar import monthrange
from contextlib import closing
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.query import DEFAULT_ADDRESS, WITHHELD, To

if TYPE_CHECKING:
    from services.query.client import PublishedSnapshot

AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON.")]
Purpose = Annotated[str, typer.Option(help="Id of the purpose under which you ask.")]


def register(app: typer.Typer) -> None:
    """Add the command group `cohort`."""
    group = typer.Typer(help="Cohorts frozen at a date, and what became of their people.", no_args_is_help=True)
    for command in (freeze, frozen, follow):
        group.command(command.__name__)(command)
    app.add_typer(group, name="cohort")


def freeze(
    cohort: Annotated[str, typer.Argument(help="Id of a cohort; `hwlink query cohorts` lists them.")],
    purpose: Purpose = "planning",
    snapshot: Annotated[str | None, typer.Option(help="Snapshot to freeze it in; without it, the newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep who is in a cohort now, under an id that holds a digest of them; nobody is shown.

    Run it where the data are. The frozen cohort is then asked of by `hwlink cohort follow` and `hwlink query`.
    """
    from schemas.cohort_documents import cohort as document
    from schemas.errors import InputError, Reason, StateError
    from schemas.purposes import purpose as named
    from services.bootstrap import open_registry, open_zone
    from services.cli.operate import deployment
    from services.query.freezes import Freezes

    settings = deployment()
    definition = document(cohort)
    with closing(open_registry(settings)) as registry:
        found = registry.query.latest_snapshot() if snapshot is None else registry.query.snapshot(snapshot)
        if found is None and snapshot is None:
            raise StateError(Reason.NO_SNAPSHOT, "No snapshot has been published yet; wait for the features.")
        if found is None:
            raise InputError(Reason.NOT_FOUND, "There is no such snapshot; leave it out to freeze in the newest.")
        made = Freezes(open_zone(settings, "products")).freeze(definition, found, named(purpose), registry.query)
    if as_json:
        _print_json(asdict(made))
        return
    typer.echo(f"{made.freeze_id}: frozen in snapshot {made.snapshot_id}, SHA-256 {made.digest}")


def frozen(as_json: AsJson = False) -> None:
    """List the frozen cohorts of this deployment."""
    from services.bootstrap import open_zone
    from services.cli.operate import deployment
    from services.query.freezes import Freezes

    held = Freezes(open_zone(deployment(), "products")).all()
    if as_json:
        _print_json([asdict(one) for one in held])
        return
    for one in held:
        typer.echo(f"{one.freeze_id}  version {one.cohort_version}  snapshot {one.snapshot_id}  {one.digest}")


def follow(
    freeze_id: Annotated[str, typer.Argument(help="Id of a frozen cohort.", metavar="FREEZE")],
    by: Annotated[str, typer.Option(help="Feature whose values to count, at each time.")],
    months: Annotated[str, typer.Option(help="Months after the freeze to look, with commas between.")] = "0,3,6,12",
    to: To = DEFAULT_ADDRESS,
    purpose: Purpose = "planning",
    as_json: AsJson = False,
) -> None:
    """Count a frozen cohort's people by a feature then and later, each time in the snapshot of that date.

    A snapshot serves for a date if it is of that day or of the month after. Numbers are protected one by one, so that
    those of two dates do not add up to anybody's change.
    """
    from services.query.client import CohortClient

    dates = {ahead: _later(_frozen_on(freeze_id), ahead) for ahead in _months(months)}
    with CohortClient(to, purpose) as client:
        published = client.snapshots()
        steps: list[dict[str, Any]] = []
        for ahead, due in dates.items():
            snapshot = _serving(published, due)
            if snapshot is None:
                steps.append({"months": ahead, "due": due.isoformat(), "snapshot_id": None, "cells": []})
                continue
            answer = client.table([by], frozen=freeze_id, snapshot=snapshot.snapshot_id)
            steps.append(
                {
                    "months": ahead,
                    "due": due.isoformat(),
                    "snapshot_id": snapshot.snapshot_id,
                    "cells": answer.cells.rename({by: "value"}).to_dicts(),
                }
            )
    if as_json:
        _print_json({"freeze_id": freeze_id, "by": by, "steps": steps})
        return
    for step in steps:
        typer.echo(f"{step['months']:>3} months, {step['due']}: {step['snapshot_id'] or 'no snapshot serves'}")
        for cell in step["cells"]:
            typer.echo(f"    {cell['value']:<24} {WITHHELD if cell['suppressed'] else cell['count']:>9}")


def _serving(published: list[PublishedSnapshot], due: date) -> PublishedSnapshot | None:
    """Return the snapshot of the first day on or after `due`, within a month; of one day's the newest."""
    fitting = [snapshot for snapshot in published if due <= snapshot.as_of <= _later(due, 1)]
    # Newest first as they come: `min` keeps the first of equal days.
    return min(fitting, key=lambda snapshot: snapshot.as_of, default=None)


def _frozen_on(freeze_id: str) -> date:
    from schemas.errors import InputError, Reason

    try:
        return date.fromisoformat(freeze_id.split(".")[1])
    except (IndexError, ValueError):
        raise InputError(
            Reason.OPTION_INVALID, "That is no id of a frozen cohort; `hwlink cohort frozen` lists them."
        ) from None


def _months(text: str) -> list[int]:
    from schemas.errors import InputError, Reason

    parts = [part.strip() for part in text.split(",")]
    if not parts or not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
        raise InputError(Reason.OPTION_INVALID, "Give months as whole numbers with commas between, such as 0,3,6,12.")
    return [int(part) for part in parts]


def _later(day: date, months: int) -> date:
    """Return the day that many months later; the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))
