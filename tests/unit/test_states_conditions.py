"""The three states of registers and multimorbidity."""

from __future__ import annotations

from datetime import date
from typing import Final

import pytest

from linkage.features.registers import REGISTERS
from tests.features.three_states import GP, Case, People, people_with, three_states, whose

CASES: Final = {
    **{rule.feature: Case(True, False, "welfare") for rule in REGISTERS},
    "ltc_count": Case(19, 0, "welfare"),
    "dm_and_htn": Case(True, False, "welfare"),
}


@pytest.fixture(scope="module")
def people() -> People:
    coded = [
        whose("full", GP, condition=rule.condition.value, status="active", recorded_on=date(2020, 1, 1))
        for rule in REGISTERS
    ]
    return people_with({"diagnoses": coded})


test_a_feature_tells_value_negative_and_unknown_apart = three_states("conditions", CASES)
