"""Disclosure control: what may be said of a count, a table, a row, and of one answer after another. Pure and
deterministic.

`counts`: one number with its denominator. `tables`: cells and margins together. `differencing`: an answer against
those before it. `anonymity`: rows that share their quasi-identifiers with enough others. What is small is a
`CountRule`'s to say.
"""

from __future__ import annotations

from linkage.disclosure.anonymity import Anonymised, k_anonymise
from linkage.disclosure.counts import release_count, release_percent
from linkage.disclosure.differencing import Release, conflicts
from linkage.disclosure.tables import ReleasedTable, release_table

__all__ = [
    "Anonymised",
    "Release",
    "ReleasedTable",
    "conflicts",
    "k_anonymise",
    "release_count",
    "release_percent",
    "release_table",
]
