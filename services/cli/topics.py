"""`hwlink topics`: the table of topics, how a bus differs from it, and bringing the bus to it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas.errors import Reason, StateError
from services.cli.operate import AsJson, deployment, print_json

if TYPE_CHECKING:
    from services.admin.layout import Difference, Plan

Principals = Annotated[
    str, typer.Option("--principals", help="What stands before a role's name in its Kafka principal.")
]
_PRINCIPALS = "User:hwlink-"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Topics and the rights on them: the table, and the bus.", no_args_is_help=True)
    group.command("list")(topics_list)
    group.command("diff")(topics_diff)
    group.command("apply")(topics_apply)
    app.add_typer(group, name="topics")


def topics_list(as_json: AsJson = False) -> None:
    """List every topic of the table with its partitions, how long it is kept, and who reads and writes it."""
    from schemas.topics import DAYS_MS
    from services.admin.layout import every_topic

    topics = every_topic()
    if as_json:
        print_json([vars(topic) for topic in topics])
        return
    for topic in topics:
        kept = "kept for ever" if topic.retention_ms is None else f"kept {topic.retention_ms // DAYS_MS} days"
        kept = "the last of each key is kept" if topic.compacted else kept
        partitions = "1 partition" if topic.partitions == 1 else f"{topic.partitions} partitions"
        writers = f", written by {', '.join(topic.writers)}" if topic.writers else ""
        typer.echo(f"{topic.name}  {partitions}, {kept}, read by {', '.join(topic.readers)}{writers}")


def topics_diff(principals: Principals = _PRINCIPALS, as_json: AsJson = False) -> None:
    """Show in what the bus differs from the table, rights too; the exit code is 6 when it does. Changes nothing."""
    _tell(_compare(principals, mend=False), as_json)


def topics_apply(principals: Principals = _PRINCIPALS, as_json: AsJson = False) -> None:
    """Bring the bus to the table: make topics, add partitions, set how long and how large, give and take rights.

    Partitions are never taken away: that would throw messages away, and a topic that has too many is left as it is.
    Rights of principals of another prefix are left alone. May be called again at any time, also while roles run.
    """
    _tell(_compare(principals, mend=True), as_json)


def _compare(principals: str, *, mend: bool) -> tuple[Sequence[Difference], Plan]:
    """Return what was mended, and how the bus then differs."""
    from services.admin.layout import apply, every_topic, plan, settled
    from services.bootstrap import open_layout
    from services.settings import read_settings

    # A bus that is not there is made, but not by looking: an empty one in the wrong folder would look like a new one.
    settings = read_settings(os.environ) if mend else deployment()
    topics = every_topic()
    with closing(open_layout(settings)) as admin:
        before = plan(admin, topics, principals)
        if not mend:
            return (), before
        apply(admin, before)
        left = settled(admin, topics, principals)
    return [difference for difference in before.differences if difference not in left.differences], left


def _tell(outcome: tuple[Sequence[Difference], Plan], as_json: bool) -> None:
    mended, left = outcome
    if as_json:
        report: dict[str, Any] = {
            "mended": [vars(difference) for difference in mended],
            "differences": [vars(difference) for difference in left.differences],
            "checks_rights": left.checks_rights,
        }
        print_json(report)
    else:
        for verb, differences in (("mended", mended), ("differs", left.differences)):
            for one in differences:
                typer.echo(f"{verb}: {one.name}: {one.what} {one.found}, wanted {one.wanted}")
        if not left.checks_rights:
            typer.echo("this bus checks no rights: whoever reaches it may read and write everything")
        if not left.differences:
            typer.echo("the bus is as the table says")
    if left.differences:
        mendable = sum(difference.mendable for difference in left.differences)
        raise StateError(
            Reason.NOT_RECONCILED,
            f"The bus differs from the table in {len(left.differences)} places; "
            + (
                "`hwlink topics apply` mends them."
                if mendable == len(left.differences)
                else "a topic has more partitions than the table says: they stay; see deploy/RUNBOOK.md."
            ),
        )
