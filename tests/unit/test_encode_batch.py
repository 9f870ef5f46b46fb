"""Encoding a batch: the record's columns, what is refused, what is dropped, what never passes."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import polars as pl
import pytest

from linkage.encode import CLEAR_COLUMNS, EncodedBatch, ProjectKeys, encode, subject_refs
from linkage.encode.content import KEYED_FROM
from linkage.normalise import FieldReason
from schemas.agreement import shipped_agreement
from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.facts import LISTED_FACTS
from schemas.contracts.records import RECORDS
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
ANN = {
    "record_id": "P1", "forename": "Ann", "middle_names": "Rose", "surname": "O'Neill", "date_of_birth": "1980-06-05",
    "sex": "F", "postcode": "ME4 4TZ", "address": "12 High Street", "uprn": "100061234567",
    "nhs_number": "943 476 5919", "nino": "QQ123457C",
}  # fmt: skip


def coded(
    *rows: dict[str, object], feed: Feed = Feed.HEALTH, source: str = "medway.gp", **options: Any
) -> EncodedBatch:
    """Encode rows given as dictionaries."""
    frame = pl.DataFrame(list(rows), infer_schema_length=None)
    return encode(frame, AGREEMENT, KEYS, feed, source=source, latest=date(2026, 6, 30), **options)


@pytest.mark.parametrize("feed", list(Feed))
def test_a_batch_has_the_columns_of_the_record_contract(feed: Feed) -> None:
    """In their order and types, whatever columns the file has."""
    batch = coded({"record_id": "1", "surname": "Smith"}, feed=feed)

    assert batch.frame.schema == columns(RECORDS[feed])


def test_golden_tokens() -> None:
    """A fixed secret gives fixed values: any change here unlinks every file encoded before it."""
    row = coded(ANN).frame.row(0, named=True)

    assert {name: row[name].hex() for name in TOKEN_COLUMNS if row[name] is not None} == GOLDEN
    assert row["subject_ref"] == GOLDEN_REF
    assert {name: row[name][:8].hex() for name in FILTER_COLUMNS} == GOLDEN_FILTERS


def test_missing_fields_are_absent_and_present_ones_complete() -> None:
    """A null in gives nulls out, in compounds too; a full row has every column that the agreement makes."""
    full = coded(ANN).frame
    bare = coded({"record_id": "1", "surname": None, "date_of_birth": ""}).frame

    missing = full.select(TOKEN_COLUMNS + FILTER_COLUMNS).null_count().row(0, named=True)
    assert {name for name, count in missing.items() if count} == {"token_pseudonym"}
    assert set(bare.select(TOKEN_COLUMNS + FILTER_COLUMNS).row(0)) == {None}


def test_swapped_names_and_dates_show_in_shared_domains() -> None:
    """A forename token equals the surname token of the same name; a swapped date the whole date it was."""
    swapped = {
        **ANN,
        "record_id": "P2",
        "forename": ANN["surname"],
        "surname": ANN["forename"],
        "date_of_birth": "1980-05-06",
    }
    one, other = coded(ANN, swapped).frame.rows(named=True)

    assert one["token_forename"] == other["token_surname"]
    assert one["token_surname_phonetic"] == other["token_forename_phonetic"]
    assert one["token_date_of_birth"] == other["token_date_of_birth_swapped"]
    assert one["key_names_year"] == other["key_names_year"]
    assert one["token_date_of_birth"] != other["token_date_of_birth"]


def test_a_wrong_date_keeps_the_keys_of_its_usable_parts() -> None:
    """One mistyped digit of the day leaves year and month, jointly with a name."""
    good, bad = coded(ANN, {**ANN, "record_id": "P2", "date_of_birth": "1980-06-92"}).frame.rows(named=True)

    assert bad["token_date_of_birth"] is None
    assert bad["key_year_month_surname"] == good["key_year_month_surname"]
    assert bad["birth_year_month"] == "1980-06"
    assert bad["key_month_day_surname"] is None


def test_a_sex_that_says_nothing_makes_no_key() -> None:
    """Two people of unknown sex agree on nothing."""
    frame = coded({**ANN, "sex": "X"}).frame

    assert frame["key_birth_sex"].to_list() == [None]
    assert frame["sex"].to_list() == ["X"]


def test_rows_are_refused_by_number_and_reason() -> None:
    """A row without an id, with one that was there before, or with an unusable version or operation."""
    batch = coded(
        {"record_id": "1", "surname": "Smith", "version": None, "operation": None},
        {"record_id": " ", "surname": "Smith", "version": None, "operation": None},
        {"record_id": " 1 ", "surname": "Smith", "version": None, "operation": None},
        {"record_id": "1", "surname": "Smith", "version": "7", "operation": "UPSERT"},
        {"record_id": "2", "surname": "Smith", "version": "-1", "operation": None},
        {"record_id": "3", "surname": "Smith", "version": "soon", "operation": None},
        {"record_id": "4", "surname": "Smith", "version": None, "operation": "delete"},
    )

    assert batch.rejects.rows() == [
        (2, "record_id", FieldReason.MISSING),
        (3, "record_id", FieldReason.REPEATED),
        (5, "version", FieldReason.OUT_OF_RANGE),
        (6, "version", FieldReason.OUT_OF_RANGE),
        (7, "operation", FieldReason.UNKNOWN_CODE),
    ]
    assert batch.frame["version"].to_list() == [0, 7]


def test_a_row_that_an_earlier_batch_had_is_refused() -> None:
    """The caller knows of earlier batches; numbers of rows are the caller's too."""
    batch = coded(
        {"record_id": "1", "surname": "A"}, {"record_id": "2", "surname": "B"},
        rows=pl.Series([11, 15]), repeated=pl.Series([False, True]),
    )  # fmt: skip

    assert batch.rejects.rows() == [(15, "record_id", FieldReason.REPEATED)]
    assert batch.frame.height == 1


