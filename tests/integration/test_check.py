"""`hwlink check`: what is wrong with a file is found before it is sent, by name and count, never by value."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from linkage.encode import ProjectKeys, encode, examine
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.errors import HwlinkError, InputError, Reason
from services.cli.app import build
from services.pseudonymise.fitness.findings import share_told, told

DAY = date(2026, 6, 30)
PEOPLE = 400


def person(number: int) -> dict[str, Any]:
    """One of many people without fault, each with a claim."""
    born = date.fromordinal(date(1950, 1, 2).toordinal() + 37 * number)
    claim = {
        "claim_reference": f"C{number}", "benefit": "hb", "role": "claimant", "status": "in_payment",
        "started_on": date.fromordinal(date(2020, 1, 1).toordinal() + number).isoformat(), "weekly_award_pence": 9_000,
    }  # fmt: skip
    return {
        "record_id": f"W{number}", "forename": "Ann", "surname": "Smith", "date_of_birth": born.isoformat(),
        "postcode": "ME4 4TZ", "nino": f"QQ{100_000 + number}A", "claim_reference": f"C{number}",
        "claim_role": "claimant", "claims": json.dumps([claim]),
    }  # fmt: skip


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "file.csv"
    pl.DataFrame(rows, infer_schema_length=None).write_csv(path)
    return path


def check(path: Path, *words: str, feed: str | None = "welfare") -> Result:
    """Run the command; a failure of ours comes back as the result's exception."""
    said = [] if feed is None else ["--feed", feed]
    line = ["check", str(path), "--agreement", "test", "--extract-date", DAY.isoformat(), *said, *words]
    return CliRunner().invoke(build(), line)


def found(result: Result) -> set[tuple[str, str, str]]:
    """(severity, check, field) of each finding."""
    return {(f["severity"], f["check"], f["field"]) for f in json.loads(result.stdout.splitlines()[0])["findings"]}


def test_a_file_without_fault_is_fit(tmp_path: Path) -> None:
    result = check(written(tmp_path, [person(n) for n in range(PEOPLE)]), "--json")
    report = json.loads(result.stdout)

    assert (result.exit_code, report["verdict"], report["findings"]) == (0, "fit", [])
    assert (report["rows"], report["records"]) == ("400", "400")
    assert {"field": "nino", "filled": "100.0%", "usable": "100.0%"} in report["fields"]
    assert {"kind": "claims", "facts": "400", "records": "400"} in report["facts"]
    assert report["thresholds"]["unlinkable_unfit"] == 0.25


def changed(rows: list[dict[str, Any]], share: float, **values: Any) -> list[dict[str, Any]]:
    """The rows, of which the first share have other values; `{n}` in one is the row's number."""
    hit = int(len(rows) * share)
    return [
        {**row, **{k: v.format(n=n) if isinstance(v, str) else v for k, v in values.items()}} if n < hit else row
        for n, row in enumerate(rows)
    ]


def claims(**values: Any) -> str:
    """A claim's list with other values, braces doubled for `changed`."""
    text = json.dumps([{**json.loads(person(0)["claims"])[0], **values}])
    return text.replace("{", "{{").replace("}", "}}")


