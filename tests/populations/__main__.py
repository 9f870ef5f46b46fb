"""`python -m tests.populations OUT`: the second population as health and welfare files, truth.csv and persons.csv."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.populations.population import population


def main() -> None:
    """Write one population as files of the names that `hwlink synthesise` gives them."""
    parser = argparse.ArgumentParser(prog="python -m tests.populations", description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write into; made if it is not there")
    parser.add_argument("--people", type=int, default=10_000, help="rows of the health file")
    parser.add_argument("--claims", type=int, default=2_000, help="rows of the welfare file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--error-scale", type=float, default=1.0)
    parser.add_argument(
        "--overlap", type=float, default=0.93, help="share of the welfare file's people with a health record"
    )
    parser.add_argument("--repeats", type=float, default=0.0, help="share of records that are a person's second one")
    given = parser.parse_args()
    made = population(
        given.people, given.claims, seed=given.seed, error_scale=given.error_scale, overlap=given.overlap,
        repeats=given.repeats,
    )  # fmt: skip
    given.out.mkdir(parents=True, exist_ok=True)
    made.health.write_parquet(given.out / "health.parquet")
    made.welfare.write_parquet(given.out / "welfare.parquet")
    made.truth.write_csv(given.out / "truth.csv")
    made.persons.write_csv(given.out / "persons.csv")


if __name__ == "__main__":
    main()