def test_bad_fields_are_dropped_and_reported_without_their_value() -> None:
    """The row stays: linkage uses what is left."""
    batch = coded({**ANN, "nhs_number": "9434765910", "postcode": "nowhere", "sex": "?"})

    assert batch.rejects.is_empty()
    assert sorted(batch.dropped.rows()) == [
        (1, "nhs_number", FieldReason.CHECK_DIGIT),
        (1, "postcode", FieldReason.SHAPE),
        (1, "sex", FieldReason.UNKNOWN_CODE),
    ]
    assert batch.frame["token_nhs_number"].to_list() == [None]
    assert batch.frame["token_surname"].null_count() == 0


def test_births_on_the_first_of_january_are_counted_and_kept() -> None:
    """They are often a guess, and both systems often hold the same guess."""
    batch = coded({**ANN, "date_of_birth": "01/01/1980"}, {**ANN, "record_id": "P2"})

    assert batch.first_of_january_births == 1
    assert batch.frame["token_date_of_birth"].null_count() == 0


def test_a_withdrawal_says_nothing_but_who() -> None:
    """To take a record away, nothing about it needs to travel."""
    frame = coded({**ANN, "operation": "withdraw", "version": 4, "ethnic_category": "A"}).frame
    said = [name for name in frame.columns if frame[name].dtype != pl.List and frame[name].null_count() == 0]

    assert said == ["subject_ref", "version", "operation"]


def test_references_are_keyed_by_source_and_kept_only_on_request() -> None:
    """Two sources may both have a record 1; evaluation may keep the clear id, and it differs in nothing else."""
    keyed, other = coded(ANN).frame, coded(ANN, source="swale.gp").frame
    kept = coded(ANN, keep_ids=True).frame

    assert keyed["subject_ref"][0] == subject_refs("medway.gp", pl.Series(["P1"]), KEYS)[0]
    assert keyed["subject_ref"][0] != other["subject_ref"][0]
    assert kept["subject_ref"].to_list() == ["P1"]
    assert kept.drop("subject_ref").equals(keyed.drop("subject_ref"))


def test_content_is_coarse_and_checked() -> None:
    """Months instead of days, codes of the lists only."""
    row = coded({
        **ANN, "ethnic_category": "a", "lsoa": "E01016123", "practice_code": "g82001", "date_of_death": "2024-02-29",
    }).frame.row(0, named=True)  # fmt: skip

    assert (row["birth_year_month"], row["death_year_month"]) == ("1980-06", "2024-02")
    assert (row["sex"], row["ethnic_category"], row["lsoa"], row["practice_code"]) == ("2", "A", "E01016123", "G82001")


