"""What a candidate pair agrees on: one level for each comparison, and all of them as one pattern number.

Levels and their order stand in `schemas.model.COMPARISONS`; every comparison is symmetric, and a value missing on
either side gives level 0, which is no evidence. Tokens are compared first; filters only where tokens leave a level
open, and only for pairs that the caller's `promising` table lets through, since most candidates are no match whatever
their filters say.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from linkage.subjects import FILTER_WORDS, TOKEN_POSITION, IntArray, Subjects, UInt64Array, bits_set
from linkage.threads import in_threads
from schemas.contracts.subject import FILTER_COLUMNS
from schemas.model import COMPARISONS, RADICES, DiceCuts

LevelArray = npt.NDArray[np.uint8]
PatternArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]

CHUNK_PAIRS: Final = 1 << 13
"""Pairs compared at a time: two gathered token rows each stay within a 2 MiB cache."""

LEVEL: Final = {
    name: {"missing": 0, **{level: number for number, level in enumerate(levels, start=1)}}
    for name, levels in COMPARISONS.items()
}
"""Comparison -> level name -> level number."""

PLACE: Final = {name: place for place, name in enumerate(COMPARISONS)}
"""Comparison -> row of a level array."""

STRIDES: Final = tuple(int(np.prod(RADICES[place + 1 :], dtype=np.int64)) for place in range(len(RADICES)))
"""What one step of each comparison's level adds to the pattern number."""

PATTERNS: Final = int(np.prod(RADICES, dtype=np.int64))
"""Number of possible patterns."""

SETTLED_NAMES: Final = ("close", "phonetic", "similar", "faint", "different")
"""Levels that a name's filter may give where its tokens leave it open."""

SETTLED_ADDRESSES: Final = ("close", "similar", "different")
"""States of the address that its filter may give."""

_NAMES_CROSSWISE, _NAME_CROSSWISE, _FORENAME_MIDDLE, _DATES_CROSSWISE = range(
    len(TOKEN_POSITION), len(TOKEN_POSITION) + 4
)
_ADDRESS_STEP: Final = 4  # postcode levels to each address level, see COMPARISONS["home"]
_OPEN: Final = 1  # a filter must settle the level
_OPEN_PHONETIC: Final = 2  # the same, and it is at least `phonetic`


def patterns(levels: LevelArray) -> PatternArray:
    """Return the pattern number of each pair from its levels (comparisons, pairs)."""
    total = np.zeros(levels.shape[1], dtype=np.int32)
    for place, stride in enumerate(STRIDES):
        total += levels[place].astype(np.int32) * np.int32(stride)
    return total


