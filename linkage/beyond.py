"""How many matches no blocking pass finds, reckoned from those that passes do find.

A pass finds a match where all of its columns agree. How often they do follows from m, so for a match that has the
columns of some passes, the chance that one of them finds it can be summed over everything its levels may be. A match
that was found stands for one over that chance (Horvitz and Thompson 1952). The reckoning asks that fields go wrong
independently but for `Dependence`s, and it cannot see those who have nothing that a pass could use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from linkage.compare import LEVEL, PLACE, LevelArray, gathered
from linkage.dependence import dependence_bits
from linkage.held import HeldSubjects
from linkage.levels import FloatArray, plain
from linkage.subjects import TOKEN_POSITION, IntArray, UInt64Array
from schemas.model import COMPARISONS, BlockPass, MatchModel

LEAST_CHANCE: Final = 0.05
"""A found match stands for twenty at the most, and a candidate less likely than one in twenty for none: rarer finds
would make the sum one of chance."""

_ROWS_AT_ONCE: Final = 10_000
"""Rows whose tokens stay within the cache; those of a whole source would be hundreds of MiB."""

_PARTS: Final[dict[str, frozenset[str]]] = {
    "year_month": frozenset({"year_month", "year"}),
    "year_day": frozenset({"year_day", "year"}),
    "month_day": frozenset({"month_day"}),
}
"""Level of a date of birth of which a part agrees -> what agrees then."""
_FACTS: Final[dict[str, tuple[str, ...]]] = {
    "token_forename": ("forename",),
    "token_forename_phonetic": ("forename_sound",),
    "token_nickname": ("nickname",),
    "token_surname": ("surname",),
    "token_surname_phonetic": ("surname_sound",),
    "token_date_of_birth": ("date",),
    "token_date_of_birth_swapped": ("date",),
    "key_birth_sex": ("date",),
    "key_names_year": ("forename_sound", "surname_sound", "year"),
    **{f"key_{part}_{name}": (part, f"{name}_sound") for part in _PARTS for name in ("forename", "surname")},
    "token_address": ("address",),
    "token_uprn": ("address",),
    "token_postcode": ("postcode",),
    "token_outcode": ("outcode",),
}
"""Token column -> what must be so of two records for it to agree."""

_EXACT_DATE: Final = frozenset({"date", "date_turned"}).union(*_PARTS.values())
_IDENTIFIERS: Final = {"token_nhs_number": "nhs_number", "token_pseudonym": "nhs_number", "token_nino": "nino"}


@dataclass(frozen=True)
class Beyond:
    """The number of matches found, and of those there are for them: as passes search, and as they would without stop
    keys. `variance` is that of how many are not found.
    """

    found: float
    there: float
    there_unstopped: float
    variance: float = 0.0

    @property
    def share(self) -> float:
        """Share of the matches that no pass finds."""
        return max(1 - self.found / self.there, 0.0) if self.there else 0.0

    @property
    def stopped_share(self) -> float:
        """Share of the matches that no pass finds, and one would but for stop keys."""
        return max(self.there - self.there_unstopped, 0.0) / self.there if self.there else 0.0


def beyond_blocking(
    held: HeldSubjects, model: MatchModel, left: IntArray, right: IntArray, levels: LevelArray, probability: FloatArray
) -> Beyond:
    """Return how many matches there are for those among the candidates (rows, levels, probability of a match).

    `held` is blocked by the model. Candidates that are hardly likely stand for nothing.
    """
    at = np.flatnonzero(probability > LEAST_CHANCE)
    if not len(at):
        return Beyond(0.0, 0.0, 0.0)
    left, right, levels, probability = left[at], right[at], levels[:, at], probability[at]
    able = presence(held, model, left) & presence(held, model, right)
    sounds = sounding(held, left, right, levels)
    # A key that was stopped reads as none, and a match that shares it has it on either side.
    kinds, kind = _kinds(np.concatenate([able & (held.keys(left) != 0), able]))
    chance = _chances(model, sounds, kinds)[kind]
    return Beyond(
        found=float(probability.sum()),
        there=float((probability / chance[: len(at)]).sum()),
        there_unstopped=float((probability / chance[len(at) :]).sum()),
        variance=float((probability * (1 - chance[: len(at)]) / chance[: len(at)] ** 2).sum()),
    )


def unfound_chances(
    held: HeldSubjects, model: MatchModel, rows: IntArray, among: IntArray, sounds: dict[str, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return the chance that no pass finds a row's match in another source: as passes search, and without stop keys.

    `among` are the other source's rows, of which most must have a pass's columns for a match to be found by it.
    """
    asked, there = presence(held, model, rows), presence(held, model, among).mean(axis=0) > 0.5
    unstopped = asked & there
    kinds, kind = _kinds(np.concatenate([unstopped & (held.keys(rows) != 0), unstopped]))
    missed = (1 - _chances(model, sounds, kinds, 0.0))[kind]
    return missed[: len(rows)], missed[len(rows) :]