def test_codes_outside_their_lists_are_dropped() -> None:
    """A full postcode in the LSOA column goes nowhere."""
    batch = coded(
        {**ANN, "ethnic_category": "Q", "lsoa": "ME4 4TZ", "practice_code": "The Surgery", "date_of_death": "soon"}
    )

    assert batch.frame.select("ethnic_category", "lsoa", "practice_code", "death_year_month").row(0) == (None,) * 4
    assert dict(batch.dropped.select("field", "reason").rows()) == {
        "ethnic_category": FieldReason.UNKNOWN_CODE,
        "lsoa": FieldReason.SHAPE,
        "practice_code": FieldReason.SHAPE,
        "date_of_death": FieldReason.SHAPE,
    }


DIAGNOSES = [
    {"condition": "dm", "status": "active", "recorded_on": "2020-01-02"},
    {"condition": "copd", "status": "resolved", "recorded_on": "02/03/2021"},
]


def test_listed_facts_from_json_and_from_structs_are_the_same() -> None:
    """CSV holds lists as JSON, Parquet as lists of structs."""
    as_json = coded({**ANN, "diagnoses": json.dumps(DIAGNOSES)})
    as_structs = coded({**ANN, "diagnoses": DIAGNOSES})

    assert as_json.frame.equals(as_structs.frame)
    assert as_json.frame["diagnoses"].to_list() == [[
        {"condition": "dm", "status": "active", "recorded_on": date(2020, 1, 2)},
        {"condition": "copd", "status": "resolved", "recorded_on": date(2021, 3, 2)},
    ]]  # fmt: skip


def test_a_fact_without_what_it_must_have_is_left_out() -> None:
    """The others of its record stay, and a list that cannot be read counts as one fault."""
    facts = [*DIAGNOSES, {"condition": "measles", "status": "active", "recorded_on": "2020-01-02"}, {"condition": "dm"}]
    batch = coded(
        {**ANN, "diagnoses": json.dumps(facts)},
        {**ANN, "record_id": "P2", "diagnoses": "[{"},
        {**ANN, "record_id": "P3", "diagnoses": None},
        {**ANN, "record_id": "P4", "diagnoses": json.dumps(DIAGNOSES[:1])},
    )

    assert batch.frame["diagnoses"].list.len().to_list() == [2, 0, 0, 1]
    assert batch.dropped.rows() == [
        (1, "diagnoses.condition", FieldReason.UNKNOWN_CODE),
        (1, "diagnoses.status", FieldReason.MISSING),
        (1, "diagnoses.recorded_on", FieldReason.MISSING),
        (2, "diagnoses", FieldReason.UNREADABLE),
    ]


CLAIM = {
    "record_id": "W1", "surname": "Smith", "claim_reference": "HB/1001", "claim_role": "Partner",
    "claims": json.dumps([{
        "claim_reference": "HB/1001", "benefit": "hb", "role": "partner", "status": "in_payment", "tenure": "council",
        "weekly_award_pence": 12345, "ended_on": "2031-03-31",
    }]),
    "arrears": json.dumps([{"kind": "council_tax", "balance_pence": "-500"}]),
}  # fmt: skip


def test_claims_are_keyed_and_typed() -> None:
    """Amounts are whole pence, dates dates, the reference 32 digits; an award may end after the extract."""
    row = coded(CLAIM, feed=Feed.WELFARE, source="medway.shbe").frame.row(0, named=True)

    (claim,), (debt,) = row["claims"], row["arrears"]
    assert len(claim["claim_ref"]) == 32
    assert (claim["weekly_award_pence"], claim["ended_on"], claim["started_on"]) == (12345, date(2031, 3, 31), None)
    said = {name: value for name, value in debt.items() if value is not None}
    assert said == {"kind": "council_tax", "balance_pence": -500, "recovery_stage": "none"}
    assert row["claim_role"] == "partner"


