"""`--layout under-occupation`: files of 9, 10 and 11 columns, with the header's and the rows' defects."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from linkage.encode import ProjectKeys, subject_refs
from linkage.layouts import shbe_fields
from linkage.synthesise.layouts import under_occupation as written
from schemas.agreement import shipped_agreement
from schemas.errors import InputError, Reason
from services.cli.app import build
from services.pseudonymise import Job, Report, new_key_file, run
from services.pseudonymise.declare import declaration
from services.pseudonymise.layouts import open_layout

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
COUNCIL = (
    "claim_ref,bedroom_requirement,bedrooms_in_property,male_children,female_childr,male_children,female_childr,"
    "children_over 16,TOTAL Dep Children,nondependants,total_rent arrears\n"
)
SHORT = (
    "claim_ref,room_requirem,bedrooms_in_p,male_children,female_childr,male_children,female_childr,"
    "children_over,nondependants\n"
)


def pseudonymise(folder: Path, text: str, **settings: Any) -> tuple[pl.DataFrame, Report]:
    """Write `text` as a file and run the layout over it; returns the records and the report."""
    source, output = folder / "uo.csv", folder / "out.parquet"
    source.write_text(text, encoding="utf-8")
    declared = declaration(AGREEMENT, source="medway.housing", feed="welfare", extract_date=date(2026, 6, 30))
    job = Job(source, output, AGREEMENT, KEYS, declared, version=1, layout=open_layout("under-occupation", settings))
    report = run(job)
    return pl.read_parquet(output), report


def test_a_council_file_gives_bedrooms_and_arrears(tmp_path: Path) -> None:
    """Repeated names are told apart, amounts become pence, no arrears is no fact."""
    records, report = pseudonymise(
        tmp_path, COUNCIL + "H1,1,3,0,0,0,0,0,0,1,120.50\nH2,2,2,1,1,0,0,0,2,0,0\nH3,1,2,0,0,0,0,0,0,0,\n"
    )

    assert records["occupancies"].list.explode().struct.unnest().select(
        "bedrooms", "bedrooms_needed", "recorded_on"
    ).rows() == [(3, 1, date(2026, 6, 30)), (2, 2, date(2026, 6, 30)), (2, 1, date(2026, 6, 30))]
    assert records["arrears"].list.len().to_list() == [1, 0, 0]
    assert records["arrears"].list.first().struct.field("balance_pence").to_list() == [12_050, None, None]
    assert records["subject_ref"].equals(subject_refs("medway.housing", pl.Series(["H1", "H2", "H3"]), KEYS))
    assert (report.rows_written, report.layout_counts) == (3, {"households": 3})


@pytest.mark.parametrize("extra", ["", ",total_rent arrears"])
def test_a_housing_association_file_has_fewer_columns(tmp_path: Path, extra: str) -> None:
    """Nine columns without arrears and names cut short, or ten with rows cut short where the last value is blank."""
    records, report = pseudonymise(tmp_path, SHORT.replace("\n", extra + "\n") + "H1,1,3,0,0,0,0,0,1\n")

    assert records["occupancies"].list.len().to_list() == [1]
    assert records["arrears"].list.len().to_list() == [0]
    assert not report.fault_counts


def test_rows_with_more_values_than_columns_are_refused_and_bad_values_reported(tmp_path: Path) -> None:
    """By row number; nothing is guessed."""
    records, report = pseudonymise(tmp_path, SHORT + "H1,1,3,0,0,0,0,0,1,9,9\nH2,soon,3,0,0,0,0,0,1\n,1,3\n")

    assert records["occupancies"].list.len().to_list() == [0]
    assert {(f.row, f.field, f.reason) for f in report.faults} == {
        (1, "row", "unreadable"),
        (2, "occupancies.bedrooms_needed", "out_of_range"),
        (3, "record_id", "missing"),
    }


def test_the_claims_beside_say_who_the_households_are(tmp_path: Path) -> None:
    """By either benefit's reference; a household whose claim is not there is kept, and counted."""
    claims = tmp_path / "shbe.csv"
    header = shbe_fields.TYPE_1
    claimant = {"1": "D", "2": "1001", "3": "9001", "4": "QQ100001A", "8": "01/02/1970", "11": "ME4 4TZ"}
    claims.write_text(
        ",".join(header) + "\n" + ",".join(claimant.get(number, "") for number in header) + "\n", encoding="utf-8"
    )
    records, report = pseudonymise(tmp_path, SHORT + "9001,1,3,0,0,0,0,0,1\n2002,1,3,0,0,0,0,0,1\n", beside=claims)

    assert records["token_nino"].is_not_null().to_list() == [True, False]
    assert records["birth_year_month"].to_list() == ["1970-02", None]
    assert report.layout_counts["households whose claim is not in the file beside"] == 1
    assert report.rows_with_nothing_to_link_on == 1


def test_another_header_is_refused_without_repeating_it(tmp_path: Path) -> None:
    """Without a header, the first line is a household's."""
    with pytest.raises(InputError) as refused:
        pseudonymise(tmp_path, "H1SECRET,1,3,0,0,0,0,0,1\nH2,1,3,0,0,0,0,0,1\n")

    assert refused.value.reason is Reason.COLUMNS_WRONG
    assert "H1SECRET" not in refused.value.message
    assert "bedrooms_in_property" in refused.value.message


@pytest.mark.parametrize("council", [True, False])
def test_what_is_written_is_read_again(tmp_path: Path, council: bool) -> None:
    """Bedrooms of every household; arrears where it is a council's."""
    home = pl.Struct({"claim_reference": pl.String, "bedrooms": pl.Int64, "bedrooms_needed": pl.Int64})
    debt = pl.Struct({"kind": pl.String, "balance_pence": pl.Int64})
    frame = pl.DataFrame(
        {
            "record_id": ["H1", "H2"],
            "occupancies": [[{"claim_reference": h, "bedrooms": 3, "bedrooms_needed": 1}] for h in ("H1", "H2")],
            "arrears": [[{"kind": "rent_council", "balance_pence": 12_345}], []],
        },
        schema_overrides={"occupancies": pl.List(home), "arrears": pl.List(debt)},
    )
    records, _ = pseudonymise(tmp_path, written.text(frame, council=council))

    assert records["occupancies"].list.first().struct.field("bedrooms").to_list() == [3, 3]
    owed = records["arrears"].list.first().struct.field("balance_pence").to_list()
    assert owed == ([12_345, None] if council else [None, None])


def test_the_command_takes_the_layout_and_needs_no_feed(tmp_path: Path) -> None:
    """And refuses what does not go with it."""
    key, source = tmp_path / "key", tmp_path / "uo.csv"
    new_key_file(key)
    source.write_text(SHORT + "H1,1,3,0,0,0,0,0,1\n", encoding="utf-8")
    words = ["pseudonymise", str(source), str(tmp_path / "out.parquet"), "--agreement", "test", "--key-file", str(key)]
    words += ["--source", "medway.housing"]

    done = CliRunner().invoke(build(), [*words, "--layout", "under-occupation"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "1  households" in done.output
    for wrong in (
        ["--layout", "nonesuch"],
        ["--layout", "under-occupation", "--feed", "health"],
        ["--layout", "under-occupation", "--columns", "febrl"],
        ["--feed", "welfare", "--beside", str(source)],
        [],
    ):
        with pytest.raises(InputError) as refused:
            CliRunner().invoke(build(), [*words, *wrong], catch_exceptions=False)
        assert refused.value.reason is Reason.OPTION_INVALID
