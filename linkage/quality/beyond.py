"""Which matches would have been met: how likely a match of each subject is to leave enough evidence to be emitted.

A match that never becomes a pair leaves no trace, but the model says how often that happens: levels are drawn as
matches show them (m), the fields that a subject lacks are left out, and the odds are what they are. A subject without
name and date of birth is never found, one with everything nearly always. How many matches there are then follows from
those that were found, each standing for as many as its kind is found in (Horvitz and Thompson, J Am Stat Assoc 1952).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from linkage.comparable import kind_of_pattern
from linkage.compare import LEVEL, PatternArray, gathered, patterns
from linkage.held import HeldSubjects
from linkage.levels import plain
from linkage.match import Matcher
from linkage.subjects import TOKEN_POSITION, BoolArray, IntArray
from linkage.threads import in_threads
from linkage.weigh import NEVER_BITS, VETOES, FloatArray, Weigher
from schemas.model import COMPARISONS

DRAWS: Final = 10_000
"""Matches drawn for each combination of fields: a share of a hundredth is known to a tenth of itself."""

_ROWS_AT_ONCE: Final = 10_000
"""Rows whose tokens stay within the cache."""

TELLING: Final = 0.5
"""Share of a subject's matches that would be linked, from which its pairs say whether it has one."""

_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "forename": ("token_forename",),
    "surname": ("token_surname",),
    "middle_names": ("token_middle_names",),
    "date_of_birth": ("token_date_of_birth",),
    "address": ("token_address", "token_uprn"),
    "postcode": ("token_postcode", "token_uprn"),
    "nhs_number": ("token_nhs_number",),
    "nino": ("token_nino",),
    "pseudonym": ("token_pseudonym",),
}
"""What a subject can have or lack -> the columns any of which gives it."""


@dataclass(frozen=True)
class NeverEmitted:
    """Matches that are not among the pairs, by subject (n): how many are `missing`, and the variance of counting them,
    `swing` for subjects whose matches mostly show and `sparse_swing` for the others, as `leader` (a source's code) has
    them: the other sources' subjects are whom it would have met.
    """

    missing: FloatArray
    swing: FloatArray
    sparse_swing: FloatArray
    leader: int


