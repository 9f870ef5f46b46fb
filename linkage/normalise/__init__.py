"""Normalisers: what a field is brought to before it is hashed, by name and version, whole columns at a time.

An agreement maps each field to one of `NORMALISERS`. A rule never changes under its name: another behaviour is another
version, since one differing character makes another token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from linkage.normalise import codes, dates, names, places
from linkage.normalise.reasons import EXPLAINED, FieldReason

__all__ = ["EXPLAINED", "NORMALISERS", "FieldReason", "Rules", "normalise"]


@dataclass(frozen=True)
class Rules:
    """What normalising depends on besides the value: the agreement's stance on test identifiers, the last possible
    day."""

    accept_test_identifiers: bool
    latest: date


Normaliser = Callable[[pl.Series, Rules], pl.DataFrame]
"""From a String column without blanks to columns `value`, `value_<part>` for what else it yields, and `reason`.

`reason` says why the value is missing though the input is not (null: it is not missing).
"""


def _date(raw: pl.Series, rules: Rules) -> pl.DataFrame:
    parsed = dates.parse(raw, rules.latest)
    parts = {part: f"value_{part}" for part in ("swapped", "year", "month", "day")}
    return parsed.rename({"date": "value", **parts})


NORMALISERS: Final[dict[str, Normaliser]] = {
    "forename/1": lambda raw, _rules: names.forename(raw),
    "surname/1": lambda raw, _rules: names.surname(raw),
    "date/1": _date,
    "sex/1": lambda raw, _rules: codes.sex(raw),
    "postcode/1": lambda raw, _rules: places.postcode(raw),
    "address/1": lambda raw, _rules: places.address(raw),
    "uprn/1": lambda raw, _rules: places.uprn(raw),
    "nhs_number/1": lambda raw, rules: codes.nhs_number(raw, accept_test=rules.accept_test_identifiers),
    "pseudonym/1": lambda raw, _rules: codes.pseudonym(raw),
    "nino/1": lambda raw, rules: codes.nino(raw, accept_test=rules.accept_test_identifiers),
}
"""Every rule by the name that an agreement uses."""


def normalise(values: pl.Series, rule: str, rules: Rules) -> pl.DataFrame:
    """Apply one named rule to a String column: columns `value` (null: missing), `value_<part>` for each part, `reason`.

    Blank and absent values are missing without a reason. Meant for distinct values: the caller joins them back.
    """
    bare = values.str.strip_chars()
    bare = bare.set(bare == "", None)
    table = NORMALISERS[rule](bare, rules)
    return table.with_columns(pl.when(pl.lit(bare.is_not_null())).then("reason").alias("reason"))
