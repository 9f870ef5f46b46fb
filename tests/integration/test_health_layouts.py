"""Health layouts as a controller runs them: what counts, what is coarsened, what is left out, and what is refused."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from linkage.encode import ProjectKeys, encode
from schemas.agreement import PseudonymRecipe, shipped_agreement
from schemas.contracts.base import Feed
from schemas.errors import HwlinkError, InputError, Reason
from services.cli.app import build
from services.pseudonymise import Job, Report, new_key_file, run
from services.pseudonymise.bridges import Pseudonyms
from services.pseudonymise.declare import declaration
from services.pseudonymise.layouts import open_layout

HUB = "nhs.hub"
AGREEMENT = shipped_agreement("test").model_copy(update={"pseudonym": PseudonymRecipe(domain=HUB)})
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
NUMBER, OTHER = "9912003888", "9434765919"


def pseudonymise(
    source: Path, layout: str, settings: dict[str, Any] | None = None, pseudonyms: Pseudonyms | None = None
) -> tuple[pl.DataFrame, Report]:
    """Run a layout over a file or folder; returns the records with clear ids, and the report."""
    declared = declaration(AGREEMENT, source="kmicb.gp", feed="health", ids_kept=True, extract_date=date(2026, 6, 30))
    output = source.parent / "out.parquet"
    job = Job(
        source, output, AGREEMENT, KEYS, declared, version=1, layout=open_layout(layout, settings or {}),
        pseudonyms=pseudonyms,
    )  # fmt: skip
    report = run(job)
    return pl.read_parquet(output), report


def folder(path: Path, **tables: str) -> Path:
    """Write tables, given as lines with `|` between values."""
    path.mkdir()
    for name, text in tables.items():
        lines = [line.strip() for line in text.strip().splitlines()]
        (path / f"{name}.csv").write_text("\n".join(lines).replace("|", ",") + "\n", "utf-8")
    return path


def number_token(value: str) -> bytes:
    clear = pl.DataFrame({"record_id": ["1"], "nhs_number": [value]})
    token: bytes = encode(clear, AGREEMENT, KEYS, Feed.HEALTH, source="a.b").frame["token_nhs_number"][0]
    return token


def facts(records: pl.DataFrame, name: str, *members: str) -> list[list[tuple[Any, ...]]]:
    return [[tuple(fact[m] for m in members) for fact in row] for row in records[name].to_list()]


def test_a_gp_extract_gives_registers_and_readings_by_its_clusters(tmp_path: Path) -> None:
    source = folder(
        tmp_path / "gp",
        patient=f"""patient_id|nhs_number|nhs_number_status|forename|gender|uprn_match|telephone
            P1|{NUMBER}|01|Ann|F|1|01634000000
            P2|{OTHER}|04|Bob|M|6|""",
        observation="""patient_id|clinical_effective_date|cluster_id|result_value|comments
            P1|2020-01-02|copd_cod||smokes
            P1|2021-03-04|COPDRES_COD||
            P1|2026-01-02|IFCCHBAM_COD|58|
            P2|2026-01-02|NOSUCH_COD||
            P9|2026-01-02|AST_COD||""",
    )
    records, report = pseudonymise(source, "gp")

    assert facts(records, "diagnoses", "condition", "status") == [[("copd", "active"), ("copd", "resolved")], []]
    assert facts(records, "measurements", "kind", "value") == [[("hba1c_mmol_mol", 58.0)], []]
    assert records["property_match"].to_list() == ["residency", "improbable"]
    assert records["token_nhs_number"].to_list() == [number_token(NUMBER), None]
    assert records["medications"].list.len().to_list() == [0, 0]
    assert report.values_left_out == {"patient.telephone": 1, "observation.comments": 1}
    assert report.layout_counts == {
        "people registered": 2,
        "observations of clusters that are on no list: left out": 1,
        "facts of people who are not in the file of people": 1,
    }


def test_settings_rename_columns_and_replace_the_code_list(tmp_path: Path) -> None:
    codes = tmp_path / "codes.json"
    entry = {"code": "9KX", "kind": "diagnoses", "means": "asthma", "status": "active"}
    codes.write_text(
        json.dumps({"list_id": "own-1", "title": "Own", "source": "us", "doubt": "none", "entries": [entry]}), "utf-8"
    )
    source = folder(
        tmp_path / "gp",
        patient=f"pid|NHS No|\nP1|{NUMBER}|",
        observation="pid|when|code\nP1|2020-01-02|9kx",
    )
    settings = {
        "code_list": codes,
        "columns": {
            "patient": {"patient_id": "pid", "nhs_number": "NHS No"},
            "observation": {"patient_id": "pid", "clinical_effective_date": "when", "cluster_id": "code"},
        },
    }
    records, _ = pseudonymise(source, "gp", settings)

    assert facts(records, "diagnoses", "condition") == [[("asthma",)]]
    assert records["token_nhs_number"][0] == number_token(NUMBER)


def test_spells_of_one_person_are_one_record(tmp_path: Path) -> None:
    who = "spell_patient_identity_"
    source = folder(
        tmp_path / "apc",
        spell=f"""primarykey_id|{who}nhs_number_value|{who}nhs_number_status|{who}nhs_number_is_valid|{who}local_patient_identifier_value|{who}gender|spell_admission_date|spell_admission_method|spell_discharge_date|spell_commissioning_tariff_calculation_final_price
            7|{NUMBER}|01|true|L1|2|2026-01-03|21|2026-01-09|3125.5
            8|{NUMBER}|01|true|L1||2026-03-03 14:25|2a|2026-03-04|
            9|{OTHER}|01|false|L2|1|2026-03-03|11|2026-03-04|10
            10||||||2026-03-03|11||""",
        diagnosis="primarykey_id|diagnosis_number|code\n7|2|I10\n7|1|J44.1\n7|3|E11.9",
        fit_note="primarykey_id|start_date|end_date\n8|2026-03-04|2026-03-18",
    )
    records, report = pseudonymise(source, "sus-apc")

    assert records["subject_ref"].to_list() == [NUMBER, "L2"]
    assert facts(
        records, "encounters", "started_on", "admission_method", "primary_diagnosis", "secondary_diagnoses",
        "cost_pence",
    ) == [
        [(date(2026, 1, 3), "21", "J441", "I10 E119", 312_550), (date(2026, 3, 3), "2A", None, None, None)],
        [(date(2026, 3, 3), "11", None, None, 1_000)],
    ]  # fmt: skip
    assert facts(records, "fit_notes", "ended_on") == [[(date(2026, 3, 18),)], []]
    assert records["sex"].to_list() == ["2", "1"]
    assert records["token_nhs_number"].to_list() == [number_token(NUMBER), None]
    assert report.layout_counts == {"spells": 4, "spells of nobody who can be told": 1}


def test_appointments_that_were_cancelled_are_not_missed(tmp_path: Path) -> None:
    who = "appointment_patient_identity_local_patient_identifier_value"
    path = folder(
        tmp_path / "op",
        appointment=f"""appointment_date|appointment_attended_or_dna|{who}
            2026-01-03|5|L1
            2026-01-04|3|L1
            2026-01-05|2|L1
            2026-08-05|0|L1
            2026-01-06|?|L1""",
    )
    records, report = pseudonymise(path / "appointment.csv", "sus-op")

    assert facts(records, "encounters", "attended") == [[(True,), (False,), (None,)]]
    assert report.layout_counts["appointments cancelled or still to come: left out"] == 2
    assert report.fault_counts == {("encounters.attended", "unknown_code", False): 1}


def test_an_attendance_after_self_harm_leaves_as_its_month(tmp_path: Path) -> None:
    path = folder(
        tmp_path / "ecds",
        attendance=f"""primarykey_id|patient_nhs_number_value_pseudo|attendance_arrival_date|attendance_arrival_time|clinical_injury_intent_code|patient_accommodation_status_code
            7|{"AB" * 16}|2026-01-13|03:14|276853009|HM01
            8|{"AB" * 16}|2026-01-14|10:00|242056005|32911000
            9|{"CD" * 16}|2026-01-15|10:01|1|""",
        diagnosis="primarykey_id|diagnosis_number|code\n9|1|J45.9\n9|2|195967001",
    )
    records, report = pseudonymise(path, "ecds", pseudonyms=Pseudonyms(HUB))

    assert facts(records, "encounters", "started_on", "injury_intent") == [
        [(date(2026, 1, 1), "self_inflicted"), (date(2026, 1, 14), "accident")],
        [(date(2026, 1, 15), None)],
    ]
    assert facts(records, "circumstances", "code", "recorded_on") == [
        [("HM01", date(2026, 1, 1)), ("HM07", date(2026, 1, 14))],
        [],
    ]
    assert facts(records, "encounters", "primary_diagnosis")[1] == [("J459",)]
    assert report.layout_counts["diagnoses that are not ICD-10: left out"] == 1
    assert records["token_pseudonym"].null_count() == 0
    assert report.values_left_out == {"attendance.attendance_arrival_time": 3}
    assert report.fault_counts == {("encounters.injury_intent", "unknown_code", False): 1}


def test_mental_health_crosses_the_bridge_and_leaves_in_months(tmp_path: Path) -> None:
    source = folder(
        tmp_path / "mhsds",
        mhs001mpi="""person_id|gender|gender_same_at_birth|ethnic_category|lsoa2011|accommodation_national_latest
            MHPERSON1|1|Y|A|E01016123|MA04
            MHPERSON2|2|N|B|E01016123|""",
        mhs101referral="""person_id|referral_request_received_date|serv_disch_date
            MHPERSON1|2026-01-20|""",
        mhs201carecontact="""person_id|care_cont_date|attend_or_dna_code
            MHPERSON1|2026-02-20|5
            MHPERSON1|2026-02-27|3
            MHPERSON2|2026-02-27|4
            MHPERSON2|no date|5""",
    )
    bridge = tmp_path / "bridge.csv"
    bridge.write_text("pseudonym,hub_pseudonym\nMHPERSON1,HUBPERSON1\n", "utf-8")
    records, report = pseudonymise(source, "mhsds", pseudonyms=Pseudonyms("mhsds.person_id", bridge))

    assert facts(records, "encounters", "started_on", "attended") == [
        [(date(2026, 2, 1), True), (date(2026, 2, 1), False)],
        [],
    ]
    assert facts(records, "referrals", "service", "opened_on", "closed_on") == [
        [("mental_health", date(2026, 1, 1), None)],
        [],
    ]
    assert facts(records, "circumstances", "code", "recorded_on") == [[("MA04", date(2026, 6, 1))], []]
    assert records["token_pseudonym"].is_null().to_list() == [False, True]
    assert report.values_left_out == {"mhs001mpi.gender_same_at_birth": 2}
    assert report.fault_counts[("pseudonym", "not_bridged", False)] == 1
    assert ("encounters.started_on", "missing", False) not in report.fault_counts


def test_pseudonyms_of_a_layout_need_a_domain(tmp_path: Path) -> None:
    source = folder(tmp_path / "csds", cyp001mpi="person_id|looked_after_child_indicator\nCPERSON1|Y\nCPERSON2|N")
    records, report = pseudonymise(source, "csds")

    assert records["token_pseudonym"].null_count() == 2
    assert report.layout_counts["pseudonyms not used, as --domain does not say whose they are"] == 2
    assert facts(records, "inclusion_flags", "group") == [[("looked_after_child",)], []]


@pytest.mark.parametrize(
    ("layout", "table", "text", "said"),
    [
        ("asc", "client", "name\nAnn", "lacks person_id"),
        (
            "gp",
            "observation",
            "patient_id|clinical_effective_date|cluster_id\n1|2020-01-01|AST_COD",
            "has no patient.csv",
        ),
        ("ncmp", "measurement", "person_id|measured_on|bmi_p_score", "holds no rows"),
    ],
)
def test_what_lacks_what_it_must_have_is_refused(tmp_path: Path, layout: str, table: str, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        pseudonymise(folder(tmp_path / "in", **{table: text}), layout)
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"columns": {"patient": {"shoe_size": "shoes"}}},
        {"columns": {"shoes": {}}, "other": 1},
        {"code_list": Path("nowhere.json")},
    ],
)
def test_settings_that_a_layout_does_not_take_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(HwlinkError) as raised:
        open_layout("gp", settings)
    assert raised.value.reason in (Reason.OPTION_INVALID, Reason.FILE_UNREADABLE)


def test_a_centile_where_a_share_belongs_is_refused(tmp_path: Path) -> None:
    """98 would else be a share of 9,800 per cent, or 0.98 a centile of the thinnest."""
    path = folder(
        tmp_path / "ncmp",
        measurement="""person_id|measured_on|bmi_p_score|school_name
            1|2026-01-02|0.98|St Mary
            2|2026-01-02|98|St Mary""",
    )
    records, report = pseudonymise(path, "ncmp")

    assert facts(records, "measurements", "value") == [[(98.0,)], []]
    assert report.values_left_out == {"measurement.school_name": 2}


def patient(**elements: Any) -> str:
    return json.dumps({"resourceType": "Patient", **elements})


def condition(who: str, code: str, **elements: Any) -> str:
    coded = {"code": {"coding": [{"system": "http://snomed.info/sct", "code": code, "display": "words"}]}}
    return json.dumps({"resourceType": "Condition", "subject": {"reference": who}, **coded, **elements})


def test_resources_become_records(tmp_path: Path) -> None:
    def status(code: str) -> dict[str, Any]:
        return {"coding": [{"code": code}]}

    verification = {
        "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus",
        "valueCodeableConcept": {"coding": [{"system": "x", "code": "01", "display": "verified"}]},
    }
    system = "urn:kmpt:pseudonym:mhsds.person_id:1"
    path = tmp_path / "resources.ndjson"
    path.write_text(
        "\n".join(
            [
                patient(
                    id="a",
                    identifier=[
                        {"system": "https://example.org/local", "value": "L1"},
                        {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": NUMBER, "extension": [verification]},
                        {"system": system, "value": "MHPERSON1"},
                    ],
                    name=[{"use": "old", "family": "Jones"}, {"use": "official", "family": "Smith", "given": ["Ann"]}],
                    gender="female",
                    birthDate="1980-06-05",
                    deceasedDateTime="2026-05",
                    telecom=[{"system": "phone", "value": "01634000000"}],
                    text={"status": "generated", "div": "<div>Ann Smith</div>"},
                    address=[{"line": ["12 High Street"], "city": "Chatham", "postalCode": "ME4 4TZ"}],
                ),
                patient(id="b", birthDate="1980", identifier=[{"system": "https://fhir.nhs.uk/Id/nhs-number"}]),
                "",
                condition("Patient/a", "13645005", recordedDate="2019-04-03T10:00:00Z"),
                condition(
                    "https://x/Patient/a", "195967001", onsetDateTime="2001-02-03", abatementDateTime="2011-02-03",
                    recordedDate="2002-02-03", clinicalStatus=status("resolved"),
                ),
                condition("Patient/a", "73211009", recordedDate="2020-01-01", verificationStatus=status("refuted")),
                condition("Patient/a", "1", recordedDate="2020-01-01"),
                condition("Patient/z", "73211009", recordedDate="2020-01-01"),
                json.dumps({"resourceType": "Organization", "name": "A practice"}),
                '{"resourceType": "Patient", "id": ',
                json.dumps({"resourceType": "Patient", "id": "c", "name": "Ann Smith"}),
            ]
        ),
        "utf-8",
    )  # fmt: skip
    records, report = pseudonymise(path, "fhir", {"pseudonym_system": system}, Pseudonyms(HUB))

    assert records["subject_ref"].to_list() == ["a", "b"]
    assert facts(records, "diagnoses", "condition", "status", "recorded_on") == [
        [
            ("copd", "active", date(2019, 4, 3)),
            ("asthma", "active", date(2001, 2, 3)),
            ("asthma", "resolved", date(2011, 2, 3)),
        ],
        [],
    ]
    first = records.row(0, named=True)
    assert first["token_nhs_number"] == number_token(NUMBER)
    assert first["token_pseudonym"] is not None
    assert (first["birth_year_month"], first["death_year_month"], first["sex"]) == ("1980-06", "2026-05", "2")
    clear = pl.DataFrame({"record_id": ["1"], "surname": ["Smith"], "address": ["12 High Street, Chatham"]})
    expected = encode(clear, AGREEMENT, KEYS, Feed.HEALTH, source="a.b").frame
    assert first["token_surname"] == expected["token_surname"][0]
    assert first["token_address"] == expected["token_address"][0]
    assert report.values_left_out == {"Patient.telecom": 1, "Patient.text": 1}
    assert report.rows_refused == 2
    assert [fault.row for fault in report.faults if fault.row_refused] == [10, 11]
    assert ("date_of_birth", "shape", False) in report.fault_counts
    assert report.layout_counts == {
        "patients": 2,
        "other resources: left out": 1,
        "conditions": 5,
        "conditions refuted or entered in error: left out": 1,
        "conditions of codes that are on no list: left out": 1,
        "facts of people who are not in the file of people": 1,
    }
    assert "Smith" not in json.dumps(report.as_json())


def test_a_file_without_patients_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "resources.ndjson"
    path.write_text(json.dumps({"resourceType": "Organization"}), "utf-8")

    with pytest.raises(InputError, match="holds no Patient"):
        pseudonymise(path, "fhir")


def test_the_command_reads_a_folder(tmp_path: Path) -> None:
    source = folder(tmp_path / "joy", referral="person_id|referred_on|reason|forename\nJ1|2026-01-02|Isolation|Ann")
    key, settings = tmp_path / "key", tmp_path / "settings.toml"
    settings.write_text('[columns.referral]\nforename = "forename"\n', "utf-8")
    new_key_file(key)
    result = CliRunner().invoke(
        build(),
        ["pseudonymise", str(source), str(tmp_path / "out.parquet"), "--agreement", "test", "--key-file", str(key),
         "--source", "kmicb.joy", "--layout", "joy", "--layout-settings", str(settings)],
    )  # fmt: skip

    assert result.exit_code == 0, result.output
    records = pl.read_parquet(tmp_path / "out.parquet")
    assert facts(records, "referrals", "service", "reason") == [[("social_prescribing", "loneliness")]]
