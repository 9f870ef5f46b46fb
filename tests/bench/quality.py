"""`python -m tests.bench.quality`: is estimated quality the true quality? Twenty populations of two generators, twice.

Each goes through `hwlink pseudonymise` and `hwlink link`, whose estimates are then held against the truth: precision
and recall of links and persons, and of links in every subgroup of 1,000 links or more. Writes `results/quality.json`:
errors, how many 95 % intervals hold the truth, and how wide they are; and prints a table of it. None of the seeds was
used to choose a constant, and the second twenty, of other sizes, error rates and overlaps, were looked at last.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from linkage.quality.report import VARIABLES
from linkage.synthesise import population as first_population
from services.cli.demo.commands import Commands
from services.link.attributes import described, households
from tests.bench.machine import commit, machine
from tests.bench.run import RESULTS
from tests.populations.population import population as second_population

QUALITY: Final = RESULTS.with_name("quality.json")
FEWEST_LINKS: Final = 1_000
"""Links of a subgroup that is judged."""


@dataclass(frozen=True)
class Setting:
    """One population: its generator, sizes, seed, scale of errors, and share of claimants with a health record."""

    generator: int
    people: int
    claims: int
    seed: int
    error_scale: float
    overlap: float


SETTINGS: Final = tuple(
    Setting(generator, people, claims, 200 + 10 * generator + number, error_scale, overlap)
    for generator in (1, 2)
    for number, (people, claims, error_scale, overlap) in enumerate(
        (
            (100_000, 20_000, 1.0, 0.93),
            (100_000, 20_000, 2.0, 0.6),
            (60_000, 12_000, 0.5, 0.93),
            (60_000, 12_000, 1.0, 0.2),
            (30_000, 6_000, 1.0, 0.8),
            (30_000, 6_000, 2.0, 0.93),
            (30_000, 6_000, 0.5, 0.4),
            (30_000, 20_000, 1.0, 0.93),
            (12_000, 4_000, 1.0, 0.93),
            (12_000, 4_000, 2.0, 0.6),
        )
    )
)

HELD_OUT: Final = tuple(
    Setting(generator, people, claims, 700 + 10 * generator + number, error_scale, overlap)
    for generator in (1, 2)
    for number, (people, claims, error_scale, overlap) in enumerate(
        (
            (80_000, 16_000, 1.0, 0.9),
            (80_000, 16_000, 1.5, 0.5),
            (50_000, 15_000, 0.7, 0.8),
            (50_000, 10_000, 1.0, 0.3),
            (40_000, 8_000, 1.2, 0.6),
            (40_000, 20_000, 2.0, 0.9),
            (25_000, 8_000, 0.5, 0.6),
            (25_000, 15_000, 1.5, 0.95),
            (15_000, 5_000, 1.0, 0.5),
            (15_000, 5_000, 2.0, 0.9),
        )
    )
)

OVERALL: Final = ("links precision", "links recall", "persons precision", "persons recall")


@dataclass(frozen=True)
class Judged:
    """One estimate beside the truth; `low` and `high` are its 95 % interval."""

    what: str
    links: int
    value: float
    low: float
    high: float
    truth: float


def make(commands: Commands, setting: Setting, folder: Path) -> None:
    """Make one population in a new folder: clear and pseudonymised files, and truth.csv."""
    folder.mkdir(parents=True)
    made = (first_population if setting.generator == 1 else second_population)(
        setting.people, setting.claims, seed=setting.seed, error_scale=setting.error_scale, overlap=setting.overlap
    )
    made.truth.write_csv(folder / "truth.csv")
    commands.run("keys", "new", folder / "key")
    for feed, clear in (("health", made.health), ("welfare", made.welfare)):
        clear.write_parquet(folder / f"{feed}.parquet")
        commands.run(
            "pseudonymise", "--agreement", "test", "--key-file", folder / "key", "--source", f"bench.{feed}",
            "--feed", feed, "--keep-ids", folder / f"{feed}.parquet", folder / f"{feed}-encoded.parquet",
        )  # fmt: skip


def judge(commands: Commands, folder: Path) -> list[Judged]:
    """Link one population; return its estimates beside the truth, those not estimable left out."""
    encoded, out = [folder / f"{feed}-encoded.parquet" for feed in ("health", "welfare")], folder / "linked"
    commands.run("link", *encoded, "--unique", "left", "--truth", folder / "truth.csv", "--out", out)
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    estimated, quality = summary["estimated"], summary["quality"]
    judged = [
        Judged(f"{kind} {part}", estimated[kind]["found"], *_numbers(estimated[kind][part]), quality[kind][part])
        for kind in ("links", "persons")
        for part in ("precision", "recall")
        if estimated[kind][part]["value"] is not None
    ]
    truths = _group_truths(encoded, pl.read_parquet(out / "links.parquet"), pl.read_csv(folder / "truth.csv"))
    for group in estimated["groups"]:
        links, *ratios = truths[group["source"], group["variable"], group["group"]]
        for part, truth in zip(("precision", "recall"), ratios, strict=True):
            if links >= FEWEST_LINKS and group[part]["value"] is not None:
                name = f"{group['source']} {group['variable']} {group['group']} {part}"
                judged.append(Judged(name, links, *_numbers(group[part]), truth))
    return judged


def told(judged: Sequence[Judged]) -> dict[str, float | int]:
    """Return how far estimates are from the truth, how many intervals hold it, and how wide they are."""
    if not judged:
        return {"estimates": 0}
    errors = sorted(abs(one.value - one.truth) for one in judged)
    widths = sorted(one.high - one.low for one in judged)
    return {
        "estimates": len(judged),
        "coverage": round(sum(one.low <= one.truth <= one.high for one in judged) / len(judged), 4),
        "mean_error": round(sum(errors) / len(errors), 5),
        "largest_error": round(errors[-1], 5),
        "mean_width": round(sum(widths) / len(widths), 5),
        "median_width": round(widths[len(widths) // 2], 5),
        "largest_width": round(widths[-1], 5),
    }


def summarised(populations: Sequence[tuple[Setting, list[Judged]]]) -> dict[str, Any]:
    """Return the figures overall and of subgroups, of all populations and by generator."""

    def of(pick: Any, generator: int | None) -> dict[str, float | int]:
        return told([one for setting, judged in populations for one in judged if pick(one)
                     and generator in (None, setting.generator)])  # fmt: skip

    def tables(generator: int | None) -> dict[str, Any]:
        return {
            "overall": of(lambda one: one.what in OVERALL, generator),
            **{part: of(lambda one, part=part: one.what == part, generator) for part in OVERALL},
            **{
                f"subgroups {part}": of(lambda one, p=part: one.what not in OVERALL and one.what.endswith(p), generator)
                for part in ("precision", "recall")
            },
        }

    return {"all": tables(None), "first generator": tables(1), "second generator": tables(2)}


def table(summary: dict[str, Any]) -> str:
    """Return the figures as lines of a table."""
    names = ("estimates", "coverage", "mean_error", "largest_error", "mean_width")
    lines = [f"{'':<18}{'':<24}" + "".join(f"{name:>15}" for name in names)]
    for which, parts in summary.items():
        for part, figures in parts.items():
            lines.append(f"{which:<18}{part:<24}" + "".join(f"{figures.get(name, ''):>15}" for name in names))
    return "\n".join(lines)


def _numbers(estimate: dict[str, Any]) -> tuple[float, float, float]:
    return estimate["value"], estimate["low"], estimate["high"]


def _group_truths(
    encoded: Sequence[Path], links: pl.DataFrame, truth: pl.DataFrame
) -> dict[tuple[str, str, str], tuple[int, float, float]]:
    """Return by source, variable and group how many links there are, and their true precision and recall."""
    made = links.filter(pl.col("decision") == "link").select("left_subject", "right_subject", made=pl.lit(True))
    true = truth.select("left_subject", "right_subject", true=pl.lit(True))
    pairs = made.join(true, on=["left_subject", "right_subject"], how="full", coalesce=True).fill_null(False)
    result = {}
    for path, side in zip(encoded, ("left", "right"), strict=True):
        content = pl.read_parquet(path)
        groups = described(content, date.today(), None).with_columns(content["subject_ref"])
        if "claim" in groups.columns:
            groups = groups.with_columns(household=households(groups["claim"], groups["role"])[1])
        for variable in VARIABLES:
            if variable in groups.columns:
                group = pl.col(variable).cast(pl.String).fill_null("missing").alias("group")
                labelled = groups.select(group, "subject_ref")
                counts = (
                    pairs.join(labelled, left_on=f"{side}_subject", right_on="subject_ref")
                    .group_by("group")
                    .agg(pl.col("made").sum(), pl.col("true").sum(), right=(pl.col("made") & pl.col("true")).sum())
                )
                for group, number, of, right in counts.rows():
                    key = (f"bench.{path.name.split('-')[0]}", variable, group)
                    result[key] = (number, right / max(number, 1), right / max(of, 1))
    return _Missing(result)


class _Missing(dict[tuple[str, str, str], tuple[int, float, float]]):
    """Truths; a group of which no subject is in any pair has none."""

    def __missing__(self, key: tuple[str, str, str]) -> tuple[int, float, float]:
        return 0, 1.0, 1.0


def judged_populations(settings: Sequence[Setting]) -> Iterator[tuple[Setting, list[Judged]]]:
    """Judge every population in turn; its files are gone when the next one is made."""
    for setting in settings:
        with tempfile.TemporaryDirectory() as folder:
            where, commands = Path(folder) / "population", Commands({}, quiet=True)
            make(commands, setting, where)
            yield setting, judge(commands, where)


def main(arguments: Sequence[str]) -> None:
    """Judge every population and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.quality")
    parser.add_argument("--out", type=Path, default=QUALITY, help="where to write the figures")
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the populations to judge, from 0 to 39")
    options = parser.parse_args(arguments)
    everything = (*SETTINGS, *HELD_OUT)
    chosen = [everything[number] for number in options.only] if options.only else everything
    populations = []
    for setting, judged in judged_populations(chosen):
        populations.append((setting, judged))
        overall = ", ".join(f"{one.what} {one.value:.4f} ({one.low:.4f}-{one.high:.4f}) true {one.truth:.4f}"
                            for one in judged[:4])  # fmt: skip
        sys.stderr.write(f"{setting}: {overall}\n")
    held_out = [one for one in populations if one[0] in HELD_OUT]
    summaries = summarised([one for one in populations if one[0] not in HELD_OUT])
    summaries["held out"] = summarised(held_out)["all"]
    sys.stdout.write(table(summaries) + "\n")
    result = {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "machine": machine(),
        **summaries,
        "populations": [
            {
                **asdict(setting),
                "estimates": [asdict(one) for one in judged if one.what.split()[0] in {"links", "persons"}],
            }
            for setting, judged in populations
        ],
    }
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
