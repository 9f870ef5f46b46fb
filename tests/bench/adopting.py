"""How long the switch to another model takes: `python -m tests.bench.adopting --health 428000 --welfare 62000`.

The registry is filled by its own port with subjects of which a part is linked; the candidate's pairs leave some of
these out and add others. Times what the stream has to wait for: what the switch is made of, and its transaction.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from schemas.decision import DecisionPolicy
from services.registry import PAIR_COLUMNS, SUBJECT_COLUMNS, AuditEvent, ResolverChange
from services.registry.adoption import CANDIDATE_COLUMNS, CandidateStep
from services.registry.sql import open_registry
from services.resolver.plan import Planner
from services.resolver.role import random_ids
from services.resolver.switch import switch_of, would_be
from tests.bench.measure import peak_mib

EVENT = AuditEvent("bench", "operation", "model.adopt", "done", {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--health", type=int, default=428_000)
    parser.add_argument("--welfare", type=int, default=62_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measured(Path(folder), options.health, options.welfare)))


def measured(folder: Path, health: int, welfare: int) -> dict[str, float]:
    """Return seconds and counts of one switch."""
    registry = open_registry(f"sqlite:///{folder / 'registry.db'}")
    registry.matcher.adopt_first_model("old", "{}")
    subjects = _subjects(health, welfare)
    state = registry.resolver.claim("bench")
    people = pl.DataFrame({"serial": subjects["person"].unique().sort()})
    change = ResolverChange(
        before=state,
        after=replace(state, next_subject=subjects.height + 1, next_person=subjects.height + 1),
        subjects_added=subjects,
        subjects_changed=subjects.clear(),
        pairs_removed=pl.DataFrame(schema={"left_serial": pl.Int64, "right_serial": pl.Int64}),
        pairs_written=_pairs(health, welfare, shift=0).with_columns(probability=pl.lit(0.9), decision=pl.lit("link")),
        persons_added=people.with_columns(person_id=pl.Series(random_ids(people.height))),
        persons_retired=pl.DataFrame(schema={"serial": pl.Int64, "superseded_by": pl.Int64}),
        transaction=None,
    )
    registry.resolver.apply(change)
    adoption = registry.adoptions.begin("new", "{}", EVENT)
    registry.adoptions.hear(
        CandidateStep(
            before=change.after,
            after=change.after,
            adoption=adoption.serial,
            subjects_added=subjects.clear(),
            shown=subjects.select(CANDIDATE_COLUMNS.names()),
            pairs=_pairs(health, welfare, shift=7),
        )
    )
    registry.adoptions.ready(adoption.serial, pl.DataFrame(schema={"serial": pl.Int64, "person": pl.Int64}), {})
    registry.adoptions.confirm(adoption.serial, EVENT)
    started = time.perf_counter()
    after = would_be(registry.adoptions.candidate_state(), DecisionPolicy(), 1, change.after.next_person)
    planner = Planner(registry.resolver, DecisionPolicy(), 1, random_ids)
    switch = switch_of(planner, change.after, adoption.serial, after)
    planned = time.perf_counter()
    assert registry.adoptions.switch(switch)
    done = time.perf_counter()
    registry.close()
    return {
        "subjects": subjects.height,
        "pairs": after.pairs.height,
        "subjects_moved": after.moves().height,
        "messages": len(switch.transactions),
        "plan_s": round(planned - started, 1),
        "transaction_s": round(done - planned, 1),
        "peak_mib": peak_mib(),
    }


def _subjects(health: int, welfare: int) -> pl.DataFrame:
    serial = np.arange(1, health + welfare + 1)
    # Every welfare subject is linked with a health subject, and so in its person.
    person = np.where(serial <= health, serial, serial - health)
    frame = pl.DataFrame(
        {
            "serial": serial,
            "source": np.where(serial <= health, "a.health", "b.welfare"),
            "subject_ref": [f"{n:032x}" for n in serial],
            "version": 1,
            "withdrawn": False,
            "content_hash": serial,
            "one_record_per_person": serial <= health,
            "claim_group": None,
            "passed": 1,
            "person": person,
            "link_probability": None,
        }
    )
    return frame.select(pl.col(name).cast(dtype) for name, dtype in SUBJECT_COLUMNS.items())


def _pairs(health: int, welfare: int, shift: int) -> pl.DataFrame:
    """One pair for each welfare subject; with a shift one in seven has another subject as its partner."""
    right = np.arange(health + 1, health + welfare + 1)
    left = right - health + np.where(right % 7 == 0, shift, 0)
    frame = pl.DataFrame(
        {
            "left_serial": left,
            "right_serial": right,
            "left_version": 1,
            "right_version": 1,
            "left_hash": left,
            "right_hash": right,
            "pattern": 0,
            "weight_bits": 20.0,
            "log2_odds": 9.0,
            "guard": None,
            "model_id": "new" if shift else "old",
            "shard": 0,
            "probability": None,
            "decision": None,
        }
    )
    return frame.select(pl.col(name).cast(dtype) for name, dtype in PAIR_COLUMNS.items())


if __name__ == "__main__":
    main()
