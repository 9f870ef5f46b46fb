"""What is written as a raw health layout is read back as it was: records, identities and every fact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.encode import ProjectKeys, encode
from linkage.layouts import gp as gp_layout
from linkage.synthesise.layouts import fhir, gp, hospital, neutral, services
from schemas.agreement import PseudonymRecipe, shipped_agreement
from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.facts import LISTED_FACTS
from services.pseudonymise import Report
from services.pseudonymise.layouts import open_layout
from services.pseudonymise.layouts.folder import Folder, FolderSettings
from tests.contract_values import allowed

AGREEMENT = shipped_agreement("test").model_copy(update={"pseudonym": PseudonymRecipe(domain="nhs.hub")})
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
EXTRACTED_ON = date(2026, 6, 30)
NUMBERS = ("9434765919", "9876543210", "9912003888", "9000000009")
FACTS = LISTED_FACTS[Feed.HEALTH]

Fact = dict[str, Any]
Change = Callable[[Fact], Fact]


def month(fact: Fact) -> Fact:
    """Return the fact with its days as the first of their month."""
    return {name: value.replace(day=1) if isinstance(value, date) else value for name, value in fact.items()}


def without_clinic(fact: Fact) -> Fact:
    """Only blood pressure has a setting; decimals are kept, and longer fractions are not measured."""
    pressure = fact["kind"] in ("systolic_mmhg", "diastolic_mmhg")
    return {**fact, "value": round(fact["value"], 3), "setting": fact["setting"] if pressure else None}


def whole_share(fact: Fact) -> Fact:
    return {**fact, "value": round(fact["value"] % 100.0, 1)}


def harm_is_coarse(fact: Fact) -> Fact:
    return {**month(fact), "ended_on": None} if fact.get("injury_intent") == "self_inflicted" else fact


def hours(fact: Fact) -> Fact:
    return {**fact, "weekly_hours": None if fact["weekly_hours"] is None else round(fact["weekly_hours"], 2)}


@dataclass(frozen=True)
class Said:
    """One list column that a layout can say: members it has, values that are fixed, and what else limits it."""

    members: tuple[str, ...]
    fixed: Fact = field(default_factory=dict)
    change: Change = dict
    at_least: int = 0


@dataclass(frozen=True)
class Case:
    """One layout: its name, writer, what it says, and which columns of people."""

    name: str
    write: Callable[[pl.DataFrame], dict[str, pl.DataFrame]]
    lists: dict[str, tuple[Said, ...]]
    people: tuple[str, ...]
    keyed_by_number: bool = False
    one_file: bool = False


WHO = ("nhs_number", "date_of_birth", "sex", "ethnic_category", "lsoa")
NAMED = ("forename", "surname", "postcode", "address", "uprn")
HOSPITAL = (*WHO, "practice_code")

CASES = (
    Case(
        "gp",
        gp.tables,
        {
            "diagnoses": (Said(("condition", "status", "recorded_on")),),
            "coded_events": (Said(("code", "recorded_on")),),
            "measurements": (Said(("kind", "value", "recorded_on", "setting"), change=without_clinic),),
            "medications": (Said(("drug_group", "issued_on", "issues", "distinct_drugs")),),
            "screenings": (Said(("programme", "status", "recorded_on")),),
            "searches": (
                Said(("search", "search_id", "condition", "run_on", "priority_group", "reviewed_on")),
            ),
            "referrals": (Said(("service", "opened_on", "closed_on", "reason")),),
            "fit_notes": (Said(("started_on", "ended_on")),),
            "inclusion_flags": (Said(("group", "stated_on", "ended_on")),),
        },
        (*HOSPITAL, *NAMED, "interpreter_needed", "property_match", "date_of_death"),
    ),
    Case(
        "sus-apc",
        hospital.spells,
        {
            "encounters": (
                Said(
                    (
                        "started_on", "ended_on", "admission_method", "primary_diagnosis", "secondary_diagnoses",
                        "cost_pence",
                    ),
                    {"kind": "admission"},
                    at_least=1,
                ),
            ),
            "fit_notes": (Said(("started_on", "ended_on")),),
        },
        HOSPITAL,
        keyed_by_number=True,
    ),
    Case(
        "sus-op",
        hospital.appointments,
        {"encounters": (Said(("started_on", "attended", "cost_pence"), {"kind": "outpatient"}, at_least=1),)},
        HOSPITAL,
        keyed_by_number=True,
        one_file=True,
    ),
    Case(
        "ecds",
        hospital.attendances,
        {
            "encounters": (
                Said(
                    (
                        "started_on", "ended_on", "primary_diagnosis", "secondary_diagnoses", "injury_intent",
                        "cost_pence",
                    ),
                    {"kind": "ae_attendance"},
                    harm_is_coarse,
                    at_least=1,
                ),
            )
        },
        HOSPITAL,
        keyed_by_number=True,
    ),
    Case(
        "mhsds",
        services.mental_health,
        {
            "encounters": (
                Said(("started_on", "attended"), {"kind": "mental_health_contact"}, month),
                Said(
                    ("started_on",), {"kind": "mental_health_contact", "injury_intent": "self_inflicted"}, month
                ),
                Said(("started_on", "ended_on"), {"kind": "mental_health_detention"}, month),
                Said(("started_on", "ended_on"), {"kind": "admission"}, month),
            ),
            "referrals": (Said(("opened_on", "closed_on"), {"service": "mental_health"}, month),),
            "circumstances": (Said(("kind", "code", "recorded_on"), change=month),),
        },
        (*WHO, "pseudonym", "postcode"),
    ),
    Case(
        "csds",
        services.community,
        {
            "encounters": (Said(("started_on", "attended", "cost_pence"), {"kind": "community_contact"}),),
            "referrals": (Said(("opened_on", "closed_on"), {"service": "community"}),),
            "circumstances": (Said(("code", "recorded_on"), {"kind": "accommodation"}),),
            "inclusion_flags": (Said((), {"group": "looked_after_child", "stated_on": EXTRACTED_ON}),),
        },
        (*WHO, "pseudonym", "postcode"),
    ),
    Case(
        "asc",
        neutral.social_care,
        {
            "care_arrangements": (Said(("package", "started_on", "ended_on", "weekly_hours"), {}, hours),),
            "inclusion_flags": (Said(("group", "stated_on", "ended_on")),),
        },
        (*WHO, *NAMED),
    ),
    Case(
        "ncmp",
        neutral.child_measurement,
        {"measurements": (Said(("value", "recorded_on"), {"kind": "bmi_centile_uk90"}, whole_share, 1),)},
        (*WHO, *NAMED),
        one_file=True,
    ),
    Case(
        "joy",
        neutral.social_prescribing,
        {"referrals": (Said(("opened_on", "closed_on", "reason"), {"service": "social_prescribing"}, dict, 1),)},
        (*WHO, *NAMED),
        one_file=True,
    ),
)  # fmt: skip

_IDENTITY: dict[str, st.SearchStrategy[Any]] = {
    "date_of_birth": st.dates(date(1930, 1, 1), date(2020, 12, 31)).map(str),
    "sex": st.sampled_from(["1", "2", "9"]),
    "ethnic_category": st.sampled_from(["A", "Z", "99"]),
    "lsoa": st.sampled_from(["E01016123", "E01032801"]),
    "practice_code": st.sampled_from(["G82001", "Y90002"]),
    "forename": st.sampled_from(["Ann", "Zoë", "Jean-Luc"]),
    "surname": st.sampled_from(["O'Neill", "de Souza", "Smith"]),
    "postcode": st.sampled_from(["ME4 4TZ", "ME1 2AB"]),
    "address": st.sampled_from(["12 High Street", 'The "Old" House, 3 Low Road']),
    "uprn": st.sampled_from(["100061234567", "100061234568"]),
    "interpreter_needed": st.sampled_from(["true", "false"]),
    "property_match": st.sampled_from(["residency", "improbable"]),
    "date_of_death": st.dates(date(2021, 1, 1), EXTRACTED_ON).map(str),
    "pseudonym": st.sampled_from(["PERSON-1", "PERSON-2"]),
}


@st.composite
def facts(draw: st.DrawFn, name: str, said: Said) -> list[Fact]:
    contract = FACTS[name]
    found = []
    for _ in range(draw(st.integers(said.at_least, 3))):
        fact: Fact = dict.fromkeys(columns(contract))
        for member in said.members:
            value = allowed(contract, member, date(2019, 1, 1), date(2026, 6, 1))
            required = contract.model_fields[member].is_required()
            fact[member] = draw(value if required else st.none() | value)
        found.append(said.change({**fact, **said.fixed}))
    return found


@st.composite
def records(draw: st.DrawFn, case: Case) -> pl.DataFrame:
    """Return clear records that the layout can say: what it has no column for is null."""
    rows = []
    for place in range(draw(st.integers(1, 3))):
        row: dict[str, Any] = {name: draw(st.none() | _IDENTITY[name]) for name in case.people if name in _IDENTITY}
        row["nhs_number"] = NUMBERS[place]
        row["record_id"] = NUMBERS[place] if case.keyed_by_number else f"P{place}"
        if case.name in ("mhsds", "csds"):
            row["pseudonym"] = row["record_id"] = f"PERSON-{place}"
        for name, kinds in case.lists.items():
            row[name] = [fact for said in kinds for fact in draw(facts(name, said))]
        if case.name == "csds":
            row["inclusion_flags"] = row["inclusion_flags"][:1]
        rows.append(row)
    types = {name: pl.List(pl.Struct(dict(columns(FACTS[name])))) for name in case.lists}
    text = dict.fromkeys(("record_id", *case.people), pl.String)
    return pl.DataFrame(rows, schema={**text, **types})


def coded(frame: pl.DataFrame) -> pl.DataFrame:
    return encode(frame, AGREEMENT, KEYS, Feed.HEALTH, True, source="a.b", latest=EXTRACTED_ON).frame.sort(
        "subject_ref"
    )


def read(case: Case, tables: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, Report]:
    report = Report("out")
    layout = open_layout(case.name, {})
    with TemporaryDirectory() as folder:
        for name, table in tables.items():
            table.write_csv(Path(folder) / f"{name}.csv")
        path = Path(folder) / f"{next(iter(tables))}.csv" if case.one_file else Path(folder)
        chunks = list(layout.rows(path, EXTRACTED_ON, report))
    return pl.concat([chunk.frame for chunk in chunks]), report


def in_any_order(frame: pl.DataFrame, name: str) -> list[Any]:
    return [sorted(facts, key=repr) for facts in frame[name].to_list()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_written_is_read_back(case: Case) -> None:
    @settings(max_examples=20, deadline=None)
    @given(records(case))
    def law(frame: pl.DataFrame) -> None:
        found, report = read(case, case.write(frame))
        expected, seen = coded(frame), coded(found)

        assert seen.drop(*FACTS).equals(expected.drop(*FACTS))
        for name in FACTS:
            assert in_any_order(seen, name) == in_any_order(expected, name), name
        assert not report.values_left_out

    law()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_parts_of_the_people_are_the_whole(tmp_path: Path, suffix: str) -> None:
    """However small the parts: every record once, with all its facts, and counts that add up."""
    people = 60
    patient = pl.DataFrame({"patient_id": [f"P{n}" for n in range(people)] + [None], "gender": ["1"] * (people + 1)})
    entries = pl.DataFrame(
        {
            "patient_id": [f"P{n % (people + 5)}" for n in range(400)],
            "clinical_effective_date": ["2025-01-02"] * 400,
            "cluster_id": ["AST_COD", "UNKNOWN_COD"] * 200,
            "comments": ["words"] * 400,
        }
    )
    for name, table in (("patient", patient), ("observation", entries)):
        getattr(table, f"write_{suffix}")(tmp_path / f"{name}.{suffix}")

    def outcome(part_bytes: int) -> tuple[pl.DataFrame, Report]:
        report = Report("out")
        layout = Folder(gp_layout.TABLES, gp_layout.clear_rows, FolderSettings(), gp_layout.PATIENT, part_bytes)
        chunks = list(layout.rows(tmp_path, EXTRACTED_ON, report))
        return pl.concat([c.frame.with_columns(c.rows.alias("row")) for c in chunks]).sort("record_id"), report

    (whole, one), (parts, many) = outcome(1 << 30), outcome(700)

    assert parts.equals(whole)
    assert whole["record_id"].to_list() == sorted(f"P{n}" for n in range(people))
    assert (one.layout_counts, one.values_left_out) == (many.layout_counts, many.values_left_out)
    assert one.values_left_out == {"observation.comments": 400}


FHIR = Case(
    "fhir",
    lambda _: {},
    {"diagnoses": (Said(("condition", "status", "recorded_on")),)},
    ("nhs_number", "date_of_birth", "sex", "ethnic_category", "practice_code", *NAMED[:4], "date_of_death"),
)


@settings(max_examples=30, deadline=None)
@given(records(FHIR))
def test_resources_that_are_written_are_read_back(frame: pl.DataFrame) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "resources.ndjson"
        path.write_text("\n".join(fhir.lines(frame)), "utf-8")
        found = pl.concat([chunk.frame for chunk in open_layout("fhir", {}).rows(path, EXTRACTED_ON, Report("out"))])
    expected, seen = coded(frame), coded(found)

    assert seen.drop(*FACTS).equals(expected.drop(*FACTS))
    for name in FACTS:
        assert in_any_order(seen, name) == in_any_order(expected, name), name
