"""Random worlds: facts of every kind there is, of a few subjects of several sources, and who belongs together.

Values come from the contracts, from few of each type, so that people meet: claims and homes are shared, dates fall on
both sides of every window, and any kind may be missing from any source.
"""

from __future__ import annotations

import types
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Union, get_args, get_origin

import polars as pl
from hypothesis import strategies as st

from linkage.features.tables import KINDS, fact_columns
from schemas.contracts.base import Feed
from schemas.contracts.facts import FACT_KINDS

AS_OF: Final = date(2026, 6, 30)
SOURCES: Final = {
    "a.gp": "health",
    "b.trust": "health",
    "c.shbe": "welfare",
    "c.housing": "welfare",
    "d.ctr": "welfare",
}
GEOGRAPHY: Final = pl.DataFrame(
    {
        "lsoa": ["E01000001", "E01000002", "E01000002"],
        "lsoa_version": ["2021", "2011", "2021"],
        "ward": ["N", "S", "S"],
        "authority": ["m", "s", "s"],
        "imd_decile": [1, 9, 8],
        "imd_version": ["2025", "2019", "2025"],
        "rural_urban": ["urban", "rural", "rural"],
        "coastal": [True, False, False],
        "pm25_ug_m3": [9.1, 7.2, 7.2],
        "distance_gp_km": [0.4, 3.2, 3.2],
    }
)
PRACTICES: Final = pl.DataFrame({"practice_code": ["G82001"], "pcn_code": ["U10128"], "place": ["medway_swale"]})

REFS: Final = [str(n) for n in range(5)]
SUBJECTS: Final = st.tuples(st.sampled_from(list(SOURCES)), st.sampled_from(REFS))
DAYS: Final = st.integers(0, 800).map(lambda back: AS_OF - timedelta(back - 20))
_TEXTS: Final[dict[str, list[str]]] = {
    "birth_year_month": ["1950-01", "1990-07", "2015-03", "2023-01"],
    "death_year_month": ["2026-05"],
    "lsoa": ["E01000001", "E01000002", "E01999999"],
    "practice_code": ["G82001", "G82999"],
    "admission_method": ["11", "21"],
    "primary_diagnosis": ["J440", "I500", "S720", "X640", "F102"],
    "secondary_diagnoses": ["J440 E112", "X640", "F102"],
    "code": ["HM01", "HM05", "MA04", "CH01", "01", "04"],
    "search_id": ["ucl-copd.3"],
    "support_needs": ["offending drug", "mental_health"],
    "definition_source": ["supplier.2026-04", "supplier.2025-04"],
    "claim_ref": ["c1", "c2", "c3"],
    "account_ref": ["x1", "x2"],
    "case_ref": ["h1", "h2"],
    "property_ref": ["p1", "p2"],
}
_NUMBERS: Final = {
    "priority_group": st.integers(1, 4),
    "bedrooms": st.integers(0, 4),
    "bedrooms_needed": st.integers(0, 4),
    "balance_pence": st.integers(-10, 300_000),
}

Facts = dict[str, pl.DataFrame]


def _values(name: str, annotation: Any) -> st.SearchStrategy[Any]:
    if get_origin(annotation) is Annotated:
        return _values(name, get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        [inner] = (a for a in get_args(annotation) if a is not types.NoneType)
        return st.none() | _values(name, inner)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return st.sampled_from([member.value for member in annotation])
    if annotation is str:
        return st.sampled_from(_TEXTS[name])
    if annotation is date:
        return DAYS
    if annotation is bool:
        return st.booleans()
    if annotation is float:
        return st.sampled_from([0.0, 0.13, 5.0, 35.0, 60.0, 99.0])
    return _NUMBERS.get(name, st.sampled_from([0, 1, 2, 4, 700, 20_000, 90_000]))


def facts_of(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return random facts of a kind: the contract's fields by name."""
    fields = KINDS[kind].model_fields
    return st.fixed_dictionaries({name: _values(name, field.annotation) for name, field in fields.items()})


def frame_of(kind: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return facts with their subject as a frame of the kind's columns."""
    return pl.DataFrame(rows, schema=fact_columns(kind))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Facts, pl.DataFrame]:
    """Facts by kind, and a membership of some of the subjects in some persons."""
    subjects = draw(st.lists(SUBJECTS, unique=True, min_size=1, max_size=14))
    rows: dict[str, list[dict[str, Any]]] = {
        "demographics": [
            {
                **draw(facts_of("demographics")),
                "source": source,
                "subject_ref": ref,
                "feed": SOURCES[source],
                "version": draw(st.integers(0, 2)),
            }
            for source, ref in subjects
        ]
    }
    for feed, kinds in FACT_KINDS.items():
        holders = [(source, ref) for source, ref in subjects if SOURCES[source] == feed.value]
        most = 6 if feed is Feed.WELFARE else 4
        for kind in kinds:
            if kind != "demographics" and holders:
                listed = st.lists(st.tuples(st.sampled_from(holders), facts_of(kind)), max_size=most)
                rows[kind] = [{**fact, "source": s, "subject_ref": r} for (s, r), fact in draw(listed)]
    held = draw(st.lists(st.sampled_from(subjects), unique=True, min_size=1))
    persons = st.sampled_from(["p1", "p2", "p3", "p4"])
    membership = [{"person_id": draw(persons), "source": s, "subject_ref": r, "link_probability": 0.9} for s, r in held]
    return {kind: frame_of(kind, found) for kind, found in rows.items() if found}, pl.DataFrame(membership)
