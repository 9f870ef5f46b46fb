"""What the linkage zone's own pairs say of its links: precision and recall, by source and at other thresholds.

It has probabilities, sources and what the fit reckoned, and nobody's attributes: subgroups of people are not known
here, and who is in a pair is never told. Shares alone leave this module, and ratios to the full per cent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import Any, Final, Self

import polars as pl

from linkage.quality.estimate import FEWEST_LINKS, Errors, precision, recall
from linkage.quality.groups import BEYOND_SPREAD, KIND_BITS, MODEL_BITS, errors_of
from linkage.quality.refit import training_matches
from linkage.quality.thresholds import GRID, LOOSE, STRICT
from schemas.contracts.base import Feed
from schemas.decision import Decision
from schemas.disclosure import DisclosurePolicy
from schemas.model import MatchModel, parse_model
from schemas.quality import Estimate, Spread
from services.registry import Registry


@dataclass(frozen=True)
class Share:
    """An estimated share and its 95 % interval; None where there is none."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


NOT_ESTIMABLE: Final = Share()

FEWEST_IN_GROUP: Final = 1_000
"""People of a group whose link rate is told: to the full per cent, so that no rate says more than ten people would."""


@dataclass(frozen=True)
class AtThreshold:
    """What links between the feeds would be at another threshold; `links_ratio` sets their number against now."""

    name: str
    link_probability: float
    links_ratio: float | None
    precision: Share
    recall: Share


@dataclass(frozen=True)
class Linkage:
    """What the linkage zone knows of the links as they are: nothing of anybody's attributes.

    `feeds` and `subjects` are by source; `certainty` has `source, links, true, swing` of subjects in links, by their
    weakest one; `sums` are the stored pairs between the feeds, as `ResolverRegistry.match_sums` with `levels`.
    """

    feeds: dict[str, str]
    subjects: Mapping[str, int]
    certainty: pl.DataFrame
    sums: pl.DataFrame
    levels: tuple[float, ...]
    model: MatchModel | None
    fewest: int

    @classmethod
    def read(cls, registry: Registry, policy: DisclosurePolicy, subjects: Mapping[str, int]) -> Self:
        """Read it from the registry."""
        feeds = {row.source: row.feed for row in registry.ingest.streams()}
        active = registry.matcher.active_model()
        model = None if active is None else parse_model(active[1])
        levels = () if model is None else tuple(sorted({STRICT, LOOSE, *GRID, model.policy.link_probability}))
        p = pl.col("link_probability")
        return cls(
            feeds=feeds,
            subjects=subjects,
            certainty=registry.resolver.persons()
            .drop_nulls("link_probability")
            .group_by("source")
            .agg(pl.len().alias("links"), p.sum().alias("true"), (p * (1 - p)).sum().alias("swing")),
            sums=between_feeds(registry.resolver.match_sums(levels), feeds),
            levels=levels,
            model=model if model is not None and training_matches(model) > 0 else None,
            fewest=policy.min_contributors,
        )

    def sources(self, feed: Feed) -> frozenset[str]:
        """Return the sources of a feed."""
        return frozenset(source for source, of in self.feeds.items() if of == feed.value)

    def of(self, sources: frozenset[str], feed: Feed | None) -> dict[str, Any]:
        """Return what is estimated of some sources: of a feed as a whole, recall is that of all links between feeds."""
        between = self.sums
        if feed is None:
            between = between.filter(pl.col("left_source").is_in(sources) | pl.col("right_source").is_in(sources))
        return {
            "precision": self._precision(sources),
            "recall": NOT_ESTIMABLE if self.model is None else recall_of(between, self.model),
            "unlinkable_rate": self._unlinkable(sources),
        }

    def thresholds(self) -> tuple[AtThreshold, ...]:
        """Return what the links between the feeds would be at other thresholds (`linkage.quality.thresholds`)."""
        if self.model is None or recall_of(self.sums, self.model).value is None:
            return ()
        default = self.model.policy.link_probability
        names = {STRICT: "strict", LOOSE: "loose", default: "default"}
        now = _total(self.sums.filter(_LINKED), "pairs")
        told = []
        for number, probability in enumerate(self.levels, start=1):
            reaches = pl.col("reached") >= number
            linked = _LINKED
            if probability > default:
                linked = _LINKED & reaches
            elif probability < default:
                linked = _LINKED | (reaches & ~pl.col("guarded"))
            errors = _errors(self.sums, linked, self.model)
            links = _total(self.sums.filter(linked), "pairs")
            told.append(
                AtThreshold(
                    name=names.get(probability, ""),
                    link_probability=probability,
                    links_ratio=round(links / now, 2) if now >= FEWEST_IN_GROUP else None,
                    precision=_share(precision(errors)),
                    recall=_share(recall(errors)),
                )
            )
        return tuple(told)

    def _precision(self, sources: frozenset[str]) -> Share:
        """Return the mean over linked subjects of their weakest link's probability, left out where fewer are linked
        than a mean needs. An interval needs a model that was fitted, and links enough.
        """
        theirs = self.certainty.filter(pl.col("source").is_in(sources))
        links, true = int(_total(theirs, "links")), _total(theirs, "true")
        if links < max(self.fewest, 1):
            return NOT_ESTIMABLE
        if self.model is None or links < FEWEST_LINKS:
            return Share(round(true / links, 3))
        swing, made = _total(theirs, "swing"), self.sums.filter(_LINKED)
        # Weakest links are not known by pattern; they are taken to be of patterns as the links between feeds are.
        alike = _by_kind(made) / _total(made, "swing") if _total(made, "swing") else 1.0
        tally = {
            "links": links,
            "false": links - true,
            "false_swing": swing,
            "false_by_kind": alike * swing,
            **_NOTHING_MISSED,
        }
        return _share(precision(errors_of(tally, _SPREAD)))

    def _unlinkable(self, sources: frozenset[str]) -> float | None:
        """Return the share of subjects that nobody could be linked with, to the full per cent; as a fit found it."""
        rates = {} if self.model is None or self.model.report is None else self.model.report.unlinkable
        held = {source: self.subjects.get(source, 0) for source in sources}
        everybody = sum(held.values())
        if everybody < FEWEST_IN_GROUP or any(held[source] and source not in rates for source in held):
            return None
        return round(sum(rates[source] * number for source, number in held.items() if number) / everybody, 2)


