"""How an office writes people down: careless clerks, hard names, families taken down in one breath.

Errors gather: a record's rate is the file's rate times its clerk's and its person's factor (each of mean 1), and what
is wrong with a home is wrong for all of the family that was written down together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from tests.populations.chance import Chance
from tests.populations.households import Flags, Ints

Floats = npt.NDArray[np.float64]

CLERKS: Final = 400
_LAST_YEAR: Final = 2024
_ALPHABET: Final = np.array(list("aeiounrtlsmdhckybgpwfv"))
_BY_EAR: Final = (  # what is heard, what is written; the first that fits
    ("ph", "f"), ("ck", "k"), ("ie", "ei"), ("ey", "y"), ("ll", "l"), ("tt", "t"), ("nn", "n"), ("ss", "s"),
    ("mm", "m"), ("rr", "r"), ("ee", "ea"), ("oo", "ou"), ("ou", "o"), ("gh", ""), ("wh", "w"), ("sh", "ch"),
    ("au", "or"), ("er", "ar"), ("en", "an"), ("on", "en"), ("el", "al"), ("in", "en"), ("d", "dd"), ("l", "ll"),
    ("t", "tt"), ("n", "nn"), ("s", "z"),
)  # fmt: skip
_CONTRACTED: Final = {
    "Road": "Rd", "Street": "St", "Close": "Cl", "Avenue": "Ave", "Lane": "Ln", "Drive": "Dr", "Gardens": "Gdns",
    "Court": "Ct", "Crescent": "Cres", "Grove": "Gr", "Place": "Pl", "Terrace": "Terr", "Square": "Sq",
}  # fmt: skip
_FILLERS: Final = np.array(["Unknown", "Not Known", "TBC", "N/A", "Surname"])


@dataclass(frozen=True)
class Desk:
    """Who wrote each record of a file: `clerk` factors (mean 1) and the number of the family taken down together."""

    factor: Floats
    together: Ints


def desks(chance: Chance, file: int, household: Ints, again: Flags, person: Floats, spread: float) -> Desk:
    """Seat the records of a file: four of five of a household's with one clerk and in one entry."""
    draw = chance(f"clerks {file}")
    careless = draw.gamma(spread, 1 / spread, size=CLERKS)
    families = int(household.max(initial=0)) + 1
    family = household + families * again.astype(np.int64)
    of_family = draw.integers(CLERKS, size=2 * families)
    alone = draw.random(len(household)) < 0.2
    clerk = np.where(alone, draw.integers(CLERKS, size=len(household)), of_family[family])
    factor = careless[clerk] * person
    together = np.where(alone, 2 * families + np.arange(len(household)), family)
    return Desk(factor / max(factor.mean(), 1e-9), together)


def typed(text: pl.Series, where: Floats, how: Floats, letter: Floats) -> pl.Series:
    """Return `text` with one slip of the keyboard in each value: a letter left out, doubled, another, or two swapped.

    The three arrays are uniform draws; equal draws slip equally on equal text.
    """
    kind = pl.col("how")
    frame = pl.DataFrame({"text": text, "how": how, "letter": _ALPHABET[(letter * len(_ALPHABET)).astype(np.int64)]})
    length = pl.col("text").str.len_chars().cast(pl.Int64)
    # Seldom the first letter: it is the one that is read.
    frame = frame.with_columns(at=pl.min_horizontal((pl.Series(where**0.8) * length).cast(pl.Int64), length - 1))
    frame = frame.with_columns(
        begin=pl.col("text").str.slice(0, pl.col("at")),
        here=pl.col("text").str.slice(pl.col("at"), 1),
        then=pl.col("text").str.slice(pl.col("at") + 1, 1),
        rest=pl.col("text").str.slice(pl.col("at") + 2),
    )
    slip = (
        pl.when((kind < 0.28) & (length > 3)).then(pl.concat_str("begin", "then", "rest"))
        .when(kind < 0.46).then(pl.concat_str("begin", "here", "here", "then", "rest"))
        .when(kind < 0.76).then(pl.concat_str("begin", "letter", "then", "rest"))
        .otherwise(pl.concat_str("begin", "then", "here", "rest"))
    )  # fmt: skip
    return frame.select(slip).to_series()


