"""Tables of a layout: what its files must have, may have, and hold that must not leave."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from linkage.layouts.mapped import Mapped

ROW: Final = "row"
"""Column that numbers the rows of a table's file from 1, the header not counted (Int64)."""

_WITHHELD: Final = re.compile(
    r"(^|[ _])(name|forename|surname|title|address|postcode|uprn|nhs|nino|birth|dob|phone|telephone|mobile|e?mail|"
    r"bank|account|landlord|next of kin|text|notes?|comments?|photo|image|time|same_at_birth)([ _]|$)"
)
"""What the names of columns that must never leave a controller are made of: names and numbers of people, addresses,
contacts, bank details, free text, pictures, times of day, and what would let a gender history be inferred.
"""


@dataclass(frozen=True)
class Table:
    """One table: `name` is its file's, without ending. It must have the `needed` columns, may have the `known` ones,
    and nothing else of it is read. An `optional` table may be absent: what it would hold is then unknown.
    """

    name: str
    needed: tuple[str, ...]
    known: tuple[str, ...] = ()
    optional: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read."""
        return (*self.needed, *self.known)


ClearRows = Callable[[Mapping[str, pl.DataFrame], date], Mapped]
"""From the tables that are there, by name, and the day of the extract, to clear rows.

A frame has all of its table's columns (String, null where the file lacks one) and `ROW`.
"""


def withheld(header: tuple[str, ...], read: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of a header that are not read and hold what must not leave, to be counted."""
    return tuple(name for name in header if name not in read and _WITHHELD.search(name.lower()))