def levels_of(pattern: npt.NDArray[np.integer]) -> LevelArray:
    """Return the levels (comparisons, pairs) of pattern numbers: the inverse of `patterns`."""
    return np.stack([(pattern // s % r).astype(np.uint8) for s, r in zip(STRIDES, RADICES, strict=True)])


def dice(
    left: Subjects, right: Subjects, left_rows: IntArray, right_rows: IntArray, field: int
) -> npt.NDArray[np.float32]:
    """Return the Dice similarity 2|a and b| / (|a| + |b|) of one filter, 0 if a side lacks it.

    `field` is the filter's place in `FILTER_COLUMNS`.
    """
    common, one, other = filter_bits(left, right, left_rows, right_rows, field)
    return _share(common * np.uint64(2), one + other)


def filter_bits(
    left: Subjects, right: Subjects, left_rows: IntArray, right_rows: IntArray, field: int
) -> tuple[UInt64Array, UInt64Array, UInt64Array]:
    """Return the number of bits that one filter has set on both sides, on the left and on the right, of each pair."""
    left_at, right_at = left_rows * len(FILTER_COLUMNS) + field, right_rows * len(FILTER_COLUMNS) + field
    one = gathered(left.filters.reshape(-1, FILTER_WORDS), left_at)
    other = gathered(right.filters.reshape(-1, FILTER_WORDS), right_at)
    sizes = bits_set(one), bits_set(other)  # counting anew takes less time than fetching a stored count
    one &= other
    return bits_set(one), *sizes


def _share(part: UInt64Array, whole: UInt64Array) -> npt.NDArray[np.float32]:
    share: npt.NDArray[np.float32] = (part / np.maximum(whole, np.uint64(1))).astype(np.float32)
    return share


def gathered(table: UInt64Array, rows: IntArray) -> UInt64Array:
    """Return rows of a table. `take` moves whole rows; indexing goes word by word, in two to three times the time."""
    return table.take(rows, axis=0)


def compare(
    left: Subjects,
    right: Subjects,
    left_rows: IntArray,
    right_rows: IntArray,
    cuts: DiceCuts,
    promising: BoolArray | None = None,
) -> tuple[IntArray, PatternArray]:
    """Return (positions of the pairs compared in full, their patterns).

    Without `promising`, all pairs. With it (one flag a pattern), only pairs whose best possible pattern, taking every
    open filter comparison at `close`, is flagged.
    """

    def compared(start: int) -> tuple[IntArray, PatternArray]:
        chosen = np.arange(start, min(start + CHUNK_PAIRS, len(left_rows)))
        levels, still_open = token_levels(
            gathered(left.table, left_rows[chosen]), gathered(right.table, right_rows[chosen])
        )
        if promising is not None:
            keep = np.flatnonzero(promising[patterns(levels)])
            chosen, levels, still_open = chosen[keep], levels[:, keep], still_open[:, keep]
        _settle(levels, still_open, left, right, left_rows[chosen], right_rows[chosen], cuts)
        return chosen, patterns(levels)

    starts = range(0, len(left_rows), CHUNK_PAIRS)
    if not starts:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
    # Whoever sifts candidates has threads of its own; whoever wants every level of many pairs does nothing else.
    found = list(map(compared, starts) if promising is not None or len(starts) == 1 else in_threads(compared, starts))
    return np.concatenate([chosen for chosen, _ in found]), np.concatenate([pattern for _, pattern in found])


def token_levels(left: UInt64Array, right: UInt64Array) -> tuple[LevelArray, LevelArray]:
    """Return (levels (comparisons, pairs), non-zero where a filter must settle one (filter fields, pairs)).

    Where a filter must settle it, the level is the best that the filter could give: `close`.
    """
    agrees, present = _agreement(left, right)
    levels = np.zeros((len(RADICES), len(left)), dtype=np.uint8)
    still_open = np.zeros((len(FILTER_COLUMNS), len(left)), dtype=np.uint8)
    _names(levels, still_open, agrees, present)
    levels[PLACE["middle_names"]] = np.where(
        _bit(present, TOKEN_POSITION["token_middle_names"]), 2 - _bit(agrees, TOKEN_POSITION["token_middle_names"]), 0
    )
    levels[PLACE["date_of_birth"]] = _date_of_birth(agrees, present)
    _home(levels, still_open, agrees, present)
    for name, stand_in in (("nhs_number", "token_pseudonym"), ("nino", None)):
        # A pseudonym of the number speaks where a side lacks the number; the number itself has no bridge to go wrong.
        known, same = _any_bit(present, f"token_{name}"), _any_bit(agrees, f"token_{name}")
        if stand_in is not None:
            same |= ~known & _any_bit(agrees, stand_in)
            known |= _any_bit(present, stand_in)
        levels[PLACE[name]] = np.where(known, 2 - same, 0)
    return levels, still_open


def _agreement(left: UInt64Array, right: UInt64Array) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return (bits of the columns that agree and are present, bits of the columns present on both sides) for each pair.

    Bits beyond the columns say that both names agree crosswise, that one does, that a forename is the other's middle
    name, and that a date of birth is the other's with day and month swapped.
    """
    both = (left != 0) & (right != 0)
    same = (left == right) & both
    forename, surname = TOKEN_POSITION["token_forename"], TOKEN_POSITION["token_surname"]
    middle = TOKEN_POSITION["token_middle_names"]
    birth, swapped = TOKEN_POSITION["token_date_of_birth"], TOKEN_POSITION["token_date_of_birth_swapped"]
    one, other = left[:, forename] == right[:, surname], left[:, surname] == right[:, forename]
    named = both[:, forename] & both[:, surname] & ~same[:, forename] & ~same[:, surname]
    middles = (left[:, forename] == right[:, middle]) | (left[:, middle] == right[:, forename])
    dates = (left[:, birth] == right[:, swapped]) | (left[:, swapped] == right[:, birth])
    agrees = _packed(same)
    for position, flags in (
        (_NAMES_CROSSWISE, named & one & other),
        (_NAME_CROSSWISE, named & (one | other)),
        (_FORENAME_MIDDLE, middles & both[:, forename] & ~same[:, forename]),
        (_DATES_CROSSWISE, dates & both[:, birth] & ~same[:, birth]),
    ):
        agrees |= flags.astype(np.uint32) << np.uint32(position)
    return agrees, _packed(both)


def _packed(flags: BoolArray) -> npt.NDArray[np.uint32]:
    """Return each row's flags as the bits of one number, column 0 lowest."""
    octets = np.packbits(flags, axis=1, bitorder="little")
    wide = np.zeros((len(flags), 4), dtype=np.uint8)
    wide[:, : octets.shape[1]] = octets
    return wide.view("<u4").ravel()


def _bit(bits: npt.NDArray[np.uint32], position: int) -> BoolArray:
    flags: BoolArray = (bits & np.uint32(1 << position)) != 0
    return flags


def _any_bit(bits: npt.NDArray[np.uint32], *columns: str) -> BoolArray:
    flags: BoolArray = (bits & np.uint32(sum(1 << TOKEN_POSITION[c] for c in columns))) != 0
    return flags


def _names(
    levels: LevelArray, still_open: LevelArray, agrees: npt.NDArray[np.uint32], present: npt.NDArray[np.uint32]
) -> None:
    """Set the levels of forename and surname; crosswise agreement counts once, as the forename's."""
    crosswise = _bit(agrees, _NAME_CROSSWISE)
    for name in ("forename", "surname"):
        level, exact = LEVEL[name], _any_bit(agrees, f"token_{name}")
        row = np.where(exact, level["exact"], level["close"])
        opened = ~exact & ~crosswise
        crossed: npt.NDArray[np.int64] | int = level["missing"]
        if name == "forename":
            crossed = np.where(_bit(agrees, _NAMES_CROSSWISE), level["swapped"], level["half_swapped"])
            nickname = opened & _any_bit(agrees, "token_nickname")
            middle = opened & ~nickname & _bit(agrees, _FORENAME_MIDDLE)
            row = np.where(nickname, level["nickname"], np.where(middle, level["middle"], row))
            opened &= ~nickname & ~middle
        has = _any_bit(present, f"token_{name}")
        levels[PLACE[name]] = np.where(has, np.where(crosswise, crossed, row), 0)
        still_open[FILTER_COLUMNS.index(f"filter_{name}")] = np.where(
            has & opened, np.where(_any_bit(agrees, f"token_{name}_phonetic"), _OPEN_PHONETIC, _OPEN), 0
        )


def _date_of_birth(agrees: npt.NDArray[np.uint32], present: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    level = LEVEL["date_of_birth"]
    named = _any_bit(agrees, "token_forename_phonetic", "token_surname_phonetic")
    parts = np.where(named, level["different"], level["unseen"])
    for part in ("month_day", "year_day", "year_month"):
        parts = np.where(_any_bit(agrees, f"key_{part}_forename", f"key_{part}_surname"), level[part], parts)
    parts = np.where(_bit(agrees, _DATES_CROSSWISE), level["swapped"], parts)
    sex = np.where(_any_bit(agrees, "key_birth_sex"), level["exact_same_sex"], level["exact_other_sex"])
    exact = np.where(_any_bit(present, "key_birth_sex"), sex, level["exact"])
    row = np.where(_any_bit(agrees, "token_date_of_birth"), exact, parts)
    return np.where(_any_bit(present, "token_date_of_birth"), row, 0)


def _home(
    levels: LevelArray, still_open: LevelArray, agrees: npt.NDArray[np.uint32], present: npt.NDArray[np.uint32]
) -> None:
    """Set the joint level of address and postcode. An equal UPRN is one home whatever the texts say."""
    uprn = _any_bit(agrees, "token_uprn")
    has_address = _any_bit(present, "token_address")
    same = uprn | _any_bit(agrees, "token_address")
    # Levels of `home` run through the address states (same, close, similar, different, unknown) in steps of 4.
    known = np.where(has_address, 1, np.where(_any_bit(present, "token_uprn"), 3, 4))
    address = np.where(same, 0, known)
    postcode = np.where(_any_bit(present, "token_postcode"), np.where(_any_bit(agrees, "token_outcode"), 1, 2), 3)
    postcode = np.where(uprn | _any_bit(agrees, "token_postcode"), 0, postcode)
    nothing = (address == 4) & (postcode == 3)
    levels[PLACE["home"]] = np.where(nothing, 0, 1 + address * _ADDRESS_STEP + postcode)
    still_open[FILTER_COLUMNS.index("filter_address")] = has_address & ~same


def _settle(
    levels: LevelArray,
    still_open: LevelArray,
    left: Subjects,
    right: Subjects,
    left_rows: IntArray,
    right_rows: IntArray,
    cuts: DiceCuts,
) -> None:
    """Replace open levels by what the filters say, in place."""
    for field, column in enumerate(FILTER_COLUMNS):
        at = np.flatnonzero(still_open[field])
        if not len(at):
            continue
        common, one, other = filter_bits(left, right, left_rows[at], right_rows[at], field)
        similarity = _share(common * np.uint64(2), one + other)
        if column == "filter_address":
            state = np.where(similarity >= cuts.address_close, 0, np.where(similarity >= cuts.address_similar, 1, 2))
            levels[PLACE["home"], at] += (state * _ADDRESS_STEP).astype(np.uint8)
        else:
            name = column.removeprefix("filter_")
            level, row = LEVEL[name], levels[PLACE[name]]
            fewer = np.minimum(one, other)
            likeness = (similarity >= cuts.name_faint) | (_share(common, fewer) > cuts.name_contained)
            likeness &= fewer - common <= cuts.name_unshared_bits
            far = np.where(likeness, level["faint"], level["different"])
            far = np.where(similarity >= cuts.name_similar, level["similar"], far)
            far = np.where(still_open[field, at] == _OPEN_PHONETIC, level["phonetic"], far)
            row[at] = np.where(similarity >= cuts.name_close, level["close"], far)
