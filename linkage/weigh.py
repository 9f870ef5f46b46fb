"""What a pattern of levels is worth in bits, against two ways of being different people.

A pair is a match, two *strangers*, or two *relatives* (people of one home). With m, u and r the probabilities of a
level in each,

    log2 odds = prior + sum log2(m/u) + term frequency - log2(1 + relatives' odds against strangers)

where the last term is what the pair's likeness to a household costs: next to nothing between homes, nearly everything
for twins. Sums over comparisons are tabulated once for every possible pattern, so that a pair costs one look-up, and
the same pair weighs the same to the bit in whatever batch it comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from linkage.compare import (
    LEVEL,
    PLACE,
    SETTLED_ADDRESSES,
    SETTLED_NAMES,
    STRIDES,
    BoolArray,
    PatternArray,
)
from linkage.subjects import TOKEN_POSITION, IntArray, UInt64Array, mix, prefix_word
from schemas.model import COMPARISONS, RADICES, Dependence, Frequencies, MatchModel, Relatives

FloatArray = npt.NDArray[np.float64]

EXACT_LEVELS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "token_forename": ("forename", ("exact",)),
    "token_surname": ("surname", ("exact",)),
    "token_date_of_birth": ("date_of_birth", ("exact_same_sex", "exact", "exact_other_sex")),
}
"""Column with term frequencies -> its comparison and the levels at which the two tokens are equal."""

FULL_NAME: Final = "full_name"
"""What a model's frequencies of forename and surname together are listed under, by `full_name_words`."""

NEVER_BITS: Final = -60.0
"""Weight of a level that cannot be (probability 0), and so of a vetoed pair: far below any threshold, and finite."""

_STEPS_PER_BIT: Final = 64
_PENALTY_RANGE_BITS: Final = (-16, 64)


class Guard(IntEnum):
    """Why a pair that reaches review may be linked only by review, or not at all (vetoes).

    `REPEAT` is no doubt but the reverse: the pair is one person whom a source holds twice, though it declares not to.
    """

    NONE = 0
    TWIN = 1
    NAMESAKE = 2
    NHS_CONFLICT = 3
    NINO_CONFLICT = 4
    REPEAT = 5
    HOME_ONLY = 6

    @property
    def label(self) -> str | None:
        """The name that a pair link carries."""
        return self.name.lower() if self else None


VETOES: Final = (Guard.NHS_CONFLICT, Guard.NINO_CONFLICT, Guard.HOME_ONLY)

GUARD_BITS: Final = -4.0
"""Log2 of how likely relatives must be against a match for a household's likeness to be a reviewer's question: one in
16. Of a pair, where the values leave some likeness; of two sources, where they are wholly others. Measured in
`decisions/0013` and `0062`.
"""


def full_name_words(table: UInt64Array) -> UInt64Array:
    """Return one word for each row's forename and surname together, 0 where one of them is missing."""
    forename, surname = (table[:, TOKEN_POSITION[name]] for name in ("token_forename", "token_surname"))
    return np.where((forename != 0) & (surname != 0), mix(forename) ^ surname, np.uint64(0))


def relative_table(relatives: Relatives) -> dict[str, npt.NDArray[np.float64]]:
    """Return r by comparison, (levels without missing); the forename's as (date levels with missing, levels)."""
    date = LEVEL["date_of_birth"]
    near = {date[name] for name in ("swapped", "year_month", "year_day", "month_day")}
    same = {date[name] for name in EXACT_LEVELS["token_date_of_birth"][1]}
    forename = [
        relatives.forename_same_date
        if level in same
        else relatives.forename_near_date
        if level in near
        else relatives.forename_other_date
        for level in range(RADICES[PLACE["date_of_birth"]])
    ]
    return {
        "forename": np.asarray(forename),
        "surname": np.asarray(relatives.surname),
        "middle_names": np.asarray(relatives.middle_names),
        "date_of_birth": np.asarray(relatives.date_of_birth),
        "home": np.asarray(relatives.home),
    }


