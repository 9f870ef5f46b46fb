"""Ids as consumers see them, and the keys they are made with."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import polars as pl
import pytest

from linkage.rekey import rekey
from schemas.errors import DefectError, PolicyError, StateError
from services.consumers import ConsumerKeys

IDS = pl.Series("person_id", ["p1", None, "p2", "p1"])


def test_ids_differ_by_consumer_and_are_the_same_for_one() -> None:
    phm, other = rekey(IDS, b"a" * 32), rekey(IDS, b"b" * 32)
    assert phm.equals(rekey(IDS, b"a" * 32))
    assert phm[0] == phm[3] != phm[2]
    assert phm[1] is None
    assert not set(phm.drop_nulls()) & set(other.drop_nulls())
    assert phm.drop_nulls().str.contains("^[0-9a-f]{32}$").all()


def test_nobody_is_rekeyed_to_nobody() -> None:
    assert rekey(pl.Series("person_id", [], dtype=pl.String), b"a" * 32).is_empty()


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = ConsumerKeys(tmp_path / "keys").key("phm")
    assert len(first) == 32
    assert ConsumerKeys(tmp_path / "keys").key("phm") == first
    assert ConsumerKeys(tmp_path / "keys").key("other") != first
    [path] = [p for p in (tmp_path / "keys").iterdir() if p.name == "phm.key"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert sorted(p.name for p in (tmp_path / "keys").iterdir()) == ["other.key", "phm.key"]


def test_makers_at_the_same_time_agree(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(ConsumerKeys(tmp_path).key("phm"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    ConsumerKeys(tmp_path).key("phm")
    (tmp_path / "phm.key").chmod(0o644)
    with pytest.raises(PolicyError):
        ConsumerKeys(tmp_path).key("phm")


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    ConsumerKeys(tmp_path).key("phm")
    (tmp_path / "phm.key").write_text("not a key")
    with pytest.raises(StateError):
        ConsumerKeys(tmp_path).key("phm")


@pytest.mark.parametrize("name", ["../phm", "", "PHM", "a/b"])
def test_a_consumers_name_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(DefectError):
        ConsumerKeys(tmp_path).key(name)
