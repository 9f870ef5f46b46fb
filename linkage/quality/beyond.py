"""Which matches would have been met: how likely a match of each subject is to leave enough evidence to be emitted.

A match that never becomes a pair leaves no trace, but the model says how often that happens: levels are drawn as
matches show them (m), the fields that a subject lacks are left out, and the odds are what they are. A subject without
name and date of birth is never found, one with everything nearly always. How many matches there are then follows from
those that were found, each standing for as many as its kind is found in (Horvitz and Thompson, J Am Stat Assoc 1952).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from linkage.compare import LEVEL, gathered, patterns
from linkage.held import HeldSubjects
from linkage.levels import plain
from linkage.subjects import TOKEN_POSITION, BoolArray, IntArray
from linkage.threads import in_threads
from linkage.weigh import FloatArray, Weigher
from schemas.model import COMPARISONS

DRAWS: Final = 2_000
"""Matches drawn for each combination of fields: a share is known to about a hundredth."""

_ROWS_AT_ONCE: Final = 10_000
"""Rows whose tokens stay within the cache."""

_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "forename": ("token_forename",),
    "surname": ("token_surname",),
    "middle_names": ("token_middle_names",),
    "date_of_birth": ("token_date_of_birth",),
    "address": ("token_address", "token_uprn"),
    "postcode": ("token_postcode", "token_uprn"),
    "nhs_number": ("token_nhs_number",),
    "nino": ("token_nino",),
}
"""What a subject can have or lack -> the columns any of which gives it."""


def found_shares(
    held: HeldSubjects,
    weigher: Weigher,
    log2_prior: FloatArray,
    log2_relatives: FloatArray,
    generator: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Return for each alive row how likely a match of it with another source, or the only one, is to be emitted, and
    how likely to be strong enough for a link.

    `log2_prior` and `log2_relatives` are those of each pair of source codes, (sources, sources).
    """
    subjects = held.subjects
    alive = np.flatnonzero(held.alive)
    source = subjects.source[alive].astype(np.int64)
    have = _fields(subjects.table, alive)
    least = np.asarray([[weigher.model.emit_log2_odds], [weigher.model.policy.link_log2_odds]])
    shares = np.ones((2, len(alive)))
    for code in range(len(subjects.sources)):
        mine = np.flatnonzero(source == code)
        others = np.flatnonzero(source != code) if len(subjects.sources) > 1 else mine
        if not len(mine) or not len(others):
            continue
        drawn = others[generator.integers(0, len(others), DRAWS)]
        levels = _drawn(weigher, generator)
        prior, relatives = log2_prior[code, source[drawn]], log2_relatives[code, source[drawn]]
        kinds = np.flatnonzero(np.bincount(have[mine]))
        kind = np.searchsorted(kinds, have[mine])
        odds = np.stack(
            [
                _odds(weigher, _masked(levels, _bits(np.full(DRAWS, fields) & have[drawn])), prior, relatives)
                for fields in kinds
            ]
        )
        for which in range(2):
            shares[which, mine] = (odds >= least[which]).mean(axis=1)[kind]
    return shares[0], shares[1]


def _fields(table: npt.NDArray[np.uint64], rows: IntArray) -> IntArray:
    """Return which of `_FIELDS` each row has, as the bits of a number."""
    have = np.zeros(len(rows), dtype=np.uint8)

    def fill(start: int) -> None:
        some = slice(start, start + _ROWS_AT_ONCE)
        present = gathered(table, rows[some]) != 0
        for place, columns in enumerate(_FIELDS.values()):
            any_of = present[:, [TOKEN_POSITION[column] for column in columns]].any(axis=1)
            have[some] |= any_of.astype(np.uint8) << place

    for _ in in_threads(fill, range(0, len(rows), _ROWS_AT_ONCE)):
        pass
    return have.astype(np.int64)


def _bits(have: IntArray) -> dict[str, BoolArray]:
    return {name: (have >> place) & 1 == 1 for place, name in enumerate(_FIELDS)}


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


def _odds(weigher: Weigher, levels: dict[str, IntArray], prior: FloatArray, relatives: FloatArray) -> FloatArray:
    """Return the log2 odds of pairs with these levels, of values of average frequency."""
    pattern = patterns(np.stack([levels[name].astype(np.uint8) for name in COMPARISONS]))
    odds: FloatArray = weigher.weigh(pattern, np.zeros(len(pattern)), relatives) + prior
    return odds


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
