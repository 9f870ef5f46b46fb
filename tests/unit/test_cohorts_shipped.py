"""The cohorts that ship: every document parses, names features that there are, and says where it comes from."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import polars as pl
import pytest

from linkage.cohorts import Selection, select
from linkage.features import FEATURES, feature_columns
from schemas.cohort_documents import cohort, guards, shipped_cohorts
from schemas.cohorts import CohortDefinition, Exclusion, parse_cohort
from schemas.errors import InputError, Reason
from schemas.purposes import Output

COHORTS = list(shipped_cohorts().values())


SIXTEEN = {
    "acsc_cvd_copd_hf_welfare",
    "copd_cold_home",
    "diabetes_pg12_unreviewed",
    "htn_uncoded_core20",
    "cancer_screen_overdue_low_income",
    "selfharm_10_24_household_stress",
    "frailty_unclaimed_pc",
    "cyp_asthma_highest_risk",
    "cyp_t3_weight",
    "meam_multiple_disadvantage",
    "core20plus5_adult",
    "core20plus5_cyp",
    "workwell",
    "multimorbid_deprived",
    "inclusion_any",
    "child_u5_ed_frequent_in_crisis",
    "benefit_cap_temp_accommodation_mh",
}
"""The programme's sixteen, of which Core20PLUS5 is two: adults and children."""


def test_the_programmes_cohorts_ship_each_under_its_own_name() -> None:
    assert set(shipped_cohorts()) == SIXTEEN
    names = {
        entry.name.removesuffix(".json")
        for entry in files("schemas.cohort_documents").iterdir()
        if entry.name.endswith(".json")
    }
    assert names == set(shipped_cohorts())


@pytest.mark.parametrize("definition", COHORTS, ids=lambda c: c.cohort_id)
def test_a_cohort_can_be_evaluated_and_read_back(definition: CohortDefinition) -> None:
    selection = select(definition)
    assert Selection.from_canonical(selection.canonical) == selection
    rows = selection.rows(feature_columns().to_frame())
    assert len(rows.members) == 0
    assert {"deceased", "authority"} <= {feature.name for feature in selection.features}
    assert definition.min_count >= 10


@pytest.mark.parametrize("definition", COHORTS, ids=lambda c: c.cohort_id)
def test_a_cohort_says_who_asked_and_when_to_look_again(definition: CohortDefinition) -> None:
    assert any(word in definition.source for word in ("Board", "programme"))
    assert definition.review_on is not None
    assert definition.review_on > date(2026, 1, 1)
    assert (Output.COUNTS in definition.outputs) is (definition.cohort_id != "meam_multiple_disadvantage")


def test_self_harm_and_multiple_disadvantage_are_restricted_by_a_rule_in_words() -> None:
    self_harm, multiple = cohort("selfharm_10_24_household_stress"), cohort("meam_multiple_disadvantage")
    assert self_harm.dimensions == ("ward", "authority")
    assert Output.MEMBERS not in self_harm.outputs
    assert multiple.outputs == ()
    assert set(guards(shipped_cohorts())) == {"selfharm_event_24m", "meam_domain_count", "multiple_disadvantage_case"}
    for definition in (self_harm, multiple):
        assert definition.refusal.startswith("Rule: ")
        assert definition.refusal.endswith(".")
    for name in guards(shipped_cohorts()):
        assert FEATURES[name].leaves


def test_an_unknown_cohort_is_answered_with_those_there_are() -> None:
    with pytest.raises(InputError) as caught:
        cohort("nobody")
    assert caught.value.reason is Reason.COHORT_UNKNOWN
    assert "multimorbid_deprived" in caught.value.message
    assert cohort("multimorbid_deprived") is shipped_cohorts()["multimorbid_deprived"]


def _document(**parts: object) -> CohortDefinition:
    return CohortDefinition.model_validate(
        {
            "cohort_id": "some_cohort",
            "version": 1,
            "title": "Some cohort",
            "description": "Somebody whom this test is about.",
            "source": "a test",
            "filter": "reg_copd",
            **parts,
        }
    )


def test_members_lie_in_the_denominator_and_exclusions_in_neither() -> None:
    people = pl.DataFrame(
        {
            "reg_copd": [True, True, True, False, None, None],
            "core20": [True, False, True, True, True, None],
            "deceased": [False, False, True, False, False, False],
        }
    )
    selection = select(
        _document(denominator="core20", exclusions=(Exclusion(filter="deceased", because="They have died."),))
    )
    rows = selection.rows(people)
    assert rows.inside.to_list() == [True, False, False, True, True, False]
    assert rows.members.to_list() == [True, False, False, False, False, False]
    assert rows.unknown.to_list() == [False, False, False, False, True, False]


def test_an_unknown_exclusion_excludes_nobody() -> None:
    people = pl.DataFrame(
        {"reg_copd": [True], "deceased": [None]}, schema={"reg_copd": pl.Boolean, "deceased": pl.Boolean}
    )
    selection = select(_document(exclusions=(Exclusion(filter="deceased", because="They have died."),)))
    assert selection.rows(people).members.to_list() == [True]


def test_a_filter_narrows_a_cohort_and_leaves_its_denominator() -> None:
    selection = select(_document(denominator="core20"), "age >= 65")
    assert selection.canonical == {"members": "age >= 65 AND reg_copd", "denominator": "core20", "excluded": "FALSE"}


def test_no_cohort_and_no_filter_mean_everybody() -> None:
    rows = select(None).rows(pl.DataFrame({"reg_copd": [True, None]}))
    assert rows.members.to_list() == [True, True]
    assert not rows.unknown.any()


def test_a_document_with_a_wrong_field_names_the_field() -> None:
    with pytest.raises(InputError) as caught:
        parse_cohort('{"cohort_id": "X"}')
    assert caught.value.reason is Reason.FIELD_INVALID
    assert "cohort_id" in caught.value.message