class Weigher:
    """A model made ready for weighing pairs."""

    def __init__(self, model: MatchModel) -> None:
        """Tabulate the model: `bits`, `relative_bits` (log2 of m/u and r/u), `guards` and `repeats` of each pattern.

        `unexplained` patterns are guarded whatever they weigh, where households are held.
        `dependence` is the part of `bits` that two fields' dependence on each other makes up.
        """
        self.model = model
        self.m = {c.name: np.asarray(c.m) for c in model.comparisons}
        self.u = {c.name: np.asarray(c.u) for c in model.comparisons}
        strangers = _dependence_sum(model.dependences, "log2_strangers")
        self.dependence = _dependence_sum(model.dependences, "log2_matches") - strangers
        self.bits = _pattern_sum({name: _log_ratio(self.m[name], self.u[name]) for name in COMPARISONS})
        self.bits += self.dependence
        self.relative_bits = self._relative_bits() - strangers
        self.guards = _guards(model.vetoes)
        self.unexplained = (_another_forename() | _another_date()) & ~_levels_among("middle_names", "exact")
        self.repeats = _repeats(self.guards)
        self._frequencies = {
            table.column: _frequency_bits(table, self._exact_u(table.column))
            for table in model.frequencies
            if table.column in EXACT_LEVELS
        }
        names_u = self._exact_u("token_forename") * self._exact_u("token_surname") * 2.0 ** self._names_together()
        full_names = next((table for table in model.frequencies if table.column == FULL_NAME), None)
        self._full_names = None if full_names is None else _frequency_bits(full_names, names_u)
        self._penalty = _penalty_table()

    def level_bits(self, comparison: str) -> FloatArray:
        """Return log2(m/u) of each level of a comparison, `missing` (0 bits) first."""
        return np.concatenate([[0.0], _log_ratio(self.m[comparison], self.u[comparison])])

    def promising(self, log2_prior: float) -> BoolArray:
        """Return for each pattern whether a pair of it could be worth emitting, whatever its values' frequencies.

        A level that filters have yet to settle stands at `close` (`linkage.compare.token_levels`), so that level counts
        as the best of those it may become: which is not always `close` itself.
        """
        bonus = sum(max(0.0, float(table[1].max(initial=table[2]))) for table in self._frequencies.values())
        veto = np.isin(self.guards, VETOES)
        return (_best_settled(self.bits) + bonus + log2_prior >= self.model.emit_log2_odds) & ~veto

    def frequency_bits(self, pattern: PatternArray, table: UInt64Array, rows: IntArray) -> FloatArray:
        """Return what equal values' frequency adds to each pair's weight; `rows` of the token table are one side.

        Two names that are both equal weigh what the commoner reading says: each by itself, or the full name, which
        people of one community share far more often (`decisions/0065`).
        """
        bits, both = np.zeros(len(pattern)), np.ones(len(pattern), dtype=np.bool_)
        for column in ("token_forename", "token_surname"):
            equal = _equal(pattern, column)
            self._add_frequency(bits, column, equal, table, rows)
            both &= equal
        if self._full_names is not None:
            bits[both] = np.minimum(bits[both], _looked_up(full_name_words(table[rows[both]]), *self._full_names))
        self._add_frequency(bits, "token_date_of_birth", _equal(pattern, "token_date_of_birth"), table, rows)
        return bits

    def _add_frequency(
        self, bits: FloatArray, column: str, equal: BoolArray, table: UInt64Array, rows: IntArray
    ) -> None:
        """Add what the frequency of a column's values says to the bits of the pairs in which they are equal."""
        if column in self._frequencies:
            bits[equal] += _looked_up(table[rows[equal], TOKEN_POSITION[column]], *self._frequencies[column])

    def weigh(self, pattern: PatternArray, frequency: FloatArray, log2_relatives: FloatArray | float) -> FloatArray:
        """Return the weight of each pair in bits: all of its log2 odds but the prior."""
        stranger = self.bits[pattern] + frequency
        relative = np.clip(self.relative_bits[pattern] + frequency + log2_relatives, *_PENALTY_RANGE_BITS)
        step = np.rint((relative - _PENALTY_RANGE_BITS[0]) * _STEPS_PER_BIT).astype(np.int64)
        weight: FloatArray = stranger - self._penalty[step]
        return weight

    def guarded(
        self,
        pattern: PatternArray,
        frequency: FloatArray,
        log2_relatives: FloatArray,
        log2_prior: FloatArray,
        households: BoolArray,
    ) -> npt.NDArray[np.uint8]:
        """Return the guard of each pair: a veto, or a household's likeness that nothing explains.

        Where its two sources hold `households`, a forename or a date of birth that is wholly another is never left to
        the odds, since their error is greater than what they are to tell; else a likeness counts where relatives are
        not far less likely than a match. `log2_prior` and `log2_relatives` are the log2 odds of a match and of
        relatives before the pair is looked at.
        """
        guard = self.guards[pattern]
        relatives = self.relative_bits[pattern] + frequency + log2_relatives
        match = self.bits[pattern] + frequency + log2_prior
        doubtful = np.isin(guard, VETOES) | (self.unexplained[pattern] & households)
        return np.where(doubtful | (relatives - match >= GUARD_BITS), guard, np.uint8(Guard.NONE))

    def _names_together(self) -> float:
        """Return the log2 of how much more often strangers share both names than each for itself."""
        forename, surname = LEVEL["forename"]["exact"], LEVEL["surname"]["exact"]
        return sum(
            d.log2_strangers[surname][forename]
            for d in self.model.dependences
            if d.log2_strangers and (d.first, d.second) == ("surname", "forename")
        )

    def _exact_u(self, column: str) -> float:
        comparison, names = EXACT_LEVELS[column]
        return float(sum(self.u[comparison][LEVEL[comparison][name] - 1] for name in names))

    def _relative_bits(self) -> FloatArray:
        r = relative_table(self.model.relatives)
        forename = np.stack([_log_ratio(row, self.u["forename"]) for row in r.pop("forename")])
        total = _pattern_sum({name: _log_ratio(values, self.u[name]) for name, values in r.items()}).reshape(RADICES)
        # The forename's part depends on the date's level: (dates, forenames) turned to the places of the pattern.
        joint = np.concatenate([np.zeros((len(forename), 1)), forename], axis=1).T
        shape = [1] * len(RADICES)
        shape[PLACE["forename"]], shape[PLACE["date_of_birth"]] = joint.shape
        bits: FloatArray = (total + joint.reshape(shape)).ravel()
        return bits


