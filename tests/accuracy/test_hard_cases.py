"""Named hard cases: people who are easily confused, and people who are easily lost.

Each case puts a few records into a population of both feeds, which is encoded, fitted to without labels, matched and
resolved as `hwlink link` does. What must happen stands in the case; a link that must not be is worse than one missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
import pytest

from linkage.cluster import resolve
from linkage.encode import ProjectKeys, encode
from linkage.fit import fit
from linkage.held import HeldSubjects
from linkage.match import Matcher
from linkage.subjects import Subjects
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.model import default_model

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
SOURCES = {"a.gp": True, "b.hb": False}

HOME = {"postcode": "ME7 1QX", "address": "14 Larkfield Rise", "uprn": "100061234567"}
AWAY = {"postcode": "ME10 3TD", "address": "Flat 2, 90 Orchard Mews", "uprn": "100067654321"}
HOSTEL = {"postcode": "ME4 5ZZ", "address": "Harbour House Hostel, 1 Dock Road", "uprn": "100060000042"}


def person(forename: str | None, surname: str | None, born: str | None, sex: str = "1", **more: str) -> dict[str, str]:
    given = {"forename": forename, "surname": surname, "date_of_birth": born, "sex": sex, **HOME, **more}
    return {name: value for name, value in given.items() if value}


@dataclass(frozen=True)
class Case:
    """Records of the health and the welfare file, and which of them (by place) are one person."""

    health: tuple[dict[str, str], ...]
    welfare: tuple[dict[str, str], ...]
    same: tuple[tuple[int, int], ...]


CASES = {
    "twins of one home, each in both files": Case(
        (person("Oliver", "Penhallow", "2014-03-09"), person("Harry", "Penhallow", "2014-03-09")),
        (person("Oliver", "Penhallow", "2014-03-09"), person("Harry", "Penhallow", "2014-03-09")),
        ((0, 0), (1, 1)),
    ),
    "twins of one home, one of them in each file": Case(
        (person("Jasmine", "Trevanion", "2012-10-21", "2"),),
        (person("Bethany", "Trevanion", "2012-10-21", "2"),),
        (),
    ),
    "father and son of one name at one home": Case(
        (person("Gregory", "Ashdownham", "1961-02-17"), person("Gregory", "Ashdownham", "1990-11-03")),
        (person("Gregory", "Ashdownham", "1990-11-03"),),
        ((1, 0),),
    ),
    "a father in one file, his namesake son in the other": Case(
        (person("Leopold", "Quenington", "1958-06-30"),),
        (person("Leopold", "Quenington", "1986-01-12"),),
        (),
    ),
    "brothers at one home": Case(
        (person("Samuel", "Willowby", "1999-04-04"), person("Edward", "Willowby", "2001-08-19")),
        (person("Edward", "Willowby", "2001-08-19"),),
        ((1, 0),),
    ),
    "a married name": Case(
        (person("Rosalind", "Farthingham", "1987-12-05", "2"),),
        (person("Rosalind", "Okonjoku", "1987-12-05", "2"),),
        ((0, 0),),
    ),
    "swapped names": Case(
        (person("Tendai", "Marufuko", "1979-07-28"),), (person("Marufuko", "Tendai", "1979-07-28"),), ((0, 0),)
    ),
    "day and month swapped": Case(
        (person("Imogen", "Bellchambers", "1993-04-11", "2"),),
        (person("Imogen", "Bellchambers", "1993-11-04", "2"),),
        ((0, 0),),
    ),
    "a move between the files": Case(
        (person("Cornelius", "Hathersage", "1970-09-14"),),
        (person("Cornelius", "Hathersage", "1970-09-14", **AWAY),),
        ((0, 0),),
    ),
    "two people born on a 1 January that many are given": Case(
        (person("Tariq", "Khan", "1985-01-01"),), (person("Mohammed", "Khan", "1985-01-01", **AWAY),), ()
    ),
    "strangers at one hostel": Case(
        (
            person("Stuart", "Pickersgill", "1982-05-05", **HOSTEL),
            person("Nigel", "Drabblewood", "1974-03-19", **HOSTEL),
        ),
        (
            person("Stewart", "Dunderdale", "1990-08-25", **HOSTEL),
            person("Nigel", "Drabblewood", "1974-03-19", **HOSTEL),
        ),
        ((1, 1),),
    ),
    "a missing date of birth": Case(
        (person("Wilhelmina", "Crankshaw", "1949-01-23", "2"),),
        (person("Wilhelmina", "Crankshaw", None, "2"),),
        ((0, 0),),
    ),
    "a typing error in each name": Case(
        (person("Frederica", "Thistlethwaite", "1991-06-02", "2"),),
        (person("Fredericka", "Thistlethwait", "1991-06-02", "2"),),
        ((0, 0),),
    ),
    "a name transliterated in two ways": Case(
        (person("Yusuf", "Abdelrahmani", "1988-02-26"),), (person("Youssef", "Abdulrahmani", "1988-02-26"),), ((0, 0),)
    ),
    "a nameless child at its home": Case(
        (person("Florence", "Wetherbourne", "2016-09-27", "2"),), (person(None, None, "2016-09-27", "2"),), ((0, 0),)
    ),
    "a nameless child that could be either twin": Case(
        (person("Arthur", "Nettlefield", "2018-12-13"), person("Albert", "Nettlefield", "2018-12-13")),
        (person(None, None, "2018-12-13"),),
        (),
    ),
    "a child of whom nothing but the home is known": Case(
        (person("Matilda", "Copplestone", "2017-05-31", "2"), person("Hugo", "Copplestone", "2015-02-08")),
        (person(None, None, None, "2"),),
        (),
    ),
    "a dummy NINO shared by two claimants": Case(
        (person("Barnaby", "Icklesham", "1968-08-08"),),
        (
            person("Barnaby", "Icklesham", "1968-08-08", nino="XX999999D"),
            person("Clementine", "Rudgwick", "1995-03-03", "2", nino="XX999999D", **AWAY),
        ),
        ((0, 0),),
    ),
}  # fmt: skip


@cache
def decisions() -> dict[str, set[tuple[int, int]]]:
    """Which records of each case were put into one person, all cases in one population."""
    made = population(9_000, 2_500, seed=77)
    held = HeldSubjects(default_model())
    for source, feed, clear in (("a.gp", Feed.HEALTH, made.health), ("b.hb", Feed.WELFARE, made.welfare)):
        side = "health" if feed is Feed.HEALTH else "welfare"
        rows = [
            {"record_id": f"{place}|{number}", **_at(place, record)}
            for place, case in enumerate(CASES.values())
            for number, record in enumerate(getattr(case, side))
        ]
        known = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
        everyone = pl.concat([known, pl.DataFrame(rows, infer_schema_length=None)], how="diagonal")
        frame = encode(everyone, AGREEMENT, KEYS, feed, True, source=source).frame
        held.upsert(Subjects.from_frame(frame.with_columns(source=pl.lit(source)), SOURCES))
    model = fit(held, default_model(), seed=1)
    pairs = Matcher(model).match(np.arange(len(held)), held)
    subjects = held.subjects
    roster = pl.DataFrame(
        {
            "source": [subjects.sources[code] for code in subjects.source],
            "subject_ref": subjects.ref_column(np.arange(len(subjects))),
            "one_record_per_person": subjects.one_record_per_person,
        }
    )
    labels = resolve(roster, pairs, model.policy).labels
    label = {(source, ref): number for source, ref, number in labels.select("source", "subject_ref", "label").rows()}
    return {
        name: {
            (one, other)
            for one in range(len(case.health))
            for other in range(len(case.welfare))
            if label["a.gp", f"{place}|{one}"] == label["b.hb", f"{place}|{other}"]
        }
        for place, (name, case) in enumerate(CASES.items())
    }


def _at(place: int, record: dict[str, str]) -> dict[str, str]:
    """Give each case a street number and property of its own, so that cases do not meet at one home."""
    number = str(200 + place)
    return {
        **record,
        "address": record["address"].replace("14 ", f"{number} ").replace("90 ", f"{number} "),
        "uprn": record["uprn"][:-3] + number,
    }


@pytest.mark.parametrize("name", list(CASES))
def test_hard_case(name: str) -> None:
    assert decisions()[name] == set(CASES[name].same)