def found_shares(held: HeldSubjects, matcher: Matcher, generator: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return for each alive row how likely a match of it with another source, or the only one, is to be emitted, and
    how likely to be strong enough for a link.
    """
    subjects, model = held.subjects, matcher.model
    alive = np.flatnonzero(held.alive)
    source = subjects.source[alive].astype(np.int64)
    have = _fields(subjects.table, alive)
    least = np.asarray([[model.emit_log2_odds], [model.policy.link_log2_odds]])
    shares = np.ones((2, len(alive)))
    for code in range(len(subjects.sources)):
        mine = np.flatnonzero(source == code)
        others = np.flatnonzero(source != code) if len(subjects.sources) > 1 else mine
        if not len(mine) or not len(others):
            continue
        drawn = others[generator.integers(0, len(others), DRAWS)]
        levels, sources = _drawn(matcher.weigher, generator), (np.full(DRAWS, code), source[drawn])
        kinds = np.flatnonzero(np.bincount(have[mine]))
        kind = np.searchsorted(kinds, have[mine])
        odds = np.stack(
            [
                _odds(matcher, subjects.sources, sources, _masked(levels, _bits(np.full(DRAWS, fields) & have[drawn])))
                for fields in kinds
            ]
        )
        for which in range(2):
            shares[which, mine] = (odds >= least[which]).mean(axis=1)[kind]
    return shares[0], shares[1]


def never_emitted(
    source: npt.NDArray[np.uint16], found_share: FloatArray, link_share: FloatArray, likely: FloatArray
) -> NeverEmitted:
    """Return how many matches of each subject (n) are not among the pairs.

    `source` is each subject's code, `found_share` and `link_share` are those of `found_shares`, and `likely` are the
    expected matches that are among the pairs. Subjects of a source are taken to have matches alike, whatever fields
    they have, and those whose matches would show tell how many: of the others, what their pairs lack. (At a home of
    four, a child without name and date of birth has four unlikely pairs and one match.) The larger of the sources'
    totals holds. Whose the matches are, the source knows in which more of them are for want of a subject's own fields:
    to the others it is chance whom they would have met. Where nearly everybody of a source has a match, so have nearly
    all of its sparse subjects: a subject has one or none, so that counting them has the variance p(1 - p).
    """
    missing, variance = np.zeros((2, len(source)))
    totals, own = np.zeros((2, int(source.max(initial=0)) + 1))
    for code in range(len(totals)):
        telling = (source == code) & (link_share >= TELLING)
        sparse = (source == code) & (link_share < TELLING)
        rate = likely[telling].sum() / max(found_share[telling].sum(), 1e-9)
        missing[telling] = rate * (1 - found_share[telling])
        missing[sparse] = max(rate - likely[sparse].mean(), 0.0) if sparse.any() else 0.0
        variance[telling] = missing[telling] * np.maximum(1 - missing[telling], 0.0)
        variance[sparse] = missing[sparse] * max(1 - rate, 0.0)
        totals[code], own[code] = missing[telling | sparse].sum(), missing[sparse].sum()
    scale = np.divide(totals.max(initial=0.0), totals, out=np.zeros_like(totals), where=totals > 0)
    missing, variance, leader = missing * scale[source], variance * scale[source], int(np.lexsort((totals, own))[-1])
    led, tells = source == leader, link_share >= TELLING
    swings = []
    for part in (np.where(tells, variance, 0.0), np.where(tells, 0.0, variance)):
        share = part[led].sum() / max(missing[led].sum(), 1e-300)
        swings.append(np.where(led, part, share * missing))
    return NeverEmitted(missing, swings[0], swings[1], leader)


def unemitted_share(
    held: HeldSubjects,
    matcher: Matcher,
    left: IntArray,
    right: IntArray,
    pattern: PatternArray,
    likely: FloatArray,
    generator: np.random.Generator,
) -> tuple[float, float]:
    """Return (the share of the matches that leave no pair, 0 where there is none, and the standard deviation of their
    number as a share of it, where odds are out by one natural unit), from candidates of a fit.

    `likely` is how many matches each candidate stands for: what is not sampled is stood for by what is.
    """
    subjects = held.subjects
    sources = subjects.source[left].astype(np.int64), subjects.source[right].astype(np.int64)
    frequency = matcher.weigher.frequency_bits(pattern, subjects.table, left)
    odds = _odds_of_patterns(matcher, subjects.sources, sources, pattern, frequency)
    seen = np.where(odds >= matcher.model.emit_log2_odds, likely, 0.0)
    by_subject = np.bincount(np.concatenate([left, right]), np.tile(seen, 2), len(subjects))[held.alive]
    found, linked = found_shares(held, matcher, generator)
    source = subjects.source[held.alive]
    never = never_emitted(source, found, linked, by_subject.astype(np.float64))
    beyond = float(never.missing.sum()) / 2  # a match stands at both of its subjects
    spread = np.hypot(never.swing.sum(), never.sparse_swing.sum()) / 2
    return beyond / max(beyond + float(seen.sum()), 1e-9), float(spread) / max(beyond, 1e-9)


def _fields(table: npt.NDArray[np.uint64], rows: IntArray) -> IntArray:
    """Return which of `_FIELDS` each row has, as the bits of a number."""
    have = np.zeros(len(rows), dtype=np.uint16)

    def fill(start: int) -> None:
        some = slice(start, start + _ROWS_AT_ONCE)
        present = gathered(table, rows[some]) != 0
        for place, columns in enumerate(_FIELDS.values()):
            any_of = present[:, [TOKEN_POSITION[column] for column in columns]].any(axis=1)
            have[some] |= any_of.astype(np.uint16) << place

    for _ in in_threads(fill, range(0, len(rows), _ROWS_AT_ONCE)):
        pass
    return have.astype(np.int64)


def _bits(have: IntArray) -> dict[str, BoolArray]:
    bits = {name: (have >> place) & 1 == 1 for place, name in enumerate(_FIELDS)}
    # Either of the two makes the number's comparison.
    bits["nhs_number"] |= bits.pop("pseudonym")
    return bits


def _drawn(weigher: Weigher, generator: np.random.Generator) -> dict[str, IntArray]:
    """Return levels of `DRAWS` matches, by comparison; unions are never drawn, since they say what is missing."""
    levels = {}
    for name in COMPARISONS:
        m = np.where(plain(name), weigher.m[name], 0.0)
        levels[name] = generator.choice(len(m), size=DRAWS, p=m / m.sum()) + 1
    return levels


def _masked(levels: dict[str, IntArray], have: dict[str, BoolArray]) -> dict[str, IntArray]:
    """Return levels as they are seen where fields are missing; half a home is a level of its own."""
    masked = {name: np.where(have[name], level, 0) for name, level in levels.items() if name != "home"}
    home = levels["home"]
    address_only, postcode_only = _HOME[home - 1].T
    masked["home"] = np.select(
        [have["address"] & have["postcode"], have["address"], have["postcode"]], [home, address_only, postcode_only], 0
    )
    # A name that agrees crosswise is seen in the other's place: without both names there is nothing to see.
    crosswise = np.isin(levels["forename"], [LEVEL["forename"][name] for name in ("swapped", "half_swapped")])
    masked["forename"] = np.where(crosswise & ~have["surname"], 0, masked["forename"])
    masked["surname"] = np.where(crosswise, 0, masked["surname"])
    return masked


def _odds(
    matcher: Matcher, names: tuple[str, ...], sources: tuple[IntArray, IntArray], levels: dict[str, IntArray]
) -> FloatArray:
    """Return the log2 odds of pairs with these levels, of values of average frequency."""
    pattern = patterns(np.stack([levels[name].astype(np.uint8) for name in COMPARISONS]))
    return _odds_of_patterns(matcher, names, sources, pattern, np.zeros(len(pattern)))


def _odds_of_patterns(
    matcher: Matcher,
    names: tuple[str, ...],
    sources: tuple[IntArray, IntArray],
    pattern: PatternArray,
    frequency: FloatArray,
) -> FloatArray:
    """Return log2 odds as the matcher reckons them; what is vetoed is never emitted."""
    prior, relatives = matcher.priors(names)
    before = prior[sources] + matcher.unseen(names)[(*sources, kind_of_pattern()[pattern])]
    odds = matcher.weigher.weigh(pattern, frequency, relatives[sources]) + before
    return np.where(np.isin(matcher.weigher.guards[pattern], VETOES), NEVER_BITS, odds)


def _home_parts() -> IntArray:
    """Return for each level of home (levels, 2) what is seen when only the address, only the postcode is there."""
    parts = []
    for name in COMPARISONS["home"]:
        address, _, postcode = name.removeprefix("address_").partition("_postcode_")
        parts.append(
            [
                LEVEL["home"].get(f"address_{address}_postcode_unknown", 0),
                LEVEL["home"].get(f"address_unknown_postcode_{postcode}", 0),
            ]
        )
    return np.asarray(parts)


_HOME: Final = _home_parts()
"""Levels of home -> the level without a postcode, the level without an address."""