def _equal(pattern: PatternArray, column: str) -> BoolArray:
    """Return in which pairs a column's values are equal."""
    comparison, names = EXACT_LEVELS[column]
    place = PLACE[comparison]
    level = pattern // STRIDES[place] % RADICES[place]
    equal: BoolArray = np.isin(level, [LEVEL[comparison][name] for name in names])
    return equal


def _log_ratio(top: npt.NDArray[np.float64], bottom: npt.NDArray[np.float64]) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.log2(top) - np.log2(bottom)
    ratio: FloatArray = np.clip(np.nan_to_num(bits, nan=0.0), NEVER_BITS, -NEVER_BITS)
    return ratio


def _best_settled(bits: FloatArray) -> FloatArray:
    """Return the bits of each pattern, its levels at `close` taken as the best that a filter could make of them."""
    best = bits.reshape(RADICES).copy()
    for comparison, level_of in LEVEL.items():
        along = np.moveaxis(best, PLACE[comparison], 0)  # a view: what is set here is set in `best`
        for name, level in level_of.items():
            if name == "close":
                along[level] = along[[level_of[other] for other in SETTLED_NAMES]].max(axis=0)
            elif name.startswith("address_close_"):
                states = [level_of[name.replace("_close_", f"_{state}_", 1)] for state in SETTLED_ADDRESSES]
                along[level] = along[states].max(axis=0)
    flat: FloatArray = best.ravel()
    return flat


def _pattern_sum(bits: dict[str, FloatArray]) -> FloatArray:
    """Return the sum over comparisons of the bits of each pattern's levels; comparisons left out count nothing."""
    total = np.zeros(RADICES)
    for name, place in PLACE.items():
        if name in bits:
            shape = [1] * len(RADICES)
            shape[place] = RADICES[place]
            total = total + np.concatenate([[0.0], bits[name]]).reshape(shape)
    return total.ravel()


def _levels_among(comparison: str, *names: str) -> BoolArray:
    """Return which patterns have one of the named levels of a comparison."""
    place = PLACE[comparison]
    chosen = np.isin(np.arange(RADICES[place]), [LEVEL[comparison][name] for name in names])
    shape = [1] * len(RADICES)
    shape[place] = RADICES[place]
    among: BoolArray = np.broadcast_to(chosen.reshape(shape), RADICES).ravel()
    return among


