"""Three states of every feature, told for one group at a time: the population that all groups' cases share.

`full` is linked and has everything, `plain` is linked and has nothing of it, `health` and `welfare` are known to one
feed only, and `absent` is a person of whom no content has landed. A group's test file (`test_states_<group>.py`)
gives the facts and says what each feature then is; `tests/unit/test_states.py` fails for a feature without a case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl
import pytest

from linkage.features import FeatureTables, compute
from linkage.features.groups import GROUPS
from linkage.features.tables import PREVIOUS

AS_OF: Final = date(2026, 6, 30)
RECENT: Final = date(2026, 3, 1)
GP: Final = "kmicb.gp"
SHBE: Final = "medway.shbe"
NEVER: Final = "never unknown"

Rows = list[dict[str, Any]]
People = dict[str, dict[str, Any]]

FULL: Final = {"birth_year_month": "1950-01", "sex": "2", "ethnic_category": "M", "lsoa": "E01000001"}
PLAIN: Final = {"birth_year_month": "2026-02", "sex": "1", "ethnic_category": "A", "lsoa": "E01000002"}
DEMOGRAPHICS: Final[Rows] = [
    {"source": GP, "subject_ref": "full", "feed": "health", **FULL},
    {"source": SHBE, "subject_ref": "full", "feed": "welfare", **FULL},
    {"source": GP, "subject_ref": "plain", "feed": "health", **PLAIN},
    {"source": SHBE, "subject_ref": "plain", "feed": "welfare", **PLAIN},
    {"source": GP, "subject_ref": "health", "feed": "health"},
    {"source": SHBE, "subject_ref": "welfare", "feed": "welfare"},
]
GEOGRAPHY: Final[Rows] = [
    {"lsoa": "E01000001", "ward": "North", "authority": "m", "imd_decile": 1},
    {"lsoa": "E01000002", "ward": "South", "authority": "s", "imd_decile": 9},
]
_LINKS: Final = {("full", GP): 0.99, ("full", SHBE): 0.97, ("plain", GP): 1.0, ("plain", SHBE): 1.0}


@dataclass(frozen=True)
class Case:
    """What a feature is of `full` and of `plain`, and which person it is unknown of (`NEVER`: of none)."""

    value: Any
    negative: Any
    unknown_of: str


def whose(who: str, source: str, **fact: Any) -> dict[str, Any]:
    """Return one fact of a subject."""
    return {"source": source, "subject_ref": who, **fact}


def people_with(
    facts: Mapping[str, Rows],
    *,
    demographics: Rows | None = None,
    geography: Rows | None = None,
    practices: Rows | None = None,
    as_of: date = AS_OF,
    previous: Rows | None = None,
) -> People:
    """Return every feature of everybody, by person, where these facts hold.

    A subject that stands in `demographics` under a further name is a person of that name; one of a further source is
    the person's whose name it has.
    """
    subjects = [{"version": 1, **row} for row in (demographics if demographics is not None else DEMOGRAPHICS)]
    members = {(row["subject_ref"], row["source"]): None for row in subjects} | {("absent", GP): None}
    membership = pl.DataFrame(
        [
            {"person_id": who, "source": source, "subject_ref": who, "link_probability": _LINKS.get((who, source))}
            for who, source in members
        ],
        infer_schema_length=None,
    )
    frames = {
        kind: pl.DataFrame(rows, infer_schema_length=None)
        for kind, rows in {**facts, "demographics": subjects}.items()
        if rows
    }
    tables = FeatureTables.from_facts(
        frames,
        pl.DataFrame(geography or GEOGRAPHY, infer_schema_length=None),
        practices=pl.DataFrame(practices) if practices else None,
    )
    before = pl.DataFrame(previous, schema=PREVIOUS) if previous else None
    return {row.pop("person_id"): row for row in compute(tables, membership, as_of, previous=before).to_dicts()}


def cases_of(group: str) -> list[str]:
    """Return the names of a group's features, to parametrise a test with."""
    [found] = [one for one in GROUPS if one.name == group]
    return [entry.name for entry in found.entries]


def three_states(group: str, cases: Mapping[str, Case]) -> Callable[..., None]:
    """Return the test of a group: value, negative and unknown are told apart for each of its features.

    The file that assigns it must have a fixture `people` that gives what `people_with` returns.
    """

    @pytest.mark.parametrize("name", cases_of(group))
    def test(people: People, name: str) -> None:
        case = cases[name]
        assert people["full"][name] == case.value
        assert people["plain"][name] == case.negative
        if case.unknown_of == NEVER:
            assert all(person[name] is not None for person in people.values())
        else:
            assert people[case.unknown_of][name] is None
            assert people["absent"][name] is None

    return test
