"""Fair share: what part of a sum goes to whom by head count, and by need as a named component weights it.

Method: NHS England's allocations tool publishes each practice's population and its population weighted by each
component of need. A place's index is its weighted population a head over the whole's: above 1, it needs more than its
head count says. Which component is meant decides the answer, so that every result names it.

Populations are exact decimals and sums are exact; a share or an index is the quotient of two sums, rounded half up to
`SHARE_PLACES`. Money is divided in whole pence by largest remainders: the parts always add up to the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Final

import polars as pl

from linkage.reference.kinds import COMPONENTS
from schemas.errors import InputError, Reason

HEAD_COUNT: Final = "head_count"
BASES: Final = (HEAD_COUNT, *COMPONENTS)
"""What a sum may be divided by: people, or one component's weighted population."""
SHARE_PLACES: Final = 6
_PRECISION: Final = 50

COLUMNS: Final = pl.Schema(
    {
        "area": pl.String(),
        "component": pl.String(),
        "practices": pl.UInt32(),
        "population": pl.Decimal(38, 9),
        "weighted_population": pl.Decimal(38, 9),
        "head_count_share": pl.Decimal(20, SHARE_PLACES),
        "weighted_share": pl.Decimal(20, SHARE_PLACES),
        "index": pl.Decimal(20, SHARE_PLACES),
    }
)


def fair_share(practices: pl.DataFrame, by: str, components: Sequence[str] = tuple(COMPONENTS)) -> pl.DataFrame:
    """Return one row an area and component with `COLUMNS`; areas by name, those without one (null) last.

    `practices` is one row a practice of the whole that is shared: the table `weighted-populations` with a column `by`
    (a network's code, a place). Shares are of all practices, also those without an area.
    Raises InputError OPTION_INVALID for a component that there is not, FILE_EMPTY without any population.
    """
    for component in components:
        if component not in COMPONENTS:
            raise InputError(
                Reason.OPTION_INVALID, f"There is no such component of need; there are: {', '.join(COMPONENTS)}."
            )
    whole = {name: _total(practices[name]) for name in ("population", *components)}
    if not all(whole.values()):
        raise InputError(Reason.FILE_EMPTY, "There are no practices with a population to share by; import them first.")
    areas = practices.group_by(pl.col(by).alias("area")).agg(
        pl.len().alias("practices"), pl.col("population", *components).cast(pl.Decimal(38, 9)).sum()
    )
    rows = []
    for area in areas.sort("area", nulls_last=True).iter_rows(named=True):
        for component in components:
            population, weighted = area["population"], area[component]
            rows.append(
                {
                    "area": area["area"],
                    "component": component,
                    "practices": area["practices"],
                    "population": population,
                    "weighted_population": weighted,
                    "head_count_share": _quotient(population, whole["population"]),
                    "weighted_share": _quotient(weighted, whole[component]),
                    "index": _index(weighted, population, whole[component], whole["population"]),
                }
            )
    return pl.DataFrame(rows, schema=COLUMNS)


def allocation(shares: pl.DataFrame, amount_pence: int, basis: str) -> pl.DataFrame:
    """Return `area, basis, amount_pence`: a sum divided among the areas of `fair_share` by head count or a component.

    By largest remainders (Hamilton's method); of equal remainders the first area's. Raises InputError OPTION_INVALID
    for a basis that the shares do not hold or a negative sum.
    """
    component = str(shares["component"][0]) if basis == HEAD_COUNT and len(shares) else basis
    held = shares.filter(pl.col("component") == component)
    if held.is_empty() or amount_pence < 0:
        raise InputError(
            Reason.OPTION_INVALID, "Divide a sum of zero or more pence by head_count or by a component of the shares."
        )
    weights = held["population" if basis == HEAD_COUNT else "weighted_population"].to_list()
    return held.select(
        "area",
        pl.lit(basis).alias("basis"),
        pl.Series("amount_pence", _divided(amount_pence, [Fraction(weight) for weight in weights]), dtype=pl.Int64),
    )


def _divided(amount_pence: int, weights: list[Fraction]) -> list[int]:
    total = sum(weights)
    exact = [amount_pence * weight / total for weight in weights]
    parts = [int(part) for part in exact]
    order = sorted(range(len(parts)), key=lambda at: (parts[at] - exact[at], at))
    for at in order[: amount_pence - sum(parts)]:
        parts[at] += 1
    return parts


def _total(column: pl.Series) -> Decimal:
    return Decimal(column.cast(pl.Decimal(38, 9)).sum() or 0)


def _quotient(part: Decimal, whole: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = _PRECISION
        return (part / whole).quantize(Decimal(1).scaleb(-SHARE_PLACES), ROUND_HALF_UP)


def _index(weighted: Decimal, population: Decimal, of_weighted: Decimal, of_population: Decimal) -> Decimal | None:
    """Return weighted population a head, over the whole's; None of an area without people."""
    if not population:
        return None
    with localcontext() as context:
        context.prec = _PRECISION
        return _quotient(weighted * of_population, population * of_weighted)
