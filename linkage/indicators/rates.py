"""Rates from released counts: crude, and indirectly standardised for age and sex. Nothing here sees an exact count.

Rates are of people (those with at least one event), not of events. Because every count is rounded before it comes here,
a rate can be off by the rounding of its two counts, and its interval says nothing of that.

Methods: Wilson's interval for a share; for a standardised ratio Byar's approximation of the exact Poisson interval of
the observed count (Breslow and Day 1987, volume II, p. 69), both at 95 %, as public health profiles for England use.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from schemas.disclosure import shipped_policy

PER: Final = 1_000
"""Rates are per so many people."""
Z_95: Final = 1.959964
LEAST_PLACED_SHARE: Final = 0.98
"""Share of an area's people who must stand in released strata, or nothing is standardised there: ours."""

RATES: Final = {
    "people": pl.Int64,
    "of": pl.Int64,
    "rate_per_1000": pl.Float64,
    "lcl": pl.Float64,
    "ucl": pl.Float64,
}
RATIOS: Final = {
    "observed": pl.Int64,
    "expected": pl.Float64,
    "ratio": pl.Float64,
    "lcl": pl.Float64,
    "ucl": pl.Float64,
    "rate_per_1000": pl.Float64,
}


def crude_rates(people: pl.DataFrame, of: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return `by` and the columns of `RATES` for each cell of two released tables (`by`, `count`); null is withheld.

    `people` counts some of those that `of` counts. Where one of the two is withheld, so is the rate.
    """
    joined = of.select(*by, of="count").join(people.select(*by, people="count"), on=list(by), how="left")
    rows = [
        (people_count, of_count, *_share(people_count, of_count))
        for people_count, of_count in joined.select("people", "of").iter_rows()
    ]
    return pl.concat(
        [joined.select(by), pl.DataFrame(rows, schema=RATES, orient="row")],
        how="horizontal",
    )


def standardised_ratios(
    observed: Mapping[str, int | None], strata: pl.DataFrame, standard: pl.DataFrame
) -> pl.DataFrame:
    """Return `area` and the columns of `RATIOS`: observed people over those expected at the standard's rates.

    `observed` is each area's released count; `strata` has `area, stratum, count` of people at risk, `standard` has
    `stratum, people, of` of the named standard; a null is withheld. The rate is the ratio times the standard's crude
    rate. Nothing is told of an area where too few people stand in strata that both tell.
    """
    told = standard.drop_nulls().filter(pl.col("of") > 0)
    rates = {str(stratum): people / of for stratum, people, of in told.select("stratum", "people", "of").iter_rows()}
    overall = int(told["people"].sum()) / max(int(told["of"].sum()), 1)
    rows = []
    for (area,), own in strata.group_by("area", maintain_order=True):
        cells = [(count, rates.get(stratum)) for stratum, count in own.select("stratum", "count").iter_rows()]
        placed = [(count, rate) for count, rate in cells if count is not None and rate is not None]
        everybody = sum(_MOST_WITHHELD if count is None else count for count, _ in cells)
        expected = sum(count * rate for count, rate in placed)
        at_risk = sum(count for count, _ in placed)
        count = observed.get(str(area))
        enough = at_risk > 0 and at_risk >= LEAST_PLACED_SHARE * everybody
        rows.append((area, count, *(_ratio(count, expected, overall) if count is not None and enough else _NOTHING)))
    return pl.DataFrame(rows, schema={"area": pl.String, **RATIOS}, orient="row")


_MOST_WITHHELD: Final = max(rule.suppress_up_to for rule in shipped_policy().rules.values())
_NOTHING: Final = (None,) * 5


def _ratio(count: int, expected: float, overall: float) -> tuple[float | None, ...]:
    """Return expected, ratio, its limits and the rate; nothing where nobody is expected."""
    if not expected:
        return _NOTHING
    low, high = _byar(count)
    ratio, lcl, ucl = count / expected, low / expected, high / expected
    return round(expected, 1), round(ratio, 3), round(lcl, 3), round(ucl, 3), round(PER * ratio * overall, 2)


def _share(people: int | None, of: int | None) -> tuple[float | None, float | None, float | None]:
    """Return people per thousand with the limits of Wilson's interval; rounding may make more people than there are."""
    if people is None or not of:
        return None, None, None
    share = min(people / of, 1.0)
    spread = Z_95**2 / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return round(PER * share, 2), round(PER * max(0.0, middle - half), 2), round(PER * min(1.0, middle + half), 2)


def _byar(count: int) -> tuple[float, float]:
    """Return the 95 % limits of a Poisson count's mean."""
    low = count * (1 - 1 / (9 * count) - Z_95 / (3 * math.sqrt(count))) ** 3 if count else 0.0
    more = count + 1
    return low, more * (1 - 1 / (9 * more) + Z_95 / (3 * math.sqrt(more))) ** 3
