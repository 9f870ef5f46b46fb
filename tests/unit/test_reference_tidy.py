"""Publishers' files are taken in their editions' headers, and refused by column and count when they cannot be right."""

from __future__ import annotations

import polars as pl
import pytest

from linkage.reference import KINDS, tidy
from schemas.errors import InputError, Reason

WARDS = {
    "LSOA21CD": ["E01999002", "E01999001"],
    "LSOA21NM": ["A 2", "A 1"],
    "WD24CD": ["E05999001", "E05999001"],
    "WD24NM": ["Harbour", " Harbour "],
    "LAD24NM": ["Estmere", "Estmere"],
}
IMD = {
    "LSOA code (2019 boundaries)": ["x"],
    "LSOA code (2011)": ["E01999001", "E01999002", "E01999003"],
    "Local Authority District name (2019)": ["Estmere"] * 3,
    "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)": ["1", "3,500", "32844.0"],
    "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)": ["1.0", "2", "10"],
}
LOOKUP = {"LSOA11CD": ["E01999001"], "LSOA21CD": ["E01999001"], "CHGIND": ["U"]}
POPULATIONS = {
    "Practice_Code": ["Y99001", "Y99002"],
    "PCN_Code": ["U99001", "U"],
    "PCN_Name": ["One PCN", None],
    "pop 2022/23": ["1000.123456789", "2000"],
    **{
        header: ["1", "2"]
        for header in ("G&A WP", "CS WP", "MH WP", "Mat WP", "Prescr WP", "Health Ineq WP", "Final WP")
    },
}


def _raw(columns: dict[str, list[str | None]]) -> pl.DataFrame:
    height = max(map(len, columns.values()))
    return pl.DataFrame({name: [*cells, *[None] * (height - len(cells))] for name, cells in columns.items()})


def test_columns_are_found_whatever_the_edition_is_called() -> None:
    for edition in ("24", "23"):
        renamed = {name.replace("24", edition): cells for name, cells in WARDS.items()}
        found = tidy(KINDS["wards-2021"], _raw(renamed))
        assert found.rows() == [
            ("E01999001", "E05999001", "Harbour", "Estmere"),
            ("E01999002", "E05999001", "Harbour", "Estmere"),
        ]
    marked = {("\ufeff" + name if name == "LSOA21CD" else name.lower()): cells for name, cells in WARDS.items()}
    assert len(tidy(KINDS["wards-2021"], _raw(marked))) == 2


def test_numbers_come_as_spreadsheets_write_them() -> None:
    columns = {name: cells for name, cells in IMD.items() if "boundaries" not in name}
    found = tidy(KINDS["imd-2019"], _raw(columns))
    assert found["imd_rank"].to_list() == [1, 3500, 32844]
    assert found["imd_decile"].to_list() == [1, 2, 10]


def test_populations_stay_the_decimals_that_were_published() -> None:
    found = tidy(KINDS["weighted-populations"], _raw(POPULATIONS))
    assert str(found["population"][0]) == "1000.123456789"
    assert found["pcn_code"].to_list() == ["U99001", None]
    assert "icb_code" not in found.columns


@pytest.mark.parametrize(
    ("kind", "columns", "reason", "names"),
    [
        ("wards-2021", {"LSOA21CD": WARDS["LSOA21CD"]}, Reason.COLUMNS_WRONG, "ward_code"),
        ("wards-2021", {**WARDS, "WD23CD": WARDS["WD24CD"]}, Reason.COLUMNS_WRONG, "2 columns for ward_code"),
        ("wards-2021", {name: [] for name in WARDS}, Reason.FILE_EMPTY, "no rows"),
        ("wards-2021", {**WARDS, "LSOA21CD": ["E01999001", "secret"]}, Reason.FIELD_INVALID, "lsoa (1 cells)"),
        ("wards-2021", {**WARDS, "LSOA21CD": ["E01999001"] * 2}, Reason.FIELD_INVALID, "2 rows"),
        ("wards-2021", {**WARDS, "WD24NM": ["Harbour", " "]}, Reason.FIELD_INVALID, "ward (1 cells)"),
        ("lsoa-2011-2021", {**LOOKUP, "CHGIND": ["Z"]}, Reason.FIELD_INVALID, "change (1 cells)"),
        ("lsoa-2011-2021", {**LOOKUP, "LSOA21CD": ["E01999002"]}, Reason.FIELD_INVALID, "contradict"),
        (
            "lsoa-2011-2021",
            {
                "LSOA11CD": ["E01999001", "E01999002"],
                "LSOA21CD": ["E01999003", "E01999003"],
                "CHGIND": ["S", "S"],
            },
            Reason.FIELD_INVALID,
            "contradict",
        ),
        (
            "weighted-populations",
            {**POPULATIONS, "pop 2022/23": ["-1", "many"]},
            Reason.FIELD_INVALID,
            "population (2 cells)",
        ),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_by_column_and_count(
    kind: str, columns: dict[str, list[str | None]], reason: Reason, names: str
) -> None:
    with pytest.raises(InputError) as refused:
        tidy(KINDS[kind], _raw(columns))
    assert refused.value.reason is reason
    assert names in refused.value.message
    assert "secret" not in refused.value.message


@pytest.mark.parametrize(("ranks", "deciles"), [(["1", "2", "3"], ["1", "3", "2"]), (["1", "1", "3"], ["1", "1", "2"])])
def test_deciles_rise_with_ranks_and_no_rank_is_held_twice(ranks: list[str], deciles: list[str]) -> None:
    names = list(IMD)
    columns = {names[1]: IMD[names[1]], names[2]: IMD[names[2]], names[3]: ranks, names[4]: deciles}
    with pytest.raises(InputError, match="contradict"):
        tidy(KINDS["imd-2019"], _raw(columns))


def test_a_practice_that_left_its_network_is_not_in_it() -> None:
    columns = {
        "Partner Organisation Code": ["Y99001", "Y99001"],
        "PCN Code": ["U99001", "U99002"],
        "PCN Name": ["Old", "New"],
        "Practice to PCN Relationship End Date": ["20200331", None],
    }
    assert tidy(KINDS["practices"], _raw(columns)).rows() == [("Y99001", "U99002", "New")]
