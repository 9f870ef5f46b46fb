"""A person as one file writes them down: name, date of birth, sex and home, with that file's habits and mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise import geography, mistakes
from linkage.synthesise.chance import Chance, Flags, Ints
from linkage.synthesise.drift import HEALTH, Drift, Odds
from linkage.synthesise.names.communities import COMMUNITIES
from linkage.synthesise.naming import Naming, forename_text, surname_text
from linkage.synthesise.rates import ErrorRates
from linkage.synthesise.world import REFERENCE_DAY, World

_ABBREVIATIONS: Final = {
    "Road": "Rd", "Street": "St", "Avenue": "Ave", "Close": "Cl", "Drive": "Dr", "Gardens": "Gdns", "Court": "Ct",
    "Lane": "La", "Crescent": "Cres", "Terrace": "Terr", "Place": "Pl", "Grove": "Grv",
}  # fmt: skip
_JUNK: Final = ("Baby", "Baby Boy", "Baby Girl", "Infant", "Twin One", "Unknown")


@dataclass(frozen=True)
class Cast:
    """Everything that records are written from."""

    world: World
    naming: Naming
    drift: Drift
    rates: ErrorRates
    odds: Odds


def written(
    chance: Chance, cast: Cast, file: int, rows: Ints, dwelling: Ints, *, by: str | None = None
) -> pl.DataFrame:
    """Return the identity columns of one file for people `rows` who, as far as nobody erred, live at `dwelling`.

    Columns: forename, middle_names, surname, date_of_birth (YYYY-MM-DD), sex, postcode, address, uprn,
    ethnic_category, lsoa. `file` says which side's habits and news it has; `by` names who writes, when there is more
    than one of a side: each errs on its own.
    """
    side = by or ("health" if file == HEALTH else "welfare")
    return pl.concat(
        [
            _names(chance, cast, file, rows, side),
            _birth_and_sex(chance, cast, file, rows, side),
            _home(chance, cast, file, rows, _known_home(cast, file, rows, dwelling), side),
            _ethnic(chance, cast, file, rows, side),
        ],
        how="horizontal",
    )


def written_without_names(
    chance: Chance, cast: Cast, file: int, rows: Ints, dwelling: Ints, *, by: str
) -> pl.DataFrame:
    """Return what a national data set holds of people: the columns of `written` but names, address and property."""
    side, home = by, _known_home(cast, file, rows, dwelling)
    draw = chance.stream(f"{side}.home")
    odds, rates = cast.odds.of(rows), cast.rates
    places = geography.postcodes()
    missing = odds.happens(draw, rates.health_no_postcode)
    typed = mistakes.wrong_postcode(
        places["postcode"].gather(home // geography.SLOTS), odds.happens(draw, rates.typed_postcode), draw
    )
    home_columns = pl.DataFrame(
        {"postcode": typed, "missing": missing, "lsoa": places["lsoa"].gather(home // geography.SLOTS)}
    ).select(pl.when(~pl.col("missing")).then("postcode").alias("postcode"), "lsoa")
    return pl.concat(
        [_birth_and_sex(chance, cast, file, rows, side), home_columns, _ethnic(chance, cast, file, rows, side)],
        how="horizontal",
    )


def _known_home(cast: Cast, file: int, rows: Ints, dwelling: Ints) -> Ints:
    """Return the home that one side knows of: the earlier one of those who moved and did not tell it."""
    drift = cast.drift
    return np.where(drift.stale_file[rows] == file, drift.stale_dwelling[rows], dwelling)


def _birth_and_sex(chance: Chance, cast: Cast, file: int, rows: Ints, side: str) -> pl.DataFrame:
    world, rates, odds = cast.world, cast.rates, cast.odds.of(rows)
    dates = chance.stream(f"{side}.birth_date")
    day = mistakes.wrong_date(
        world.birth_day[rows],
        odds.happens(dates, rates.birth_date * np.where(world.age[rows] < 18.0, rates.factor_birth_date_child, 1.0)),
        REFERENCE_DAY - 1,
        dates,
    )
    missing = odds.happens(dates, rates.health_no_birth_date if file == HEALTH else rates.welfare_no_birth_date)
    sexes = chance.stream(f"{side}.sex")
    sex = np.where(odds.happens(sexes, rates.sex), 1 - world.sex[rows], world.sex[rows])
    codes = np.array(["1", "2"] if file == HEALTH else ["M", "F"])[sex]
    no_sex = odds.happens(sexes, rates.no_sex)
    return pl.DataFrame(
        {"d": pl.Series(day).cast(pl.Int32).cast(pl.Date), "m": missing, "sex": np.where(no_sex, "X", codes)}
    ).select(pl.when(~pl.col("m")).then(pl.col("d").dt.to_string("%Y-%m-%d")).alias("date_of_birth"), "sex")


def _names(chance: Chance, cast: Cast, file: int, rows: Ints, side: str) -> pl.DataFrame:
    world, naming, drift, rates, odds = cast.world, cast.naming, cast.drift, cast.rates, cast.odds.of(rows)
    community = world.community[rows]
    variant = np.array([c.variant_factor for c in COMMUNITIES])[community]
    swaps = np.array([c.swap_factor for c in COMMUNITIES])[community]
    draw = chance.stream(f"{side}.forename")
    use_middle = drift.middle_used_file[rows] == file
    number = np.where(use_middle, naming.middle[rows], naming.forename[rows])
    forename = forename_text(number)
    forename = mistakes.shortened(forename, drift.known_as_file[rows] == file, draw)
    forename = mistakes.respelt(forename, odds.happens(draw, rates.spelt_forename * variant), draw)
    forename = mistakes.mistyped(forename, odds.happens(draw, rates.typed_forename), draw)
    initial = odds.happens(draw, rates.initial_only)
    newborn = world.age[rows] < 0.25
    junk = odds.happens(draw, rates.junk_forename * newborn)
    junk_text = pl.Series(_JUNK).gather(draw.integers(len(_JUNK), size=len(rows)))

    draw = chance.stream(f"{side}.surname")
    other = drift.surname_file[rows] == file
    surname = surname_text(
        np.where(other, drift.surname[rows], naming.surname[rows]),
        np.where(other, drift.surname_second[rows], naming.surname_second[rows]),
        world.sex[rows],
    )
    surname = mistakes.respelt(surname, odds.happens(draw, rates.spelt_surname * variant), draw)
    surname = mistakes.mistyped(surname, odds.happens(draw, rates.typed_surname), draw)
    swapped = odds.happens(draw, rates.swapped_names * swaps)

    middle = _middle_names(chance, cast, file, rows, use_middle, side)
    frame = pl.DataFrame(
        {
            "f": forename, "s": surname, "junk_text": junk_text, "initial": initial, "junk": junk, "swapped": swapped,
        }
    ).with_columns(
        pl.when("junk").then("junk_text").when("initial").then(pl.col("f").str.head(1)).otherwise("f").alias("f")
    )  # fmt: skip
    names = frame.select(
        pl.when("swapped").then("s").otherwise("f").alias("forename"),
        middle,
        pl.when("swapped").then("f").otherwise("s").alias("surname"),
    )
    return names if file == HEALTH else _council_style(names, chance.stream(f"{side}.style"))


def _council_style(names: pl.DataFrame, draw: np.random.Generator) -> pl.DataFrame:
    """Return names as councils' systems hold them: surnames in capitals, apostrophes and hyphens often lost."""
    plain = draw.random(names.height) < 0.4
    bare = pl.col("surname").str.replace_all("'", "", literal=True).str.replace_all("-", " ", literal=True)
    return names.with_columns(
        pl.when(pl.Series(plain)).then(bare).otherwise("surname").str.to_uppercase().alias("surname")
    )


