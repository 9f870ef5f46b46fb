"""How long features take: a rebuild of everybody from the lake, and the next one after some people changed.

    python -m tests.bench.features --people 1900000 --facts 20000000 --runs 3

People and facts are made as columns, straight into the content zone of a temporary lake, of no shape but their number:
what is measured is `services.features.builder.rebuild`, from the lake's files to a table of features. Each run is a
process of its own, so that its peak memory is its own. Prints the medians as JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import polars as pl

from tests.bench.machine import machine
from tests.bench.measure import Stopwatch, peak_mib

AS_OF: Final = date(2026, 6, 30)
CHANGED: Final = 1_000
_CHUNK: Final = 2_000_000
_PER_FACT: Final = {
    "health_diagnoses": 0.14,
    "health_measurements": 0.28,
    "health_medications": 0.2,
    "health_coded_events": 0.12,
    "health_encounters": 0.15,
    "health_screenings": 0.03,
    "health_referrals": 0.01,
    "welfare_claims": 0.03,
    "welfare_credit_periods": 0.02,
    "welfare_arrears": 0.01,
    "welfare_living_standards": 0.01,
}
"""What share of all facts each table has: mostly those of general practice."""


def _refs(start: int, size: int, salt: int) -> pl.Series:
    """Return references of 32 hexadecimal digits, always the same for the same numbers."""
    drawn = np.random.default_rng([salt, start]).bytes(16 * size).hex().encode()
    return pl.Series(np.frombuffer(drawn, dtype="S32").astype("U32"))


class Population:
    """Who there is: everybody in general practice, one in six on benefit, two or three to a home."""

    def __init__(self, people: int, facts: int) -> None:
        self.people, self.facts = people, facts
        self.gp = _refs(0, people, 1)
        self.on_benefit = people // 6
        self.shbe = _refs(0, self.on_benefit, 2)
        self.claims = _refs(0, self.on_benefit // 2 + 1, 3)
        self.homes = _refs(0, people // 2 + 1, 4)

    def membership(self) -> pl.DataFrame:
        """Return everybody's subjects; who is on benefit has two."""
        ids = _refs(0, self.people, 5)
        parts = [("kmicb.gp", self.gp, ids), ("medway.shbe", self.shbe, ids.head(self.on_benefit))]
        return pl.concat(
            pl.DataFrame({"person_id": who, "subject_ref": refs}).select(
                "person_id", pl.lit(source).alias("source"), "subject_ref", pl.lit(0.99).alias("link_probability")
            )
            for source, refs, who in parts
        )

    def tables(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield every table in pieces of at most `_CHUNK` rows."""
        yield "health_demographics", self.demographics(self.gp, "kmicb.gp", 0)
        yield "welfare_demographics", self.demographics(self.shbe, "medway.shbe", 0)
        for table, share in _PER_FACT.items():
            rows, part = int(self.facts * share), 0
            while rows > 0:
                yield table, self.content(table, min(rows, _CHUNK), part)
                rows, part = rows - _CHUNK, part + 1

    def demographics(self, refs: pl.Series, source: str, version: int) -> pl.DataFrame:
        """Return one row a subject."""
        drawn = np.random.default_rng(len(refs))
        size = len(refs)
        born = (
            pl.Series(drawn.integers(1930, 2026, size)).cast(pl.String)
            + "-0"
            + pl.Series(drawn.integers(1, 10, size)).cast(pl.String)
        )
        return _enveloped(
            pl.DataFrame(
                {
                    "subject_ref": refs,
                    "birth_year_month": born,
                    "sex": _pick(drawn, ["1", "2"], size),
                    "ethnic_category": _pick(drawn, list("AAAACHM"), size),
                    "lsoa": _pick(drawn, [f"E010{n:05d}" for n in range(1, 1200)], size),
                    "property_ref": self.homes.gather(pl.arange(0, size, eager=True) // 2),
                    "property_match": pl.repeat("residency", size, eager=True),
                }
            ),
            "demographics",
            source,
            version,
        )

    def content(self, table: str, rows: int, part: int) -> pl.DataFrame:
        """Return facts of people drawn at random; the ordinals of one part differ from another's."""
        feed, _, kind = table.partition("_")
        drawn = np.random.default_rng([part, rows, len(table), ord(kind[0])])
        refs = self.gp if feed == "health" else self.shbe
        who = np.sort(drawn.integers(0, len(refs), rows))
        fields = {"subject_ref": refs.gather(who), **self._fields(kind, drawn, rows, who)}
        frame = _enveloped(pl.DataFrame(fields), kind, "kmicb.gp" if feed == "health" else "medway.shbe", 0)
        return frame.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("ordinal") + part * _CHUNK)

    def _fields(self, kind: str, drawn: np.random.Generator, size: int, who: np.ndarray) -> dict[str, pl.Series]:
        from schemas.codes import Condition, DrugGroup, EventCode, MeasurementKind

        recent = pl.Series((np.datetime64(AS_OF) - drawn.integers(0, 1500, size)).astype("datetime64[D]"))
        pence = pl.Series(drawn.integers(0, 60_000, size))
        made: dict[str, Callable[[], dict[str, pl.Series]]] = {
            "diagnoses": lambda: {
                "condition": _pick(drawn, list(Condition), size),
                "status": _pick(drawn, ["active", "active", "active", "resolved"], size),
                "recorded_on": recent,
            },
            "measurements": lambda: {
                "kind": _pick(drawn, list(MeasurementKind), size),
                "value": pl.Series(drawn.uniform(5, 150, size).round(1)),
                "recorded_on": recent,
                "setting": _pick(drawn, ["clinic", "home"], size),
            },
            "medications": lambda: {
                "drug_group": _pick(drawn, list(DrugGroup), size),
                "issued_on": recent,
                "issues": pl.Series(drawn.integers(1, 4, size)),
            },
            "coded_events": lambda: {"code": _pick(drawn, list(EventCode), size), "recorded_on": recent},
            "encounters": lambda: {
                "kind": _pick(drawn, ["ae_attendance", "admission", "outpatient", "community_contact"], size),
                "started_on": recent,
                "admission_method": _pick(drawn, ["11", "21", "22"], size),
                "primary_diagnosis": _pick(drawn, ["J440", "I500", "S720", "E112", "K409"], size),
            },
            "screenings": lambda: {
                "programme": _pick(drawn, ["bowel", "breast", "cervical"], size),
                "status": _pick(drawn, ["due", "overdue", "complete"], size),
                "recorded_on": recent,
            },
            "referrals": lambda: {
                "service": _pick(drawn, ["mental_health", "social_prescribing"], size),
                "opened_on": recent,
            },
            "claims": lambda: {
                "claim_ref": self.claims.gather(who // 2),
                "benefit": _pick(drawn, ["hb", "ctr"], size),
                "role": _pick(drawn, ["claimant", "partner", "child"], size),
                "status": _pick(drawn, ["in_payment", "suspended"], size),
                "started_on": recent,
                "weekly_income_pence": pence,
                "weekly_contractual_rent_pence": pence // 4,
                "tenure": _pick(drawn, ["council", "private_rent"], size),
            },
            "credit_periods": lambda: {
                "claim_ref": self.claims.gather(who // 2),
                "period_from": recent,
                "period_to": recent + timedelta(30),
                "monthly_net_award_pence": pence,
            },
            "arrears": lambda: {"kind": _pick(drawn, ["council_tax", "rent_ha"], size), "balance_pence": pence},
            "living_standards": lambda: {
                "category": _pick(drawn, ["coping", "struggling", "at_risk", "in_crisis"], size),
                "assessed_on": recent,
                "definition_source": pl.repeat("supplier.2026-04", size, eager=True),
            },
        }
        return made[kind]()


def _pick(drawn: np.random.Generator, values: list[Any], size: int) -> pl.Series:
    names = pl.Series([str(value) for value in values])
    return names.gather(drawn.integers(0, len(values), size))


def _enveloped(frame: pl.DataFrame, kind: str, source: str, version: int) -> pl.DataFrame:
    from linkage.features.tables import KINDS
    from schemas.columns import columns
    from schemas.contracts.facts import FactEnvelope

    head = {"source": source, "version": version, "operation": "upsert", "content_hash": version, "ordinal": 0}
    schema = {**columns(FactEnvelope), **columns(KINDS[kind])}
    whole = frame.with_columns(pl.lit(value).alias(name) for name, value in head.items())
    return whole.select(
        pl.col(name).cast(dtype) if name in whole.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in schema.items()
    )


def _landed(zone: Any, table: str, frame: pl.DataFrame, offset: int) -> None:
    topic = f"hwlink.{table.partition('_')[0]}.v1"
    places = {"_topic": pl.lit(topic), "_partition": pl.lit(0, pl.Int64), "_offset": pl.lit(offset, pl.Int64)}
    zone.append(table, frame.with_columns(**places), {f"{topic}-0": offset})


def make(folder: Path, people: int, facts: int) -> None:
    """Write the lake and the membership."""
    from services.lake.delta import DeltaZone

    population = Population(people, facts)
    population.membership().write_parquet(folder / "membership.parquet")
    zone = DeltaZone(folder / "lake", "content")
    for offset, (table, frame) in enumerate(population.tables()):
        _landed(zone, table, frame, offset)


def run(folder: Path, people: int, facts: int) -> list[dict[str, float]]:
    """Rebuild everybody, then land other content of some people and rebuild again; return both figures."""
    from linkage.features.tables import GEOGRAPHY, PRACTICES
    from services.features.builder import Built, Reference, nobody, rebuild
    from services.features.content import Content
    from services.lake.delta import DeltaZone

    zone = DeltaZone(folder / "lake", "content")
    content = Content(zone)
    areas = pl.DataFrame({"lsoa": [f"E010{n:05d}" for n in range(1, 1200)]}).with_columns(
        ward=pl.lit("North"), authority=pl.lit("Medway"), imd_decile=pl.Series(range(1199)) % 10 + 1
    )
    geography = pl.concat([GEOGRAPHY.to_frame(), areas], how="diagonal_relaxed")
    reference = Reference(geography, PRACTICES.to_frame())
    membership = pl.read_parquet(folder / "membership.parquet")
    state = Built(membership, nobody().features, {})
    with Stopwatch() as full:
        done = rebuild(state, [], content, reference, AS_OF)
    figures = [
        {"seconds": full.seconds, "cpu_s": full.cpu_s, "peak_mib": peak_mib(), "people": len(done.state.features)}
    ]
    population = Population(people, facts)
    changed = population.gp.gather(np.sort(np.random.default_rng(9).choice(people, CHANGED, replace=False)))
    offset = 1 + max(at for applications in content.offsets().values() for at in applications.values())
    version = offset
    _landed(zone, "health_demographics", population.demographics(changed, "kmicb.gp", version), offset)
    rows = {
        "subject_ref": changed,
        "condition": pl.repeat("copd", CHANGED, eager=True),
        "status": pl.repeat("active", CHANGED, eager=True),
        "recorded_on": pl.repeat(AS_OF, CHANGED, eager=True),
    }
    _landed(zone, "health_diagnoses", _enveloped(pl.DataFrame(rows), "diagnoses", "kmicb.gp", version), offset)
    with Stopwatch() as update:
        done = rebuild(done.state, [], content, reference, AS_OF)
    touched = len(done.touched) if done.touched is not None else len(done.state.features)
    return [*figures, {"seconds": update.seconds, "cpu_s": update.cpu_s, "peak_mib": peak_mib(), "people": touched}]


def main() -> None:
    """Make a lake and measure it; print the medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=400_000)
    parser.add_argument("--facts", type=int, default=4_000_000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--lake", type=Path, help="a lake that an earlier call kept; made there where there is none")
    parser.add_argument("--once", action="store_true", help="measure in this process and print what was measured")
    options = parser.parse_args()
    if options.once:
        sys.stdout.write(json.dumps(run(options.lake, options.people, options.facts)))
        return
    with tempfile.TemporaryDirectory() as made:
        folder = options.lake or Path(made)
        if not (folder / "membership.parquet").exists():
            folder.mkdir(parents=True, exist_ok=True)
            make(folder, options.people, options.facts)
        again = [sys.executable, "-m", "tests.bench.features", "--once", "--lake", str(folder)]
        again += ["--people", str(options.people), "--facts", str(options.facts)]
        found = [json.loads(subprocess.run(again, check=True, capture_output=True).stdout) for _ in range(options.runs)]
    stages = ("full rebuild", f"update, {CHANGED:,} changed persons")
    report = {
        stage: {name: round(median(one[n][name] for one in found), 1) for name in found[0][n]}
        for n, stage in enumerate(stages)
    }
    sys.stdout.write(
        json.dumps({"machine": machine(), "facts": options.facts, "runs": options.runs, **report}, indent=2)
    )


if __name__ == "__main__":
    main()
