"""Commands of operators and governance: `doctor`, `config`, `snapshot list`, `audit`.

They open the stores themselves, because they must answer when nothing serves.
"""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas.errors import HwlinkError, InputError, Reason, StateError, TransientError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.admin.backlog import Backlog
    from services.admin.status import DriftAlarm, RoleStatus
    from services.registry import Registry
    from services.settings import Settings

_POLL_S = 0.25
_HEALTH_TIMEOUT_S = 5.0
AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(doctor)
    app.command()(health)
    app.command()(config)
    snapshots = typer.Typer(help="Published states of persons and features.", no_args_is_help=True)
    snapshots.command("list")(snapshot_list)
    app.add_typer(snapshots, name="snapshot")
    audit = typer.Typer(help="The hash-chained record of who asked, decided and saw what.", no_args_is_help=True)
    audit.command("verify")(audit_verify)
    audit.command("search")(audit_search)
    app.add_typer(audit, name="audit")


def doctor(
    reconcile: Annotated[bool, typer.Option("--reconcile", help="Check that sent, landed and refused add up.")] = False,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait until every stage has drained.", min=0, metavar="SECONDS")
    ] = 0.0,
    late_share: Annotated[
        float,
        typer.Option(help="Share of its topic's retention that a message may wait unread.", min=0, metavar="SHARE"),
    ] = 0.5,
    late_after: Annotated[
        float | None, typer.Option(help="Seconds that a message may wait unread; no limit without.", metavar="SECONDS")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how far each role is, what it has still to do and since when; with --reconcile, whether the books balance.

    The exit code is 7 when a message has waited unread for too long, by shard where a role has shards.
    """
    from services.bootstrap import open_bus, open_registry, open_zone

    settings = _settings()
    deadline = time.monotonic() + wait
    _wait_for_stores(settings, deadline)
    linkage, content = open_zone(settings, "linkage"), open_zone(settings, "content")
    with closing(open_bus(settings)) as bus, closing(open_registry(settings)) as registry:
        from services.admin.backlog import backlogs, late
        from services.admin.dead_letters import count
        from services.admin.reconcile import reconcile as balance
        from services.admin.status import drained, drift_alarms, status

        roles = status(bus, registry, content)
        while not drained(roles) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
            roles = status(bus, registry, content)
        books = balance(registry.ingest, linkage, content) if reconcile else None
        dead, drift = count(bus), drift_alarms(registry)
        waiting = backlogs(bus, registry, roles)
    is_drained = drained(roles)
    if books is None:
        _tell_roles(roles, waiting, is_drained, dead, drift, as_json)
    else:
        _tell_books(books, as_json)
    if wait and not is_drained:
        raise TransientError(
            Reason.DEADLINE, f"Not drained within {wait:g} seconds; wait longer, or see which role is behind."
        )
    too_late = late(waiting, late_share, late_after)
    if too_late:
        worst = max(too_late, key=lambda one: one.age_s)
        lost = "" if worst.retention_share is None else f", {worst.retention_share:.0%} of what {worst.topic} keeps"
        raise TransientError(
            Reason.DEADLINE,
            f"{len(too_late)} partitions wait for too long; the oldest message, for {worst.reader}, since "
            f"{worst.age_s:,.0f} seconds{lost}. See 'A lag that grows' in deploy/RUNBOOK.md.",
        )
    wrong = [row.stream_id for row in books or () if not row.agrees]
    if wrong:
        raise StateError(
            Reason.NOT_RECONCILED,
            f"The books of {len(wrong)} of {len(books or ())} streams do not balance; if records are still landing, "
            "run `hwlink doctor --wait 60 --reconcile`, else keep the data folder as it is and report it.",
        )


def _tell_roles(
    roles: Sequence[RoleStatus],
    waiting: Sequence[Backlog],
    is_drained: bool,
    dead: int,
    drift: Sequence[DriftAlarm],
    as_json: bool,
) -> None:
    from services.admin.backlog import oldest_age_s

    ages = oldest_age_s(waiting)
    if as_json:
        report = [
            {
                "role": role.role,
                "lag_messages": role.lag_messages,
                "unpublished": role.unpublished,
                "positions": [vars(position) for position in role.positions],
            }
            for role in roles
        ]
        alarms = [vars(alarm) for alarm in drift]
        backlog = [vars(one) for one in waiting]
        print_json({"drained": is_drained, "dead_letters": dead, "drift": alarms, "roles": report, "waiting": backlog})
        return
    for role in roles:
        since = f", the oldest for {ages[role.role]:,.0f} s" if role.role in ages else ""
        typer.echo(f"{role.role:<16} {role.lag_messages:>8,} to do{since}")
    typer.echo("drained" if is_drained else "not drained")
    if dead:
        typer.echo(f"put aside as unusable: {dead:,}; `hwlink dlq list` shows them")
    for alarm in drift:
        typer.echo(
            f"{alarm.source} has drifted: {alarm.measure}, {alarm.bucket} {alarm.share:.0%}, usually "
            f"{alarm.usual_share:.0%} (index {alarm.index:g})"
        )
    if drift:
        typer.echo(
            "ask the controller whether key, extract or system changed; where the change is there to stay, fit a model "
            "on what is held now (`hwlink model fit`) and adopt it (`hwlink model adopt ID`)"
        )


def _tell_books(books: Sequence[Any], as_json: bool) -> None:
    from services.admin.reconcile import as_json as books_as_json

    if as_json:
        typer.echo(books_as_json(list(books)))
        return
    for row in books:
        verdict = "agrees" if row.agrees else "DOES NOT AGREE"
        typer.echo(
            f"{row.source} ({row.stream_id}): sent {row.sent:,} = accepted {row.accepted:,} + refused {row.refused:,}; "
            f"landed {row.landed:,} + suppressed {row.suppressed:,} + duplicate {row.duplicate:,}; {verdict}"
        )
    if not books:
        typer.echo("no streams yet")


def health(role: Annotated[str, typer.Argument(help="ingest, query or review.")], as_json: AsJson = False) -> None:
    """Ask a role that serves whether it does, at its address in the settings; the exit code is 7 when it does not.

    For the probes of whatever runs the roles: it runs where the role runs, since the address is on loopback.
    """
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    from services.rpc.client import call, open_channel

    settings = _settings()
    addresses = {"ingest": settings.ingest_address, "query": settings.query_address, "review": settings.review_address}
    if role not in addresses:
        raise InputError(Reason.OPTION_INVALID, f"A role that serves is one of: {', '.join(addresses)}.")
    with open_channel(addresses[role], retries=False) as channel:
        answer = call(
            health_pb2_grpc.HealthStub(channel).Check, health_pb2.HealthCheckRequest(), deadline_s=_HEALTH_TIMEOUT_S
        )
    serves = answer.status == health_pb2.HealthCheckResponse.SERVING
    if as_json:
        print_json({"role": role, "serves": serves})
    else:
        typer.echo(f"{role} {'serves' if serves else 'does not serve'}")
    if not serves:
        raise TransientError(Reason.UNAVAILABLE, f"The role {role} is starting or stopping; ask again.")


def config(as_json: AsJson = False) -> None:
    """List every setting with its variable, what it is for, and its present value; passwords in URLs are left out."""
    from services.settings import PREFIX, Settings

    settings: Settings | None = None
    failure: HwlinkError | None = None
    try:
        settings = _settings()
    except HwlinkError as error:
        # Whoever mistyped a setting is sent here for the names, so these are shown before the failure.
        failure = error
    rows = [
        {
            "variable": PREFIX + name.upper(),
            "value": None if settings is None else _shown(getattr(settings, name)),
            "description": field.description or "",
        }
        for name, field in Settings.model_fields.items()
    ]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            value = "" if row["value"] is None else f"={row['value']}"
            typer.echo(f"{row['variable']}{value}\n    {row['description']}")
    if failure is not None:
        raise failure


def snapshot_list(as_json: AsJson = False) -> None:
    """List published snapshots, newest first."""
    with closing(_registry()) as registry:
        snapshots = registry.features.snapshots()
    rows = [
        {
            "snapshot_id": snapshot.snapshot_id,
            "as_of": snapshot.as_of.isoformat(),
            "published_at_ms": snapshot.published_at_ms,
            "model_id": snapshot.model_id,
            "people": json.loads(snapshot.summary_json).get("persons", 0),
        }
        for snapshot in snapshots
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        model = row["model_id"] or "none"
        typer.echo(f"{row['snapshot_id']}  as of {row['as_of']}  model {model}  {row['people']:,} people")
    if not rows:
        typer.echo("no snapshots yet")


def audit_verify(as_json: AsJson = False) -> None:
    """Check the audit's hash chain from its first event to its last."""
    from services.registry.chain import first_break

    with closing(_registry()) as registry:
        events = registry.query.audit_events()
    broken = first_break(events)
    if as_json:
        print_json({"events": len(events), "unbroken": broken is None, "first_break": broken})
    elif broken is None:
        typer.echo(f"{len(events):,} events, chain unbroken")
    if broken is not None:
        raise StateError(
            Reason.NOT_RECONCILED,
            f"The audit chain breaks at event {broken}; keep the registry as it is and tell information governance.",
        )


def audit_search(
    action: Annotated[str, typer.Option(help="Only this action, such as review.decide.")] = "",
    purpose: Annotated[str, typer.Option(help="Only this purpose.")] = "",
    principal: Annotated[str, typer.Option(help="Only this principal.")] = "",
    outcome: Annotated[str, typer.Option(help="Only this outcome, such as refused.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print audit events, oldest first."""
    from datetime import UTC, datetime

    wanted = {"action": action, "purpose": purpose, "principal": principal, "outcome": outcome}
    with closing(_registry()) as registry:
        events = [
            (serial, event)
            for serial, event, _ in registry.query.audit_events()
            if all(value in ("", getattr(event, name)) for name, value in wanted.items())
        ]
    if as_json:
        print_json([{"serial": serial, **vars(event)} for serial, event in events])
        return
    for serial, event in events:
        at = datetime.fromtimestamp((event.occurred_at_ms or 0) / 1000, UTC).isoformat(timespec="seconds")
        detail = " ".join(f"{name}={value}" for name, value in event.detail.items())
        typer.echo(f"{serial:>6}  {at}  {event.principal}  {event.purpose}  {event.action}  {event.outcome}  {detail}")


def _settings() -> Settings:
    from services.settings import read_settings

    return read_settings(os.environ)


def deployment() -> Settings:
    """Return the settings of a deployment that is there; StateError STORE_MISSING when its stores are not."""
    settings = _settings()
    _wait_for_stores(settings, 0.0)
    return settings


def _registry() -> Registry:
    from services.bootstrap import open_registry

    return open_registry(deployment())


def _wait_for_stores(settings: Settings, deadline: float) -> None:
    """Wait until the embedded stores are there; StateError STORE_MISSING when they are not by `deadline`.

    Opening them would make empty ones, and an empty line in the wrong folder looks like one that has drained.
    """
    stores = [
        Path(url.removeprefix("sqlite:///"))
        for url in (settings.bus_url, settings.registry_url)
        if url.startswith("sqlite:///")
    ]
    while not all(path.exists() for path in stores):
        if time.monotonic() >= deadline:
            raise StateError(
                Reason.STORE_MISSING,
                "There is no data here; start `hwlink serve` first, or set HWLINK_DATA_DIR to the folder it uses.",
            )
        time.sleep(_POLL_S)


def _shown(value: Any) -> str:
    """Return a setting's value without the password that a URL may hold."""
    text = os.pathsep.join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)
    return re.sub(r"(?<=://)([^/@\s:]*):[^@\s]*@", r"\1:***@", text)


def print_json(value: Any) -> None:
    """Print a report as JSON."""
    typer.echo(json.dumps(value, indent=2, default=dict, ensure_ascii=False))
