"""The command reference: every command with its arguments, options and exit codes, from the command line itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer
from typer.main import get_command

from schemas import errors
from schemas.errors import HwlinkError

_HEAD = """# Command reference

Generated from the command line by `python -m services.generate`: edit the commands, not this file. `hwlink COMMAND
--help` says the same.

Reports go to standard output, as JSON with `--json`; progress, logs and errors go to standard error. Settings are
environment variables, which `hwlink config` lists.

## Exit codes

A failure is one line on standard error, `error[REASON]: what happened and what to do next`.

| code | meaning |
|---|---|
| 0 | Done. |
| 2 | The call was not understood; `--help` says what a command takes. |
"""
_PLAIN = {"<int range>": "<int>", "<float range>": "<float>", "<%Y-%m-%d>": "<YYYY-MM-DD>"}
"""What click calls some types, and what readers do."""


def command_reference(app: typer.Typer) -> str:
    """Return the reference as Markdown. It does not depend on the terminal, the environment or the machine."""
    root: Any = get_command(app)
    root.name = "hwlink"
    listed = sorted(commands(root), key=lambda item: item[1])
    return "\n".join([_HEAD + "".join(_exit_codes()), *(_section(command, path) for command, path in listed)])


def commands(root: Any) -> Iterator[tuple[Any, str]]:
    """Yield every command that does something, with the words that call it."""
    pending = [(root, root.name)]
    while pending:
        command, path = pending.pop(0)
        inner = getattr(command, "commands", {})
        pending = [(child, f"{path} {name}") for name, child in inner.items()] + pending
        if not inner:
            yield command, path


def _exit_codes() -> Iterator[str]:
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, HwlinkError) and kind is not HwlinkError
    ]
    for kind in sorted(kinds, key=lambda kind: kind.exit_code):
        yield f"| {kind.exit_code} | {_text(kind.__doc__)} |\n"
    yield "| 130 | Interrupted. |\n"


def _section(command: Any, path: str) -> str:
    context = command.context_class(command, info_name=path)
    arguments, options = [], []
    usage = [path]
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is None:  # hidden: for hwlink's own use
            continue
        names, meaning = record
        for unclear, plain in _PLAIN.items():
            names = names.replace(unclear, plain)
        if parameter.param_type_name == "argument":
            name = names.replace("[", "").replace("]", "").split()[0]
            usage.append(name if parameter.required else f"[{name}]")
            arguments.append(f"- `{name}`: {_text(meaning)}")
        else:
            options.append(f"- `{names}`: {_text(meaning)}")
    usage += ["[OPTIONS]"] if options else []
    lines = [f"## {path}", "", _text(command.help), "", "```text", " ".join(usage), "```", ""]
    return "\n".join([*lines, *arguments, *options]).rstrip() + "\n"


def _text(help_text: str | None) -> str:
    """Return a docstring or a help text on one line."""
    return " ".join((help_text or "").split())