def _middle_names(chance: Chance, cast: Cast, file: int, rows: Ints, use_middle: Flags, side: str) -> pl.Series:
    naming, rates, odds = cast.naming, cast.rates, cast.odds.of(rows)
    draw = chance.stream(f"{side}.middle")
    first = np.where(use_middle, -1, naming.middle[rows])
    one, two = forename_text(first), forename_text(naming.middle_second[rows])
    one = mistakes.mistyped(one, odds.happens(draw, rates.typed_forename), draw)
    # Whether middle names are kept at all is a habit of the file, so it does not grow with the scale of errors.
    dropped = draw.random(len(rows)) < (
        rates.health_no_middle_names if file == HEALTH else rates.welfare_no_middle_names
    )
    initials = draw.random(len(rows)) < (0.05 if file == HEALTH else 0.25)
    joined = pl.concat_str([pl.col("one"), pl.col("two")], separator=" ", ignore_nulls=True)
    return pl.DataFrame({"one": one, "two": two, "dropped": dropped, "initials": initials}).select(
        pl.when(pl.col("dropped") | (pl.col("one").is_null() & pl.col("two").is_null()))
        .then(None)
        .when("initials")
        .then(pl.coalesce("one", "two").str.head(1))
        .otherwise(joined)
        .alias("middle_names")
    )["middle_names"]