_LINKED: Final = pl.col("decision") == Decision.LINK.value


def between_feeds(sums: pl.DataFrame, feeds: Mapping[str, str]) -> pl.DataFrame:
    """Return the sums of pairs whose subjects are of two feeds."""
    left, right = (
        pl.col(side).replace_strict(feeds, default=None, return_dtype=pl.String)
        for side in ("left_source", "right_source")
    )
    return sums.filter(left.ne_missing(right))


def recall_of(between: pl.DataFrame, model: MatchModel) -> Share:
    """Return the recall of links: from the stored pairs, and what the fit reckons is never emitted.

    Nothing of sources that the model was not fitted to.
    """
    report = model.report
    fitted = set() if report is None else {frozenset((e.left_source, e.right_source)) for e in report.expected}
    seen = {frozenset(pair) for pair in between.select("left_source", "right_source").rows()}
    if report is None or report.unemitted is None or seen - fitted:
        return NOT_ESTIMABLE
    return _share(recall(_errors(between, _LINKED, model)))


def _errors(between: pl.DataFrame, linked: pl.Expr, model: MatchModel) -> Errors:
    """Return the errors of taking these pairs for links, of a model whose report tells what is never emitted."""
    unemitted = 0.0 if model.report is None else model.report.unemitted or 0.0
    never = _total(between, "probability") * unemitted / (1 - unemitted)
    never_spread = 1.0 if model.report is None else model.report.unemitted_spread
    made, apart = between.filter(linked), between.filter(~linked)
    tally = {
        "links": _total(made, "pairs"),
        "false": _total(made, "pairs") - _total(made, "probability"),
        "false_swing": _total(made, "swing"),
        "false_by_kind": _by_kind(made),
        "missed": _total(apart, "probability") + never,
        "missed_swing": _total(apart, "swing"),
        "missed_by_kind": _by_kind(apart),
        "beyond": never,
        "beyond_swing": never * never_spread,
        "sparse_swing": 0.0,
    }
    return errors_of(tally, _SPREAD)


def _by_kind(sums: pl.DataFrame) -> float:
    """Return the root of the sum of squares of patterns' swing (`linkage.quality.evidence.Evidence.by_kind`)."""
    by_pattern = sums.group_by("pattern").agg(pl.col("swing").sum())["swing"]
    return sqrt(float((by_pattern**2).sum()))


def _total(frame: pl.DataFrame, column: str) -> float:
    return float(frame[column].sum())


_SPREAD: Final = Spread(
    refit_false=0.0, refit_missed=0.0, model_bits=MODEL_BITS, kind_bits=KIND_BITS, beyond=BEYOND_SPREAD
)
"""The service keeps no sample to refit on: what a refit would add is small beside the model's own error
(`linkage/decisions/0050`)."""


_NOTHING_MISSED: Final = dict.fromkeys(
    ("missed", "missed_swing", "missed_by_kind", "beyond", "beyond_swing", "sparse_swing"), 0.0
)


def _share(estimate: Estimate) -> Share:
    """Return an estimate to three decimals, its interval outward."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return NOT_ESTIMABLE
    return Share(round(estimate.value, 3), floor(estimate.low * 1000) / 1000, ceil(estimate.high * 1000) / 1000)
