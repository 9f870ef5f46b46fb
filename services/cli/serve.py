"""`hwlink serve`: run all roles under a supervisor, or one role in this process."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from functools import partial
from types import FrameType
from typing import Annotated

import typer

from schemas.errors import InputError, Reason


def register(app: typer.Typer) -> None:
    """Add the command `serve`."""
    app.command("serve")(serve)


def serve(
    role: Annotated[
        str, typer.Argument(help="all, ingest, landing, matcher, resolver, features, query or review.")
    ] = "all",
    supervised: Annotated[bool, typer.Option("--supervised", hidden=True)] = False,
) -> None:
    """Run every role, each in a process of its own, or one role in this process; settings come from HWLINK_*.

    On Kafka, a matcher may be started any number of times, as may a resolver, of which the first works and the others
    stand by.
    """
    from services.bootstrap import ROLES, run_role
    from services.rpc.lock import ExclusiveLock
    from services.rpc.logging import configure_logging
    from services.serve.supervisor import Supervisor, stop_with_supervisor
    from services.settings import as_environ, read_settings

    if role != "all" and role not in ROLES:
        raise InputError(Reason.OPTION_INVALID, f"A role is one of: all, {', '.join(ROLES)}.")
    settings = read_settings(os.environ)
    configure_logging(settings.log_level)
    stop = _stop_on_signals()
    if role != "all":
        if supervised:
            stop_with_supervisor(stop, sys.stdin.fileno())
        run_role(role, settings, stop, partial(_say_ready, role), supervised=supervised)
        return
    with ExclusiveLock(settings.data_dir, "supervisor"):
        typer.echo(
            f"hwlink serves ingest on {settings.ingest_address}, query on {settings.query_address}, "
            f"review and admin on {settings.review_address}; data in {settings.data_dir}. Stop with Ctrl-C.",
            err=True,
        )
        supervisor = Supervisor(
            [role for role in ROLES for _ in range(settings.matchers if role == "matcher" else 1)],
            lambda name: [sys.executable, "-m", "services.cli.app", "serve", name, "--supervised"],
            {**os.environ, **as_environ(settings)},
        )
        supervisor.run(stop)


def _say_ready(role: str, addresses: Mapping[str, str]) -> None:
    """Log that a role works, and where its services listen."""
    logging.getLogger("services.serve").info("ready", extra={"role": role})
    for address in sorted(set(addresses.values())):
        logging.getLogger("services.serve").info("serving", extra={"role": role, "address": address})


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    return stop
