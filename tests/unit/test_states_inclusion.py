"""The three states of inclusion groups, and that what may not be derived is not."""

from __future__ import annotations

from datetime import date
from typing import Final

import pytest

from linkage.features import FEATURES
from linkage.features.inclusion import COUNTED, MEAM, PLUS
from schemas.codes import NEVER_DERIVED, InclusionGroup
from schemas.features import MarmotDomain
from tests.features.three_states import (
    DEMOGRAPHICS,
    GEOGRAPHY,
    GP,
    RECENT,
    SHBE,
    Case,
    People,
    people_with,
    three_states,
    whose,
)

_HELD: Final = Case(True, False, "absent")

CASES: Final = {
    **{f"inclusion_{group}": _HELD for group in COUNTED},
    "inclusion_young_carer": _HELD,
    "inclusion_care_experience": _HELD,
    "multiple_disadvantage_case": _HELD,
    **{f"inclusion_{group}": _HELD for group in NEVER_DERIVED},
    "inclusion_group_count": Case(len(COUNTED), 0, "absent"),
    "meam_domain_count": Case(len(MEAM), 0, "absent"),
    **{f"plus_groups_{name}": _HELD for name in PLUS},
    "marmot_gap_best_start": Case(True, False, "health"),
    "marmot_gap_capabilities": Case(True, False, "health"),
    "marmot_gap_fair_work": Case(True, False, "health"),
    "marmot_gap_standard_of_living": Case(True, False, "health"),
    "marmot_gap_places": Case(True, False, "health"),
    "marmot_gap_prevention": Case(True, False, "welfare"),
}


@pytest.fixture(scope="module")
def people() -> People:
    coded = ("ld", "dm", "htn", "smi", "alcohol")
    held = {"status": "in_payment", "role": "claimant", "benefit": "hb", "tenure": "council"}
    money = {"weekly_income_pence": 100_000, "weekly_eligible_rent_pence": 0, "weekly_cap_reduction_pence": 0}
    claims = [
        whose("full", SHBE, claim_ref="c1", **{**held, "tenure": "temporary"}, **{**money, "weekly_income_pence": 1}),
        whose("plain", SHBE, claim_ref="c2", **held, **money),
    ]
    rows = [row | ({"birth_year_month": "2000-02"} if row["subject_ref"] == "plain" else {}) for row in DEMOGRAPHICS]
    return people_with(
        {
            "inclusion_flags": [whose("full", GP, group=group.value, stated_on=RECENT) for group in InclusionGroup],
            "diagnoses": [
                whose("full", GP, condition=one, status="active", recorded_on=date(2020, 1, 1)) for one in coded
            ],
            "medications": [whose("plain", GP, drug_group="statin", issued_on=RECENT)],
            "measurements": [whose("plain", GP, kind="bmi_kg_m2", value=22.0, recorded_on=RECENT)],
            "coded_events": [
                whose("full", GP, code="smoker", recorded_on=RECENT),
                whose("plain", GP, code="never_smoked", recorded_on=RECENT),
            ],
            "encounters": [
                whose("plain", GP, kind="admission", started_on=RECENT, primary_diagnosis="F059"),
            ],
            "claims": claims,
            "credit_periods": [
                whose(
                    "full",
                    SHBE,
                    claim_ref="u1",
                    period_from=date(2026, 6, 1),
                    period_to=date(2026, 6, 30),
                    sanctioned=True,
                )
            ],
            "unclaimed": [
                whose("full", SHBE, entitlement=one, assessed_on=RECENT)
                for one in ("healthy_start", "free_school_meals")
            ],
        },
        demographics=rows,
        geography=[{**GEOGRAPHY[0], "coastal": True}, {**GEOGRAPHY[1], "coastal": False}],
    )


test_a_feature_tells_value_negative_and_unknown_apart = three_states("inclusion", CASES)


@pytest.mark.parametrize("group", sorted(NEVER_DERIVED))
def test_what_is_never_derived_never_leaves(group: str) -> None:
    assert FEATURES[f"inclusion_{group}"].outputs == ()
    assert f"inclusion_{group}" not in {f"inclusion_{name}" for name in COUNTED}


def test_nothing_but_a_flag_puts_somebody_in_a_group_that_is_only_flagged() -> None:
    """A person with every other signal there is of hardship belongs to no group that only a controller may state."""
    person = people_with(
        {
            "inclusion_flags": [whose("plain", GP, group="lgbtqia", stated_on=RECENT)],
            "circumstances": [whose("full", GP, kind="accommodation", code="CJ01", recorded_on=RECENT)],
            "diagnoses": [whose("full", GP, condition="drug_dependence", status="active", recorded_on=RECENT)],
            "homelessness": [
                whose("full", SHBE, case_ref="h", duty="main", started_on=RECENT, support_needs="offending")
            ],
        }
    )["full"]
    only_flagged = {*NEVER_DERIVED, "gypsy_roma_traveller", "justice_contact", "young_carer", "care_experience"}
    assert all(person[f"inclusion_{group}"] is False for group in only_flagged)
    assert person["inclusion_homeless"] is person["inclusion_drug_alcohol"] is True


@pytest.mark.parametrize(
    ("ended", "held"), [(None, True), (date(2026, 7, 1), True), (date(2026, 6, 30), False), (date(2026, 5, 1), False)]
)
def test_a_flag_holds_until_it_ends(ended: date | None, held: bool) -> None:
    flag = whose("full", GP, group="young_carer", stated_on=RECENT, ended_on=ended)
    assert people_with({"inclusion_flags": [flag]})["full"]["inclusion_young_carer"] is held


@pytest.mark.parametrize(("code", "counts"), [("F100", True), ("F199", True), ("F090", False), ("F209", False)])
def test_an_admission_for_substances_counts_by_its_chapter(code: str, counts: bool) -> None:
    stay = whose("full", GP, kind="admission", started_on=RECENT, primary_diagnosis="S720", secondary_diagnoses=code)
    assert people_with({"encounters": [stay]})["full"]["inclusion_drug_alcohol"] is counts


def test_every_marmot_domain_has_its_gap() -> None:
    assert {f"marmot_gap_{domain}" for domain in MarmotDomain} <= set(FEATURES)