def sounding(held: HeldSubjects, left: IntArray, right: IntArray, levels: LevelArray) -> dict[str, FloatArray]:
    """Return, for both names, the share of each level's pairs whose names sound alike."""
    table = held.subjects.table
    return {name: _sounding(table, left, right, levels[PLACE[name]], name) for name in ("forename", "surname")}


def _kinds(able: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], IntArray]:
    """Return (distinct rows, the number of each row's), as sets of bits: far quicker than sorting rows."""
    places = np.arange(able.shape[1], dtype=np.int64)
    words, which = np.unique(able @ (1 << places), return_inverse=True)
    return (words[:, None] >> places & 1).astype(np.bool_), which.astype(np.int64)


def presence(held: HeldSubjects, model: MatchModel, rows: IntArray) -> npt.NDArray[np.bool_]:
    """Return whether rows have what each pass is made of, (rows, passes)."""
    table = held.subjects.table
    columns = [[TOKEN_POSITION[column] for part in p.parts for column in part] for p in model.passes]
    able = np.zeros((len(rows), len(columns)), dtype=np.bool_)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        there = gathered(table, rows[start : start + _ROWS_AT_ONCE]) != 0
        for position, each in enumerate(columns):
            able[start : start + _ROWS_AT_ONCE, position] = there[:, each].all(axis=1)
    return able


def pass_chances(model: MatchModel, sounds: Mapping[str, FloatArray]) -> FloatArray:
    """Return the chance that a match which has every field agrees on each of the model's passes, (passes,).

    `sounds` is the share of each level's pairs whose names sound alike, by name, see `sounding`.
    """
    likely, agrees = _agreement(model, sounds)
    chances: FloatArray = _identified(model) + likely @ agrees
    return chances


def _agreement(model: MatchModel, sounds: Mapping[str, FloatArray]) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return how likely each state of a match is, and which passes find it then, (states, passes)."""
    crossing = {name for pair in model.crossings for name in pair}
    states = list(_states(model, sounds))
    agrees = [[_agrees(each, facts, each.name in crossing) for each in model.passes] for _, facts in states]
    return np.asarray([share for share, _ in states]), np.asarray(agrees)


def _identified(model: MatchModel) -> FloatArray:
    """Return the chance that a match agrees on each pass of an identifier alone, 0 for other passes, (passes,)."""
    m = {c.name: c.m for c in model.comparisons}
    return np.asarray([m[name][0] if name else 0.0 for name in _identifiers(model)])


def _identifiers(model: MatchModel) -> list[str | None]:
    """Return for each pass the identifier that it is made of alone, or None."""
    return [_IDENTIFIERS.get(p.parts[0][0]) if len(p.parts) == len(p.parts[0]) == 1 else None for p in model.passes]


def _chances(
    model: MatchModel, sounds: dict[str, FloatArray], kinds: npt.NDArray[np.bool_], least: float = LEAST_CHANCE
) -> FloatArray:
    """Return the chance that a match agrees on one of the passes of each kind, (kinds, passes) bool."""
    likely, agrees = _agreement(model, sounds)
    mistaken = {name: 1 - float(chance) for name, chance in zip(_identifiers(model), _identified(model), strict=True)}
    missed = []
    for kind in kinds:
        # A number and the pseudonym of it are mistaken together: they count once.
        numbers = {name for name, able in zip(_identifiers(model), kind, strict=True) if able and name}
        unidentified = float(np.prod([mistaken[name] for name in sorted(numbers)]))
        missed.append(float(likely @ ~agrees[:, kind].any(axis=1)) * unidentified)
    chance: FloatArray = np.maximum(1 - np.asarray(missed), least)
    return chance


def _states(model: MatchModel, sounds: Mapping[str, FloatArray]) -> Iterator[tuple[float, frozenset[str]]]:
    """Yield all that a match's names, date and home may be: how likely it is, and what agrees then."""
    m = {c.name: np.where(plain(c.name), np.asarray(c.m), 0.0) for c in model.comparisons}
    forename, surname = (_named(name, sounds[name]) for name in ("forename", "surname"))
    date, home = _dated(), _homed()
    joint = m["surname"][:, None] * m["home"][None, :] * np.exp2(_together(model))
    joint = np.stack([member for _, member in surname]) @ joint @ np.stack([member for _, member in home]).T
    joint /= joint.sum()
    for (f, in_f), (d, in_d), (s, h) in product(forename, date, product(range(len(surname)), range(len(home)))):
        share = float(m["forename"] @ in_f) * float(m["date_of_birth"] @ in_d) * float(joint[s, h])
        crossed = "crossed" in f
        yield share, f | d | home[h][0] | (frozenset() if crossed else surname[s][0])