def by_ear(text: pl.Series) -> pl.Series:
    """Return another spelling that sounds alike, by the first rule that fits; the same text where none does."""
    heard = pl.col("text")
    found = heard
    for sound, written in reversed(_BY_EAR):
        inside = heard.str.slice(1).str.contains(sound, literal=True)
        changed = heard.str.slice(0, 1) + heard.str.slice(1).str.replace(sound, written, literal=True)
        found = pl.when(inside).then(changed).otherwise(found)
    return text.alias("text").to_frame().select(found).to_series()


def _changed(text: pl.Series, hit: Flags, new: pl.Series) -> pl.Series:
    return new.zip_with(pl.Series(hit), text)


def _slipped(draw: np.random.Generator, text: pl.Series, hit: Flags) -> pl.Series:
    """Return `text` with a slip where `hit`; draws for every row, so that a row's slip is its own at any scale."""
    where, how, letter = (draw.random(len(hit)) for _ in range(3))
    at = np.flatnonzero(hit)
    return text.scatter(at, typed(text.gather(at), where[at], how[at], letter[at])) if len(at) else text


def names(
    draw: np.random.Generator, given: pl.DataFrame, odds: dict[str, Floats], respelt: Floats
) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Return (forename, middle names, surname) as written; `given` as `Lives.names`, `odds` a rate for each record."""
    size = given.height
    plain = given["plain"].to_numpy()
    written = {}
    for field in ("forename", "surname"):
        name, other = given[field], given[f"{field}_respelt"]
        same = (other.is_null() | (other == name)).fill_null(True)
        other = _changed(other, same.to_numpy() | ~plain, by_ear(name))
        name = _changed(name, draw.random(size) < odds[f"respelt_{field}"] * respelt, other)
        written[field] = _slipped(draw, name, draw.random(size) < odds[f"typed_{field}"])
    forename, surname, middle = written["forename"], written["surname"], given["middle_names"]
    none = draw.random(size)
    letter = forename.str.head(1)
    forename = _changed(forename, none < odds["no_name"] * 0.6, letter)
    filler = pl.Series(_FILLERS[draw.integers(len(_FILLERS), size=size)])
    surname = _changed(surname, (none > 1 - odds["no_name"] * 0.4), filler)
    swapped = draw.random(size) < odds["swapped_names"]
    forename, surname = _changed(forename, swapped, surname), _changed(surname, swapped, forename)
    bare = draw.random(size) < odds["marks"]
    return (*(_changed(name, bare, _without_marks(name)) for name in (forename, middle, surname)),)  # type: ignore[return-value]


def _without_marks(name: pl.Series) -> pl.Series:
    plain = name.str.replace_all("ł", "l").str.replace_all("Ł", "L").str.normalize("NFKD").str.replace_all(r"\p{M}", "")
    return plain.str.replace_all("'", "").str.replace_all("-", " ")


def birth_dates(draw: np.random.Generator, born: Ints, beside: Ints, odds: dict[str, Floats]) -> pl.Series:
    """Return dates of birth as written (YYYY-MM-DD, null where missing); `beside` is a relative's date of birth."""
    size = len(born)
    born = np.where(draw.random(size) < odds["relative_birth_date"], beside, born)
    days = born.astype("datetime64[D]")
    year = days.astype("datetime64[Y]").astype(np.int64) + 1970
    month = days.astype("datetime64[M]").astype(np.int64) % 12 + 1
    day = (days - days.astype("datetime64[M]")).astype(np.int64) + 1
    wrong = draw.random(size) < odds["birth_date"]
    kind, step = draw.random(size), np.where(draw.random(size) < 0.5, 1, -1)
    crossed = wrong & (kind < 0.25) & (day <= 12)
    day, month = np.where(crossed, month, day), np.where(crossed, day, month)
    slip = wrong & ~crossed
    day = np.where(slip & (kind < 0.5), day + step * np.where(kind < 0.35, 10, 1), day)
    month = np.where(slip & (kind >= 0.5) & (kind < 0.65), month + step, month)
    year = np.where(slip & (kind >= 0.65) & (kind < 0.9), year + step * np.where(kind < 0.72, 10, 1), year)
    # Nothing but the year is known: the form wants a date and gets its first day.
    day, month = np.where(slip & (kind >= 0.9), 1, day), np.where(slip & (kind >= 0.9), 1, month)
    parts = {"year": np.minimum(year, _LAST_YEAR), "month": np.clip(month, 1, 12), "day": np.clip(day, 1, 28)}
    two_digits = [pl.col(name).cast(pl.String).str.zfill(2) for name in ("month", "day")]
    mistaken = pl.DataFrame(parts).select(pl.format("{}-{}-{}", "year", *two_digits)).to_series()
    written = _changed(pl.Series(days).cast(pl.String), wrong, mistaken)
    return written.set(pl.Series(draw.random(size) < odds["no_birth_date"]), None)


