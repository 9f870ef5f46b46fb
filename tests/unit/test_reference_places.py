"""Areas of two censuses are put together without averaging, practices without guessing."""

from __future__ import annotations

import polars as pl
import pytest

from linkage.features.tables import GEOGRAPHY, PRACTICES
from linkage.reference import geography, practices

# 1 stays, 2 is split into 4 and 5, 3 and 6 are merged into 7.
LOOKUP = pl.DataFrame(
    [("1", "1", "U"), ("2", "4", "S"), ("2", "5", "S"), ("3", "7", "M"), ("6", "7", "M")],
    schema=["lsoa_2011", "lsoa_2021", "change"],
    orient="row",
)


def _decile(found: pl.DataFrame) -> dict[str, int | None]:
    return dict(found.select("lsoa", "imd_decile").iter_rows())


OLD = pl.DataFrame({"lsoa": ["1", "2", "3", "6"], "imd_decile": [1, 2, 3, 6]})
NEW = pl.DataFrame({"lsoa": ["1", "4", "5", "7"], "imd_decile": [2, 1, 3, 5]})


def test_a_part_takes_what_its_whole_has_and_a_whole_what_its_parts_agree_on() -> None:
    tables = {"lsoa-2011-2021": LOOKUP, "imd-2019": OLD, "imd-2025": NEW}
    assert _decile(geography(tables, "2019")) == {"1": 1, "2": 2, "3": 3, "4": 2, "5": 2, "6": 6, "7": None}
    assert _decile(geography(tables, "2025")) == {"1": 2, "2": None, "3": 5, "4": 1, "5": 3, "6": 5, "7": 5}


def test_deprivation_is_of_one_edition_the_newest_unless_told() -> None:
    tables = {"lsoa-2011-2021": LOOKUP, "imd-2019": OLD, "imd-2025": NEW}
    found = geography(tables)
    assert set(found["imd_version"].drop_nulls()) == {"2025"}
    assert found.filter(pl.col("imd_decile").is_null())["imd_version"].to_list() == [None]
    assert set(geography({"imd-2019": OLD})["imd_version"]) == {"2019"}


def test_each_code_stands_once_under_the_newest_census_that_has_it() -> None:
    found = geography({"lsoa-2011-2021": LOOKUP, "imd-2019": OLD})
    assert found.schema == GEOGRAPHY
    assert dict(found.select("lsoa", "lsoa_version").iter_rows()) == {
        "1": "2021",
        "2": "2011",
        "3": "2011",
        "4": "2021",
        "5": "2021",
        "6": "2011",
        "7": "2021",
    }


def test_wards_that_share_a_name_are_told_apart() -> None:
    wards = pl.DataFrame(
        {
            "lsoa": ["1", "4", "5"],
            "ward_code": ["w1", "w2", "w3"],
            "ward": ["Watling", "Watling", "Marsh"],
            "authority": ["Estmere", "Norwater", "Norwater"],
        }
    )
    found = geography({"wards-2021": wards, "lsoa-2011-2021": LOOKUP})
    named = dict(found.select("lsoa", "ward").iter_rows())
    assert named == {
        "1": "Watling (Estmere)",
        "2": None,
        "3": None,
        "4": "Watling (Norwater)",
        "5": "Marsh",
        "6": None,
        "7": None,
    }
    assert found.filter(lsoa="2")["authority"].to_list() == ["Norwater"]


def test_nothing_imported_is_nothing_known() -> None:
    assert geography({}).schema == GEOGRAPHY
    assert geography({}).is_empty()
    assert practices({}).schema == PRACTICES


@pytest.mark.parametrize("kind", ["practices", "weighted-populations"])
def test_a_practice_has_the_place_of_its_network_or_none(kind: str) -> None:
    held = pl.DataFrame({"practice_code": ["Y2", "Y1", "Y3"], "pcn_code": ["U1", None, "U2"]})
    places = pl.DataFrame({"pcn_code": ["U1"], "place": ["Estmere"]})
    assert practices({kind: held, "places": places}).rows() == [
        ("Y1", None, None),
        ("Y2", "U1", "Estmere"),
        ("Y3", "U2", None),
    ]