def test_a_claim_group_equals_no_claim_reference_and_no_other_sources() -> None:
    """One says who must not be linked, the other what belongs together in content: they must not meet."""
    row = coded(CLAIM, feed=Feed.WELFARE, source="medway.shbe").frame.row(0, named=True)
    elsewhere = coded(CLAIM, feed=Feed.WELFARE, source="swale.shbe").frame.row(0, named=True)

    assert row["claim_group"].hex() != row["claims"][0]["claim_ref"]
    assert row["claim_group"] != elsewhere["claim_group"]
    assert row["claims"][0]["claim_ref"] != elsewhere["claims"][0]["claim_ref"]


def test_members_of_one_claim_share_a_group() -> None:
    """Also where one system writes spaces around the reference."""
    frame = coded(CLAIM, {**CLAIM, "record_id": "W2", "claim_reference": " HB/1001 "}, feed=Feed.WELFARE).frame

    assert frame["claim_group"][0] == frame["claim_group"][1]


def test_unknown_roles_are_dropped() -> None:
    """As any other code outside its list."""
    batch = coded({**CLAIM, "claim_role": "lodger"}, feed=Feed.WELFARE)

    assert batch.frame["claim_role"].to_list() == [None]
    assert batch.dropped.rows() == [(1, "claim_role", FieldReason.UNKNOWN_CODE)]


def test_dates_and_numbers_may_come_typed() -> None:
    """Parquet files hold dates as dates and ids as numbers."""
    frame = pl.DataFrame(
        {"record_id": ["P1"], "surname": ["O'Neill"], "date_of_birth": [date(1980, 6, 5)], "uprn": [100061234567]}
    )
    typed = encode(frame, AGREEMENT, KEYS, Feed.HEALTH, source="medway.gp").frame
    text = coded({name: ANN[name] for name in frame.columns}).frame

    assert typed.equals(text)


def test_an_empty_batch_is_a_batch() -> None:
    """The last chunk of a file may hold refused rows only."""
    batch = coded({"record_id": "", "surname": "Smith"})

    assert batch.frame.height == 0
    assert batch.frame.schema == columns(RECORDS[Feed.HEALTH])


@pytest.mark.parametrize("feed", list(Feed))
def test_nothing_identifying_passes(feed: Feed) -> None:
    """A canary in every column, known and unknown, comes out nowhere: not in the records, not in the reports."""
    canary = "CANARY7Q"
    members = {KEYED_FROM.get(name, name) for kind in LISTED_FACTS[feed].values() for name in kind.model_fields}
    listed = json.dumps([dict.fromkeys(("note", *members), canary)])
    row = dict.fromkeys(CLEAR_COLUMNS[feed], canary) | dict.fromkeys(LISTED_FACTS[feed], listed) | {
        "version": None, "operation": None, "phone": canary, "email": canary, "bank_account": canary, "notes": canary,
    }  # fmt: skip
    batch = coded(row, feed=feed)
    everything = repr((batch.frame.rows(), batch.rejects.rows(), batch.dropped.rows())).upper()

    assert batch.frame.height == 1
    assert canary not in everything


def test_no_clear_identifier_of_a_good_row_passes() -> None:
    """Names, dates, places and numbers of a complete row, in any writing."""
    row = {**ANN, "date_of_death": "2024-02-29"}
    text = repr(coded(row).frame.rows())

    for clear in ("ANN", "ROSE", "NEILL", "ONEILL", "1980-06-05", "19800605", "2024-02-29", "ME44TZ", "ME4", "HIGH",
                  "100061234567", "9434765919", "QQ123457", "P1"):  # fmt: skip
        assert f"'{clear}" not in text.upper()


