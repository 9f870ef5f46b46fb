"""Fitting a model to the subjects held, without labels and reproducibly for a seed.

1. u and r from pairs that are known, or all but known, not to be one person (`linkage.strangers`); both stay fixed.
2. m by expectation-maximisation, one session for each blocking pass (`linkage.session`), on every comparison that does
   not overlap with the pass's own columns: among pairs that a pass found, its own columns agree whoever they are.
3. Sessions that tell of more matches than the others are left out (`linkage.recapture`); the rest are added up, each
   with the number of matches it expects, and smoothed towards the shipped m.
4. The surname's m, and how surname and home go together, by the candidates' own probabilities (`decisions/0080`).
5. A prior for each pair of sources: the share of matches that makes the candidates' weights likeliest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from linkage.beyond import Beyond, beyond_blocking, sounding
from linkage.block import shared_passes
from linkage.compare import PLACE, LevelArray, PatternArray, compare, levels_of
from linkage.dependence import draw_strangers, match_dependences, stranger_dependences
from linkage.frequency import frequencies
from linkage.held import HeldSubjects
from linkage.levels import FloatArray, smoothed, with_unions
from linkage.lone import lone_bits
from linkage.match import Matcher
from linkage.plan import planned
from linkage.prior import (
    Likelihood,
    certain_matches,
    estimate_priors,
    expected_matches,
    likeliest_share,
    likelihoods,
    relatives_per_match,
    relatives_shares,
    unfound_by_subject,
)
from linkage.quality.beyond import unemitted_share
from linkage.reach import unlinkable
from linkage.recapture import agreeing_chances, comparable_shares, in_agreement
from linkage.repeats import shares_by_size
from linkage.sample import linkable
from linkage.session import SessionResult, overlapping, run_session
from linkage.strangers import relatives_of, stranger_levels
from linkage.subjects import IntArray, mix
from linkage.weigh import Weigher, relative_table
from schemas.decision import LoneBits, RecordsPerPerson
from schemas.model import COMPARISONS, BlockPass, Comparison, FitReport, MatchModel, Session

SAMPLE_ROWS: Final = 15_000
"""Subjects of the smaller source whose candidates are used to fit; their share of the matches is plenty for m."""

M_STRENGTH: Final = 50.0
"""Matches that the shipped m counts as in the combined estimate."""

MATCH_ROUNDS: Final = 8
"""Times that the surname's m and the dependences of matches are learnt from candidates' probabilities, and these
reckoned anew. Measured in `decisions/0080`.
"""

MOST_MISTAKEN: Final = 0.02
"""Share of matches with two different NHS numbers (or NINOs) from which on a conflict is no veto. Measured in
`decisions/0060`."""

_FEWEST_COMPARED: Final = 100.0
"""Matches with a number on both sides before its reliability is judged."""


@dataclass(frozen=True)
class Candidates:
    """Candidate pairs to fit on: rows, pattern, the set of passes that each shares, and which pair of sources it is."""

    left: IntArray
    right: IntArray
    pattern: PatternArray
    shared: npt.NDArray[np.uint32]
    side: IntArray
    names: tuple[tuple[str, str], ...]
    searched: tuple[int, ...]
    """For each pair of sources, the number of all pairs that the sampled rows stand for."""
    rows: tuple[IntArray, ...]
    """For each pair of sources, the sampled rows; they stand on the left."""
    sampled: tuple[float, ...]
    """For each pair of sources, the share of the rows asked for that was sampled."""
    among: tuple[str, ...]
    """For each pair of sources, the one in which the sampled rows' candidates were sought."""


