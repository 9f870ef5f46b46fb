"""Normalisers: what a field is brought to before it is hashed, by name and version, whole columns at a time.

An agreement maps each field to one of `NORMALISERS`. A rule never changes under its name: another behaviour is another
version, since one differing character makes another token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

import polars as pl

from linkage.normalise import codes, dates, names, places
from linkage.normalise.reasons import EXPLAINED, FieldReason

__all__ = ["EXPLAINED", "NORMALISERS", "FieldReason", "Normalised", "Rules", "normalise"]


@dataclass(frozen=True)
class Rules:
    """What normalising depends on besides the value: the agreement's stance on test identifiers, the last possible
    day."""

    accept_test_identifiers: bool
    latest: date


class Normalised(NamedTuple):
    """A field's parts by the name of the suffix they add to the field, and why it was dropped (null: it was not).

    The part named `""` is the field itself.
    """

    parts: dict[str, pl.Expr]
    reason: pl.Expr


Normaliser = Callable[[pl.Expr, Rules], Normalised]


def _whole(value_and_reason: tuple[pl.Expr, pl.Expr]) -> Normalised:
    value, reason = value_and_reason
    return Normalised({"": value}, reason)


def _postcode(raw: pl.Expr, _rules: Rules) -> Normalised:
    value, reason = places.postcode(raw)
    return Normalised({"": value, "district": places.outcode(value)}, reason)


def _address(raw: pl.Expr, _rules: Rules) -> Normalised:
    value, reason = places.address(raw)
    return Normalised({"": places.sorted_words(value), "words": value}, reason)


def _date(raw: pl.Expr, rules: Rules) -> Normalised:
    parts, reason = dates.parts(raw, rules.latest)
    return Normalised({"" if name == "date" else name: part for name, part in parts.items()}, reason)


def _name(rule: Callable[[pl.Expr], tuple[pl.Expr, pl.Expr]]) -> Normaliser:
    def apply(raw: pl.Expr, _rules: Rules) -> Normalised:
        words, reason = rule(raw)
        return Normalised({"": names.compact(words), "words": words}, reason)

    return apply


NORMALISERS: Final[dict[str, Normaliser]] = {
    "forename/1": _name(names.forename),
    "surname/1": _name(names.surname),
    "date/1": _date,
    "sex/1": lambda raw, _rules: _whole(codes.sex(raw)),
    "postcode/1": _postcode,
    "address/1": _address,
    "uprn/1": lambda raw, _rules: _whole(places.uprn(raw)),
    "nhs_number/1": lambda raw, rules: _whole(codes.nhs_number(raw, accept_test=rules.accept_test_identifiers)),
    "nino/1": lambda raw, rules: _whole(codes.nino(raw, accept_test=rules.accept_test_identifiers)),
}
"""Every rule by the name that an agreement uses."""


def normalise(values: pl.Series, rule: str, rules: Rules) -> pl.DataFrame:
    """Apply one named rule to a String column: columns `value` (null: missing), `value_<part>` for each part, `reason`.

    Blank and absent values are missing without a reason. Meant for distinct values: the caller joins them back.
    """
    blankless = values.alias("raw").str.strip_chars()
    frame = blankless.set(blankless == "", None).to_frame()
    parts, reason = NORMALISERS[rule](pl.col("raw"), rules)
    columns = {"value" if name == "" else f"value_{name}": part for name, part in parts.items()}
    return frame.select(
        *(part.alias(name) for name, part in columns.items()),
        pl.when(pl.col("raw").is_not_null()).then(reason).alias("reason"),
    )
