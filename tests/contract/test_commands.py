"""The command line as a contract: its commands, their help, JSON, exit codes, and the reference that tells of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from schemas.topics import SUBJECTS
from services.bootstrap import open_bus, open_registry
from services.bus import Outgoing
from services.cli.app import build
from services.generate import FILES, ROOT
from services.generation.commands import command_reference, commands
from services.settings import read_settings

REFERENCE = ROOT / FILES[0]

AGREED = {
    "demo", "synthesise", "keys new", "agreement show", "agreement check", "pseudonymise", "link", "serve", "send",
    "query features", "query cohorts", "query count", "query table", "query members", "review next", "review decide",
    "explain", "report", "model fit", "model show", "model list",
    "model adopt", "model abandon", "snapshot list", "topics list", "topics diff", "topics apply", "dlq list",
    "dlq show", "dlq replay", "config", "doctor",
    "audit verify", "audit search", "store migrate",
}  # fmt: skip
"""What users rely on. A command may be added; one that is gone or renamed breaks their scripts."""

REPORTS_NOTHING = {
    "serve": "runs until it is stopped",
    "keys new": "writes one file and names it",
    "agreement show": "prints a JSON document anyhow",
}


def every_command() -> dict[str, Any]:
    root: Any = get_command(build())
    root.name = "hwlink"
    return {path.removeprefix("hwlink "): command for command, path in commands(root)}


COMMANDS = every_command()


def test_every_agreed_command_is_there() -> None:
    assert sorted(AGREED - COMMANDS.keys()) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_argument_and_option_is_explained(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    unexplained = [parameter.name for parameter in command.params if not (parameter.help or parameter.hidden)]
    assert unexplained == []


def test_every_group_is_explained() -> None:
    pending: list[Any] = [get_command(build())]
    while pending:
        command = pending.pop()
        assert command.help, command.name
        pending += getattr(command, "commands", {}).values()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_reports_has_json(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert ("--json" in options) != (name in REPORTS_NOTHING), REPORTS_NOTHING.get(name, "it reports something")


# --- the reference


def test_the_reference_has_not_drifted() -> None:
    assert REFERENCE.read_text("utf-8") == command_reference(build()), "run `make generate`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_reference(name: str) -> None:
    assert f"\n## hwlink {name}\n" in REFERENCE.read_text("utf-8")


def test_the_reference_does_not_depend_on_where_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = command_reference(build())
    for variable, value in {"COLUMNS": "40", "HWLINK_DATA_DIR": "/elsewhere", "HOME": "/elsewhere"}.items():
        monkeypatch.setenv(variable, value)
    assert command_reference(build()) == usual
    assert str(ROOT) not in usual


# --- running it


def hwlink(
    *arguments: str, folder: Path, code: str | None = None, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, in a folder of its own; `code` runs instead and may break it first."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HWLINK_")}
    what = ["-m", "services.cli.app"] if code is None else ["-c", code]
    return subprocess.run(
        [sys.executable, *what, *arguments],
        cwd=folder,
        env={**environ, "PYTHONPATH": str(ROOT), **(variables or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_answers_without_heavy_libraries(tmp_path: Path) -> None:
    code = (
        "import sys; from services.cli.app import build; build()\n"
        "heavy = {'polars', 'numpy', 'pandas', 'grpc', 'sqlalchemy', 'deltalake', 'recordlinkage', 'sqlglot'}\n"
        "sys.exit(str(heavy & sys.modules.keys()) if heavy & sys.modules.keys() else 0)"
    )
    result = hwlink(folder=tmp_path, code=code)
    assert result.returncode == 0, result.stderr


def failing(error: str) -> str:
    """A program whose command line fails with this error on its way."""
    return (
        "import services.cli.app as app\n"
        "from schemas.errors import *\n"
        "def build():\n"
        f"    raise {error}\n"
        "app.build = build\n"
        "app.main()"
    )


@pytest.fixture
def undrained(tmp_path: Path) -> Path:
    """A folder in which a message waits that nobody reads."""
    settings = read_settings({}, data_dir=tmp_path / "hwlink-data")
    settings.data_dir.mkdir()
    bus, registry = open_bus(settings), open_registry(settings)
    bus.producer().send([Outgoing(SUBJECTS.name, 0, None, b"", {})])
    bus.close()
    registry.close()
    return tmp_path


CASES: dict[str, tuple[int, str | None, tuple[str, ...], dict[str, str]]] = {
    "a call that is not understood": (2, None, ("topics", "--no-such-option"), {}),
    "input: an address that is none": (3, "OPTION_INVALID", ("review", "next", "--to", "nowhere"), {}),
    "agreement: one that is not there": (4, None, ("agreement", "check", "missing.json"), {}),
    "policy: an unsafe address": (5, "UNSAFE_CONFIGURATION", ("config",), {"HWLINK_REVIEW_ADDRESS": "0.0.0.0:7403"}),
    "state: an unknown setting": (6, "SETTING_INVALID", ("config", "--json"), {"HWLINK_SHARD": "2"}),
    "state: no data here": (6, "STORE_MISSING", ("doctor",), {}),
}


@pytest.mark.parametrize("case", CASES)
def test_each_class_of_failure_has_its_exit_code_and_one_line(tmp_path: Path, case: str) -> None:
    code, reason, arguments, variables = CASES[case]
    result = hwlink(*arguments, folder=tmp_path, variables=variables)
    assert result.returncode == code, result.stderr
    if reason is not None:
        assert result.stderr.startswith(f"error[{reason}]: ")
        assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == [], "a command that fails leaves nothing behind"


def test_a_transient_failure_after_a_report(undrained: Path) -> None:
    result = hwlink("doctor", "--wait", "0.3", "--json", folder=undrained)
    assert result.returncode == 7
    assert result.stderr.startswith("error[DEADLINE]: ")
    assert json.loads(result.stdout)["drained"] is False


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("InputError(Reason.FIELD_INVALID, 'said')", 3),
        ("AgreementError(Reason.AGREEMENT_INVALID, 'said')", 4),
        ("PolicyError(Reason.DISCLOSURE_RISK, 'said')", 5),
        ("StateError(Reason.NO_SNAPSHOT, 'said')", 6),
        ("TransientError(Reason.BUSY, 'said')", 7),
        ("DefectError(Reason.INTERNAL, 'said')", 70),
        ("KeyboardInterrupt", 130),
    ],
)
def test_exit_codes_follow_the_error_tree(tmp_path: Path, error: str, code: int) -> None:
    result = hwlink(folder=tmp_path, code=failing(error))
    assert result.returncode == code
    assert result.stderr in ("", f"error[{error.partition('.')[2].partition(',')[0]}]: said\n")


def test_a_failure_that_is_not_ours_says_where_and_never_what(tmp_path: Path) -> None:
    """Other libraries put values into their messages: pydantic, Polars, pandas."""
    result = hwlink(folder=tmp_path, code=failing("ValueError('9434765919 Smith')"))
    assert result.returncode == 70
    assert result.stderr.startswith("error[INTERNAL]: Incident ")
    assert "ValueError at build:" in result.stderr
    for secret in ("9434765919", "Smith", "Traceback"):
        assert secret not in result.stderr + result.stdout


@pytest.mark.parametrize("command", ["topics list", "config", "query features", "query cohorts", "model show"])
def test_json_is_all_that_standard_output_holds(tmp_path: Path, command: str) -> None:
    result = hwlink(*command.split(), "--json", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)


def test_a_reader_that_goes_away_is_told_nothing(tmp_path: Path) -> None:
    code = (
        "import os, sys, services.cli.app as app\n"
        "read, write = os.pipe(); os.close(read); os.dup2(write, 1)\n"
        "sys.argv = ['hwlink', 'topics', 'list']\n"
        "app.main()"
    )
    assert hwlink(folder=tmp_path, code=code).stderr == ""