def fit(held: HeldSubjects, shipped: MatchModel, seed: int = 1) -> MatchModel:
    """Return a model fitted to the subjects held, which are blocked by its passes from then on.

    Whatever cannot be learnt (a field that is missing, too few matches, no overlap) stays as shipped and is reported.
    """
    generator = np.random.default_rng(seed)
    shipped, notes, stopped = planned(held, shipped)
    held.block_by(shipped)
    u, random_pairs = stranger_levels(held, shipped.cuts, shipped.comparisons, generator)
    m = {c.name: with_unions(c.name, np.asarray(c.m)) for c in shipped.comparisons}
    relatives, housemates = relatives_of(held, shipped.cuts, shipped.relatives, m["home"], generator)
    candidates = sample_candidates(held, shipped)
    with_r = shipped.model_copy(update={"relatives": relatives})
    ratio = relatives_per_match(candidates, m, relatives_shares(held, candidates, with_r, m, generator))
    strangers, matches = draw_strangers(held, shipped.cuts, generator), certain_matches(held, candidates, m)
    supposed = stranger_dependences(strangers, m, u, matches)
    start, r = m, relative_table(relatives)

    def session(block_pass: BlockPass, found: PatternArray) -> SessionResult:
        active = [name for name in COMPARISONS if name not in overlapping(block_pass)]
        return run_session(block_pass.name, found, active, start, u, r, ratio, supposed)

    sessions, m, counts = _trained(held, shipped, candidates, m, session)
    # Now it is known how often a match looks like strangers do, which the shipped m thinks commoner than it is.
    dependences = stranger_dependences(strangers, m, u, matches)
    relatives = relatives.model_copy(update={"home": tuple(m["home"].tolist())})
    fitted = shipped.model_copy(
        update={
            "title": f"Fitted on {int(held.alive.sum())} subjects of {len(held.subjects.sources)} source(s)",
            "comparisons": _comparisons(m, u),
            "relatives": relatives,
            "dependences": dependences,
            "frequencies": frequencies(held),
            "vetoes": tuple(name for name in shipped.vetoes if _reliable(counts[name])),
        }
    )
    shares = relatives_shares(held, candidates, fitted, m, generator)
    levels = levels_of(candidates.pattern)
    unfound = unfound_by_subject(held, candidates, Weigher(fitted))
    surname = m["surname"]
    for _ in range(MATCH_ROUNDS):
        probability = _believed(candidates, likelihoods(held, candidates, Weigher(fitted), shares, unfound))
        if counts["surname"].any():
            # Most sessions that leave the surname free ask the home to agree, and miss those who change both at once.
            seen = np.bincount(levels[PLACE["surname"]], probability, len(surname) + 1)[1:]
            m = {**m, "surname": smoothed("surname", seen.astype(np.float64), surname, M_STRENGTH)}
        learnt = match_dependences(levels, probability, m, M_STRENGTH)
        fitted = fitted.model_copy(update={"comparisons": _comparisons(m, u), "dependences": (*dependences, *learnt)})
    unfound = unfound_by_subject(held, candidates, Weigher(fitted))
    evidence = likelihoods(held, candidates, Weigher(fitted), shares, unfound)

    def beyond(at: IntArray, probability: FloatArray) -> Beyond:
        pairs = candidates.left[at], candidates.right[at], levels[:, at]
        return beyond_blocking(held, fitted, *pairs, probability)

    priors = estimate_priors(held, candidates, evidence, shares)
    fitted = fitted.model_copy(update={"priors": priors})
    believed = _believed(candidates, evidence)
    # A pair within one source is met from both of its ends.
    stands_for = [
        (1 / part) * (0.5 if one == other else 1.0)
        for (one, other), part in zip(candidates.names, candidates.sampled, strict=True)
    ]
    matcher = Matcher(fitted)
    unemitted, unemitted_spread = unemitted_share(
        held,
        matcher,
        candidates.left,
        candidates.right,
        candidates.pattern,
        believed * np.asarray(stands_for)[candidates.side],
        generator,
    )
    report = FitReport(
        seed=seed,
        subjects=int(held.alive.sum()),
        random_pairs=random_pairs,
        sessions=sessions,
        stopped_pairs=stopped,
        expected=expected_matches(held, candidates, evidence, beyond),
        unemitted=round(unemitted, 5),
        unemitted_spread=round(min(unemitted_spread, 1.0), 4),
        unlinkable=_unlinkable(held, matcher),
        m_support=_support(levels, believed, counts),
        notes=(*notes, f"{housemates} pairs at one home, known to be different people, gave the relatives' levels"),
    )
    policy = fitted.policy.model_copy(
        update={"lone": _lone(held, candidates, believed), "repeats": _repeats(held, candidates, believed)}
    )
    return fitted.model_copy(update={"policy": policy, "report": report}).named_by_content()


