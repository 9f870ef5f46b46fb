"""What is written as a raw welfare layout is read back as it was: records, identities and every fact it can say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.encode import ProjectKeys, encode
from linkage.encode.content import KEYED_FROM
from linkage.synthesise.layouts import hclic, plain
from schemas.agreement import shipped_agreement
from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.facts import LISTED_FACTS
from services.pseudonymise import Report
from services.pseudonymise.layouts import open_layout
from tests.contract_values import allowed

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
EXTRACTED_ON = date(2026, 6, 30)
FACTS = LISTED_FACTS[Feed.WELFARE]
IDENTITY: dict[str, st.SearchStrategy[Any]] = {
    "forename": st.sampled_from(["Ann", "Zoë", "Jean-Luc"]),
    "surname": st.sampled_from(["O'Neill", "de Souza", "Smith"]),
    "date_of_birth": st.dates(date(1930, 1, 1), date(2020, 12, 31)).map(str),
    "sex": st.sampled_from(["1", "2"]),
    "postcode": st.sampled_from(["ME4 4TZ", "ME1 2AB"]),
    "address": st.sampled_from(["12 High Street", 'The "Old" House, 3 Low Road']),
    "uprn": st.sampled_from(["100061234567", "100061234568"]),
    "nino": st.sampled_from(["QQ123456A", "QQ123457B"]),
    "ethnic_category": st.sampled_from("AZ"),
    "lsoa": st.sampled_from(["E01016123", "E01032801"]),
}
Fact = dict[str, Any]
HOUSEHOLD = ("passported", "children_declared", "non_dependants_declared", "weekly_award_pence", "weekly_income_pence",
             "weekly_council_tax_pence", "capital_pence", "account_reference")  # fmt: skip


def clear(name: str) -> dict[str, pl.DataType]:
    """The members of one list under the clear file's names."""
    return {KEYED_FROM.get(member, member): dtype for member, dtype in columns(FACTS[name]).items()}


@st.composite
def fact(draw: st.DrawFn, name: str, members: tuple[str, ...], **fixed: Any) -> Fact:
    """One fact with chance values of `members` and the fixed ones; the rest is null."""
    contract, given_members = FACTS[name], {}
    for member in members:
        value = allowed(contract, member, date(2019, 1, 1), date(2026, 6, 1))
        given_members[member] = draw(value if contract.model_fields[member].is_required() else st.none() | value)
    return {**dict.fromkeys(clear(name)), **given_members, **fixed}


@st.composite
def person(draw: st.DrawFn) -> Fact:
    """Who somebody is, with any field missing."""
    return {name: draw(st.none() | value) for name, value in IDENTITY.items()}


@st.composite
def debtors(draw: st.DrawFn) -> list[Fact]:
    members = ("kind", "balance_pence", "oldest_debt_on", "recovery_stage", "weeks_in_arrears")
    debts = st.lists(fact("arrears", members).filter(lambda f: f["balance_pence"] != 0), min_size=1, max_size=3)
    return [{**draw(person()), "record_id": f"P{n}", "arrears": draw(debts)} for n in range(draw(st.integers(1, 3)))]


@st.composite
def helped(draw: st.DrawFn) -> list[Fact]:
    some = st.lists(fact("awards", ("kind", "awarded_on", "amount_pence")), min_size=1, max_size=3)
    return [{**draw(person()), "record_id": f"P{n}", "awards": draw(some)} for n in range(draw(st.integers(1, 3)))]


@st.composite
def assessed(draw: st.DrawFn) -> list[Fact]:
    rows = []
    for number in range(draw(st.integers(1, 3))):
        standard = draw(fact("living_standards", ("category", "assessed_on"), definition_source="supplier.2026-04"))
        day = standard["assessed_on"]
        missed = draw(
            st.lists(
                fact("unclaimed", ("entitlement", "yearly_pence"), assessed_on=day).filter(
                    lambda f: f["yearly_pence"] != 0
                ),
                max_size=3,
                unique_by=lambda f: f["entitlement"],
            )
        )
        home = draw(
            st.lists(fact("dwellings", (), recorded_on=day, energy_band=draw(st.sampled_from("ABG"))), max_size=1)
        )
        rows.append({**draw(person()), "record_id": f"H{number}", "living_standards": [standard],
                     "unclaimed": missed, "dwellings": home})  # fmt: skip
    return rows


@st.composite
def household(draw: st.DrawFn, number: int) -> list[tuple[str, str]]:
    """Record ids and roles of one claim's people."""
    reference = f"C{number}"
    roles = ["claimant", *["partner"] * draw(st.integers(0, 1)), *["child"] * draw(st.integers(0, 2))]
    return [(f"{reference}|{role if role != 'child' else f'child {place}'}", role) for place, role in enumerate(roles)]


@st.composite
def reduced(draw: st.DrawFn) -> list[Fact]:
    rows = []
    for number in range(draw(st.integers(1, 2))):
        for record, role in draw(household(number)):
            own = ("status", "started_on", "ended_on", "tenure", "weekly_earnings_pence", "weekly_work_hours",
                   "disability_premium", "carer_premium")  # fmt: skip
            more = tuple(name for name in HOUSEHOLD if name != "account_reference") if role == "claimant" else ()
            claim = draw(fact("claims", (*own, *more), benefit="ctr", role=role, claim_reference=f"C{number}"))
            if role == "claimant":
                claim["account_reference"] = draw(st.none() | st.just("7001"))
            rows.append({**draw(person()), "record_id": record, "claim_reference": f"C{number}", "claim_role": role,
                         "claims": [claim]})  # fmt: skip
    return rows


