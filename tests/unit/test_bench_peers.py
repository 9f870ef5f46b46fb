"""The benchmark against peers: its statistics, its judging and its tables; no peer is needed to hold them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from services.pseudonymise import ColumnMap
from tests.bench.machine import ROOT
from tests.bench.peers import __main__ as command
from tests.bench.peers import judge, report
from tests.bench.peers.ask import TOOLS, Tool, tools_for
from tests.bench.peers.clean import clean, common_fields
from tests.bench.peers.job import Job, read_job
from tests.bench.peers.resample import f1_difference
from tests.bench.peers.sets import cases, large
from tests.bench.table import README, between

LOCK = ROOT / "tests" / "bench" / "peers" / "requirements.lock"


@pytest.fixture
def two_files(tmp_path: Path) -> judge.Truth:
    """Four records left, four right; a is x, b is y and z (a person twice on the right)."""
    for name, ids in (("left", "abcd"), ("right", "xyzw")):
        pl.DataFrame({"record_id": list(ids)}).write_parquet(tmp_path / f"{name}.parquet")
    (tmp_path / "truth.csv").write_text("left_subject,right_subject\na,x\nb,y\nb,z\n", "utf-8")
    return judge.read([tmp_path / "left.parquet", tmp_path / "right.parquet"], tmp_path / "truth.csv")


def found(truth: judge.Truth, *pairs: str) -> judge.Outcome:
    return judge.outcome(truth, pl.DataFrame({"left": [p[0] for p in pairs], "right": [p[1] for p in pairs]}))


def test_links_and_persons_are_judged_as_hwlink_link_judges_them(two_files: judge.Truth) -> None:
    scores = judge.scores(two_files, found(two_files, "ax", "by", "cw"))

    assert (scores["links"].correct, scores["links"].found, scores["links"].true) == (2, 3, 3)
    assert (scores["persons"].correct, scores["persons"].found, scores["persons"].true) == (2, 3, 4)


def test_tallies_of_persons_sum_to_the_scores(two_files: judge.Truth) -> None:
    for pairs in ((), ("ax",), ("ax", "by", "bz"), ("ay", "by", "cw", "dw"), ("ax", "ay", "az")):
        outcome = found(two_files, *pairs)
        scores, tallies = judge.scores(two_files, outcome), judge.tallies(two_files, outcome)
        for what, score in scores.items():
            assert tallies[what].sum(axis=0).tolist() == [score.correct, score.found, score.true]


def test_given_persons_hold_before_what_the_pairs_join(two_files: judge.Truth) -> None:
    everyone = two_files.records.select("file", "record_id", person_id=pl.lit(1))
    outcome = judge.outcome(two_files, pl.DataFrame({"left": ["a"], "right": ["x"]}), everyone)

    assert judge.scores(two_files, outcome)["persons"].recall == 1
    assert judge.scores(two_files, outcome)["links"].found == 1


def test_duplicates_in_one_file_count_once_whichever_stands_left(tmp_path: Path) -> None:
    pl.DataFrame({"record_id": ["a", "b", "c"]}).write_parquet(tmp_path / "one.parquet")
    (tmp_path / "truth.csv").write_text("subject,person\na,1\nb,1\nc,2\n", "utf-8")
    truth = judge.read([tmp_path / "one.parquet"], tmp_path / "truth.csv")

    assert judge.scores(truth, found(truth, "ba", "ab"))["links"].as_dict()["f1"] == 1


def tallies_of(correct: int, missed: int, false: int) -> np.ndarray:
    rows = [[1.0, 1.0, 1.0]] * correct + [[0.0, 0.0, 1.0]] * missed + [[0.0, 1.0, 0.0]] * false
    return np.array(rows)


def test_the_interval_is_that_of_drawing_every_person() -> None:
    ours = np.vstack([tallies_of(900, 60, 40), tallies_of(0, 0, 0).reshape(0, 3)])
    theirs = np.vstack([tallies_of(880, 80, 0), np.zeros((40, 3))])
    grouped = f1_difference(ours, theirs, replicates=4_000, seed=3)
    draw = np.random.default_rng(5)
    each = []
    for _ in range(4_000):
        rows = draw.integers(0, len(ours), len(ours))
        one, other = ours[rows].sum(axis=0), theirs[rows].sum(axis=0)
        each.append(2 * one[0] / (one[1] + one[2]) - 2 * other[0] / (other[1] + other[2]))

    assert grouped.value == pytest.approx(2 * 900 / (940 + 960) - 2 * 880 / (880 + 960))
    assert [grouped.low, grouped.high] == pytest.approx(np.percentile(each, [2.5, 97.5]), abs=1.5e-3)


def test_a_linkage_does_not_differ_from_itself_and_a_seed_gives_one_interval() -> None:
    same = tallies_of(50, 5, 5)
    nothing = f1_difference(same, same)

    assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)
    assert f1_difference(same, same[::-1], seed=2) == f1_difference(same, same[::-1], seed=2)


def test_pairing_narrows_the_interval() -> None:
    ours, theirs = tallies_of(500, 50, 0), tallies_of(495, 55, 0)
    paired = f1_difference(ours, theirs)
    shuffled = f1_difference(ours, np.random.default_rng(1).permutation(theirs))

    assert paired.high - paired.low < (shuffled.high - shuffled.low) / 2


def test_the_best_threshold_is_looked_for_apart_for_links_and_persons(
    two_files: judge.Truth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = [(0.5, found(two_files, "ax", "cw")), (0.2, found(two_files, "ax", "by", "bz")), (0.9, found(two_files))]
    monkeypatch.setattr(command, "at_every_threshold", lambda *_: iter(tried))
    levels = command._judged(Tool("peer", "none"), {"threshold": 0.5}, two_files, swept=True)

    assert levels["default"]["threshold"] == {"links": 0.5, "persons": 0.5}
    assert levels["best"]["threshold"] == {"links": 0.2, "persons": 0.2}
    assert levels["best"]["score"]["links"].f1 == 1
    assert levels["best"]["tallies"]["links"].sum(axis=0).tolist() == [3, 3, 3]


def test_clean_values_are_normalised_and_only_common_fields_are_compared(tmp_path: Path) -> None:
    (tmp_path / "left.csv").write_text(
        "record_id,forename,surname,date_of_birth,sex,postcode,nhs_number\n"
        "1,Liz,O'Neill,02/03/1980,F,me4 4aa,9434765919\n2,,Ward,19801399,,ME4 4AA,\n3,Al,Ward,9999-12-31,9,,\n",
        "utf-8",
    )
    (tmp_path / "right.csv").write_text("record_id,forename,surname,date_of_birth\n1,Ann,Ward,1980-03-02\n", "utf-8")
    for side in ("left", "right"):
        target = tmp_path / f"{side}.parquet"
        clean(tmp_path / f"{side}.csv", target, ColumnMap(), shipped_agreement("test"), Feed.HEALTH)
    rows = pl.read_parquet(tmp_path / "left.parquet").to_dicts()

    assert (rows[0]["surname"], rows[0]["nickname"]) == ("ONEILL", "ELIZABETH")
    assert [row["date_of_birth"] for row in rows] == ["1980-03-02", "1980-13-99", None]
    assert [row["sex"] for row in rows] == ["2", None, None]
    assert (rows[0]["sector"], rows[0]["nhs_number"]) == ("ME44", "9434765919")
    assert common_fields([tmp_path / "left.parquet", tmp_path / "right.parquet"]) == (
        "forename",
        "nickname",
        "surname",
        "date_of_birth",
    )


def test_a_job_reaches_the_peer_as_it_was(tmp_path: Path) -> None:
    job = Job(("a", "b"), ("forename",), (True, False), "out", True)
    job.write(tmp_path / "job.json")

    assert read_job(tmp_path / "job.json") == job


def test_every_set_has_its_own_name_and_meets_hwlink_first() -> None:
    everything = [*cases(), large()]

    assert len({case.name for case in everything}) == len({case.title for case in everything}) == len(everything)
    assert all(tools_for(case)[0] is TOOLS[0] for case in everything)
    assert [tool.name for tool in tools_for(large())] == ["hwlink", "Splink"]


def test_the_peers_are_pinned_with_hashes_and_without_addresses() -> None:
    text = LOCK.read_text("utf-8")

    assert not re.search(r"https?://|--index-url|--find-links", text)
    assert all("==" in line for line in text.splitlines() if line and not line.startswith((" ", "#")))
    assert {"splink==5.0.0", "anonlink==0.15.3", "clkhash==0.18.3", "recordlinkage==0.16"} <= set(text.split())


def test_the_tables_are_those_of_the_committed_figures() -> None:
    result = json.loads(report.PEERS_JSON.read_text("utf-8"))

    assert report.PEERS_MD.read_text("utf-8") == report.full(result)
    text = README.read_text("utf-8")
    assert between(text, report.BEGIN, report.END, report.block(result)) == text
