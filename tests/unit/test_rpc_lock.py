"""The lock that keeps a second server off the same files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import Reason, StateError
from services.rpc.lock import ExclusiveLock, Seat


def test_a_second_holder_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    with ExclusiveLock(tmp_path, "ingest"):
        with pytest.raises(StateError) as caught:
            ExclusiveLock(tmp_path, "ingest")
        assert caught.value.reason is Reason.ALREADY_RUNNING
    ExclusiveLock(tmp_path, "ingest").release()


def test_other_roles_and_other_folders_are_not_in_the_way(tmp_path: Path) -> None:
    with (
        ExclusiveLock(tmp_path, "ingest"),
        ExclusiveLock(tmp_path, "landing"),
        ExclusiveLock(tmp_path / "other", "ingest"),
    ):
        pass


def test_a_killed_process_holds_no_lock(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys\n"
        "from services.rpc.lock import ExclusiveLock\n"
        f"lock = ExclusiveLock(pathlib.Path({str(tmp_path)!r}), 'ingest')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with pytest.raises(StateError):
        ExclusiveLock(tmp_path, "ingest")
    process.kill()
    process.communicate()
    ExclusiveLock(tmp_path, "ingest").release()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError) as caught:
        ExclusiveLock(tmp_path / "file", "ingest")
    assert caught.value.reason is Reason.STORE_MISSING


def test_letting_go_twice_does_no_harm(tmp_path: Path) -> None:
    lock = ExclusiveLock(tmp_path, "ingest")
    lock.release()
    lock.release()


def test_seats_are_taken_from_the_first_and_know_who_sat_there(tmp_path: Path) -> None:
    first, second = Seat(tmp_path, "matcher", 2), Seat(tmp_path, "matcher", 2)
    assert (first.former, second.former) == (None, None)
    assert first.member != second.member
    assert max(len(first.member), len(second.member)) <= 64
    with pytest.raises(StateError) as caught:
        Seat(tmp_path, "matcher", 2)
    assert caught.value.reason is Reason.ALREADY_RUNNING
    first.release()
    with Seat(tmp_path, "matcher", 2) as again:
        assert again.former == first.member
        assert again.member not in (first.member, second.member)
    Seat(tmp_path, "resolver", 1).release()
    second.release()