@st.composite
def credited(draw: st.DrawFn) -> list[Fact]:
    rows = []
    months = ("conditionality", "work_capability", "carer_element", "monthly_net_award_pence",
              "monthly_housing_element_pence", "monthly_earnings_pence", "monthly_cap_reduction_pence",
              "two_child_limit", "sanctioned")  # fmt: skip
    for number in range(draw(st.integers(1, 2))):
        for record, role in draw(household(number)):
            reference = f"C{number}"
            claimant = ("children_declared", "capital_pence") if role == "claimant" else ()
            claim = draw(fact("claims", ("status", "started_on", "ended_on", "tenure", *claimant), benefit="uc",
                              role=role, claim_reference=reference))  # fmt: skip
            first = date(2026, 1, 1)
            spans = [
                (first + timedelta(30 * n), first + timedelta(30 * n + 29)) for n in range(draw(st.integers(1, 3)))
            ]
            periods = [] if role == "child" else [
                draw(fact("credit_periods", months, claim_reference=reference, period_from=a, period_to=b))
                for a, b in spans
            ]  # fmt: skip
            taken = [
                one
                for _, until in spans
                if role == "claimant"
                for one in draw(
                    st.lists(
                        fact("deductions", ("reason", "monthly_pence"), deducted_on=until).filter(
                            lambda f: f["monthly_pence"] != 0
                        ),
                        max_size=2,
                        unique_by=lambda f: f["reason"],
                    )
                )
            ]
            rows.append({**draw(person()), "record_id": record, "claim_reference": reference, "claim_role": role,
                         "claims": [claim], "credit_periods": periods, "deductions": taken})  # fmt: skip
    return rows


@st.composite
def homeless(draw: st.DrawFn) -> list[Fact]:
    rows = []
    for number in range(draw(st.integers(1, 2))):
        case = f"K{number}"
        shared = {
            "case_reference": case,
            "temporary_accommodation": draw(st.booleans()),
            "rough_sleeping": draw(st.booleans()),
            "support_needs": draw(st.none() | st.sampled_from(["budgeting", "budgeting mental_health"])),
        }
        duties = [
            draw(fact("homelessness", ("duty", "started_on", "ended_on"), **shared))
            for _ in range(draw(st.integers(1, 3)))
        ]
        unique = {(f["duty"], f["started_on"], f["ended_on"]): f for f in duties}
        rows += [
            {**draw(person()), "record_id": f"{case}|{place}", "homelessness": list(unique.values())}
            for place in range(draw(st.integers(1, 3)))
        ]
    return rows


def without_weekly(frame: pl.DataFrame) -> pl.DataFrame:
    """What a week's amounts are follows from the latest month's, and has a test of its own."""
    weekly = ("weekly_award_pence", "weekly_cap_reduction_pence", "weekly_earnings_pence")
    element = pl.element().struct.with_fields(pl.lit(None, dtype=pl.Int64).alias(name) for name in weekly)
    return frame.with_columns(pl.col("claims").list.eval(element))


@dataclass(frozen=True)
class Case:
    """One layout: its name, what its frames are made of, its writer, its settings."""

    name: str
    rows: st.SearchStrategy[list[Fact]]
    write: Callable[[pl.DataFrame], dict[str, pl.DataFrame]]
    settings: dict[str, Any] = field(default_factory=lambda: {"unit": "pence"})
    compared: Callable[[pl.DataFrame], pl.DataFrame] = lambda frame: frame


CASES = (
    Case("arrears", debtors(), lambda f: {"arrears": plain.arrears(f)}),
    Case("awards", helped(), lambda f: {"awards": plain.awards(f)}),
    Case("living-standard", assessed(), lambda f: {"living-standard": plain.living_standard(f)},
         {"unit": "pence", "definition_source": "supplier.2026-04"}),
    Case("ctr", reduced(), lambda f: {"ctr": plain.ctr(f)}),
    Case("uc", credited(), plain.uc, compared=without_weekly),
    Case("hclic", homeless(), hclic.sections, {}),
)  # fmt: skip


def coded(frame: pl.DataFrame) -> pl.DataFrame:
    """What leaves, by record id; accounts and cases keyed alike on both sides."""
    batch = encode(frame, AGREEMENT, KEYS, Feed.WELFARE, True, source="a.b", latest=EXTRACTED_ON)
    return batch.frame.sort("subject_ref")


def read(case: Case, tables: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, Report]:
    """Read the tables as files of a folder."""
    report = Report("out")
    with TemporaryDirectory() as folder:
        for name, table in tables.items():
            table.write_csv(Path(folder) / f"{name}.csv")
        chunks = list(open_layout(case.name, case.settings).rows(Path(folder), EXTRACTED_ON, report))
    return pl.concat([chunk.frame for chunk in chunks]), report


def in_any_order(frame: pl.DataFrame, name: str) -> list[Any]:
    return [sorted(facts, key=repr) for facts in frame[name].to_list()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_written_is_read_back(case: Case) -> None:
    @settings(max_examples=15, deadline=None)
    @given(case.rows)
    def law(rows: list[Fact]) -> None:
        lists = [name for name in FACTS if name in rows[0]]
        text = [name for name in rows[0] if name not in lists]
        schema = {**dict.fromkeys(text, pl.String()), **{n: pl.List(pl.Struct(clear(n))) for n in lists}}
        frame = pl.DataFrame(rows, schema=schema)
        found, report = read(case, case.write(frame))
        expected, seen = case.compared(coded(frame)), case.compared(coded(found))

        assert seen.drop(*FACTS).equals(expected.drop(*FACTS))
        for name in FACTS:
            assert in_any_order(seen, name) == in_any_order(expected, name), name
        assert not report.values_left_out

    law()
