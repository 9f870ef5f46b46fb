"""Bridges: from a data set's own pseudonyms to those of the hub domain, which the agreement names.

National data sets each have their own person pseudonym, with a bridging table that its publisher keeps. At the
controller that holds both, each pseudonym is exchanged for the hub's before it is keyed: what leaves is a token of the
hub's domain or none, so that two data sets' own pseudonyms are never compared with each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from linkage.normalise import FieldReason, Rules, normalise

COLUMNS: Final = ("pseudonym", "hub_pseudonym")
"""What a bridge must have; `DOMAIN_COLUMNS` say, where they are there, which domains a row is of."""

DOMAIN_COLUMNS: Final = ("domain", "hub_domain")


@dataclass(frozen=True)
class Bridge:
    """One domain's way to the hub: `table` has `pseudonym` (each once, as normalised) and `hub_pseudonym`, null where
    the bridge leads to several. `ambiguous` counts those, `unusable` the rows that lack or misspell either side.
    """

    table: pl.DataFrame
    ambiguous: int
    unusable: int


def bridge_of(frame: pl.DataFrame, domain: str, hub: str, rule: str, rules: Rules) -> Bridge:
    """Return the bridge in a frame of `COLUMNS` (String), of which only rows of these two domains count.

    `rule` names the normaliser that both sides are brought to. Several pseudonyms may lead to one hub pseudonym, as of
    somebody registered twice; one that leads to several is nobody's.
    """
    wanted = {"domain": domain, "hub_domain": hub}
    for name in set(DOMAIN_COLUMNS) & set(frame.columns):
        frame = frame.filter(pl.col(name).str.strip_chars() == wanted[name])
    both = pl.DataFrame({name: normalise(frame[name], rule, rules)["value"] for name in COLUMNS})
    usable = both.drop_nulls()
    ways = usable.group_by("pseudonym").agg(pl.col("hub_pseudonym").n_unique().alias("ways"), pl.first("hub_pseudonym"))
    clear = pl.when(pl.col("ways") == 1).then("hub_pseudonym")
    return Bridge(
        ways.select("pseudonym", hub_pseudonym=clear),
        int((ways["ways"] > 1).sum()),
        both.height - usable.height,
    )


def bridged(values: pl.Series, bridge: Bridge, rule: str, rules: Rules) -> tuple[pl.Series, pl.Series]:
    """Return (hub pseudonyms, why there is none) of a String column of the bridge's domain, in its order.

    A reason is a `FieldReason` or null; a missing value stays missing without one.
    """
    given = normalise(values, rule, rules)
    met = given.rename({"value": "pseudonym"}).join(
        bridge.table.with_columns(known=True), on="pseudonym", how="left", maintain_order="left"
    )
    reason = (
        pl.when(pl.col("reason").is_not_null() | pl.col("pseudonym").is_null())
        .then("reason")
        .when(pl.col("known").is_null())
        .then(pl.lit(FieldReason.NOT_BRIDGED.value))
        .when(pl.col("hub_pseudonym").is_null())
        .then(pl.lit(FieldReason.AMBIGUOUS.value))
    )
    found = met.select(pl.col("hub_pseudonym").alias(values.name), reason.alias("reason"))
    return found[values.name], found["reason"]
