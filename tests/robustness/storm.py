"""A storm: records stream in while everything is killed, paused, stopped and filled, by a seeded schedule.

    python -m tests.robustness.storm --crashes 100 --matchers 3 --records 1000000 --seed 7

Afterwards the oracle says whether anything was lost, doubled or missed. Figures go to `results/` with --keep.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schemas.errors import TransientError
from services.admin.status import drained, status
from services.stack import OwnServer, start_kafka, start_postgresql
from tests.robustness import oracle
from tests.robustness.faults import SERVERS, draw
from tests.robustness.feeder import Feeder
from tests.robustness.line import CREW, Line, as_json
from tests.robustness.records import make_records

RESULTS: Final = Path(__file__).parent / "results"
TICK_S: Final = 0.1
PUT_OFF_S: Final = 60.0
"""How long a fault waits for a target that is down already, and for the feed to come as far as the schedule."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Storm:
    """What to run: records and crashes, the seed of both, how many matchers, how long it may take to come to rest."""

    seed: int
    crashes: int
    records: int
    matchers: int = 3
    batch_rows: int = 250
    settle_s: float = 600.0


def run(
    storm: Storm, folder: Path, kafka: OwnServer, postgresql: OwnServer, say: Say = lambda _: None
) -> dict[str, Any]:
    """Run a storm and the oracle; return the figures. AssertionError tells seed, schedule and last words."""
    began = time.monotonic()
    made = make_records(folder, storm.records, storm.seed, storm.batch_rows)
    say(f"{made.held:,} subjects, {made.sent:,} records in {len(made.streams)} streams; seed {storm.seed}")
    crew = {**CREW, "matcher": storm.matchers}
    with Line(folder, kafka, postgresql, crew) as line:
        try:
            line.start()
            started = time.monotonic()
            _rage(storm, line, made.streams, say)
            raged = time.monotonic()
            settle(line, storm.settle_s, say)
            settled = time.monotonic()
            say("at rest; now the oracle")
            figures = oracle.check(line, made)
            assert not line.failures, line.failures
        except BaseException as error:
            error.add_note(told(storm, line))
            raise
        return {
            "storm": dataclasses.asdict(storm),
            "machine": _machine(),
            "sent_records": made.sent,
            "crashes": sum(count for what, count in line.happened.items() if what.startswith("kill ")),
            **line.summary(),
            "oracle": figures,
            "seconds": {
                "start": round(started - began),
                "storm": round(raged - started),
                "settling": round(settled - raged),
                "oracle": round(time.monotonic() - settled),
            },
        }


def told(storm: Storm, line: Line) -> str:
    """Return what a failure must come with: how to run it again, what happened when, and the last words."""
    what = dataclasses.asdict(storm)
    return "\n".join([f"storm {what}", *line.failures, *line.story, line.last_words()])


def _rage(storm: Storm, line: Line, streams: Any, say: Say) -> None:
    """Let the schedule happen while records stream in, neither far ahead of the other; return when all are sent."""
    faults = draw(storm.seed, storm.crashes, {**CREW, "matcher": storm.matchers})
    with Feeder(streams, line.address) as feeder:
        feeder.let_through(1 / len(faults))
        for number, fault in enumerate(faults):
            _wait(line, feeder, fault.gap_s)
            deadline = time.monotonic() + PUT_OFF_S
            while not line.can(fault) or (feeder.share < (number - 2) / len(faults) and not _is_cut_off(line)):
                if time.monotonic() > deadline:
                    break
                _wait(line, feeder, TICK_S)
            if not line.can(fault):
                line.tell(f"passed over, its target is down: {fault}")
                continue
            line.let_happen(fault)
            say(f"{number + 1:>4}/{len(faults)}  {feeder.share:6.1%} sent  {fault}")
            feeder.let_through((number + 2) / len(faults))
        feeder.let_through(1.0)
        deadline = time.monotonic() + storm.settle_s
        while not feeder.is_done:
            _wait(line, feeder, TICK_S)
            assert time.monotonic() < deadline, f"only {feeder.share:.1%} was sent"
        line.tell(f"all is sent; clients connected again {feeder.reconnects} times")
    line.heal()


def _is_cut_off(line: Line) -> bool:
    return any(server in line.troubled for server in SERVERS)


def _wait(line: Line, feeder: Feeder, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        line.tick()
        assert not line.failures, "a role ended that must not"
        assert not feeder.failures, feeder.failures
        if time.monotonic() >= deadline:
            return
        time.sleep(min(TICK_S, max(0.0, deadline - time.monotonic())))


def settle(line: Line, timeout_s: float, say: Say = lambda _: None) -> None:
    """Return when nothing is under way any more; AssertionError when that takes longer."""
    deadline, told_at = time.monotonic() + timeout_s, time.monotonic()
    roles: list[Any] = []
    content = line.zones()["content"]
    while True:
        line.tick()
        assert not line.failures, "a role ended that must not"
        try:
            roles = status(line.bus, line.registry, content)
            if drained(roles):
                return
        except TransientError as error:
            line.tell(f"no status: {error.reason}")
        lag = {role.role: role.lag_messages for role in roles}
        if time.monotonic() > told_at + 10:
            told_at = time.monotonic()
            say(f"still to do: {lag}")
        assert time.monotonic() < deadline, f"it does not come to rest: {lag}"
        time.sleep(0.5)


def _machine() -> dict[str, Any]:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load_average": [round(one, 1) for one in os.getloadavg()],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Let a storm rage over the whole line, and see whether all is there.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--crashes", type=int, default=24)
    parser.add_argument("--records", type=int, default=6_000, help="subjects; older versions and repeats come on top")
    parser.add_argument("--matchers", type=int, default=3)
    parser.add_argument("--batch-rows", type=int, help="records in a batch; default: by the number of records")
    parser.add_argument("--settle", type=float, default=1800.0, help="seconds to come to rest", metavar="SECONDS")
    parser.add_argument("--folder", type=Path, help="where to work; kept. Default: a temporary folder")
    parser.add_argument("--keep", metavar="NAME", help="write the figures to results/NAME.json")
    given = parser.parse_args()
    logging.getLogger("services.send").setLevel(logging.ERROR)  # a server that is away is no news here
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything that was started ends, too
    batch_rows = given.batch_rows or max(100, min(5_000, given.records // 400))
    storm = Storm(given.seed, given.crashes, given.records, given.matchers, batch_rows, given.settle)

    def say(line: str) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)

    with tempfile.TemporaryDirectory(prefix="hwlink-storm-") as made, start_kafka() as kafka, start_postgresql() as sql:
        folder = given.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        figures = run(storm, folder, kafka, sql, say)
    print(as_json(figures))
    if given.keep:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{given.keep}.json").write_text(as_json(figures) + "\n", "utf-8")


if __name__ == "__main__":
    main()
