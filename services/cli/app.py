"""The `hwlink` command: gathers the command groups and turns every failure into one line and an exit code."""

from __future__ import annotations

import sys
import uuid
from importlib import import_module

import typer

from schemas.errors import HwlinkError, Reason

GROUPS = (
    "demo",
    "synthesise",
    "reference",
    "check",
    "pseudonymise",
    "link",
    "serve",
    "send",
    "query",
    "cohort",
    "export",
    "model",
    "review",
    "indicators",
    "report",
    "operate",
    "store",
    "topics",
    "dlq",
)
"""Modules of `services.cli`, in the order that `hwlink --help` lists their commands."""


def build() -> typer.Typer:
    """Return the command with every group registered."""
    app = typer.Typer(
        name="hwlink",
        help="Link pseudonymised health and welfare records, and ask safe questions of the people found.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for name in GROUPS:
        import_module(f"services.cli.{name}").register(app)
    return app


def main() -> None:
    """Run the command; exit codes are those of `schemas.errors`, 2 for a call that is not understood, 130 if
    interrupted.
    """
    try:
        build()()
    except HwlinkError as error:
        sys.stderr.write(f"error[{error.reason}]: {error.message}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output went away (`hwlink ... | head`): nothing is left to tell anyone.
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:  # the last line of defence: a text of another library may hold a record's value
        incident = uuid.uuid4().hex[:12]
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        where = f"{frame.tb_frame.f_code.co_name}:{frame.tb_lineno}" if frame is not None else "unknown"
        sys.stderr.write(
            f"error[{Reason.INTERNAL}]: Incident {incident}: {type(error).__name__} at {where}. "
            "This is a fault of hwlink; report it with the incident and this line.\n"
        )
        sys.exit(70)


if __name__ == "__main__":
    main()
