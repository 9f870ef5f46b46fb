"""The registry: every entry says what it must, and nothing is computed or offered beside it."""

from __future__ import annotations

from datetime import date

import pytest
from sqlglot import Tokenizer, TokenType

from linkage.features import FEATURES, FeatureTables, compute, feature, feature_columns
from linkage.features.groups import GROUPS
from linkage.features.hospital.reasons import ACSC_LIST
from linkage.features.tables import GEOGRAPHY, MEMBERSHIP
from schemas.code_lists import code_list
from schemas.contracts.base import Feed
from schemas.errors import DefectError, InputError, Reason
from schemas.features import FeatureDefinition, FeatureOutput, FeatureType, Sensitivity, band_labels
from services.query.members import GIVE_UP_FIRST

NAMES = list(FEATURES)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_can_stand_in_a_filter(name: str) -> None:
    [word] = Tokenizer().tokenize(name)
    assert word.token_type is TokenType.VAR


@pytest.mark.parametrize("name", NAMES)
def test_a_definition_is_a_sentence_of_its_own(name: str) -> None:
    definition = FEATURES[name]
    assert definition.definition.endswith(".")
    assert [d.name for d in FEATURES.values() if d.definition == definition.definition] == [name]
    assert definition.sources


def test_there_are_at_least_twenty_five_and_registers_among_them() -> None:
    assert len(FEATURES) >= 25
    assert sum(name.startswith("reg_") for name in NAMES) == 21


def test_what_comes_from_benefits_is_of_class_welfare_and_from_diagnoses_special() -> None:
    for definition in FEATURES.values():
        if definition.sources == (Feed.WELFARE,):
            assert definition.sensitivity in (Sensitivity.WELFARE, Sensitivity.INCLUSION)
        if definition.sources == (Feed.HEALTH,):
            assert definition.sensitivity in (Sensitivity.SPECIAL_CATEGORY, Sensitivity.INCLUSION)
    # To be known to a welfare source is to be on benefit.
    assert FEATURES["in_welfare"].sensitivity is FEATURES["linked"].sensitivity is Sensitivity.WELFARE


def test_every_welfare_feature_names_its_household() -> None:
    [credit] = [group for group in GROUPS if group.name == "credit"]
    own = {entry.name for entry in credit.entries} | {"homeless_duty_12m"}
    nobody_named = {d.name for d in FEATURES.values() if d.sources == (Feed.WELFARE,) and not d.household_basis}
    assert nobody_named <= own


@pytest.mark.parametrize("name", ["lsoa", "link_probability"])
def test_internal_features_are_answered_like_unknown_ones(name: str) -> None:
    assert not FEATURES[name].leaves
    with pytest.raises(InputError) as caught:
        feature(name)
    assert caught.value.reason is Reason.FEATURE_UNKNOWN
    assert name not in caught.value.message


def test_a_near_miss_is_met_with_near_names_and_without_what_was_written() -> None:
    with pytest.raises(InputError) as caught:
        feature("reg_cpod")
    assert "reg_copd" in caught.value.message
    assert "reg_cpod" not in caught.value.message


def test_the_computed_table_has_exactly_the_registered_columns() -> None:
    empty = compute(
        FeatureTables.from_facts({}, GEOGRAPHY.to_frame()),
        MEMBERSHIP.to_frame(),
        date(2026, 1, 1),
    )
    assert empty.schema == feature_columns()
    assert list(feature_columns()) == ["person_id", *FEATURES]


def test_every_quasi_identifier_has_its_turn_to_be_given_up() -> None:
    on_rows = {d.name for d in FEATURES.values() if d.quasi_identifier}
    assert set(GIVE_UP_FIRST) == on_rows


def test_whole_numbers_that_leave_have_bands_and_labels() -> None:
    assert band_labels((0, 1, 5)) == ("0", "1-4", "5+")
    assert band_labels(()) == ()
    assert FEATURES["household_size"].bands == ("1", "2", "3", "4", "5", "6+")


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": FeatureType.INTEGER},
        {"type": FeatureType.INTEGER, "band_edges": (0, 0)},
        {"type": FeatureType.BOOLEAN, "values": ("a",)},
        {"type": FeatureType.CATEGORY, "ordered": True},
        {"type": FeatureType.BOOLEAN, "band_edges": (0, 1)},
        {"type": FeatureType.REAL, "outputs": (FeatureOutput.TABLE,)},
    ],
)
def test_an_entry_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    entry = {
        "name": "some_feature",
        "definition": "Long enough to be a definition.",
        "sources": (Feed.HEALTH,),
        "sensitivity": Sensitivity.ORDINARY,
        "unknown_when": "never at all",
    }
    with pytest.raises(ValueError, match=r"integer|band|values|lists|real"):
        FeatureDefinition(**entry, **wrong)  # type: ignore[arg-type]


def test_code_lists_are_named_and_say_how_they_differ_from_their_source() -> None:
    acsc = code_list(ACSC_LIST)
    assert acsc.list_id == ACSC_LIST
    assert acsc.source
    assert acsc.differs
    assert {f"acsc_{group.name}_12m" for group in acsc.groups} <= set(FEATURES)
    with pytest.raises(DefectError):
        code_list("acsc-of-tomorrow")
