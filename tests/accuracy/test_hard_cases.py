"""Named hard cases: people who are easily confused, and people who are easily lost.

Each case (`cases.py`) puts a few records into a population of both feeds, which is encoded, fitted to without labels,
matched and resolved as `hwlink link` does: in populations of both generators and of several seeds, since what is near
enough depends on who else is there. A link that must not be is worse than one missed.
"""

from __future__ import annotations

from functools import cache

import polars as pl
import pytest

from linkage.synthesise import population as first
from schemas.contracts.base import Feed
from tests.accuracy.cases import CASES, Case, home
from tests.accuracy.linking import File, link
from tests.populations.population import population as second

GENERATORS = {"first": first, "second": second}
SURROUNDINGS = [(generator, seed) for generator in GENERATORS for seed in (77, 5)]


@cache
def decisions(generator: str, seed: int) -> dict[str, dict[tuple[int, int], str]]:
    """How the pairs of each case were decided, `link` or `review` by places, all cases in one population."""
    made = GENERATORS[generator](9_000, 2_500, seed=seed)
    files = [
        File(source, feed, _with_cases(clear, side), source == "a.gp")
        for source, feed, clear, side in (
            ("a.gp", Feed.HEALTH, made.health, "health"),
            ("b.hb", Feed.WELFARE, made.welfare, "welfare"),
        )
    ]
    done = link(files)
    label = {(source, ref): number for source, ref, number in done.labels.rows()}
    asked = done.links.filter(decision="review").select("left_ref", "right_ref").rows()
    return {case.name: _decided(place, case, label, set(asked)) for place, case in enumerate(CASES)}


def _with_cases(clear: pl.DataFrame, side: str) -> pl.DataFrame:
    rows = []
    for place, case in enumerate(CASES):
        for number, record in enumerate(getattr(case, side)):
            row = {**home(place, record["at"]), **record, "record_id": f"{side}|{place}|{number}"}
            del row["at"]
            if "claim_reference" in row:
                row["claim_reference"] = f"{place}|{row['claim_reference']}"
            rows.append(row)
    known = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
    return pl.concat([known, pl.DataFrame(rows, infer_schema_length=None)], how="diagonal")


def _decided(
    place: int, case: Case, label: dict[tuple[str, str], int], asked: set[tuple[str, str]]
) -> dict[tuple[int, int], str]:
    found = {}
    for one in range(len(case.health)):
        for other in range(len(case.welfare)):
            left, right = f"health|{place}|{one}", f"welfare|{place}|{other}"
            if label["a.gp", left] == label["b.hb", right]:
                found[one, other] = "link"
            elif (left, right) in asked:
                found[one, other] = "review"
    return found


@pytest.mark.parametrize(("generator", "seed"), SURROUNDINGS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hard_case(case: Case, generator: str, seed: int) -> None:
    found = decisions(generator, seed)[case.name]
    linked = {pair for pair, decision in found.items() if decision == "link"}

    assert linked - set(case.asked) == set(case.same), case.why
    assert set(case.asked) <= found.keys(), case.why


def test_every_case_is_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.why.endswith(".") for case in CASES)