def _unlinkable(held: HeldSubjects, matcher: Matcher) -> dict[str, float]:
    """Return the share of each source's subjects that could be linked with nobody, of as many as a fit looks at."""
    subjects = held.subjects
    codes = range(len(subjects.sources))
    rows = [_chosen(held, np.flatnonzero(held.alive & (subjects.source == code))) for code in codes]
    cannot = unlinkable(held, matcher.weigher, *matcher.priors(subjects.sources), np.concatenate(rows))
    return {
        name: round(float(cannot[some].mean()), 5)
        for name, some in zip(subjects.sources, rows, strict=True)
        if len(some)
    }


def _comparisons(m: dict[str, FloatArray], u: dict[str, FloatArray]) -> tuple[Comparison, ...]:
    return tuple(Comparison(name=n, m=tuple(m[n].tolist()), u=tuple(u[n].tolist())) for n in COMPARISONS)


def _lone(held: HeldSubjects, candidates: Candidates, probability: FloatArray) -> tuple[LoneBits, ...]:
    """Return what being left over is worth, of each pair of sources that may both repeat people."""
    subjects = held.subjects
    repeating = {name for name, unique in zip(subjects.sources, subjects.unique, strict=True) if not unique}
    lone = []
    for number, ((name, other), sides) in enumerate(linkable(held).items()):
        if {name, other} <= repeating:
            at = np.flatnonzero(candidates.side == number)
            sampled, others = candidates.sampled[number], sides.left if sides.right is None else sides.right
            sizes = sampled * len(sides.left), sampled * len(others)
            bits = lone_bits(candidates.left[at], probability[at], sizes)
            lone.append(LoneBits(left_source=name, right_source=other, bits=round(bits, 3)))
    return tuple(lone)


def _repeats(held: HeldSubjects, candidates: Candidates, probability: FloatArray) -> tuple[RecordsPerPerson, ...]:
    """Return how many records people have in each source that may repeat them."""
    unique = dict(zip(held.subjects.sources, held.subjects.unique, strict=True))
    repeats = []
    for number, (name, other) in enumerate(candidates.names):
        if name == other and not unique[name]:
            at = np.flatnonzero(candidates.side == number)
            shares = shares_by_size(candidates.left[at], probability[at], len(candidates.rows[number]))
            repeats.append(RecordsPerPerson(source=name, shares=tuple(round(share, 6) for share in shares)))
    return tuple(repeats)


def _support(levels: LevelArray, probability: FloatArray, counts: dict[str, FloatArray]) -> dict[str, float]:
    """Return how many matches each comparison's m rests on; sessions meet the same matches, which count once."""
    there = {name: float(probability[levels[PLACE[name]] != 0].sum()) for name in COMPARISONS}
    return {name: round(min(float(counts[name].sum()), there[name]) + M_STRENGTH, 1) for name in COMPARISONS}


def _believed(candidates: Candidates, evidence: Sequence[Likelihood]) -> FloatArray:
    """Return each candidate's probability of a match at the likeliest share of matches."""
    probability = np.zeros(len(candidates.pattern))
    for one in evidence:
        share, _, _ = likeliest_share(one.ratios, one.units, 1.0 if one.pairs_per_unit > 1 else 0.5)
        probability[one.at] = one.probabilities(share)
    return probability


def sample_candidates(held: HeldSubjects, model: MatchModel) -> Candidates:
    """Return every candidate of up to `SAMPLE_ROWS` subjects of each pair of sources, chosen by an identity's hash."""
    left, right, pattern, shared, side = [], [], [], [], []
    searched, sampled, sought, fractions = [], [], [], []
    sides = linkable(held)
    for number, ((name, other), rows) in enumerate(sides.items()):
        asked, among = rows.left, other
        if rows.right is not None and len(rows.right) < len(rows.left):
            asked, among = rows.right, name
        all_rows = len(asked)
        asked = _chosen(held, asked)
        fractions.append(len(asked) / max(all_rows, 1))
        everyone = len(rows.left) if rows.right is None else max(len(rows.left), len(rows.right))
        searched.append(len(asked) * (everyone - (rows.right is None)))
        sampled.append(asked)
        sought.append(among)
        for one, two in held.candidates(asked, anywhere=True, among=among):
            left.append(one)
            right.append(two)
            pattern.append(compare(held.subjects, held.subjects, one, two, model.cuts)[1])
            shared.append(shared_passes(held.keys(one), held.keys(two)))
            side.append(np.full(len(one), number))
    return Candidates(
        left=_joined(left, np.int64),
        right=_joined(right, np.int64),
        pattern=_joined(pattern, np.int32),
        shared=_joined(shared, np.uint32),
        side=_joined(side, np.int64),
        names=tuple(sides),
        searched=tuple(searched),
        rows=tuple(sampled),
        sampled=tuple(fractions),
        among=tuple(sought),
    )