def _dependence_sum(dependences: Sequence[Dependence], table: Literal["log2_strangers", "log2_matches"]) -> FloatArray:
    """Return what the dependences add to each pattern's log2 likelihood among strangers, or among matches."""
    total = np.zeros(RADICES)
    for dependence in dependences:
        bits = np.asarray(getattr(dependence, table))
        if bits.size:
            first, second = PLACE[dependence.first], PLACE[dependence.second]
            shape = [1] * len(RADICES)
            shape[first], shape[second] = RADICES[first], RADICES[second]
            total = total + (bits if first < second else bits.T).reshape(shape)
    return total.ravel()


def _another_forename() -> BoolArray:
    """Return which patterns have one surname and date of birth, and forenames that have nothing in common.

    An address that is half alike, in the same postcode, is left to the odds (`decisions/0062`).
    """
    among = _levels_among
    family = among("surname", "exact", "close") & among("date_of_birth", *EXACT_LEVELS["token_date_of_birth"][1])
    return family & among("forename", "different") & ~among("home", "address_similar_postcode_same")


def _another_date() -> BoolArray:
    """Return which patterns have one name, and dates of birth that have nothing in common."""
    among = _levels_among
    names = among("forename", "exact", "nickname", "close") & among("surname", "exact", "close")
    return names & among("date_of_birth", "different", "unseen")


def _guards(vetoes: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Return the guard of each pattern: vetoes first, and nothing where an exact NHS number or NINO speaks for the
    pair. `vetoes` names the numbers whose conflict is one.
    """
    among = _levels_among
    home = among("home", *(name for name in LEVEL["home"] if name.startswith("address_same")))
    twin = among("surname", "exact", "close") & home & among("date_of_birth", *EXACT_LEVELS["token_date_of_birth"][1])
    twin = _another_forename() | (twin & among("forename", "faint", "similar"))
    namesake = _another_date()
    guard = np.where(twin, Guard.TWIN, np.where(namesake, Guard.NAMESAKE, Guard.NONE))
    guard = np.where(among("nhs_number", "exact") | among("nino", "exact"), Guard.NONE, guard)
    # A home alone fits everybody who lives there: it is nobody's identity, however few of them are held.
    nothing_else = np.logical_and.reduce([among(name, "missing") for name in COMPARISONS if name != "home"])
    guard = np.where(nothing_else, Guard.HOME_ONLY, guard)
    for name, conflict in (("nino", Guard.NINO_CONFLICT), ("nhs_number", Guard.NHS_CONFLICT)):
        if name in vetoes:
            guard = np.where(among(name, "different"), conflict, guard)
    return guard.astype(np.uint8)


def _repeats(guards: npt.NDArray[np.uint8]) -> BoolArray:
    """Return which patterns are one person's beyond doubt, so that not even a source's declaration speaks against them.

    An NHS number or NINO in common is not enough, since a partner's or a parent's is sometimes given: the date of birth
    or both names must agree too, and a forename must not be another one.
    """
    among = _levels_among
    identified = (among("nhs_number", "exact") | among("nino", "exact")) & ~np.isin(guards, VETOES)
    dates = among("date_of_birth", *EXACT_LEVELS["token_date_of_birth"][1])
    dates &= ~among("forename", "different", "faint")
    names = among("forename", "exact", "nickname", "close") & among("surname", "exact", "close")
    return identified & (dates | names | among("forename", "swapped"))


def _frequency_bits(table: Frequencies, exact_u: float) -> tuple[UInt64Array, FloatArray, float]:
    """Return (sorted token words, what each adds in bits, what any other value adds)."""
    words = np.asarray([prefix_word(prefix) for prefix in table.values], dtype=np.uint64)
    share = np.maximum(np.asarray(list(table.values.values()), dtype=np.float64), table.floor)
    order = np.argsort(words)
    return words[order], np.log2(exact_u / share[order]), float(np.log2(exact_u / table.floor))


def _looked_up(asked: UInt64Array, words: UInt64Array, bits: FloatArray, otherwise: float) -> FloatArray:
    if not len(words):
        return np.full(len(asked), otherwise)
    place = np.minimum(np.searchsorted(words, asked), len(words) - 1)
    return np.where(words[place] == asked, bits[place], otherwise)


def _penalty_table() -> FloatArray:
    """Return log2(1 + 2**x) in steps of x: tabulated, so that no pair depends on its place in a vector."""
    low, high = _PENALTY_RANGE_BITS
    x = np.arange((high - low) * _STEPS_PER_BIT + 1) / _STEPS_PER_BIT + low
    return np.logaddexp2(0.0, x)
