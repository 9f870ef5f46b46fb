"""How single values come to be written down wrongly: keys hit beside the right one, spellings by ear, dates mixed up.

All on columns. Every function draws for every row, hit or not, so that at another `error_scale` the rows hit before
are hit in the same way.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise.chance import Flags, Ints
from linkage.synthesise.names.nicknames import SHORT_FORMS, SPELLINGS

_ROWS: Final = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")


@cache
def _neighbours() -> dict[str, str]:
    """Return the neighbours of each letter and digit on a British keyboard (letters of letters), repeated to six."""
    at = {letter: (r, c + 0.5 * r) for r, row in enumerate(_ROWS) for c, letter in enumerate(row)}
    found = {}
    for letter, (r, c) in at.items():
        near = [
            o
            for o, (r2, c2) in at.items()
            if o != letter and o.isdigit() == letter.isdigit() and abs(r - r2) <= 1 and abs(c - c2) <= 1.0
        ]
        found[letter] = "".join((near * 6)[:6])
    return found


# What sounds alike: tried on the lower-case name, each where it occurs.
_BY_EAR: Final = (
    ("ph", "f"), ("ck", "k"), ("ll", "l"), ("l", "ll"), ("nn", "n"), ("tt", "t"), ("ss", "s"), ("ee", "i"), ("i",
    "ee"), ("oo", "u"), ("ou", "u"), ("ow", "ou"), ("y", "i"), ("ie", "y"), ("ei", "ie"), ("ea", "ee"), ("kh", "k"),
    ("gh", "g"), ("sh", "s"), ("w", "v"), ("v", "w"), ("sz", "sh"), ("cz", "ch"), ("dz", "z"), ("j", "y"), ("z",
    "s"), ("th", "t"), ("aa", "a"), ("ai", "ay"), ("ey", "y"), ("er", "ar"), ("q", "k"), ("c", "k"), ("e", "a"),
    ("m", "n"), ("h", ""),
)  # fmt: skip


@cache
def _spelling_groups() -> dict[str, tuple[str, ...]]:
    groups: dict[str, tuple[str, ...]] = {}
    for group in SPELLINGS:
        for name in group:
            groups[name.lower()] = tuple(other for other in group if other != name)
    return groups


def _spellings(name: str) -> list[str]:
    known = _spelling_groups().get(name.lower())
    if known:
        return list(known)
    lower = name.lower()
    # The first letter is heard best and stays.
    heard = [lower[0] + lower[1:].replace(a, b, 1) for a, b in _BY_EAR if a in lower[1:]]
    return [h.capitalize() for h in heard if len(h) > 2] or [name]


def _replace(column: pl.Series, hit: Flags, replacement: pl.Series) -> pl.Series:
    """Return the column with `replacement` (one value for each row that is hit, in order) put in."""
    rows = np.flatnonzero(hit)
    return column.clone().scatter(rows, replacement) if len(rows) else column


def _one_of(values: pl.Series, choices: dict[str, list[str]], draws: pl.Series) -> pl.Series:
    table = pl.DataFrame(
        {"value": list(choices), "choices": list(choices.values())},
        schema={"value": pl.String, "choices": pl.List(pl.String)},
    )
    frame = pl.DataFrame({"value": values, "draw": draws}).join(table, on="value", how="left", maintain_order="left")
    count = pl.col("choices").list.len()
    index = (pl.col("draw") * count).floor().cast(pl.Int64).clip(0, count - 1)
    return frame.select(pl.coalesce(pl.col("choices").list.get(index, null_on_oob=True), "value").alias("v"))["v"]


def respelt(column: pl.Series, hit: Flags, draw: np.random.Generator) -> pl.Series:
    """Return the column with other spellings of the same name in the rows that are hit."""
    chosen = draw.random(len(column))
    hit = hit & column.is_not_null().to_numpy()
    values = column.filter(pl.Series(hit))
    choices = {name: _spellings(name) for name in values.unique().sort().to_list()}
    return _replace(column, hit, _one_of(values, choices, pl.Series(chosen[hit])))


def has_short_form(column: pl.Series) -> Flags:
    """Return which forenames have a short form."""
    return column.is_in(list(SHORT_FORMS)).fill_null(False).to_numpy()


def shortened(column: pl.Series, hit: Flags, draw: np.random.Generator) -> pl.Series:
    """Return the column with a short or pet form in the rows that are hit, where the name has one."""
    chosen = draw.random(len(column))
    hit = hit & has_short_form(column)
    values = column.filter(pl.Series(hit))
    choices = {name: list(SHORT_FORMS[name]) for name in values.unique().sort().to_list()}
    return _replace(column, hit, _one_of(values, choices, pl.Series(chosen[hit])))


def mistyped(column: pl.Series, hit: Flags, draw: np.random.Generator) -> pl.Series:
    """Return the column with one slip of the keyboard in the rows that are hit.

    Four tenths hit the key beside, a quarter leave a letter out, a fifth double or add one, the rest swap two
    neighbours.
    """
    rows = len(column)
    first, where, how, key = draw.random(rows), draw.random(rows), draw.random(rows), draw.integers(6, size=rows)
    hit = hit & (column.str.len_chars().fill_null(0) >= 3).to_numpy()
    values = column.filter(pl.Series(hit))
    length = values.str.len_chars().to_numpy()
    # The first letter is looked at most: it is wrong in one slip of ten.
    at = np.where(first[hit] < 0.1, 0, 1 + np.floor(where[hit] * (length - 1)).astype(np.int64))
    frame = pl.DataFrame({"v": values, "at": at, "how": how[hit], "key": key[hit]})
    letter = pl.col("v").str.slice(pl.col("at"), 1)
    beside = letter.str.to_lowercase().replace_strict(
        _neighbours(), default=letter + letter + letter + letter + letter + letter, return_dtype=pl.String
    )
    beside = beside.str.slice(pl.col("key"), 1)
    beside = pl.when(letter == letter.str.to_uppercase()).then(beside.str.to_uppercase()).otherwise(beside)
    before = pl.col("v").str.slice(0, pl.col("at"))
    after = pl.col("v").str.slice(pl.col("at") + 1)
    back = pl.max_horizontal(pl.col("at") - 1, 0)
    turned = pl.concat_str(
        [
            pl.col("v").str.slice(0, back),
            letter,
            pl.col("v").str.slice(back, 1),
            pl.col("v").str.slice(pl.col("at") + 1),
        ]
    )
    return _replace(
        column,
        hit,
        frame.select(
            pl.when(pl.col("how") < 0.40)
            .then(pl.concat_str([before, beside, after]))
            .when(pl.col("how") < 0.65)
            .then(pl.concat_str([before, after]))
            .when(pl.col("how") < 0.75)
            .then(pl.concat_str([before, letter, letter.str.to_lowercase(), after]))
            .when((pl.col("how") < 0.85) | (pl.col("at") == 0))
            .then(pl.concat_str([before, letter, beside.str.to_lowercase(), after]))
            .otherwise(turned)
            .alias("v")
        )["v"],
    )


def wrong_postcode(column: pl.Series, hit: Flags, draw: np.random.Generator) -> pl.Series:
    """Return postcodes with the sector digit or one of the last two letters wrong in the rows that are hit."""
    rows = len(column)
    digit, letter, how = draw.integers(10, size=rows), draw.integers(20, size=rows), draw.random(rows)
    hit = hit & column.is_not_null().to_numpy()
    values = column.filter(pl.Series(hit))
    letters = np.array(list("ABDEFGHJLNPQRSTUWXYZ"))
    frame = pl.DataFrame(
        {
            "v": values,
            "digit": digit[hit].astype(np.str_),
            "letter": letters[letter[hit]],
            "how": how[hit],
        },
        schema_overrides={"digit": pl.String, "letter": pl.String},
    )
    start, end = pl.col("v").str.head(-3), pl.col("v").str.tail(3)
    return _replace(
        column,
        hit,
        frame.select(
            pl.when(pl.col("how") < 0.3)
            .then(pl.concat_str([start, "digit", end.str.tail(2)]))
            .when(pl.col("how") < 0.65)
            .then(pl.concat_str([start, end.str.head(1), "letter", end.str.tail(1)]))
            .otherwise(pl.concat_str([start, end.str.head(2), "letter"]))
            .alias("v")
        )["v"],
    )


def wrong_date(birth_day: Ints, hit: Flags, latest: int, draw: np.random.Generator) -> Ints:
    """Return days since 1970 with an error in the rows that are hit.

    A quarter swap day and month where that gives a date, a quarter miss the day by a digit, 15 % the month, a
    quarter the year (most by one), a tenth fall to 1 January. A date after `latest` is put a year or more back.
    """
    every = len(birth_day)
    how, by, up = draw.random(every), draw.integers(1, 10, size=every), draw.random(every) < 0.5
    rows = np.flatnonzero(hit)
    how, by, sign = how[rows], by[rows], np.where(up[rows], 1, -1)
    dates = birth_day[rows].astype("datetime64[D]")
    year = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    month = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    day = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
    swap = (how < 0.25) & (day <= 12) & (day != month)
    one_day = ~swap & (how < 0.5)
    new_day = np.where(swap, month, np.where(one_day, np.where(by < 5, day + sign, day + 10 * sign), day))
    new_day = np.where(
        new_day < 1, day + 1, np.where(new_day > 28, np.where(one_day, day - 1, np.minimum(day, 28)), new_day)
    )
    new_month = np.where(swap, day, np.where((how >= 0.5) & (how < 0.65), (month + by) % 12 + 1, month))
    new_year = np.where(
        (how >= 0.65) & (how < 0.80), year + sign, np.where((how >= 0.80) & (how < 0.90), year + 10 * sign, year)
    )
    new_year = np.where(new_year > 1970 + latest // 365, new_year - 10, new_year)
    default = how >= 0.90
    new_day, new_month = np.where(default, 1, np.clip(new_day, 1, 28)), np.where(default, 1, new_month)
    months = (new_year - 1970) * 12 + new_month - 1
    wrong = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + new_day - 1
    changed = birth_day.copy()
    changed[rows] = np.where(wrong > latest, wrong - 366, wrong)
    return changed