def _trained(
    held: HeldSubjects,
    shipped: MatchModel,
    candidates: Candidates,
    m: dict[str, FloatArray],
    run: Callable[[BlockPass, PatternArray], SessionResult],
) -> tuple[tuple[Session, ...], dict[str, FloatArray], dict[str, FloatArray]]:
    """Run a session for each pass; return their reports, the combined m, and the matches counted at each level.

    Sessions that tell of more matches than the others can account for are left out (`linkage.recapture`).
    """
    passes = shipped.passes
    results = [
        run(block_pass, candidates.pattern[(candidates.shared >> np.uint32(position)) & np.uint32(1) == 1])
        for position, block_pass in enumerate(passes)
    ]
    sounds = sounding(held, candidates.left, candidates.right, levels_of(candidates.pattern))
    comparable = comparable_shares(held, shipped)

    def combined(kept: npt.NDArray[np.bool_]) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        counts = _counted([one for one, is_kept in zip(results, kept, strict=True) if is_kept])
        return {name: smoothed(name, counts[name], m[name], M_STRENGTH) for name in COMPARISONS}, counts

    used = np.asarray([one.report.used for one in results])
    found = np.asarray([one.report.expected_matches for one in results])
    kept = in_agreement(found, used, lambda kept: comparable * agreeing_chances(shipped, sounds, combined(kept)[0]))
    reports = tuple(
        one.report.model_copy(update={"used": False, "note": "tells of more matches than other sessions do"})
        if dropped
        else one.report
        for one, dropped in zip(results, used & ~kept, strict=True)
    )
    return reports, *combined(kept)


def _counted(results: Sequence[SessionResult]) -> dict[str, FloatArray]:
    """Return the matches counted at each level by all sessions together."""
    totals = {name: np.zeros(len(levels)) for name, levels in COMPARISONS.items()}
    crossable = np.zeros(len(COMPARISONS["forename"]))
    for result in results:
        for name, counts in result.counts.items():
            totals[name] += counts
        if "forename" in result.counts and "surname" in result.counts:
            crossable += result.counts["forename"]
    totals["forename"] = _with_crosswise(totals["forename"], crossable)
    return totals


def _reliable(counts: FloatArray) -> bool:
    """Return whether a number of which matches were counted by level (exact, different) may veto them.

    It may until enough matches show that it is often mistaken: from then on a conflict is evidence like any other.
    """
    compared = float(counts.sum())
    return compared < _FEWEST_COMPARED or float(counts[1]) < MOST_MISTAKEN * compared


def _with_crosswise(counts: FloatArray, crossable: FloatArray) -> FloatArray:
    """Return the forename's counts with those of crosswise levels at their rate in the sessions that could show them.

    Where a pass asks one name to agree, names that agree crosswise are out of its sight, and would seem rarer than they
    are.
    """
    crosswise = np.asarray([name in ("swapped", "half_swapped") for name in COMPARISONS["forename"]])
    straight_seen = crossable[~crosswise].sum()
    rate = crossable[crosswise] / straight_seen if straight_seen else 0.0
    result = counts.copy()
    result[crosswise] = rate * counts[~crosswise].sum()
    return result


def _chosen(held: HeldSubjects, rows: IntArray) -> IntArray:
    """Return `SAMPLE_ROWS` rows or fewer, by a hash of their identity: the same whatever the order of arrival."""
    if len(rows) <= SAMPLE_ROWS:
        return rows
    rank = mix(held.subjects.identity[rows])
    return rows[np.sort(np.argpartition(rank, SAMPLE_ROWS)[:SAMPLE_ROWS])]


def _joined(pieces: Sequence[npt.NDArray[Any]], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=dtype)