def addresses(
    draw: np.random.Generator, homes: pl.DataFrame, together: Ints, odds: dict[str, Floats], file: int
) -> tuple[pl.Series, pl.Series]:
    """Return (postcode, address) as written; people of one entry share its style and what is wrong with it.

    `homes` has the home of each record, row by row; `odds` are per entry, taken at its first record.
    """
    _, first, entry = np.unique(together, return_index=True, return_inverse=True)
    count = len(first)

    def each(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        return values[entry]

    def hit(name: str) -> Flags:
        return each(draw.random(count) < odds[name][first])

    style, short, town = (each(draw.random(count)) for _ in range(3))
    no_flat, no_building = hit("typed_address") & (each(draw.random(count)) < 0.3), each(draw.random(count)) < 0.3
    flat = pl.when(pl.col("no_flat")).then(pl.lit("")).otherwise("flat")
    building = pl.when(pl.col("no_building") & (pl.col("flat") != "")).then(pl.lit("")).otherwise("building")
    street = pl.col("street")
    contracted = street
    for word, less in _CONTRACTED.items():
        contracted = contracted.str.replace(f" {word}$", f" {less}")
    street = pl.when(pl.col("short") < (0.5 if file else 0.2)).then(contracted).otherwise(street)
    house = pl.concat_str("number", pl.lit(" "), street)
    lead = pl.when(building == "").then(pl.lit("")).otherwise(building + ", ")
    letter = flat.str.contains("^[A-Z]$")
    glued = pl.concat_str("number", flat, pl.lit(" "), street)
    said = pl.col("style")
    frame = homes.with_columns(
        style=pl.Series(style), short=pl.Series(short), town_said=pl.Series(town), no_flat=pl.Series(no_flat),
        no_building=pl.Series(no_building),
    )  # fmt: skip
    written = (
        pl.when(flat == "").then(lead + house)
        .when(letter & (said < 0.5)).then(glued)
        .when(said < 0.25).then(pl.lit("Flat ") + flat + " " + lead + house)
        .when(said < 0.55).then(pl.lit("Flat ") + flat + ", " + lead + house)
        .when(said < 0.65).then(pl.lit("Apartment ") + flat + ", " + lead + house)
        .when(said < 0.75).then(flat + "/" + house)
        .when(said < 0.85).then(pl.lit("Apt ") + flat + " " + lead + house)
        .when(said < 0.93).then(lead + house + " (Flat " + flat + ")")
        .otherwise(flat + " " + lead + house)
    )  # fmt: skip
    written = pl.when(pl.col("town_said") < 0.4).then(written + ", " + pl.col("town")).otherwise(written)
    address = frame.select(written).to_series()
    slip, (where, how, other) = hit("typed_address"), (each(draw.random(count)) for _ in range(3))
    at = np.flatnonzero(slip)
    if len(at):
        address = address.scatter(at, typed(address.gather(at), where[at], how[at], other[at]))
    postcode = _postcodes(homes, hit("old"), hit("typed_postcode"), each(draw.random(count)), each(draw.random(count)))
    postcode = postcode.set(pl.Series(hit("no_postcode")), None)
    return postcode, address.set(pl.Series(hit("no_address")), None)


def _postcodes(homes: pl.DataFrame, old: Flags, wrong: Flags, kind: Floats, which: Floats) -> pl.Series:
    letters = np.array(list("ABDEFGHJLNPQRSTUWXYZ"))[(which * 20).astype(np.int64)]
    digits = pl.Series((which * 9).astype(np.int64) + 1).cast(pl.String)
    frame = homes.with_columns(
        code=pl.when(pl.Series(old)).then("old_postcode").otherwise("postcode"), letter=letters, digit=digits
    )
    code, choice = pl.col("code"), pl.Series(kind)
    slip = (
        pl.when(choice < 0.4).then(code.str.head(-1) + pl.col("letter"))
        .when(choice < 0.65).then(code.str.head(-2) + pl.col("letter") + code.str.tail(1))
        .when(choice < 0.9).then(code.str.head(-3) + pl.col("digit") + code.str.tail(2))
        .otherwise(code.str.head(-2) + code.str.tail(1) + code.str.slice(-2, 1))
    )  # fmt: skip
    return frame.select(pl.when(pl.Series(wrong)).then(slip).otherwise(code)).to_series()
