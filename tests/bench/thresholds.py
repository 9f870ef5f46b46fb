"""`python -m tests.bench.thresholds`: is the default threshold the best one, and do probabilities mean what they say?

Populations of two generators at every overlap, error scale and seed are linked without labels, in memory, as
`hwlink link --unique` the health file does. Each is then resolved at other thresholds, and its probabilities are held
against the truth. Writes `results/thresholds.json` and the table `results/thresholds.md`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from linkage.evaluate import Score
from schemas.contracts.base import Feed
from tests.accuracy.linking import File, Judged, judge, link, people
from tests.bench.machine import commit, machine
from tests.bench.run import RESULTS
from tests.bench.table import markdown

THRESHOLDS: Final = RESULTS.with_name("thresholds.json")
GRID: Final = (0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9)
BANDS: Final = (0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98, 1.0)
"""Edges of the bands of probability in which reliability is read."""

DRAWS: Final = 400
"""Truths drawn from the probabilities, to say what gap chance alone makes."""


@dataclass(frozen=True)
class Setting:
    """One population: its generator, share of claimants with a health record, scale of errors, and seed."""

    generator: str
    overlap: float
    error_scale: float
    seed: int


def measure(setting: Setting, size: tuple[int, int]) -> dict[str, Any]:
    """Link one population; return its scores at every threshold, and its probabilities beside the truth."""
    made = people(setting.generator, size, setting.seed, setting.error_scale, setting.overlap)
    linkage = link([File("a.gp", Feed.HEALTH, made.health, True), File("b.hb", Feed.WELFARE, made.welfare, False)])
    judged = judge(linkage, made.persons)
    at = {threshold: judge(linkage.at_threshold(threshold), made.persons) for threshold in GRID}
    people.cache_clear()
    default = linkage.model.policy.link_probability
    expected = linkage.model.report.expected[0] if linkage.model.report else None
    return {
        **asdict(setting),
        "default_threshold": default,
        "links": {f"{threshold:g}": _counts(one.links) for threshold, one in at.items()},
        "persons": {f"{threshold:g}": _counts(one.persons) for threshold, one in at.items()},
        "chance_gap": round(chance_gap(judged, default), 5),
        "matches_told": None if expected is None else [expected.low, expected.matches, expected.high],
        "reliability": reliability(judged.pairs),
    }


def reliability(pairs: pl.DataFrame) -> list[dict[str, float]]:
    """Return for each band of probability its pairs, the sum of their probabilities, and how many are true."""
    probability, same = pairs["probability"].to_numpy(), pairs["same"].to_numpy()
    band = np.clip(np.searchsorted(BANDS, probability, side="right") - 1, 0, len(BANDS) - 2)
    return [
        {
            "from": low,
            "pairs": int((band == number).sum()),
            "told": round(float(probability[band == number].sum()), 2),
            "true": int(same[band == number].sum()),
        }
        for number, low in enumerate(BANDS[:-1])
    ]


def calibration_error(bands: Sequence[dict[str, float]]) -> float:
    """Return the expected calibration error: how far the share of true pairs is from the one told, over all pairs."""
    return sum(abs(band["told"] - band["true"]) for band in bands) / max(sum(band["pairs"] for band in bands), 1)


def chance_gap(judged: Judged, default: float, seed: int = 1) -> float:
    """Return the gap in links' F1 between the default and the best threshold that chance alone passes in one of 20.

    Truths are drawn from the probabilities, as if these were right and pairs independent; guarded pairs stay out.
    """
    pairs = judged.pairs.filter(pl.col("guard").is_null(), pl.col("probability") > 0.02)
    probability = pairs["probability"].sort().to_numpy()
    # Above the highest threshold tried, pairs are links at any.
    doubtful, sure = probability[probability < max(GRID)], float(probability[probability >= max(GRID)].sum())
    found = {t: len(probability) - int(np.searchsorted(probability, t)) for t in GRID}
    missed = max(judged.links.true - float(probability.sum()), 0.0)
    drawn = np.random.default_rng(seed).random((DRAWS, len(doubtful))) < doubtful
    true = drawn.sum(axis=1) + sure + missed
    f1 = {
        t: 2 * (drawn[:, np.searchsorted(doubtful, t) :].sum(axis=1) + sure) / np.maximum(found[t] + true, 1)
        for t in GRID
    }
    return float(np.quantile(np.max(list(f1.values()), axis=0) - f1[default], 0.95))


def _counts(score: Score) -> list[int]:
    return [score.correct, score.found, score.true]


def gap(cases: Sequence[dict[str, Any]], kind: str) -> tuple[float, float, float]:
    """Return (F1 at the default threshold, the best F1, its threshold) of cases together; of equals the nearest."""
    default = cases[0]["default_threshold"]
    f1 = {
        threshold: Score(*np.sum([case[kind][f"{threshold:g}"] for case in cases], axis=0).tolist()).f1
        for threshold in GRID
    }
    best = max(GRID, key=lambda threshold: (f1[threshold], -abs(threshold - default)))
    return f1[default], f1[best], best


def table(cases: Sequence[dict[str, Any]]) -> str:
    """Return a row for each generator, overlap and error scale, its seeds together."""
    links = ("links F1", "gap", "widest of a seed", "by chance")
    persons = ("persons F1", "gap", "widest of a seed", "best at")
    header = ("generator", "overlap", "errors", "true links", *links, *persons, "calibration error", "told / true")
    rows = []
    for (generator, overlap, scale), group in groupby(
        cases, key=lambda case: (case["generator"], case["overlap"], case["error_scale"])
    ):
        seeds = list(group)
        true = sum(case["links"][f"{GRID[0]:g}"][2] for case in seeds)
        first = (generator, f"{overlap:.0%}", f"x {scale:g}", f"{true:,}")
        told = sum(case["matches_told"][1] for case in seeds)
        if not true:
            found = ", ".join(str(case["links"][f"{case['default_threshold']:g}"][1]) for case in seeds)
            rows.append((*first, f"{found} links found", *[""] * 8, f"{told:,.0f} / 0"))
            continue
        figures = []
        for kind in ("links", "persons"):
            default, best, at = gap(seeds, kind)
            widest = max(b - d for d, b, _ in (gap([case], kind) for case in seeds))
            figures += [f"{default:.4f}", f"{best - default:.4f}", f"{widest:.4f}"]
        bands = [
            {key: sum(case["reliability"][number][key] for case in seeds) for key in ("pairs", "told", "true")}
            for number in range(len(BANDS) - 1)
        ]
        chance = f"{max(case['chance_gap'] for case in seeds):.4f}"
        rows.append((*first, *figures[:3], chance, *figures[3:], f"{at:g}", f"{calibration_error(bands):.4f}",
                     f"{told / true:.3f}"))  # fmt: skip
    return markdown(header, "lrr" + "r" * 11, rows)


def reliability_table(cases: Sequence[dict[str, Any]]) -> str:
    """Return for each generator and overlap how many pairs of each band of probability are told and true."""
    header = ("generator", "overlap", *(f"{low:g}-{high:g}" for low, high in pairwise(BANDS)))
    rows = []
    keyed = sorted(cases, key=lambda case: (case["generator"], case["overlap"]))
    for (generator, overlap), group in groupby(keyed, key=lambda case: (case["generator"], case["overlap"])):
        sets = list(group)
        cells = []
        for number in range(len(BANDS) - 1):
            told, true = (sum(case["reliability"][number][key] for case in sets) for key in ("told", "true"))
            cells.append(f"{told:,.0f} / {true:,}")
        rows.append((generator, f"{overlap:.0%}", *cells))
    return markdown(header, "lr" + "r" * (len(BANDS) - 1), rows)


def document(result: dict[str, Any]) -> str:
    """Return the tables with what they say."""
    facts = result["machine"]
    cases = sorted(result["cases"], key=lambda case: (case["generator"], case["overlap"], case["error_scale"]))
    seeds = ", ".join(str(seed) for seed in sorted({case["seed"] for case in cases}))
    return "\n\n".join(
        [
            "# Thresholds and probabilities",
            f"`python -m tests.bench.thresholds`: {result['people']:,} x {result['claims']:,} records, "
            f"seeds {seeds}; {facts['cpu']}, {facts['cores']} cores, Python {facts['python']}; "
            f"commit {result['commit']}, {result['measured_on']}.",
            "Each row pools its seeds. A gap is F1 at the best of the thresholds tried less F1 at the default, the "
            "best being chosen by the truth: of all seeds together, and the widest of one. By chance: the gap of links "
            "that one set (the widest of the seeds') would pass in one of twenty if its probabilities were exactly "
            "right. Calibration error: the mean of |told - true| over bands of probability, weighted by pairs. Told / "
            "true: the matches that the fit expects.",
            table(cases),
            "Pairs told / true in bands of probability, all error scales and seeds together:",
            reliability_table(cases),
        ]
    ) + "\n"  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    """Measure every setting and write the figures and the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.thresholds")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--claims", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--overlaps", type=float, nargs="+", default=[0.0, 0.05, 0.2, 0.6, 0.95])
    parser.add_argument("--errors", type=float, nargs="+", default=[1.0, 2.0, 0.5])
    parser.add_argument("--generators", nargs="+", default=["first", "second"])
    parser.add_argument("--out", type=Path, default=THRESHOLDS, help="where to write the figures (JSON)")
    options = parser.parse_args(arguments)
    result: dict[str, Any] = {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "machine": machine(),
        "people": options.people,
        "claims": options.claims,
        "cases": [],
    }
    options.out.parent.mkdir(exist_ok=True)
    for setting in (
        Setting(generator, overlap, scale, seed)
        for seed in options.seeds
        for scale in options.errors
        for overlap in options.overlaps
        for generator in options.generators
    ):
        case = measure(setting, (options.people, options.claims))
        (links, best, at), (persons, best_persons, _) = (gap([case], kind) for kind in ("links", "persons"))
        sys.stderr.write(
            f"{setting}: links {links:.4f} (best {best:.4f} at {at:g}), "
            f"persons {persons:.4f} (best {best_persons:.4f})\n"
        )
        result["cases"].append(case)
        # Written each time, so that a run cut short leaves what it measured: every seed begins with all kinds of set.
        options.out.write_text(json.dumps(result) + "\n", "utf-8")
        options.out.with_suffix(".md").write_text(document(result), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
