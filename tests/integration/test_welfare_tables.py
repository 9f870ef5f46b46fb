"""Plain welfare tables and H-CLIC as sources write them: their own names, labels and units, and what is not there."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from linkage.encode import ProjectKeys
from schemas.agreement import shipped_agreement
from schemas.errors import InputError, Reason
from services.pseudonymise import Job, Report, run
from services.pseudonymise.declare import declaration
from services.pseudonymise.layouts import open_layout

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)


def pseudonymise(source: Path, layout: str, settings: dict[str, Any]) -> tuple[pl.DataFrame, Report]:
    """Run a layout over a file or folder; returns what leaves, and the report."""
    output = source.with_name("out.parquet")
    declared = declaration(AGREEMENT, source="medway.any", feed="welfare", extract_date=date(2026, 6, 30))
    job = Job(source, output, AGREEMENT, KEYS, declared, version=1, layout=open_layout(layout, settings))
    report = run(job)
    return pl.read_parquet(output), report


def text(folder: Path, name: str, *lines: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def first(records: pl.DataFrame, name: str, row: int = 0) -> dict[str, Any]:
    return records[name][row].to_list()[0]  # type: ignore[no-any-return]


def test_a_source_keeps_its_own_names_labels_and_unit(tmp_path: Path) -> None:
    """Settings map them; labels as published serve as codes; two debts of one account are one record."""
    path = text(
        tmp_path, "debts.csv", "Account,Type,Owed,Stage,NI,Phone",
        "7001,CT,120.50,Liability Order,QQ100001A,07700900001", "7001,RENT,5,none,,",
    )  # fmt: skip
    settings = {
        "unit": "pounds",
        "columns": {"arrears": {"account_reference": "Account", "kind": "Type", "balance": "Owed",
                                "recovery_stage": "Stage", "nino": "NI"}},
        "values": {"kind": {"CT": "council_tax", "RENT": "rent_council"}},
    }  # fmt: skip
    records, report = pseudonymise(path, "arrears", settings)
    debts = records["arrears"][0].to_list()

    assert [(d["kind"], d["balance_pence"], d["recovery_stage"]) for d in debts] == [
        ("council_tax", 12_050, "liability_order"),
        ("rent_council", 500, "none"),
    ]
    assert report.values_left_out == {"arrears.Phone": 1}
    assert not report.fault_counts


def test_universal_credit_by_its_published_labels(tmp_path: Path) -> None:
    """Regimes as Stat-Xplore writes them; the award is the latest period's; deductions stand with the claimant."""
    path = text(
        tmp_path, "uc.csv",
        "claim_reference,role,nino,date_of_birth,period_from,period_to,conditionality,work_capability,net_award,deduction_council_tax",
        "U1,claimant,QQ100001A,,01/05/2026,31/05/2026,Working - with requirements,none,1040.00,20",
        "U1,claimant,QQ100001A,,01/04/2026,30/04/2026,Searching for work,none,520.00,0",
        "U1,partner,QQ100002A,,01/05/2026,31/05/2026,No work requirements,LCWRA,1040.00,20",
        "U1,child,,2015-01-02,,,,,,",
    )  # fmt: skip
    records, report = pseudonymise(path, "uc", {"unit": "pounds"})

    assert records["claim_role"].to_list() == ["claimant", "partner", "child"]
    assert [p["conditionality"] for p in records["credit_periods"][0].to_list()] == [
        "working_with_requirements",
        "searching_for_work",
    ]
    assert first(records, "credit_periods", 1)["work_capability"] == "lcwra"
    assert first(records, "claims")["weekly_award_pence"] == 24_000
    assert records["deductions"].list.len().to_list() == [1, 0, 0]
    assert first(records, "deductions")["monthly_pence"] == 2_000
    assert not report.fault_counts


def test_council_tax_reduction_by_person_of_a_claim(tmp_path: Path) -> None:
    """Roles in either spelling; who claims Universal Credit is passported by it; what is not on a list is reported."""
    path = text(
        tmp_path, "ctr.csv",
        "claim_reference,role,nino,date_of_birth,weekly_award,is_uc_claimant,ended_on,tenure",
        "7,Main,QQ100001A,1970-02-01,1500,Yes,,owner",
        "7,Non-Dependent,,2001-01-05,,,,owner",
        "8,,QQ100002A,1980-02-01,1200,No,2026-03-31,a boat",
    )  # fmt: skip
    records, report = pseudonymise(path, "ctr", {"unit": "pence"})

    assert records["claim_role"].to_list() == ["claimant", "non_dependant", "claimant"]
    assert (first(records, "claims")["passported"], first(records, "claims")["weekly_award_pence"]) == (
        "universal_credit",
        1_500,
    )
    assert [first(records, "claims", row)["status"] for row in range(3)] == ["in_payment", "in_payment", "other"]
    assert report.fault_counts == {("claims.tenure", "unknown_code", False): 1}


