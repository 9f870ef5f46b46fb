"""`hwlink model adopt|abandon`: put another model in force while the stream goes on, after a look at who changes."""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from services.models.preview import Touched
    from services.registry import AuditEvent, Registry
    from services.registry.adoption import Adoption, AdoptionState
    from services.settings import Settings

_POLL_S = 0.25
_TELL_EVERY_S = 10.0
AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON; asks nothing.")]


def model_adopt(
    name: Annotated[str, typer.Argument(help="A stored model's id, `default` or a file.", metavar="MODEL")],
    yes: Annotated[bool, typer.Option("--yes", help="Switch without asking, once the preview is there.")] = False,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for the preview, and for the switch.", min=0, metavar="SECONDS")
    ] = 3600.0,
    as_json: AsJson = False,
) -> None:
    """Show which persons another model would change, by subgroup, and put it in force once that is confirmed.

    The running services match everything held by the new model beside the one in force, and switch in one step when it
    has caught up. Person ids carry over by largest overlap, reviewers' decisions stay. The command can be stopped and
    called again at any time; `hwlink model abandon` ends an adoption before the switch.
    """
    from services.bootstrap import open_registry, open_zone
    from services.cli.model import find_model
    from services.cli.operate import deployment
    from services.models.store import ModelStore
    from services.registry.adoption import AdoptionState

    model, settings = find_model(name), deployment()
    deadline = time.monotonic() + wait
    with closing(open_registry(settings)) as registry:
        ModelStore(open_zone(settings, "linkage")).save(model)
        event = _event("model.adopt", model.model_id)
        serial = registry.adoptions.begin(model.model_id, model.model_dump_json(), event).serial
        until = (AdoptionState.READY, AdoptionState.CONFIRMED, AdoptionState.SWITCHED)
        adoption = _awaited(registry, serial, until, deadline)
        is_open = adoption.state is AdoptionState.READY
        groups = _by_subgroup(registry, settings) if is_open else []
        if is_open and not as_json:
            _tell(adoption, groups)
        if is_open and not (yes or _is_confirmed(model.model_id, as_json)):
            following = f"hwlink model adopt {model.model_id} --yes"
            if as_json:
                _report(adoption, groups, following)
            else:
                typer.echo(f"nothing is changed yet: `{following}` switches, `hwlink model abandon` ends it", err=True)
            return
        if is_open:
            registry.adoptions.confirm(serial, _event("model.confirm", model.model_id))
        adoption = _awaited(registry, serial, (AdoptionState.SWITCHED,), deadline)
    if as_json:
        _report(adoption, groups, None)
    else:
        typer.echo(f"{model.model_id} is in force")


def model_abandon(as_json: AsJson = False) -> None:
    """End the adoption that is under way, before its switch; nothing of it stays, and the model in force goes on."""
    from schemas.errors import Reason, StateError
    from services.bootstrap import open_registry
    from services.cli.operate import deployment

    with closing(open_registry(deployment())) as registry:
        adoption = registry.adoptions.in_use().adoption
        if adoption is None:
            raise StateError(
                Reason.MODEL_MISMATCH, "No model is being adopted; `hwlink model list` shows which is in force."
            )
        registry.adoptions.abandon(adoption.serial, _event("model.abandon", adoption.model_id))
    typer.echo(json.dumps({"abandoned": adoption.model_id}) if as_json else f"abandoned: {adoption.model_id}")


def _event(action: str, model_id: str) -> AuditEvent:
    from services.registry import AuditEvent

    return AuditEvent("local", "operation", action, "done", {"model_id": model_id})


def _awaited(registry: Registry, serial: int, wanted: tuple[AdoptionState, ...], deadline: float) -> Adoption:
    """Return the adoption once it is in one of these states.

    Raises TransientError DEADLINE when it is not by then, StateError MODEL_MISMATCH when it was abandoned meanwhile.
    """
    from schemas.errors import Reason, StateError, TransientError
    from services.registry.adoption import AdoptionState

    told = time.monotonic()
    while True:
        adoption = registry.adoptions.adoption(serial)
        if adoption.state in wanted:
            return adoption
        if adoption.state is AdoptionState.ABANDONED:
            raise StateError(
                Reason.MODEL_MISMATCH, "The adoption was abandoned meanwhile; begin it anew if it is wanted."
            )
        now = time.monotonic()
        if now >= deadline:
            raise TransientError(
                Reason.DEADLINE,
                f"The adoption is {adoption.state} still; see that `hwlink serve` runs, and call this again: it goes "
                "on where it is.",
            )
        if now - told >= _TELL_EVERY_S:
            typer.echo(f"{adoption.state}; `hwlink doctor` shows how far the candidate is", err=True)
            told = now
        time.sleep(_POLL_S)


def _by_subgroup(registry: Registry, settings: Settings) -> list[Touched]:
    """Return whom the adoption would touch, by the subgroups of the newest snapshot; none before the first one."""
    from schemas.disclosure import shipped_policy
    from services.bootstrap import open_zone
    from services.models.preview import SUBGROUPS, touched_by_subgroup

    snapshot = registry.query.latest_snapshot()
    people = None if snapshot is None else open_zone(settings, "products").scan("features", snapshot.tables["features"])
    if people is None:
        return []
    names = [name for name in SUBGROUPS if name in people.collect_schema().names()]
    return touched_by_subgroup(
        registry.adoptions.would_move(), people.select("person_id", *names).collect(), shipped_policy()
    )


def _is_confirmed(model_id: str, as_json: bool) -> bool:
    return not as_json and sys.stdin.isatty() and typer.confirm(f"Put {model_id} in force?")


def _report(adoption: Adoption, groups: list[Touched], following: str | None) -> None:
    from services.registry.adoption import AdoptionState

    report: dict[str, Any] = {
        "model_id": adoption.model_id,
        "in_force": adoption.state is AdoptionState.SWITCHED,
        "preview": dict(adoption.preview),
        "by_subgroup": [vars(group) for group in groups],
        "next": following,
    }
    typer.echo(json.dumps(report))


def _tell(adoption: Adoption, groups: list[Touched]) -> None:
    from rich.console import Console
    from rich.table import Table

    n = adoption.preview
    typer.echo(
        f"{adoption.model_id} would make {n['persons_then']:,} persons of today's {n['persons_now']:,}:\n"
        f"  {n['persons_unchanged']:,} unchanged, {n['persons_split']:,} split, {n['persons_merged']:,} merged\n"
        f"  {n['subjects_moved']:,} of {n['subjects']:,} subjects move\n"
        f"  links {n['links_now']:,} -> {n['links_then']:,} ({n['links_gained']:,} gained, {n['links_lost']:,} lost), "
        f"reviews {n['reviews_now']:,} -> {n['reviews_then']:,}"
    )
    table = Table("subgroup", "value", "persons", "would change", title="Counts are rounded; small ones are withheld")
    for group in groups:
        counts = ("withheld" if count is None else f"{count:,}" for count in (group.persons, group.changing))
        table.add_row(group.feature, group.value, *counts)
    if groups:
        Console().print(table)
