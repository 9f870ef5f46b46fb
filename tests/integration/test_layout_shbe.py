"""`--layout shbe`: a council's own file through the whole of pseudonymise, with the defects that real ones have."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from linkage.encode import ProjectKeys
from linkage.layouts import shbe_fields as f
from schemas.agreement import shipped_agreement
from schemas.errors import InputError, Reason
from services.pseudonymise import Job, Report, run
from services.pseudonymise.declare import declaration
from services.pseudonymise.layouts import open_layout

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
SETTINGS = {"unit": "pence", "passported": {"4": "pension_credit"}, "rent_period_weeks": {"1": 1, "3": 4}}
CLAIM = {
    "1": "D", "2": "1001", "4": "QQ100001A", "8": "01/02/1970", "9": "1", "11": "ME4 4TZ", "12": "4", "13": "2",
    "14": "1", "33": "1", "41": "06/04/2020", "43": "9550", "57": "10000", "58": "2500", "62": "Yes", "117": "0",
    "118": "1", "123": "1", "126": "QQ100002A", "177": "F", "178": "05/06/1972", "181": "44000", "182": "3",
    "209": "9000", "213": "M", "247": "9",
}  # fmt: skip
CHILD = {"1": "S", "2": "1001", "308": "1", "309": "1", "310": "06/04/2020", "315": "03/03/2015"}
LODGER = {"1": "S", "2": "1001", "308": "2", "309": "QQ100003A", "315": "04/04/1998", "214": "20000"}


def pseudonymise(
    folder: Path, *records: dict[str, str], header: tuple[str, ...] = f.TYPE_1, settings: dict[str, Any] | None = None
) -> tuple[pl.DataFrame, Report]:
    """Write records as an extract and run the layout over it; returns what leaves, and the report."""
    source, output = folder / "shbe.csv", folder / "out.parquet"
    lines = [",".join(header), *(",".join(record.get(number, "") for number in header) for record in records)]
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    declared = declaration(AGREEMENT, source="medway.shbe", feed="welfare", extract_date=date(2026, 6, 30))
    layout = open_layout("shbe", SETTINGS if settings is None else settings)
    report = run(Job(source, output, AGREEMENT, KEYS, declared, version=1, layout=layout))
    return pl.read_parquet(output), report


def fact(records: pl.DataFrame, role: str, number: int = 0) -> dict[str, Any]:
    """One claim fact of the first record with that role."""
    return records.filter(pl.col("claim_role") == role)["claims"][0].to_list()[number]  # type: ignore[no-any-return]


def test_one_claim_gives_a_record_for_each_of_its_people(tmp_path: Path) -> None:
    """Roles, amounts on the claimant's row, what is one's own on one's own; a child's reference is no NINO."""
    records, report = pseudonymise(tmp_path, CLAIM, CHILD, LODGER)
    claimant, lodger = fact(records, "claimant"), fact(records, "non_dependant")

    assert records["claim_role"].to_list() == ["claimant", "partner", "child", "non_dependant"]
    assert records["claim_group"].n_unique() == 1
    assert records["birth_year_month"].to_list() == ["1970-02", "1972-06", "2015-03", "1998-04"]
    assert records["token_nino"].is_not_null().to_list() == [True, True, False, True]
    assert records["token_postcode"].n_unique() == 1
    assert records["ethnic_category"].to_list() == ["J", None, None, None]
    assert (claimant["benefit"], claimant["status"], claimant["tenure"]) == ("hb", "in_payment", "council")
    assert (claimant["passported"], claimant["children_declared"]) == ("pension_credit", 2)
    assert (claimant["weekly_award_pence"], claimant["weekly_contractual_rent_pence"]) == (9_550, 11_000)
    assert (claimant["weekly_lha_pence"], claimant["disability_premium"]) == (9_000, True)
    assert claimant["started_on"] == date(2020, 4, 6)
    assert (lodger["weekly_award_pence"], lodger["weekly_earnings_pence"]) == (None, 20_000)
    assert report.layout_counts["header type 1"] == 1
    assert not report.fault_counts


@pytest.mark.parametrize(
    ("tenancy", "benefits", "tenure"),
    [
        ("1", ["hb"], "council"), ("2", ["hb"], "private_rent"), ("3", ["hb"], "private_rent"),
        ("4", ["hb"], "housing_association"), ("5", ["ctr"], "owner"), ("6", ["hb"], "private_rent"),
        ("7", ["ctr"], "other"), ("8", ["hb"], "council"), ("9", ["hb"], "private_rent"), ("77", ["hb"], None),
    ],
)  # fmt: skip
def test_tenancy_types_say_which_benefit_it_is(
    tmp_path: Path, tenancy: str, benefits: list[str], tenure: str | None
) -> None:
    """Housing Benefit where it is 1 to 9 except 5 and 7; a type that is not on the list is left out and reported."""
    records, report = pseudonymise(tmp_path, {**CLAIM, "9": tenancy, "123": "0"})
    facts = records["claims"][0].to_list()

    assert [one["benefit"] for one in facts] == benefits
    assert facts[0]["tenure"] == tenure
    assert (("claims.tenure", "unknown_code", False) in report.fault_counts) == (tenure is None)


@pytest.mark.parametrize(
    ("flag", "applies"), [("Yes", True), ("1", True), ("No", False), ("", False), ("0", False), ("yes", True)]
)
def test_local_housing_allowance_is_known_by_either_spelling(tmp_path: Path, flag: str, applies: bool) -> None:
    """The specification says blank or 1; Leeds sends No or Yes."""
    records, _ = pseudonymise(tmp_path, {**CLAIM, "62": flag})

    assert (fact(records, "claimant")["weekly_lha_pence"] == 9_000) is applies


@pytest.mark.parametrize(
    ("code", "category"), [("1", "A"), ("8", "H"), ("15", "R"), ("16", "S"), ("99", "S"), ("", "Z")]
)
def test_ethnic_groups_become_the_nhs_list(tmp_path: Path, code: str, category: str) -> None:
    """Fifteen in order, two spellings of other, blank is not stated."""
    records, _ = pseudonymise(tmp_path, {**CLAIM, "247": code})

    assert records["ethnic_category"][0] == category


@pytest.mark.parametrize(("code", "status"), [("0", "other"), ("1", "in_payment"), ("2", "suspended"), ("", "other")])
def test_statuses_at_extract(tmp_path: Path, code: str, status: str) -> None:
    """0 other, 1 in payment, 2 suspended."""
    records, _ = pseudonymise(tmp_path, {**CLAIM, "33": code})

    assert fact(records, "claimant")["status"] == status


def test_amounts_in_pounds_become_pence_and_a_wrong_unit_shows(tmp_path: Path) -> None:
    """95.50 is 9550 pence; where pence are promised it is reported, not rounded."""
    records, report = pseudonymise(tmp_path, {**CLAIM, "43": "95.50"}, settings={**SETTINGS, "unit": "pounds"})
    assert fact(records, "claimant")["weekly_award_pence"] == 9_550
    assert not report.fault_counts

    records, report = pseudonymise(tmp_path, {**CLAIM, "43": "95.50"})
    assert fact(records, "claimant")["weekly_award_pence"] is None
    assert ("claims.weekly_award_pence", "out_of_range", False) in report.fault_counts


def test_the_defects_of_real_extracts(tmp_path: Path) -> None:
    """Empty and dummy numbers, one person in two claims, a lodger who claims elsewhere, two claims at one address,
    members without a claim, a claim twice, a record cut short.
    """
    records, report = pseudonymise(
        tmp_path,
        {**CLAIM, "4": "", "123": "0"},
        {**CLAIM, "2": "1002", "4": "XX999001A", "123": "0"},
        {**CLAIM, "2": "1003", "123": "0"},
        {**CLAIM, "2": "1004", "123": "0"},
        {**LODGER, "2": "1003", "309": "QQ100009A"},
        {**CLAIM, "2": "1005", "4": "QQ100009A", "123": "0"},
        {**CHILD, "2": "9999"},
        {**CLAIM, "2": "1005", "4": "QQ100010A"},
        {**CLAIM, "2": "1006", "123": "2"},
        {**CHILD, "2": "1006", "311": "01/01/2026"},
        {**CHILD, "2": "1006"},
        {**CHILD, "2": "1006"},
        {"1": "T", "2": "1006", "253": "01/05/2026"},
        {"1": "T", "2": "8888", "253": "01/05/2026"},
        {"1": "Q"},
    )
    numbers = records.filter(pl.col("claim_role") != "child")["token_nino"]

    assert records.height == 9
    assert numbers.null_count() == 2
    assert numbers.drop_nulls().len() - numbers.drop_nulls().n_unique() == 3
    assert records["claim_group"].n_unique() == 6
    assert report.layout_counts == {
        "live claims (D)": 7,
        "changes of circumstances (T)": 2,
        "members of claims (S)": 5,
        "records of no known type, left out": 1,
        "live claims that stand there twice, the first kept": 1,
        "members (S) without a live claim, left out": 1,
        "members (S) who have left their claim, left out": 1,
        "members (S) who stand in a claim twice, the first kept": 1,
        "changes (T) without a live claim, left out": 1,
        "claims with more than one partner, of whom one is described": 1,
        "header type 1": 1,
    }
    assert report.fault_counts == {("nino", "placeholder", False): 1}
    assert records["claim_changes"].list.len().sum() == 1


def test_a_type_0_extract_has_no_births_of_members(tmp_path: Path) -> None:
    """It works with what is there: the child is still in the claim."""
    records, report = pseudonymise(tmp_path, CLAIM, CHILD, header=f.TYPE_0)

    assert records["birth_year_month"].to_list() == ["1970-02", "1972-06", None]
    assert report.layout_counts["header type 0"] == 1


def test_what_must_not_leave_is_left_out_and_counted(tmp_path: Path) -> None:
    """Landlord, bank and titles are read only to be counted; names and addresses become tokens."""
    header = tuple(sorted({*f.TYPE_1, *f.FORBIDDEN, "6", "7", "10"}, key=int))
    private = {"288": "112233", "289": "12345678", "300": "QXLANDLORD", "307": "ME1 1AA", "5": "QXDOCTOR"}
    records, report = pseudonymise(
        tmp_path, {**CLAIM, **private, "6": "Qxsurname", "7": "Qxforename", "10": "1 Qx Street"}, header=header
    )
    text = (tmp_path / "out.parquet").read_bytes() + str(report.as_json()).encode()

    assert sum(report.values_left_out.values()) == 5
    assert records["token_surname"][0] is not None
    assert records["filter_address"][0] is not None
    assert not any(value.encode() in text for value in (*private.values(), "Qxsurname", "Qxforename", "1 Qx"))
    assert not any(value.encode() in text for value in ("QQ100001A", "ME4 4TZ", "1001|"))


@pytest.mark.parametrize(
    "header",
    [("ClaimRef", "NINO", *f.TYPE_1), f.TYPE_1[1:], tuple(n for n in f.TYPE_1 if n != "308"), (*f.TYPE_1, "8")],
    ids=["names", "no record type", "a field missing", "a field twice"],
)
def test_an_unrecognised_header_is_refused_with_what_to_do(tmp_path: Path, header: tuple[str, ...]) -> None:
    """And not repeated: it may be somebody's record."""
    with pytest.raises(InputError) as refused:
        pseudonymise(tmp_path, CLAIM, header=header)

    assert refused.value.reason is Reason.COLUMNS_WRONG
    assert "extract as it goes to DWP" in refused.value.message
    assert "ClaimRef" not in refused.value.message


def test_the_unit_must_be_said(tmp_path: Path) -> None:
    """Nobody can tell pence from pounds by looking at one number."""
    with pytest.raises(InputError) as refused:
        pseudonymise(tmp_path, CLAIM, settings={})

    assert refused.value.reason is Reason.OPTION_INVALID
    assert "unit" in refused.value.message


def test_without_its_period_a_contractual_rent_is_left_out(tmp_path: Path) -> None:
    """And the report says why."""
    records, report = pseudonymise(tmp_path, CLAIM, settings={"unit": "pence"})

    assert fact(records, "claimant")["weekly_contractual_rent_pence"] is None
    assert fact(records, "claimant")["passported"] == "not_known"
    assert any("rent_period_weeks" in what for what in report.layout_counts)
