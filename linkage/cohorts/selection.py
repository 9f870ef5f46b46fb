"""Which people a question means: a cohort's document, a filter of the caller's, or both."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from linkage.cohorts.nodes import Constant, Node, every, expression, features_in, some, text
from linkage.cohorts.parse import parse_filter
from schemas.cohorts import CohortDefinition
from schemas.features import FeatureDefinition


@dataclass(frozen=True)
class Rows:
    """A selection over one feature table, as Boolean Series of its height without nulls, apart from each other.

    `inside`: the denominator. Of those, `members` hold the filter and for `unknown` it cannot be told.
    """

    inside: pl.Series
    members: pl.Series
    unknown: pl.Series


@dataclass(frozen=True)
class Selection:
    """People meant by a question. `members` are counted among `denominator`; `excluded` are in neither."""

    members: Node
    denominator: Node
    excluded: Node

    @property
    def features(self) -> tuple[FeatureDefinition, ...]:
        """Return every feature in play, by name, each once: they decide permission and the disclosure rule."""
        nodes = (self.members, self.denominator, self.excluded)
        found = {feature.name: feature for node in nodes for feature in features_in(node)}
        return tuple(found[name] for name in sorted(found))

    @property
    def canonical(self) -> dict[str, str]:
        """Return the three filters in canonical text; `parse_filter` reads them again."""
        return {"members": text(self.members), "denominator": text(self.denominator), "excluded": text(self.excluded)}

    @classmethod
    def from_canonical(cls, canonical: dict[str, str]) -> Selection:
        """Return the selection that `canonical` came from."""
        return cls(*(parse_filter(canonical[name]) for name in ("members", "denominator", "excluded")))

    def rows(self, features: pl.DataFrame) -> Rows:
        """Return who is meant. A person for whom a filter is unknown is no member, and no negative either."""
        answers = features.with_columns(
            expression(self.denominator).fill_null(False).alias("_inside"),
            expression(self.excluded).fill_null(False).alias("_excluded"),
            expression(self.members).alias("_member"),
        ).select(pl.col("_inside") & ~pl.col("_excluded"), "_member")
        inside, member = answers["_inside"], answers["_member"]
        return Rows(inside, inside & member.fill_null(False), inside & member.is_null())


def select(cohort: CohortDefinition | None, filter_text: str = "") -> Selection:
    """Return the selection of a cohort, of a filter, or of both together; of neither, everybody.

    The filter narrows the cohort and leaves its denominator as it is. Raises what `parse_filter` raises.
    """
    own = parse_filter(filter_text)
    if cohort is None:
        return Selection(own, Constant(True), Constant(False))
    return Selection(
        every([parse_filter(cohort.filter), own]),
        parse_filter(cohort.denominator),
        some([parse_filter(exclusion.filter) for exclusion in cohort.exclusions]),
    )
