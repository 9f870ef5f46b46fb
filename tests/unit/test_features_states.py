"""The three states of every feature: a value, a true negative, and unknown; unknown never passes for the negative.

One population serves all: `full` is linked and has everything, `plain` is linked and has nothing of it, `health` and
`welfare` are known to one feed only, and `absent` is a person of whom no content has landed.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import polars as pl
import pytest

from linkage.features import FEATURES, FeatureTables, compute
from linkage.features.registers import REGISTERS

AS_OF: Final = date(2026, 6, 30)
GP, SHBE = "kmicb.gp", "medway.shbe"
RECENT: Final = date(2026, 3, 1)

_CODES: Final = {
    "angina": "I208",
    "asthma": "J459",
    "copd": "J440",
    "diabetes": "E112",
    "heart_failure": "I500",
    "hypertension": "I10X",
    "iron_deficiency": "D509",
    "nutritional": "E43X",
}


def _demographics() -> list[dict[str, Any]]:
    full = {"birth_year_month": "1950-01", "sex": "2", "ethnic_category": "M", "lsoa": "E01000001"}
    plain = {"birth_year_month": "2026-02", "sex": "1", "ethnic_category": "A", "lsoa": "E01000002"}
    return [
        {"source": GP, "subject_ref": "full", "feed": "health", "death_year_month": "2026-05", **full},
        {"source": SHBE, "subject_ref": "full", "feed": "welfare", **full, "ethnic_category": "A"},
        {"source": GP, "subject_ref": "plain", "feed": "health", **plain},
        {"source": SHBE, "subject_ref": "plain", "feed": "welfare", **plain},
        {"source": GP, "subject_ref": "health", "feed": "health"},
        {"source": SHBE, "subject_ref": "welfare", "feed": "welfare"},
    ]


def _encounters() -> list[dict[str, Any]]:
    whose = {"source": GP, "subject_ref": "full", "started_on": RECENT}
    admissions = [
        {**whose, "kind": "admission", "admission_method": "21", "primary_diagnosis": code} for code in _CODES.values()
    ]
    return [
        {**whose, "kind": "ae_attendance"},
        {**whose, "kind": "outpatient"},
        {**whose, "kind": "admission", "admission_method": "11", "primary_diagnosis": "K409"},
        *admissions,
    ]


def _claims() -> list[dict[str, Any]]:
    def claim(whose: str, benefit: str, **more: Any) -> dict[str, Any]:
        return {
            "source": SHBE,
            "subject_ref": whose,
            "claim_ref": f"claim-{whose}",
            "benefit": benefit,
            "role": "claimant",
            "status": "in_payment",
            "started_on": date(2025, 1, 1),
            **more,
        }

    paid = [claim("full", b, tenure="council", weekly_income_pence=10_000) for b in ("hb", "ctr", "uc")]
    child = claim("child", "hb", claim_ref="claim-full", role="child")
    unpaid = [claim("plain", b, status="other", weekly_income_pence=0) for b in ("hb", "ctr", "uc")]
    return [*paid, child, *unpaid]


@pytest.fixture(scope="module")
def people() -> dict[str, dict[str, Any]]:
    facts = {
        "demographics": pl.DataFrame(_demographics()).with_columns(version=pl.lit(1)),
        "diagnoses": pl.DataFrame(
            [
                {
                    "source": GP,
                    "subject_ref": "full",
                    "condition": rule.condition.value,
                    "status": "active",
                    "recorded_on": date(2020, 1, 1),
                }
                for rule in REGISTERS
            ]
        ),
        "encounters": pl.DataFrame(_encounters()),
        "claims": pl.DataFrame(_claims()),
        "arrears": pl.DataFrame([{"source": SHBE, "subject_ref": "full", "balance_pence": 60_000, "kind": "rent_ha"}]),
    }
    membership = pl.DataFrame(
        [
            {"person_id": whose, "source": source, "subject_ref": whose, "link_probability": probability}
            for whose, source, probability in (
                ("full", GP, 0.99),
                ("full", SHBE, 0.97),
                ("plain", GP, 1.0),
                ("plain", SHBE, 1.0),
                ("health", GP, None),
                ("welfare", SHBE, None),
                ("absent", GP, None),
            )
        ]
    )
    geography = pl.DataFrame(
        {"lsoa": ["E01000001", "E01000002"], "ward": ["North", "South"], "authority": ["m", "s"], "imd_decile": [1, 9]}
    )
    computed = compute(FeatureTables.from_facts(facts, geography), membership, AS_OF)
    return {row.pop("person_id"): row for row in computed.to_dicts()}


NEVER: Final = "never unknown"
CASES: Final[dict[str, tuple[Any, Any, str]]] = {
    # feature: (value of `full`, negative or other value of `plain`, who does not have it)
    "age": (76, 0, "health"),
    "age_band": ("75-79", "0-4", "welfare"),
    "life_stage": ("elderly", "infant", "health"),
    "sex_code": ("2", "1", "health"),
    "ethnic_group_5": ("black", "white", "health"),
    "ethnicity_conflict": (True, False, "health"),
    "deceased": (True, False, "absent"),
    "lsoa": ("E01000001", "E01000002", "health"),
    "ward": ("North", "South", "health"),
    "authority": ("m", "s", "welfare"),
    "imd_decile": (1, 9, "health"),
    "core20": (True, False, "health"),
    "in_health": (True, True, NEVER),
    "in_welfare": (True, True, NEVER),
    "linked": (True, True, NEVER),
    "link_probability": (0.97, 1.0, "health"),
    **{rule.feature: (True, False, "welfare") for rule in REGISTERS},
    "ltc_count": (19, 0, "welfare"),
    "dm_and_htn": (True, False, "welfare"),
    "ae_attendances_12m": (1, 0, "welfare"),
    "emergency_admissions_12m": (8, 0, "welfare"),
    "elective_admissions_12m": (1, 0, "welfare"),
    "outpatient_12m": (1, 0, "welfare"),
    "acsc_admissions_12m": (8, 0, "welfare"),
    **{f"acsc_{group}_12m": (1, 0, "welfare") for group in _CODES},
    "hb_in_payment": (True, False, "health"),
    "ctr_in_payment": (True, False, "health"),
    "uc_in_payment": (True, False, "health"),
    "tenure": ("council", None, "welfare"),
    "household_size": (2, 1, "welfare"),
    "children_in_household": (1, 0, "welfare"),
    "household_type": ("lone_parent", "single", "health"),
    "arrears_band": ("500_to_1999", "none", "welfare"),
    "income_band": ("under_150", "under_150", "welfare"),
}


def test_every_feature_has_its_case() -> None:
    assert set(CASES) == set(FEATURES)


@pytest.mark.parametrize("name", list(FEATURES))
def test_a_feature_tells_value_negative_and_unknown_apart(people: dict[str, dict[str, Any]], name: str) -> None:
    value, negative, unknown_of = CASES[name]
    assert people["full"][name] == value
    assert people["plain"][name] == negative
    if unknown_of != NEVER:
        assert people[unknown_of][name] is None
    else:
        assert all(person[name] is not None for person in people.values())


@pytest.mark.parametrize("name", [n for n, d in FEATURES.items() if d.covered_by])
def test_a_person_of_no_feed_has_every_fact_unknown(people: dict[str, dict[str, Any]], name: str) -> None:
    assert people["absent"][name] is None


def test_presence_is_told_of_each_feed(people: dict[str, dict[str, Any]]) -> None:
    held = {who: (p["in_health"], p["in_welfare"], p["linked"]) for who, p in people.items()}
    assert held == {
        "full": (True, True, True),
        "plain": (True, True, True),
        "health": (True, False, False),
        "welfare": (False, True, False),
        "absent": (False, False, False),
    }
