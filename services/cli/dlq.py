"""`hwlink dlq`: messages that a role put aside as unusable, and sending them again. What was in them is never shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import InputError, Reason
from services.cli.operate import AsJson, deployment, print_json

if TYPE_CHECKING:
    from services.admin.dead_letters import Letter
    from services.bus import Bus
    from services.registry import Registry


_PRINCIPAL = "local"
"""Who asks: whoever may open the stores of this machine, as in the commands of reviewers."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Messages put aside as unusable; what was in them is never shown.", no_args_is_help=True)
    group.command("list")(dlq_list)
    group.command("show")(dlq_show)
    group.command("replay")(dlq_replay)
    app.add_typer(group, name="dlq")


def dlq_list(
    topic: Annotated[str, typer.Option(help="Only letters of this topic.")] = "",
    reason: Annotated[str, typer.Option(help="Only letters of this reason.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the messages that a role put aside: where they stood, who put them aside and why."""
    with _stores() as (bus, registry):
        found = _chosen(bus, registry, topic, reason)
    if as_json:
        print_json([vars(letter) for letter in found])
        return
    for letter in found:
        state = "" if letter.replayed_to_offset is None else f", sent again as offset {letter.replayed_to_offset}"
        earlier = "" if letter.replay_of is None else f", again after {letter.replay_of}"
        typer.echo(f"{letter.id}  {letter.reason}  by {letter.role}{earlier}{state}")
    typer.echo(f"put aside as unusable: {len(found):,}")


def dlq_show(
    letter: Annotated[str, typer.Argument(help="TOPIC-PARTITION-OFFSET, as `hwlink dlq list` prints it.")],
    as_json: AsJson = False,
) -> None:
    """Show one dead letter: position, reason, when, and what became of it."""
    with _stores() as (bus, registry):
        [found] = _named(bus, registry, [letter])
    if as_json:
        print_json(vars(found))
        return
    at = datetime.fromtimestamp(found.put_aside_at_ms / 1000, UTC).isoformat(timespec="seconds")
    typer.echo(f"{found.id}: topic {found.topic}, partition {found.partition}, offset {found.offset}")
    typer.echo(f"put aside by {found.role} at {at}: {found.reason}")
    if found.replay_of is not None:
        typer.echo(f"sent again after {found.replay_of}, and unusable still")
    if found.replayed_to_offset is not None:
        typer.echo(f"sent again since, as offset {found.replayed_to_offset}")


def dlq_replay(
    letters: Annotated[list[str] | None, typer.Argument(help="TOPIC-PARTITION-OFFSET of each.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every letter that was not sent again before.")] = False,
    topic: Annotated[str, typer.Option(help="With --all: only letters of this topic.")] = "",
    reason: Annotated[str, typer.Option(help="With --all: only letters of this reason.")] = "",
    as_json: AsJson = False,
) -> None:
    """Send the message of each letter again, once what was wrong is mended; each is written to the audit.

    The message is read where it stood and goes to the end of its partition, under a header that names the letter.
    Records that were taken in meanwhile at a higher version stay as they are. What is unusable still is put aside
    again, as a new letter that names the former. On Kafka this reads and writes as the principal `replay`.
    """
    from schemas.topics import REPLAY
    from services.admin.dead_letters import replay

    if bool(letters) == every:
        raise InputError(Reason.OPTION_INVALID, "Name the letters to send again, or give --all; not both.")
    with _stores() as (bus, registry):
        chosen = (
            [letter for letter in _chosen(bus, registry, topic, reason, REPLAY) if letter.replayed_to_offset is None]
            if every
            else _named(bus, registry, letters or [], REPLAY)
        )
        done = []
        for letter, offset in replay(bus, registry.query, chosen, _PRINCIPAL):
            done.append({"id": letter.id, "offset": offset})
            if not as_json:
                typer.echo(f"{letter.id}: sent again as offset {offset}")
    if as_json:
        print_json(done)
    else:
        typer.echo(f"sent again: {len(done):,}; `hwlink dlq list` shows what is unusable still")


@contextmanager
def _stores() -> Iterator[tuple[Bus, Registry]]:
    from services.bootstrap import open_bus, open_registry

    settings = deployment()
    with closing(open_bus(settings)) as bus, closing(open_registry(settings)) as registry:
        yield bus, registry


def _chosen(bus: Bus, registry: Registry, topic: str, reason: str, group: str = "operator") -> list[Letter]:
    from services.admin.dead_letters import letters

    return [
        letter
        for letter in letters(bus, registry.query, group)
        if topic in ("", letter.topic) and reason in ("", letter.reason)
    ]


def _named(bus: Bus, registry: Registry, names: list[str], group: str = "operator") -> list[Letter]:
    found = {letter.id: letter for letter in _chosen(bus, registry, "", "", group)}
    unknown = [name for name in names if name not in found]
    if unknown:
        raise InputError(
            Reason.NOT_FOUND,
            f"{len(unknown)} of these names are of no dead letter; `hwlink dlq list` prints the names there are.",
        )
    return [found[name] for name in names]
