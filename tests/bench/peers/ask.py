"""Runs one tool on one set in a process of its own, and says how it did: seconds, memory, and what it found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from tests.bench.machine import ROOT
from tests.bench.peers.job import ANSWER, DEFAULT, LINKS, SCORED, Job, at
from tests.bench.peers.judge import Outcome, Truth, outcome
from tests.bench.peers.sets import Case, Ready

PEERS_PYTHON: Final = ROOT / ".venv-peers" / "bin" / "python"


@dataclass(frozen=True)
class Tool:
    """One way to link. hwlink runs in this environment on pseudonymised files, peers in theirs on clean ones.

    `once` says that the tool is told of every file that it holds a person once, whatever the set says: hwlink's
    default for two files.
    """

    name: str
    module: str
    ours: bool = False
    once: bool = False
    at_large: bool = False


TOOLS: Final = (
    Tool("hwlink", "with_hwlink", ours=True, at_large=True),
    Tool("hwlink, both unique", "with_hwlink", ours=True, once=True),
    Tool("Splink", "with_splink", at_large=True),
    Tool("anonlink", "with_anonlink"),
    Tool("recordlinkage", "with_recordlinkage"),
)
"""hwlink first: the others are set against it."""


def tools_for(case: Case) -> list[Tool]:
    """Return the tools that a set is given to."""
    apart = len(case.files) == 2 and not all(case.unique)
    return [tool for tool in TOOLS if (tool.at_large or not case.large) and (apart or not tool.once)]


def ask(tool: Tool, case: Case, ready: Ready, folder: Path) -> dict[str, Any]:
    """Run a tool on a set, with a folder for its outputs; return its answer with `whole_seconds` added.

    Whole-process seconds count from before the interpreter starts until the links are written. Exits when it fails.
    """
    out = folder / tool.module if not tool.once else folder / f"{tool.module}-once"
    out.mkdir(parents=True, exist_ok=True)
    files = ready.encoded if tool.ours else ready.clean
    unique = tuple(True for _ in files) if tool.once else case.unique
    job = Job(tuple(map(str, files)), ready.fields, unique, str(out), sweep=not (case.large or tool.once))
    job.write(out / "job.json")
    python = sys.executable if tool.ours else str(PEERS_PYTHON)
    started = time.time()
    done = subprocess.run(
        [python, "-m", f"tests.bench.peers.{tool.module}", str(out / "job.json")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{tool.name} failed on {case.name}:\n{done.stdout[-4000:]}")
    told: dict[str, Any] = json.loads((out / ANSWER).read_text("utf-8"))
    return {**told, "whole_seconds": round(told["finished_at"] - started, 2), "out": str(out)}


def at_default(tool: Tool, told: dict[str, Any], truth: Truth) -> Outcome:
    """Return what a tool found at its default threshold."""
    out = str(told["out"])
    if tool.ours:
        return _hwlink(at(out, DEFAULT), truth)
    return outcome(truth, pl.read_parquet(Path(out) / LINKS))


def at_every_threshold(tool: Tool, told: dict[str, Any], truth: Truth) -> Iterator[tuple[float, Outcome]]:
    """Yield each threshold that a tool was tried at, the default included, with what it found there."""
    out, default = str(told["out"]), told["threshold"]
    yield default, at_default(tool, told, truth)
    others = [threshold for threshold in told["thresholds"] if threshold != default]
    if tool.ours:
        for threshold in others:
            yield threshold, _hwlink(at(out, threshold), truth)
        return
    scored = pl.read_parquet(Path(out) / SCORED)
    for threshold in others:
        yield threshold, outcome(truth, scored.filter(pl.col("score") >= threshold))


def _hwlink(folder: Path, truth: Truth) -> Outcome:
    links = pl.read_parquet(folder / "links.parquet").filter(pl.col("decision") == "link")
    persons = pl.read_parquet(folder / "persons.parquet")
    files = {source: number for number, source in enumerate(("bench.health", "bench.welfare"))}
    return outcome(
        truth,
        links.select(left="left_subject", right="right_subject"),
        persons.select(
            file=pl.col("source").replace_strict(files, return_dtype=pl.Int64),
            record_id="subject",
            person_id="person_id",
        ),
    )
