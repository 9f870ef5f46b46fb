"""Facts of one kind, gathered piece by piece and then listed by record.

A fact has an owner (a row number of whoever the source writes about) and the columns of its contract under the clear
file's names. Nothing is kept that happens before its owner's birth, after their death, or after the extract.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final, get_args

import numpy as np
import polars as pl

from linkage.synthesise.chance import Flags, Ints
from linkage.synthesise.listing import element, nested
from schemas.contracts.base import Contract

CLEAR_NAMES: Final = {
    "claim_ref": "claim_reference",
    "account_ref": "account_reference",
    "case_ref": "case_reference",
}
"""Field of a contract -> its name in a clear file, where pseudonymisation keys it."""

NEVER: Final = -1_000_000
"""The day of what did not happen: missing."""


def days(values: Ints) -> pl.Series:
    """Return days since 1970 as dates, `NEVER` as missing."""
    dates = pl.Series(values).cast(pl.Int32).cast(pl.Date)
    return dates.set(pl.Series(values == NEVER), None)


def codes(choices: tuple[StrEnum, ...] | tuple[str, ...], index: Ints) -> pl.Series:
    """Return the code that each index chooses."""
    return pl.Series([str(choice) for choice in choices], dtype=pl.String).gather(index)


@dataclass(frozen=True)
class Spans:
    """From when to when each owner's facts can lie: days since 1970, both included, and whose end is a death."""

    first: Ints
    last: Ints
    dead: Flags

    def of(self, rows: Ints) -> Spans:
        """Return the spans of some owners, in that order."""
        return Spans(self.first[rows], self.last[rows], self.dead[rows])


@dataclass
class Facts:
    """Facts of one contract. The contract's first date places a fact in time and must be given to `add`."""

    contract: type[Contract]
    spans: Spans
    _owners: list[Ints] = field(default_factory=list)
    _parts: list[pl.DataFrame] = field(default_factory=list)

    def add(self, owner: Ints, **columns: Any) -> None:
        """Add a fact for each of `owner`; a column is one value for all, an array, or a Series.

        Dates are days since 1970 (`NEVER`: missing). A later date of a fact (an end) that the extract cannot know yet
        is missing, or the death's day for the dead.
        """
        first, *others = self._dates()
        start = np.broadcast_to(np.asarray(columns[first], dtype=np.int64), owner.shape)
        kept = np.flatnonzero((start >= self.spans.first[owner]) & (start <= self.spans.last[owner]))
        owner = owner[kept]
        given: dict[str, pl.Series | pl.Expr] = {first: days(start[kept])}
        for name, value in columns.items():
            if name == first:
                continue
            taken = _taken(value, kept)
            if name in others and isinstance(taken, np.ndarray):
                given[name] = days(self._ended(owner, taken, required=self._required(name)))
            elif isinstance(taken, np.ndarray):
                given[name] = pl.Series(taken)
            elif isinstance(taken, pl.Series):
                given[name] = taken
            else:
                given[name] = pl.lit(None if taken is None else str(taken) if isinstance(taken, StrEnum) else taken)
        self._owners.append(owner)
        schema = self.schema
        frame = pl.select(given[first].alias(first)) if isinstance(given[first], pl.Series) else pl.DataFrame()
        self._parts.append(
            frame.with_columns(
                (value if isinstance(value, pl.Expr) else pl.lit(value)).cast(schema[name]).alias(name)
                for name, value in given.items()
            )
        )

    def listed(self, name: str, at: Ints, count: int) -> pl.Series:
        """Return the list column of `count` records, in order of time; `at` is each owner's record, -1 for none."""
        if not self._owners:
            return nested(name, np.zeros(0, dtype=np.int64), self.schema.to_frame(), count, self.schema)
        owner = at[np.concatenate(self._owners)]
        frame = pl.concat(self._parts, how="diagonal")
        first = self._dates()[0]
        order = np.lexsort((frame[first].to_physical().to_numpy(), owner))
        order = order[owner[order] >= 0]
        return nested(name, owner[order], frame[order], count, self.schema)

    @property
    def owners(self) -> Ints:
        """The owners of all facts, again and again."""
        return np.concatenate([np.zeros(0, dtype=np.int64), *self._owners])

    @property
    def schema(self) -> pl.Schema:
        """The fields of one fact under the clear file's names."""
        return element(self.contract, CLEAR_NAMES)

    def _dates(self) -> list[str]:
        fields: Mapping[str, Any] = self.contract.model_fields
        return [name for name, info in fields.items() if info.annotation is date or date in get_args(info.annotation)]

    def _required(self, name: str) -> bool:
        return self.contract.model_fields[name].is_required()

    def _ended(self, owner: Ints, end: Ints, *, required: bool) -> Ints:
        last = self.spans.last[owner]
        late = np.where(self.spans.dead[owner], last, end if required else NEVER)
        return np.where(end > last, late, end)


def _taken(value: Any, kept: Ints) -> Any:
    if isinstance(value, np.ndarray):
        return value[kept]
    return value.gather(kept) if isinstance(value, pl.Series) else value
