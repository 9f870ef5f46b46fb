"""The stages by name, and one run of one stage: `python -m tests.bench.stages NAME INPUTS STATE` prints its figures.

Each run has a process of its own, so that the memory it reports is the stage's and nothing is warm from another. The
entry also serves spawned workers of the stage, so heavy imports stay inside the functions that it calls.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final


@dataclass(frozen=True)
class Stage:
    """One stage: the function that runs it, and the stage whose state it goes on from (None: an empty folder)."""

    module: str
    function: str
    after: str | None = None


STAGES: Final = {
    "pseudonymise_2": Stage("controllers", "pseudonymise_two"),
    "pseudonymise_1": Stage("controllers", "pseudonymise_one"),
    "ingest_rows": Stage("controllers", "ingest_rows"),
    "ingest_columns": Stage("controllers", "ingest_columns"),
    "landing": Stage("linking", "landing", after="ingest_columns"),
    "match": Stage("linking", "match", after="landing"),
    "compare": Stage("comparing", "compare"),
    "resolve": Stage("linking", "resolve", after="match"),
    "features": Stage("cohorts", "features", after="resolve"),
    "query": Stage("cohorts", "query", after="features"),
}
"""In the order in which they run: a stage comes after the one whose state it goes on from."""


def needed(only: Iterable[str]) -> list[str]:
    """Return these stages and all that they go on from, in order."""
    found: set[str] = set()
    for name in only:
        stage: str | None = name
        while stage is not None:
            found.add(stage)
            stage = STAGES[stage].after
    return [name for name in STAGES if name in found]


def run_stage(name: str, inputs: Path, state: Path) -> list[dict[str, Any]]:
    """Run a stage here and now; return its figures."""
    from tests.bench.inputs import Inputs

    stage = STAGES[name]
    function: Callable[..., Any] = getattr(import_module(f"tests.bench.{stage.module}"), stage.function)
    return [measure.as_json() for measure in function(Inputs(inputs), state)]


def main(arguments: list[str]) -> None:
    """Run the stage that the arguments name and print its figures as one line of JSON."""
    name, inputs, state = arguments
    print(json.dumps(run_stage(name, Path(inputs), Path(state))))


if __name__ == "__main__":
    main(sys.argv[1:])
