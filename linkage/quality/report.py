"""The quality report put together from its parts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from linkage.quality.checks import guards, implausible, reviews
from linkage.quality.estimate import precision, recall
from linkage.quality.evidence import Census, Evidence
from linkage.quality.expected import Expected, expected, expected_persons
from linkage.quality.groups import (
    BEYOND_SPREAD,
    KIND_BITS,
    MODEL_BITS,
    SUMS,
    UNMET,
    by_group,
    by_source,
    errors_of,
    tallied,
)
from linkage.quality.refit import refit_spread, training_matches
from linkage.quality.thresholds import grades, thresholds
from schemas.model import MatchModel
from schemas.quality import Accuracy, Estimate, KeyCheck, NotEstimable, QualityReport, Spread

WIDEST_PRIOR_BITS = 3.0
"""Width of a prior's 95 % interval from which the number of matches counts as unknown: a factor of eight."""

MOST_SWING = 0.1
"""Pairs that could be either, as a share of the links, beyond which the model does not tell the two apart well enough
to judge itself: at an overlap of 5 % it may be wrong by a factor of three (`decisions/0050`)."""

VARIABLES = ("age_band", "sex", "ethnic_group", "deprivation", "authority", "tenure", "benefit", "household")
"""Attributes by which subgroups are told; others serve checks only."""


def quality_report(
    census: Census,
    links: pl.DataFrame,
    labels: pl.DataFrame,
    model: MatchModel,
    attributes: Mapping[str, pl.Series],
    generator: np.random.Generator,
    key_check: KeyCheck | None = None,
) -> QualityReport:
    """Return what is known of a linkage without its truth.

    `links` and `labels` are those of a `Resolution` with subjects' numbers (`Evidence.of`); `attributes` are String or
    Enum columns by subject: any of `VARIABLES`, and `birth`, `role` and `claim` for checks. The generator draws the
    refits.
    """
    evidence = Evidence.of(census, links, labels)
    errors = expected(census, evidence)
    unknown = _unknown(census, model, errors)
    refit_false, refit_missed = refit_spread(census, evidence, model, generator)
    spread = Spread(
        refit_false=refit_false,
        refit_missed=refit_missed,
        model_bits=MODEL_BITS,
        kind_bits=KIND_BITS,
        beyond=BEYOND_SPREAD,
    )
    between, persons = _accuracies(evidence, errors, spread, unknown)
    told = {name: attributes[name] for name in VARIABLES if name in attributes}
    table = tallied(census, evidence, errors, told, errors.links > 0)
    default = model.policy.link_probability
    return QualityReport(
        model_id=model.model_id,
        links=between,
        persons=persons,
        spread=spread,
        sources=by_source(table, census),
        groups=by_group(table, spread, unknown),
        thresholds=thresholds(census, evidence, errors, spread, default, unknown),
        grades=grades(census, evidence),
        reviews=reviews(links, model.policy, len(census)),
        guards=guards(links),
        implausible=implausible(census, evidence, attributes),
        key_check=key_check,
        statement=statement(between),
    )


def statement(links: Accuracy) -> str:
    """Return the estimate in words, for a release."""

    def told(estimate: Estimate, what: str) -> str:
        if estimate.value is None or estimate.low is None or estimate.high is None:
            reason = str(estimate.not_estimable).replace("_", " ")
            return f"{what} cannot be estimated ({reason})"
        return f"{what} is estimated at {estimate.value:.2%} (95 % interval {estimate.low:.2%} to {estimate.high:.2%})"

    return (
        f"{links.found:,} links were made. Their precision: {told(links.precision, 'the share of true links')}. Their "
        f"recall: {told(links.recall, 'the share of matches that were found')}. Estimated from the match model without "
        "labels; intervals hold sampling error, the prior's, what blocking misses, and the model's own error."
    )


def _unknown(census: Census, model: MatchModel, errors: Expected) -> NotEstimable | None:
    """Return why nothing can be estimated from the model's probabilities, if so."""
    if not training_matches(model):
        return NotEstimable.NO_FIT
    priors = {frozenset((prior.left_source, prior.right_source)): prior for prior in model.priors}
    pairs = [frozenset((one, other)) for one in census.sources for other in census.sources if one < other]
    for pair in pairs or [frozenset(census.sources)]:
        if pair not in priors:
            return NotEstimable.NO_FIT
        if priors[pair].log2_prior_high - priors[pair].log2_prior_low > WIDEST_PRIOR_BITS:
            return NotEstimable.OVERLAP_UNKNOWN
    swing = float((errors.false_swing + errors.missed_swing).sum())
    if swing > MOST_SWING * float(errors.links.sum()):
        return NotEstimable.EVIDENCE_WEAK
    return None


def _accuracies(
    evidence: Evidence, errors: Expected, spread: Spread, unknown: NotEstimable | None
) -> tuple[Accuracy, Accuracy]:
    """Return the accuracy of links and of persons."""
    # A pair stands at both of its subjects.
    links = {name: float(getattr(errors, name).sum()) / 2 for name in SUMS}
    links["false_by_kind"] = evidence.by_kind(evidence.between & evidence.linked)
    links["missed_by_kind"] = evidence.by_kind(evidence.between & ~evidence.linked)
    persons = expected_persons(evidence, {name: links[name] for name in UNMET})
    return _accuracy(links, spread, unknown), _accuracy(persons, spread, unknown)


def _accuracy(sums: Mapping[str, float], spread: Spread, unknown: NotEstimable | None) -> Accuracy:
    errors = errors_of(sums, spread)
    if unknown is not None:
        nothing = Estimate(not_estimable=unknown)
        return Accuracy(found=errors.found, precision=nothing, recall=nothing)
    return Accuracy(
        found=errors.found,
        expected_false=round(errors.false, 2),
        expected_missed=round(errors.missed, 2),
        expected_beyond=round(sums["beyond"], 2),
        precision=precision(errors),
        recall=recall(errors),
    )
