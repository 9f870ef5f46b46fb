"""Health records of made-up people, computed together: each case of a rule is a person of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from schemas.codes import EncounterKind, ReferralService, ScreeningProgramme, SearchKind
from tests.features.three_states import AS_OF, GP, People, Rows, people_with

Record = dict[str, Any]
LONG_AGO: Final = date(2015, 5, 5)
LATELY: Final = AS_OF - timedelta(30)
_NOBODY: Final = "nobody"

_ONE_OF_EACH: Final[dict[str, Rows]] = {
    "diagnoses": [{"condition": "chd", "status": "active", "recorded_on": LONG_AGO}],
    "measurements": [{"kind": "efi", "value": 0.1, "recorded_on": LONG_AGO}],
    "medications": [{"drug_group": "statin", "issued_on": LONG_AGO, "issues": 1}],
    "coded_events": [{"code": "fall", "recorded_on": LONG_AGO}],
    "encounters": [{"kind": kind.value, "started_on": LONG_AGO} for kind in EncounterKind],
    "referrals": [
        {"service": s.value, "opened_on": LONG_AGO, "closed_on": LONG_AGO + timedelta(1)} for s in ReferralService
    ],
    "care_arrangements": [{"package": "home_care", "started_on": LONG_AGO, "ended_on": LONG_AGO + timedelta(1)}],
    "fit_notes": [{"started_on": LONG_AGO, "ended_on": LONG_AGO + timedelta(1)}],
    "screenings": [{"programme": p.value, "status": "due", "recorded_on": LONG_AGO} for p in ScreeningProgramme],
    "searches": [
        {"search": s.value, "search_id": "some.1", "condition": "dm", "run_on": LONG_AGO, "priority_group": 4}
        for s in SearchKind
    ],
}
"""What somebody else has, so that a source delivers every kind."""


def before(days: int) -> date:
    """Return the day so many days before the as-of date."""
    return AS_OF - timedelta(days)


def record(*, born: str | None = "1960-01", sex: str | None = "2", ethnic: str | None = "A", **facts: Rows) -> Record:
    """Return one person's record: who they are, and facts by kind."""
    return {"born": born, "sex": sex, "ethnic": ethnic, "facts": facts}


def diagnosis(condition: str, on: date = LONG_AGO, status: str = "active") -> dict[str, Any]:
    """Return one diagnosis."""
    return {"condition": condition, "status": status, "recorded_on": on}


def measured(kind: str, value: float, on: date = LATELY, setting: str | None = None) -> dict[str, Any]:
    """Return one measurement."""
    return {"kind": kind, "value": value, "recorded_on": on, "setting": setting}


def issued(group: str, on: date = LATELY, issues: int = 1, distinct: int | None = None) -> dict[str, Any]:
    """Return one day's issues of a group of drugs."""
    return {"drug_group": group, "issued_on": on, "issues": issues, "distinct_drugs": distinct}


def event(code: str, on: date = LATELY) -> dict[str, Any]:
    """Return one coded event."""
    return {"code": code, "recorded_on": on}


def computed(
    records: Mapping[str, Record],
    *,
    lacking: tuple[str, ...] = (),
    as_of: date = AS_OF,
    previous: Rows | None = None,
) -> People:
    """Return every feature of each record's person; no source delivers the kinds of `lacking`."""
    subjects = [
        {
            "source": GP,
            "subject_ref": who,
            "feed": "health",
            "birth_year_month": r["born"],
            "sex": r["sex"],
            "ethnic_category": r["ethnic"],
        }
        for who, r in {**records, _NOBODY: record()}.items()
    ]
    facts: dict[str, Rows] = {
        kind: [{"source": GP, "subject_ref": _NOBODY, **row} for row in rows]
        for kind, rows in _ONE_OF_EACH.items()
        if kind not in lacking
    }
    for who, r in records.items():
        for kind, rows in r["facts"].items():
            facts.setdefault(kind, []).extend({"source": GP, "subject_ref": who, **row} for row in rows)
    return people_with(facts, demographics=subjects, as_of=as_of, previous=previous)