def _home(chance: Chance, cast: Cast, file: int, rows: Ints, dwelling: Ints, side: str) -> pl.DataFrame:
    rates, odds = cast.rates, cast.odds.of(rows)
    draw = chance.stream(f"{side}.home")
    parts = geography.address_parts(dwelling)
    health = file == HEALTH
    style = _styles(draw, len(rows))
    frame = parts.with_columns(
        pl.Series("style", style),
        pl.Series("no_postcode", odds.happens(draw, rates.health_no_postcode if health else rates.welfare_no_postcode)),
        pl.Series("no_address", odds.happens(draw, rates.health_no_address if health else rates.welfare_no_address)),
        # Whether a file has UPRNs is its habit too.
        pl.Series("no_uprn", draw.random(len(rows)) < (rates.health_no_uprn if health else rates.welfare_no_uprn)),
    )
    address = frame.select(_address(pl.col("style")).alias("a"))["a"]
    address = mistakes.mistyped(address, odds.happens(draw, rates.typed_address), draw)
    postcode = mistakes.wrong_postcode(parts["postcode"], odds.happens(draw, rates.typed_postcode), draw)
    if not health:
        # Councils type capitals, and one in five leaves the space out.
        tight = draw.random(len(rows)) < 0.2
        address = address.str.to_uppercase()
        postcode = pl.DataFrame({"p": postcode, "t": tight}).select(
            pl.when("t").then(pl.col("p").str.replace(" ", "", literal=True)).otherwise("p").alias("p")
        )["p"]
    return frame.with_columns(a=address, p=postcode).select(
        pl.when(~pl.col("no_postcode")).then("p").alias("postcode"),
        pl.when(~pl.col("no_address")).then("a").alias("address"),
        pl.when(~(pl.col("no_uprn") | pl.col("no_address"))).then("uprn").alias("uprn"),
        "lsoa",
    )


def _styles(draw: np.random.Generator, count: int) -> Ints:
    """Return how each address is written: 0 in full, 1 flat last, 2 abbreviated, 3 with the town, 4 as "5A"."""
    shares = np.cumsum([0.04, 0.07, 0.04, 0.06])
    drawn = np.searchsorted(shares, draw.random(count), side="right")
    return np.where(drawn < len(shares), drawn + 1, 0)


def _address(style: pl.Expr) -> pl.Expr:
    short = pl.col("street").str.replace_many(list(_ABBREVIATIONS), list(_ABBREVIATIONS.values()))
    street = pl.when(style == 2).then(short).otherwise("street")
    line = pl.concat_str([pl.col("number"), street], separator=" ", ignore_nulls=True)
    plain = pl.concat_str([pl.col("flat"), pl.col("building"), line], separator=", ", ignore_nulls=True)
    last = pl.concat_str([pl.col("building"), line, pl.col("flat")], separator=" ", ignore_nulls=True)
    lettered = pl.concat_str([pl.col("number"), pl.col("letter"), pl.lit(" "), street])
    return (
        pl.when(style == 1)
        .then(last)
        .when(style == 3)
        .then(pl.concat_str([plain, pl.col("town")], separator=", "))
        .when((style == 4) & pl.col("letter").is_not_null())
        .then(lettered)
        .otherwise(plain)
    )


def _ethnic(chance: Chance, cast: Cast, file: int, rows: Ints, side: str) -> pl.DataFrame:
    """Ethnic category as the file has it; mixed for children of parents of two communities."""
    world, rates = cast.world, cast.rates
    draw = chance.stream(f"{side}.ethnic")
    codes = np.array([c.ethnic_category for c in COMMUNITIES])
    code = codes[world.community[rows]]
    father, mother = world.father[rows], world.mother[rows]
    both = (father >= 0) & (mother >= 0)
    hers = codes[world.community[np.maximum(mother, 0)]]
    his = codes[world.community[np.maximum(father, 0)]]
    white = np.isin(his, list("ABC")) != np.isin(hers, list("ABC"))
    other = np.where(np.isin(his, list("ABC")), hers, his)
    mixed = np.select(
        [white & (other == "M"), white & (other == "N"), white & np.isin(other, list("HJKL"))], ["D", "E", "F"], "G"
    )
    code = np.where(both & (his != hers) & ~(np.isin(his, list("ABC")) & np.isin(hers, list("ABC"))), mixed, code)
    # Coded otherwise: the neighbouring "other" category of the list.
    differs = draw.random(len(rows)) < rates.ethnic_category_differs
    code = np.where(differs, np.array(list("CGLPS"))[draw.integers(5, size=len(rows))], code)
    missing = draw.random(len(rows)) < (
        rates.health_no_ethnic_category if file == HEALTH else rates.welfare_no_ethnic_category
    )
    unknown = np.where(draw.random(len(rows)) < 0.7, "Z", "99")
    return pl.DataFrame({"ethnic_category": np.where(missing, unknown, code)})