DEFECTS = {
    "dummy numbers": ({"nino": "XX999001A"}, 0.1, ("warning", "dummy values", "nino")),
    "dummy names": ({"forename": "Baby"}, 0.1, ("warning", "dummy values", "forename")),
    "a number many share": ({"nino": "QQ123456A"}, 0.05, ("warning", "dummy values", "nino")),
    "births on 1 January": ({"date_of_birth": "1970-01-01"}, 0.1, ("warning", "date spikes", "date_of_birth")),
    "one date of birth": ({"date_of_birth": "1970-05-05"}, 0.1, ("warning", "date spikes", "date_of_birth")),
    "births missing": ({"date_of_birth": ""}, 0.6, ("unfit", "completeness", "date_of_birth")),
    "some births missing": ({"date_of_birth": ""}, 0.2, ("warning", "completeness", "date_of_birth")),
    "nothing to link on": (
        {"date_of_birth": "", "nino": "", "surname": ""},
        0.3,
        ("unfit", "cannot be linked", "record"),
    ),
    "codes outside the list": (
        {"claims": claims(status="9")},
        0.05,
        ("warning", "codes outside the list", "claims.status"),
    ),
    "a column shifted": (
        {"claims": claims(tenure="1990-01-01")},
        0.5,
        ("unfit", "codes outside the list", "claims.tenure"),
    ),
    "a date of birth yet to come": (
        {"date_of_birth": "2031-02-03"},
        0.05,
        ("warning", "values left out", "date_of_birth"),
    ),
    "facts on one day": (
        {"claims": claims(started_on="2023-04-01")},
        0.5,
        ("warning", "date spikes", "claims.started_on"),
    ),
    "facts ahead of the extract": (
        {"claims": claims(started_on="2027-04-01")},
        0.05,
        ("warning", "dates out of range", "claims.started_on"),
    ),
    "default dates": (
        {"claims": claims(started_on="01/01/1900")},
        0.05,
        ("warning", "dummy values", "claims.started_on"),
    ),
    "records twice": ({"record_id": "W399"}, 0.2, ("unfit", "rows refused", "record_id")),
    "no record id": ({"record_id": ""}, 0.05, ("warning", "rows refused", "record_id")),
    "pounds for pence": (
        {"claims": claims(weekly_award_pence=90)},
        1.0,
        ("unfit", "amounts", "claims.weekly_award_pence"),
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_each_defect_is_found_and_named(tmp_path: Path, name: str) -> None:
    """And what is unfit exits with the code of wrong input."""
    values, share, finding = DEFECTS[name]
    result = check(written(tmp_path, changed([person(n) for n in range(PEOPLE)], share, **values)), "--json")

    assert finding in found(result)
    assert (result.exit_code != 0) == (json.loads(result.stdout.splitlines()[0])["verdict"] == "unfit")
    if finding[0] == "unfit":
        assert isinstance(result.exception, InputError)
        assert result.exception.reason is Reason.FIELD_INVALID


def test_in_a_health_file_a_number_twice_is_a_duplicate(tmp_path: Path) -> None:
    """A health source has one record a person; in a welfare file people are in two claims."""
    rows = [{k: v for k, v in person(n).items() if not k.startswith("claim")} for n in range(100)]
    rows = [{**row, "nhs_number": number} for row, number in zip(rows, ["9434765919", "9876543210"] * 50, strict=True)]

    assert ("warning", "duplicates", "nhs_number") in found(check(written(tmp_path, rows), "--json", feed="health"))


def test_no_value_and_no_small_count_is_told(tmp_path: Path) -> None:
    """Not in words and not as JSON: reports travel."""
    odd = {
        "nino": "XX999QX1A",
        "surname": "Qxcanary",
        "forename": "Qxfirst",
        "date_of_birth": "1970-13-45",
        "postcode": "QX1",
    }
    rows = changed([person(n) for n in range(PEOPLE)], 0.0075, **odd, record_id="QXID{n}")
    path = written(tmp_path, [*rows, {**person(1), "record_id": "QXID0"}])
    text = check(path).output + check(path, "--json").output

    assert "QX" not in text.upper()
    assert "1970" not in text
    assert not any(f'"{count}"' in text for count in range(1, 8))


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_counts_are_told_by_the_disclosure_rule(count: int, of: int) -> None:
    """None of one to seven, others to the nearest five, and shares are made of those."""
    text = told(count)
    assert text == "0" if count == 0 else text == "<8" if count <= 7 else int(text.replace(",", "")) % 5 == 0
    share = share_told(min(count, of), of)
    assert share == "not told" if of <= 7 else share.endswith("%")


@pytest.mark.parametrize(
    "words", [[], ["--feed", "other"], ["--layout", "shbe"], ["--layout", "ctr", "--columns", "febrl"]]
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, words: list[str]) -> None:
    result = check(written(tmp_path, [person(0)]), *words, feed=None)

    assert isinstance(result.exception, HwlinkError)
    assert result.exception.reason is Reason.OPTION_INVALID


def test_a_raw_layout_is_checked_as_it_would_be_read(tmp_path: Path) -> None:
    """A council's own file, before it is pseudonymised: nothing tells who the households are."""
    path = tmp_path / "uo.csv"
    path.write_text("claim_ref,bedroom_requirement,bedrooms_in_property\n" + "".join(f"H{n},1,3\n" for n in range(40)))
    result = check(path, "--layout", "under-occupation", "--json", feed=None)

    assert ("unfit", "cannot be linked", "record") in found(result)
    assert json.loads(result.stdout.splitlines()[0])["held"] == {"households": "40"}


def test_it_finds_what_pseudonymise_would_leave_out() -> None:
    """The same rows and fields for the same reasons, without a key."""
    rows = [person(n) for n in range(20)]
    rows[3] |= {"nino": "XX999001A", "claim_role": "lodger"}
    rows[4] |= {"date_of_birth": "soon", "claims": "[{"}
    rows[5] |= {"record_id": "W1"}
    rows[6] |= {"claims": json.dumps([{"claim_reference": None, "benefit": "hb"}])}
    frame = pl.DataFrame(rows, infer_schema_length=None)
    agreement = shipped_agreement("test")
    numbers = pl.int_range(1, 21, dtype=pl.Int64, eager=True)
    seen = examine(frame, agreement, Feed.WELFARE, latest=DAY, rows=numbers)
    keys = ProjectKeys(bytes(range(32)), agreement.key_epoch)
    batch = encode(frame, agreement, keys, Feed.WELFARE, source="a.b", latest=DAY)
    order = ["row", "field", "reason"]

    assert seen.rejects.equals(batch.rejects)
    assert seen.dropped.sort(order).equals(batch.dropped.sort(order))
    assert seen.dropped.height >= 6
