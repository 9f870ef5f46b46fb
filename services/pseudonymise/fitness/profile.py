"""What a file holds, counted chunk by chunk: no value of a record is kept but day counts, amounts and 64-bit hashes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl

from linkage.encode import Examined
from schemas.contracts.base import Feed

NUMBERS: Final = {Feed.HEALTH: "nhs_number", Feed.WELFARE: "nino"}
"""The number that tells a feed's people apart."""
_HASH_SEED: Final = 0

HAPPENED: Final = frozenset(
    {
        "diagnoses.recorded_on", "measurements.recorded_on", "coded_events.recorded_on", "screenings.recorded_on",
        "medications.issued_on", "fit_notes.started_on", "circumstances.recorded_on", "arrears.oldest_debt_on",
        "homelessness.started_on", "awards.awarded_on", "claim_changes.changed_on", "claims.started_on",
    }
)  # fmt: skip
"""Dates of what has happened, to each at their own time: none lies ahead of the extract, and not all on one day. Dates
that a source gives its whole extract (when a search was run, a category worked out) are not among them."""

LINKED_BY: Final = ("nhs_number", "nino")
"""Numbers that link by themselves, as a pseudonym does through a bridge; else a date of birth must be there, and a name
or a postcode with it."""


@dataclass
class Profile:
    """Counts over a file. `given` and `usable` are by field; `faults` by (field, reason); `days` by dated field."""

    feed: Feed
    rows: int = 0
    refused: int = 0
    unreadable: int = 0
    linkable: int = 0
    given: Counter[str] = field(default_factory=Counter)
    usable: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)
    holders: Counter[str] = field(default_factory=Counter)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    days: dict[str, Counter[date]] = field(default_factory=dict)
    births: Counter[str] = field(default_factory=Counter)
    ahead: Counter[str] = field(default_factory=Counter)
    _numbers: list[pl.Series] = field(default_factory=list)
    _people: list[pl.Series] = field(default_factory=list)
    _awards: list[pl.Series] = field(default_factory=list)

    @property
    def records(self) -> int:
        """Rows that would be accepted."""
        return self.rows - self.refused

    def repeated_numbers(self, shared: int) -> tuple[int, int, int]:
        """Return records with a number, how many of them repeat an earlier one's, and how many bear one that `shared`
        records or more bear.
        """
        return _repeats(self._numbers, shared)

    def repeated_people(self) -> tuple[int, int]:
        """Return records with names, date of birth and postcode, and how many of them repeat an earlier one's."""
        return _repeats(self._people, 0)[:2]

    @property
    def weekly_awards(self) -> pl.Series:
        """Weekly awards of claims in pence (Int64)."""
        return pl.concat(self._awards) if self._awards else pl.Series(dtype=pl.Int64)

    def add(self, seen: Examined, unreadable: int, extracted_on: date) -> None:
        """Count one chunk."""
        parts = seen.parts
        self.rows += seen.frame.height + seen.rejects.height + unreadable
        self.unreadable += unreadable
        self.refused += seen.rejects.height + unreadable
        for name in (name for name in seen.frame.columns if name in parts.columns):
            self.given[name] += seen.frame.select(_filled(name).sum()).item()
            self.usable[name] += parts[name].count()
        for faults in (seen.rejects, seen.dropped):
            for name, reason, count in faults.group_by("field", "reason").len().iter_rows():
                self.faults[name, reason] += count
        self._add_people(parts, seen.frame)
        for name, lists in seen.facts.items():
            self._add_facts(name, lists, extracted_on)

    def _add_people(self, parts: pl.DataFrame, frame: pl.DataFrame) -> None:
        born, name = pl.col("date_of_birth").is_not_null(), pl.col("surname").is_not_null()
        numbered = pl.any_horizontal(pl.col(*LINKED_BY).is_not_null())
        by_themselves = parts.select(numbered | (born & (name | pl.col("postcode").is_not_null()))).to_series()
        bridged = frame.select(_filled("pseudonym")).to_series() if "pseudonym" in frame.columns else False
        self.linkable += int((by_themselves | bridged).sum())
        for day, count in parts.group_by("date_of_birth").len().drop_nulls().iter_rows():
            self.births[day] += count
        self._numbers.append(parts[NUMBERS[self.feed]].drop_nulls().hash(_HASH_SEED))
        identity = parts.select("forename", "surname", "date_of_birth", "postcode").drop_nulls()
        self._people.append(identity.hash_rows(_HASH_SEED))

    def _add_facts(self, name: str, lists: pl.Series, extracted_on: date) -> None:
        self.holders[name] += int((lists.list.len() > 0).sum())
        flat = lists.explode(empty_as_null=False, keep_nulls=False).struct.unnest()
        self.facts[name] += flat.height
        for member, dtype in flat.schema.items():
            place = f"{name}.{member}"
            if dtype == pl.Date and place in HAPPENED:
                counts = self.days.setdefault(place, Counter())
                for day, count in flat.group_by(member).len().drop_nulls().iter_rows():
                    counts[day] += count
                self.ahead[place] += int((flat[member] > extracted_on).sum())
        if name == "claims":
            self._awards.append(flat["weekly_award_pence"].drop_nulls())


def _filled(name: str) -> pl.Expr:
    return (pl.col(name).cast(pl.String).str.strip_chars() != "").fill_null(False)


def _repeats(hashes: list[pl.Series], shared: int) -> tuple[int, int, int]:
    if not hashes:
        return 0, 0, 0
    counts = pl.concat(hashes).alias("hash").to_frame().group_by("hash").len()["len"]
    total = int(counts.sum())
    return total, total - counts.len(), int(counts.filter(counts >= shared).sum())
