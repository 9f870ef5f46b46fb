"""A short storm over the whole line on real servers: every role and server crashes, and nothing is lost or doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.stack import OwnServer
from tests.robustness.faults import ROLES, SERVERS, Kind, draw
from tests.robustness.line import CREW
from tests.robustness.storm import Storm, run

STORM = Storm(seed=4, crashes=24, records=6_000, batch_rows=100)


@pytest.mark.slow
@pytest.mark.brokers
def test_a_storm_loses_and_doubles_nothing(tmp_path: Path, own_kafka: OwnServer, own_postgresql: OwnServer) -> None:
    figures = run(STORM, tmp_path, own_kafka, own_postgresql, print)

    assert figures["crashes"] >= 20
    assert {f"kill {what}" for what in (*ROLES, *SERVERS)} <= figures["faults"].keys()
    assert {what.split()[0] for what in figures["faults"]} == {kind.split()[0] for kind in Kind}


@pytest.mark.parametrize("crashes", [24, 100])
def test_a_schedule_is_that_of_its_seed_and_leaves_nothing_out(crashes: int) -> None:
    faults = draw(4, crashes, CREW)

    assert faults == draw(4, crashes, CREW) != draw(5, crashes, CREW)
    assert sum(fault.is_crash for fault in faults) == crashes
    assert {fault.kind for fault in faults} == set(Kind)
    killed = {fault.target.split("-")[0] for fault in faults if fault.is_crash}
    assert killed == {*ROLES, *SERVERS}
