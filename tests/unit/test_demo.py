"""The demo empties its folder, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import InputError, Reason
from services.cli.demo.run import MARKER, make_way


def test_a_new_folder_is_made(tmp_path: Path) -> None:
    make_way(tmp_path / "a" / "b")

    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == [MARKER]


def test_what_an_earlier_demo_left_goes(tmp_path: Path) -> None:
    make_way(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bus.db").touch()

    make_way(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == [MARKER]


def test_what_no_demo_made_stays(tmp_path: Path) -> None:
    (tmp_path / "thesis.odt").touch()

    with pytest.raises(InputError) as caught:
        make_way(tmp_path)

    assert caught.value.reason is Reason.OPTION_INVALID
    assert (tmp_path / "thesis.odt").exists()