GOLDEN = {
    "token_forename": "bcd35f84eb6817310fd895fd460c243e",
    "token_surname": "bccf6cd9dcb0db63a85ce5a81853d363",
    "token_middle_names": "62165f096733ae444e782454e4dce2ca",
    "token_forename_phonetic": "433894117c24062d800ff96929918ad8",
    "token_surname_phonetic": "c36d17a839261b825c2774f277d94331",
    "token_nickname": "2b6b60c92a3a9bd2b0643bfcab7f9fd5",
    "token_date_of_birth": "1212f11a286cfee4de739563824ef987",
    "token_date_of_birth_swapped": "3c15d5c625762454495f744979cd38e2",
    "token_postcode": "c36e81a693f880b56dc07f23b6fde0f7",
    "token_outcode": "baa1372e0c5e10cfcd69197ad595165a",
    "token_address": "b5a07a157d32b816498c0c5437743381",
    "token_uprn": "7bc4cc32e3adb56cbc5352c890b1736d",
    "token_nhs_number": "ccf18e615cb46add337d29e84e076583",
    "token_nino": "2ac9c5642f0912a9603fd6d44f7b4ebc",
    "key_birth_sex": "3c2c9626cfd1a0c39092e22a04233523",
    "key_names_year": "0981ff1ae2392fee6a19fa198e4b3b86",
    "key_year_month_forename": "c4d2bc670fd50d0391b2dd1aacba354f",
    "key_year_month_surname": "f850d58f4d90b45c6d69156a91ef68c8",
    "key_year_day_forename": "5243c16fab1b05a50b4d4fb1ff857abf",
    "key_year_day_surname": "744393d9d0524b24b728945dc3a6ead0",
    "key_month_day_forename": "49e87f728379e2cb27fe7999c217c29f",
    "key_month_day_surname": "4c9996db47a1ef43174a4ec13e7525a4",
}
GOLDEN_REF = "7fd6516eff6616c849dfb505922f583a"
GOLDEN_FILTERS = {
    "filter_forename": "0440630001122004",
    "filter_surname": "21c14608a02e40ac",
    "filter_address": "0110010040113003",
}


def test_truths_hours_and_texts_are_brought_to_their_contracts() -> None:
    """Yes and 1 are true, hours keep a fraction, a supplier's version its small letters; the rest is reported."""
    claim = {"claim_reference": "H1", "benefit": "hb", "role": "claimant", "status": "in_payment"}
    batch = coded(
        {
            "record_id": "1",
            "claims": json.dumps(
                [
                    {**claim, "disability_premium": "1", "carer_premium": False, "weekly_work_hours": 16.5},
                    {**claim, "disability_premium": "maybe", "weekly_work_hours": "nan"},
                ]
            ),
            "living_standards": json.dumps(
                [
                    {"category": "At_Risk", "assessed_on": "2026-04-01", "definition_source": "supplier.2026-04"},
                    {"category": "coping", "assessed_on": "2026-04-01", "definition_source": "Two Words"},
                ]
            ),
        },
        feed=Feed.WELFARE,
    )
    claims = batch.frame["claims"].explode().struct.unnest()
    standards = batch.frame["living_standards"].explode().struct.unnest()

    assert claims.select("disability_premium", "carer_premium", "weekly_work_hours").rows() == [
        (True, False, 16.5),
        (None, None, None),
    ]
    assert standards["definition_source"].to_list() == ["supplier.2026-04"]
    assert batch.dropped.select("field", "reason").rows() == [
        ("claims.weekly_work_hours", FieldReason.OUT_OF_RANGE),
        ("claims.disability_premium", FieldReason.UNKNOWN_CODE),
        ("living_standards.definition_source", FieldReason.SHAPE),
    ]


def test_accounts_and_cases_are_keyed_apart_and_a_property_alike_in_all_sources() -> None:
    """One number as claim, account and case gives three references; a home has one, which equals no token."""
    row = {
        "record_id": "1",
        "uprn": "100061234567",
        "property_match": "residency",
        "claims": json.dumps(
            [
                {"claim_reference": "7", "account_reference": "7", "benefit": "ctr", "role": "claimant",
                 "status": "in_payment"},
            ]
        ),
        "homelessness": json.dumps([{"case_reference": "7", "duty": "relief", "started_on": "2026-04-01"}]),
    }  # fmt: skip
    one, other = (coded(row, feed=Feed.WELFARE, source=source).frame.row(0, named=True) for source in ("a.b", "c.d"))
    references = {one["claims"][0]["claim_ref"], one["claims"][0]["account_ref"], one["homelessness"][0]["case_ref"]}

    assert len(references | {other["claims"][0]["claim_ref"], one["property_ref"], one["token_uprn"].hex()}) == 6
    assert one["property_ref"] == other["property_ref"]
    assert (one["property_match"], one["lsoa"]) == ("residency", None)
