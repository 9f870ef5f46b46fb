"""Every feature has its three states in the file of its group: none is added without."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from linkage.features import FEATURES
from linkage.features.groups import GROUPS
from tests.features.three_states import Case

HERE = Path(__file__).parent


def _cases(group: str) -> dict[str, Case]:
    spec = spec_from_file_location(f"states_of_{group}", HERE / f"test_states_{group}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    cases: dict[str, Case] = module.CASES
    return cases


@pytest.mark.parametrize("group", [group.name for group in GROUPS])
def test_every_feature_of_a_group_has_its_case(group: str) -> None:
    [found] = [one for one in GROUPS if one.name == group]
    assert set(_cases(group)) == {entry.name for entry in found.entries}


def test_every_feature_is_of_one_group() -> None:
    named = [entry.name for group in GROUPS for entry in group.entries]
    assert sorted(named) == sorted(set(named)) == sorted(FEATURES)