def test_a_category_is_opaque_but_for_who_defined_it(tmp_path: Path) -> None:
    """The settings must say whose it is; what a household misses may come without an estimate."""
    path = text(
        tmp_path, "lift.csv",
        "household_reference,nino,category,assessed_on,unclaimed_pension_credit,unclaimed_healthy_start",
        "H1,QQ100001A,At risk,2026-04-01,3900.00,yes",
        "H2,QQ100002A,Coping,2026-04-01,0,no",
    )  # fmt: skip
    records, report = pseudonymise(path, "living-standard", {"unit": "pounds", "definition_source": "supplier.2026-04"})

    assert first(records, "living_standards")["category"] == "at_risk"
    assert first(records, "living_standards")["definition_source"] == "supplier.2026-04"
    assert [(u["entitlement"], u["yearly_pence"]) for u in records["unclaimed"][0].to_list()] == [
        ("pension_credit", 390_000),
        ("healthy_start", None),
    ]
    assert records["unclaimed"].list.len().to_list() == [2, 0]
    assert not report.fault_counts
    with pytest.raises(InputError) as refused:
        pseudonymise(path, "living-standard", {"unit": "pounds"})
    assert "definition_source" in refused.value.message


def test_homelessness_sections_are_joined_by_the_case(tmp_path: Path) -> None:
    """Every member of the household has the case's duties; a section that is not there leaves what it says unknown."""
    folder = tmp_path / "hclic"
    text(folder, "people.csv", "case_id,person_id,nino,date_of_birth,surname", "K1,1,QQ100001A,1980-01-02,Smith",
         "K1,2,,2015-01-02,Smith", "K2,1,,1970-01-02,Jones")  # fmt: skip
    text(folder, "relief.csv", "case_id,started_on,ended_on", "K1,01/02/2026,", "K2,01/03/2026,01/05/2026")
    text(folder, "support.csv", "case_id,support_need", "K1,History of mental health problems", "K1,Offending history",
         "K1,Victim of modern slavery", "K2,Difficulties budgeting")  # fmt: skip
    text(
        folder,
        "temporary_accommodation.csv",
        "case_id,started_on,ended_on",
        "K1,05/02/2026,",
        "K2,05/03/2026,01/04/2026",
    )
    records, report = pseudonymise(folder, "hclic", {})
    one, other = first(records, "homelessness"), first(records, "homelessness", 2)

    assert records["homelessness"].list.len().to_list() == [1, 1, 1]
    assert (one["duty"], one["temporary_accommodation"], one["rough_sleeping"]) == ("relief", True, None)
    assert one["support_needs"] == "mental_health offending_history"
    assert (other["temporary_accommodation"], other["ended_on"]) == (False, date(2026, 5, 1))
    assert report.layout_counts["support needs that are not on the list, left out"] == 1
    assert first(records, "homelessness", 1)["case_ref"] == one["case_ref"] != other["case_ref"]


@pytest.mark.parametrize(
    ("layout", "settings"),
    [("arrears", {}), ("arrears", {"unit": "pence", "values": {"colour": {}}}), ("awards", {"unit": "euro"})],
)
def test_settings_that_do_not_fit_are_refused(layout: str, settings: dict[str, Any]) -> None:
    """By name; the unit must be said."""
    with pytest.raises(InputError) as refused:
        open_layout(layout, settings)

    assert refused.value.reason is Reason.OPTION_INVALID


def test_a_file_that_is_not_of_the_layout_is_refused(tmp_path: Path) -> None:
    """With the columns that it lacks, and none that it has."""
    with pytest.raises(InputError) as refused:
        pseudonymise(text(tmp_path, "a.csv", "QXSECRET,1", "2,3"), "awards", {"unit": "pence"})

    assert refused.value.reason is Reason.COLUMNS_WRONG
    assert "awarded_on" in refused.value.message
    assert "QXSECRET" not in refused.value.message