def _together(model: MatchModel) -> FloatArray:
    """Return the log2 of how surname and home of matches go together, (surname levels, home levels)."""
    rows, columns = len(COMPARISONS["surname"]), len(COMPARISONS["home"])
    levels = np.zeros((len(COMPARISONS), rows * columns), dtype=np.uint8)
    levels[PLACE["surname"]] = np.repeat(np.arange(1, rows + 1), columns)
    levels[PLACE["home"]] = np.tile(np.arange(1, columns + 1), rows)
    both = [d for d in model.dependences if {d.first, d.second} == {"surname", "home"}]
    return dependence_bits(levels, both, "matches").reshape(rows, columns)


def _named(name: str, sounding: FloatArray) -> list[tuple[frozenset[str], FloatArray]]:
    """Return what agrees of a name, with how much of each level that is."""
    level = {each: (np.asarray(COMPARISONS[name]) == each).astype(np.float64) for each in COMPARISONS[name]}
    sound = f"{name}_sound"
    nothing = np.zeros(len(COMPARISONS[name]))
    crossed = level.get("swapped", nothing) + level.get("half_swapped", nothing)
    nickname = level.get("nickname", nothing)
    rest = 1 - level["exact"] - nickname - crossed
    return [
        (frozenset({name, sound, "nickname"}), level["exact"]),
        (frozenset({sound, "nickname"}), nickname * sounding),
        (frozenset({"nickname"}), nickname * (1 - sounding)),
        (frozenset({sound}), rest * sounding),
        (frozenset(), rest * (1 - sounding)),
        (frozenset({"crossed"}), crossed),
    ][: 6 if name == "forename" else 5]


def _dated() -> list[tuple[frozenset[str], FloatArray]]:
    names = np.asarray(COMPARISONS["date_of_birth"])
    exact = np.isin(names, ["exact_same_sex", "exact_other_sex"])
    return [
        (_EXACT_DATE, exact.astype(np.float64)),
        (frozenset({"date_turned"}), (names == "swapped").astype(np.float64)),
        *((facts, (names == part).astype(np.float64)) for part, facts in _PARTS.items()),
        (frozenset(), (names == "different").astype(np.float64)),
    ]


def _homed() -> list[tuple[frozenset[str], FloatArray]]:
    names = COMPARISONS["home"]
    states: dict[frozenset[str], FloatArray] = {}
    for position, name in enumerate(names):
        facts = {"address"} if name.startswith("address_same") else set()
        facts |= {"postcode", "outcode"} if name.endswith("postcode_same") else set()
        facts |= {"outcode"} if name.endswith("postcode_outcode") else set()
        states.setdefault(frozenset(facts), np.zeros(len(names)))[position] = 1.0
    return list(states.items())


def _agrees(block_pass: BlockPass, facts: frozenset[str], crosses: bool) -> bool:
    """Return whether a pass finds a match of which these facts hold; one that crosses finds crosswise names too."""
    if crosses and "crossed" in facts:
        facts = facts | {"forename_sound", "surname_sound"}
    for part in block_pass.parts:
        if all(column in _FACTS and facts.issuperset(_FACTS[column]) for column in part):
            continue
        turned = "date_turned" if "token_date_of_birth" in part else "crossed"
        if len(part) == 1 or turned not in facts:
            return False
    return True


def _sounding(
    table: UInt64Array, left: IntArray, right: IntArray, level: npt.NDArray[np.uint8], name: str
) -> FloatArray:
    """Return the share of each level's pairs whose names sound alike; levels that were not met count as not alike."""
    column = TOKEN_POSITION[f"token_{name}_phonetic"]
    alike = (table[left, column] == table[right, column]) & (table[left, column] != 0)
    size = len(COMPARISONS[name]) + 1
    share: FloatArray = np.bincount(level, alike, size)[1:] / np.maximum(np.bincount(level, minlength=size)[1:], 1)
    share[LEVEL[name]["phonetic"] - 1] = 1.0
    return share
