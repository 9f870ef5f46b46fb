"""`hwlink doctor`, `config`, `topics`, `snapshot list` and `audit verify|search`: for operators and governance."""

from __future__ import annotations

import json
import os
import time
from typing import Annotated

import typer

from schemas.errors import Reason, StateError, TransientError

_POLL_S = 0.25


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(doctor)
    app.command()(config)
    app.command()(topics)
    snapshots = typer.Typer(help="Published states of persons and features.", no_args_is_help=True)
    snapshots.command("list")(snapshot_list)
    app.add_typer(snapshots, name="snapshot")
    audit = typer.Typer(help="The hash-chained record of who asked, decided and saw what.", no_args_is_help=True)
    audit.command("verify")(audit_verify)
    audit.command("search")(audit_search)
    app.add_typer(audit, name="audit")


def doctor(
    reconcile: Annotated[bool, typer.Option("--reconcile", help="Check that sent, landed and refused add up.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait until every stage has drained.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how far each role is and what it has still to do; with --reconcile, whether the books balance."""
    from services.admin.status import drained, status
    from services.bootstrap import open_bus, open_registry
    from services.settings import read_settings

    settings = read_settings(os.environ)
    bus, registry = open_bus(settings), open_registry(settings)
    deadline = time.monotonic() + wait
    roles = status(bus, registry)
    while not drained(roles) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        roles = status(bus, registry)
    if reconcile:
        _reconcile(as_json)
        return
    if as_json:
        report = [{"role": r.role, "lag_messages": r.lag_messages, "unpublished": r.unpublished} for r in roles]
        typer.echo(json.dumps({"drained": drained(roles), "roles": report}, indent=2))
    else:
        for role in roles:
            typer.echo(f"{role.role:<16} {role.lag_messages:>8} to do")
    if wait and not drained(roles):
        raise TransientError(
            Reason.DEADLINE, f"Not drained within {wait:g} seconds; wait longer, or see which role is behind."
        )


def _reconcile(as_json: bool) -> None:
    from services.admin.reconcile import as_json as books_as_json
    from services.admin.reconcile import reconcile
    from services.bootstrap import open_registry, open_zone
    from services.settings import read_settings

    settings = read_settings(os.environ)
    books = reconcile(open_registry(settings).ingest, open_zone(settings, "linkage"), open_zone(settings, "content"))
    if as_json:
        typer.echo(books_as_json(books))
    else:
        for row in books:
            verdict = "agrees" if row.agrees else "DOES NOT AGREE"
            typer.echo(
                f"{row.source}: sent {row.sent:,} = accepted {row.accepted:,} + refused {row.refused:,}; "
                f"landed {row.landed:,} + suppressed {row.suppressed:,} + duplicate {row.duplicate:,}; {verdict}"
            )
    wrong = [row.stream_id for row in books if not row.agrees]
    if wrong:
        raise StateError(
            Reason.NOT_RECONCILED,
            f"The books of {len(wrong)} of {len(books)} streams do not balance; if records are still landing, "
            "run `hwlink doctor --wait 60 --reconcile`, else keep the data folder as it is and report it.",
        )


def config(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List every setting with its variable, what it is for, and its present value."""
    from services.settings import PREFIX, Settings, read_settings

    settings = read_settings(os.environ)
    rows = [
        (PREFIX + name.upper(), str(getattr(settings, name)), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    if as_json:
        typer.echo(json.dumps([{"variable": v, "value": x, "description": d} for v, x, d in rows], indent=2))
        return
    for variable, value, description in rows:
        typer.echo(f"{variable}={value}\n    {description}")


def topics(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List every topic with its partitions, retention and readers."""
    from schemas.topics import DAYS_MS, INTERNAL

    if as_json:
        typer.echo(json.dumps([vars(topic) for topic in INTERNAL], indent=2))
        return
    for topic in INTERNAL:
        kept = "kept for ever" if topic.retention_ms is None else f"kept {topic.retention_ms // DAYS_MS} days"
        typer.echo(f"{topic.name}  {topic.partitions} partitions, {kept}, read by {', '.join(topic.readers)}")


def snapshot_list(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List published snapshots, newest first."""
    from services.bootstrap import open_registry
    from services.settings import read_settings

    snapshots = open_registry(read_settings(os.environ)).features.snapshots()
    if as_json:
        rows = [{"snapshot_id": s.snapshot_id, "as_of": s.as_of.isoformat(), "model_id": s.model_id} for s in snapshots]
        typer.echo(json.dumps(rows, indent=2))
        return
    for snapshot in snapshots:
        typer.echo(f"{snapshot.snapshot_id}  as of {snapshot.as_of}  model {snapshot.model_id}")


def audit_verify() -> None:
    """Check the audit's hash chain from its first event to its last."""
    from services.bootstrap import open_registry
    from services.registry.chain import first_break
    from services.settings import read_settings

    events = open_registry(read_settings(os.environ)).query.audit_events()
    broken = first_break(events)
    if broken is not None:
        raise StateError(
            Reason.NOT_RECONCILED,
            f"The audit chain breaks at event {broken}; keep the registry as it is and tell information governance.",
        )
    typer.echo(f"{len(events):,} events, chain unbroken")


def audit_search(
    action: Annotated[str, typer.Option(help="Only this action.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print audit events, oldest first."""
    from services.bootstrap import open_registry
    from services.settings import read_settings

    events = open_registry(read_settings(os.environ)).query.audit_events()
    chosen = [(serial, event) for serial, event, _ in events if action in ("", event.action)]
    if as_json:
        typer.echo(json.dumps([{"serial": serial, **vars(event)} for serial, event in chosen], indent=2, default=dict))
        return
    for serial, event in chosen:
        typer.echo(f"{serial:>6}  {event.principal}  {event.purpose}  {event.action}  {event.outcome}")
