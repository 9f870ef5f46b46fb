"""One training session: expectation-maximisation on the pairs that one blocking pass found.

A session knows three kinds of pair (matches, strangers, relatives). u and r are fixed and only m and the strangers'
share move, so matches cannot change places with anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from linkage.compare import PATTERNS, PLACE, LevelArray, PatternArray, levels_of
from linkage.dependence import dependence_bits
from linkage.levels import FloatArray, shared_out, with_unions
from schemas.model import COMPARISONS, BlockPass, Dependence, Session

FEWEST_MATCHES: Final = 50.0
"""A session that expects fewer matches is left out: its m would be the smoothing's, and noise."""

ITERATIONS: Final = 300
TOLERANCE: Final = 1e-5
LOG_2: Final = float(np.log(2.0))

_LEAST_SMOOTHING: Final = 0.5
"""Observations that the last m counts as within a session: keeps a level that does not occur from becoming impossible.
"""

_OVERLAPS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("middle_names", ("middle_names",)),
    ("names_year", ("forename", "surname", "date_of_birth")),
    ("forename", ("forename",)),
    ("nickname", ("forename",)),
    ("surname", ("surname",)),
    ("birth", ("date_of_birth",)),
    ("year_", ("date_of_birth",)),
    ("month_", ("date_of_birth",)),
    ("postcode", ("home",)),
    ("outcode", ("home",)),
    ("address", ("home",)),
    ("uprn", ("home",)),
    ("nhs_number", ("nhs_number",)),
    ("pseudonym", ("nhs_number",)),
    ("nino", ("nino",)),
)
"""Part of a token column's name -> comparisons that agree more often among pairs which share the column."""


def overlapping(block_pass: BlockPass) -> frozenset[str]:
    """Return the comparisons that a pass's columns bear on, and that its session must leave out."""
    columns = [column for part in block_pass.parts for column in part]
    return frozenset(name for column in columns for part, names in _OVERLAPS if part in column for name in names)


@dataclass(frozen=True)
class SessionResult:
    """A session's report, the expected number of matches at each level of its comparisons, m as it came out, and the
    log-likelihood of the pairs at each iteration.
    """

    report: Session
    counts: dict[str, FloatArray]
    m: dict[str, FloatArray]
    log_likelihoods: tuple[float, ...]


def run_session(
    name: str,
    pattern: PatternArray,
    active: Sequence[str],
    m: dict[str, FloatArray],
    u: dict[str, FloatArray],
    r: dict[str, FloatArray],
    relatives_per_match: float,
    dependences: Sequence[Dependence] = (),
) -> SessionResult:
    """Estimate m of the active comparisons on the pairs of one pass, starting from m; u and r stay as they are.

    The share of strangers is free, since what a pass finds by chance is its own. The share of relatives is not: how
    many of them share the pass with each match follows from their number and from r/m of the comparisons the pass is
    made of. r of the home is m of the home, see `linkage.strangers.relatives_of`, and moves with it.
    """
    weight = np.bincount(pattern, minlength=PATTERNS) if len(pattern) else np.zeros(0)
    distinct = np.flatnonzero(weight)
    weight, levels = weight[distinct].astype(np.float64), levels_of(distinct)
    blocked = [c for c in COMPARISONS if c not in active and c != "home"]
    left_out = [c for c in COMPARISONS if c not in active]
    strangers = _log_likelihood(levels, active, u) + LOG_2 * dependence_bits(levels, dependences, "strangers", left_out)
    matches = LOG_2 * dependence_bits(levels, dependences, "matches", left_out)
    relatives = _log_likelihood(levels, [c for c in COMPARISONS if c != "home"], r) - _log_likelihood(
        levels, blocked, m
    )
    relatives += np.log(max(relatives_per_match, 1e-12))
    m = {c: m[c] for c in active}
    counts: dict[str, FloatArray] = {c: np.zeros(len(m[c])) for c in active}
    # Relatives' part of those who are not strangers is settled as the session starts, so that what is maximised stays
    # one function.
    share, first = 0.5, _log_likelihood(levels, active, m) + matches
    theirs = relatives + _log_likelihood(levels, ["home"], m)
    posterior = np.exp(np.stack([first, theirs, strangers]) - np.logaddexp.reduce([first, theirs, strangers], axis=0))
    kin, unlike = 0.0, 0.0
    if len(distinct):
        match, kind, other = (float(part) for part in np.maximum(posterior @ weight, 1e-9))
        # Whoever is no match counts against it, relatives with the strangers.
        kin, unlike = float(np.log1p(kind / match)), float(np.log1p(kind / other))
    converged, iteration, expected, change, trace = False, 0, 0.0, 0.0, []
    while not converged and iteration < ITERATIONS and len(distinct):
        iteration += 1
        joint = np.stack(
            [
                _log_likelihood(levels, active, m) + matches + np.log(share) - kin,
                relatives + _log_likelihood(levels, ["home"], m) + np.log(share) - kin,
                strangers + np.log1p(-share) + unlike,
            ]
        )
        whole = np.logaddexp.reduce(joint, axis=0)
        trace.append(float(whole @ weight))
        posterior = np.exp(joint - whole) * weight
        expected = float(posterior[0].sum())
        # Strangers keep a trace, so that no pair's fate is sealed while m still moves.
        share = min(max(1 - float(posterior[2].sum() / weight.sum()), 1e-9), 1 - 1e-9)
        change = 0.0
        for c in active:
            believed = posterior[0] + posterior[1] if c == "home" else posterior[0]
            seen: FloatArray = np.bincount(levels[PLACE[c]], weights=believed, minlength=len(m[c]) + 1)[1:].astype(
                float
            )
            counts[c] = seen
            updated = with_unions(c, shared_out(c, seen, m[c]) + m[c] * _LEAST_SMOOTHING)
            change = max(change, float(np.abs(updated - m[c]).max()))
            m[c] = updated
        converged = change < TOLERANCE
    used = expected >= FEWEST_MATCHES
    note = "" if used else f"fewer than {FEWEST_MATCHES:.0f} matches expected"
    report = Session(
        name=name,
        pairs=len(pattern),
        expected_matches=round(expected, 1),
        iterations=iteration,
        converged=converged,
        used=used,
        note=note,
        last_change=change,
        log_likelihood=trace[-1] if trace else 0.0,
    )
    return SessionResult(report, counts, m, tuple(trace))


def _log_likelihood(levels: LevelArray, active: Sequence[str], probabilities: dict[str, FloatArray]) -> FloatArray:
    """Return the natural log-likelihood of each distinct pattern's active levels."""
    total = np.zeros(levels.shape[1])
    with np.errstate(divide="ignore"):
        for name in active:
            if name not in probabilities:
                continue
            log = np.log(np.maximum(probabilities[name], 1e-300))
            if log.ndim == 2:  # r of the forename, by the date's level
                table = np.concatenate([np.zeros((len(log), 1)), log], axis=1)
                total += table[levels[PLACE["date_of_birth"]], levels[PLACE[name]]]
            else:
                total += np.concatenate([[0.0], log])[levels[PLACE[name]]]
    return total
