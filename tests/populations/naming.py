"""What people are called: own names, and the forms that another office may hold by custom and not by mistake."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from tests.populations.chance import Chance
from tests.populations.households import Ints, Kind, People, Role
from tests.populations.stock import COMMUNITIES, Community

_DAY_NAMES: Final = {  # Akan, from Monday; 1 January 1970 was a Thursday
    1: ("Kojo", "Kwabena", "Kwaku", "Yaw", "Kofi", "Kwame", "Kwasi"),
    2: ("Adwoa", "Abena", "Akua", "Yaa", "Afua", "Ama", "Akosua"),
}
_NAME_COLUMNS: Final = (
    "forename", "forename_respelt", "forename_short", "forename_custom", "middle_names", "surname", "surname_respelt",
    "surname_custom", "surname_other",
)  # fmt: skip
_CUSTOM_NUMBER: Final = {name: place for place, name in enumerate(dict.fromkeys(c.custom for c in COMMUNITIES))}


class Book:
    """Entries of a name stock: spellings and short forms of each name, as flat arrays."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._start: list[int] = []
        self._spellings: list[int] = []
        self._shorts: list[int] = []

    def add(self, text: str) -> Ints:
        """Read names as `stock` writes them; return their entries, the commonest first."""
        before = len(self._start)
        for entry in text.split():
            full, *short = entry.replace("_", " ").split("/")
            spellings = full.split("|")
            self._start.append(len(self._words))
            self._spellings.append(len(spellings))
            self._shorts.append(len(short))
            self._words += [*spellings, *short]
        return np.arange(before, len(self._start))

    def close(self) -> None:
        """Make the arrays, after the last `add`."""
        self.words = pl.Series(self._words)
        self.start, self.spellings, self.shorts = (np.array(a) for a in (self._start, self._spellings, self._shorts))

    def own(self, draw: np.random.Generator, entry: Ints) -> Ints:
        """Return a word for each entry: its first spelling for six of ten, else any."""
        any_of = (draw.random(len(entry)) * self.spellings[entry]).astype(np.int64)
        return self.start[entry] + np.where(draw.random(len(entry)) < 0.6, 0, any_of)

    def respelt(self, draw: np.random.Generator, entry: Ints, word: Ints) -> Ints:
        """Return another spelling of each entry; the same word where there is but one."""
        count = self.spellings[entry]
        turn = 1 + (draw.random(len(entry)) * np.maximum(count - 1, 1)).astype(np.int64)
        return self.start[entry] + (word - self.start[entry] + turn) % count

    def short(self, draw: np.random.Generator, entry: Ints) -> Ints:
        """Return a short form of each entry, -1 where there is none."""
        count = self.shorts[entry]
        at = self.start[entry] + self.spellings[entry] + (draw.random(len(entry)) * count).astype(np.int64)
        return np.where(count > 0, at, -1)


def _book_of_forenames() -> tuple[Book, dict[tuple[int, int, int], Ints]]:
    book, found = Book(), {}
    for place, community in enumerate(COMMUNITIES):
        for sex in (1, 2):
            lists = [book.add(text) for text in community.forenames(sex)]
            for cohort in range(3):
                found[place, sex, cohort] = lists[min(cohort, len(lists) - 1)]
    book.close()
    return book, found


def _book_of_surnames() -> tuple[Book, dict[int, Ints], dict[int, Ints]]:
    book = Book()
    own = {place: book.add(c.surnames) for place, c in enumerate(COMMUNITIES)}
    wives = {place: book.add(c.wives) for place, c in enumerate(COMMUNITIES) if c.wives}
    book.close()
    return book, own, wives


FORENAMES, _FORENAMES_OF = _book_of_forenames()
SURNAMES, _SURNAMES_OF, _WIVES_OF = _book_of_surnames()


def _drawn(draw: np.random.Generator, entries: Ints, size: int, flat: float) -> Ints:
    weight = 1.0 / (np.arange(len(entries)) + flat)
    return entries[np.searchsorted(np.cumsum(weight / weight.sum())[:-1], draw.random(size))]


def _forename_entries(draw: np.random.Generator, people: People, community: Ints) -> Ints:
    """Forename entries by community, sex and generation; brothers and sisters are called differently."""
    entry = np.zeros(len(people), dtype=np.int64)
    cohort = 2 - np.digitize(people.age, [31, 66])
    todo = np.arange(len(people))
    for _ in range(4):
        for (place, sex, time), entries in _FORENAMES_OF.items():
            at = todo[(community[todo] == place) & (people.sex[todo] == sex) & (cohort[todo] == time)]
            entry[at] = _drawn(draw, entries, len(at), 6.0 if len(entries) > 30 else 2.0)
        key = people.household * 1_000_000 + entry
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        again = (first[inverse] != np.arange(len(people))) & (people.role == Role.CHILD)
        todo = np.flatnonzero(again)
    return entry


def _surname_entries(draw: np.random.Generator, community: Ints) -> Ints:
    entry = np.zeros(len(community), dtype=np.int64)
    for place, entries in _SURNAMES_OF.items():
        at = np.flatnonzero(community == place)
        entry[at] = _drawn(draw, entries, len(at), COMMUNITIES[place].flat)
    return entry


def christen(chance: Chance, people: People) -> tuple[pl.DataFrame, Ints]:
    """Return the names of all, and each person's community: of lodgers, half came with another one.

    Names are `_NAME_COLUMNS`: as own and as others may hold them (null: no such form).
    """
    draw = chance("communities")
    community = people.community[people.household]
    any_community = draw.choice(len(COMMUNITIES), len(people), p=_shares(COMMUNITIES))
    lodger = people.role == Role.LODGER
    community = np.where(lodger & (draw.random(len(people)) < 0.5), any_community, community)

    draw = chance("forenames")
    entry = _forename_entries(draw, people, community)
    word = FORENAMES.own(draw, entry)
    # Sons called as their fathers, at the same home: custom in some families of every community, more in Spain.
    spanish = np.array([c.custom == "two surnames" for c in COMMUNITIES])[community]
    son = np.flatnonzero((people.sex == 1) & (people.father >= 0))
    eldest = son[np.unique(people.household[son], return_index=True)[1]]
    named = eldest[draw.random(len(eldest)) < np.where(spanish, 0.2, 0.045)[eldest]]
    entry[named], word[named] = entry[people.father[named]], word[people.father[named]]
    middle_entry = _forename_entries(draw, people, community)
    has_middle = draw.random(len(people)) < 0.55
    middle = FORENAMES.words.gather(FORENAMES.own(draw, middle_entry)).zip_with(
        pl.Series(has_middle), pl.Series([None], dtype=pl.String).new_from_index(0, len(people))
    )

    draw = chance("surnames")
    own = _surname_entries(draw, community)
    other = _surname_entries(draw, np.where(draw.random(len(people)) < 0.7, community, 0))
    kin = np.isin(people.role, (Role.CHILD, Role.GRANDPARENT, Role.PARTNER))
    family = np.where(kin, own[people.head], own)
    # A partner took the head's surname or not, and a lone parent's children have hers or their father's.
    apart = (people.role == Role.PARTNER) & ((draw.random(len(people)) < 0.30) | spanish)
    fathers = draw.random(len(people.kind)) < 0.4
    lone = (people.kind == Kind.LONE_PARENT)[people.household] & fathers[people.household] & (people.role == Role.CHILD)
    surname = np.where(apart, own, np.where(lone, other[people.head], family))
    surname_word = SURNAMES.own(draw, surname)
    shared = surname == own[people.head]
    surname_word = np.where(shared, surname_word[people.head], surname_word)
    frame = pl.DataFrame(
        {
            "forename": FORENAMES.words.gather(word),
            "forename_respelt": FORENAMES.words.gather(FORENAMES.respelt(draw, entry, word)),
            "forename_short": _words(FORENAMES, FORENAMES.short(draw, entry)),
            "middle_names": middle,
            "surname": SURNAMES.words.gather(surname_word),
            "surname_respelt": SURNAMES.words.gather(SURNAMES.respelt(draw, surname, surname_word)),
            "surname_other": SURNAMES.words.gather(SURNAMES.own(draw, other)),
            "sex": people.sex,
            "role": people.role,
            "weekday": (people.born + 3) % 7,
            "custom": np.array([_CUSTOM_NUMBER[c.custom] for c in COMMUNITIES])[community],
            "luck": draw.random(len(people)),
            "family_luck": draw.random(len(people.kind))[people.household],
            "wives": _wives(draw, community),
            "second": SURNAMES.words.gather(SURNAMES.own(draw, _second(people, own, other, spanish))),
            "fathers_forename": _words(FORENAMES, np.where(people.father >= 0, word[people.father], -1)),
        }
    )
    return _by_custom(frame), community


def _shares(communities: tuple[Community, ...]) -> npt.NDArray[np.float64]:
    share = np.array([c.share for c in communities])
    return share / share.sum()


def _words(book: Book, at: Ints) -> pl.Series:
    words = book.words.gather(np.maximum(at, 0))
    return words.set(pl.Series(at < 0), None)


def _wives(draw: np.random.Generator, community: Ints) -> pl.Series:
    at = np.full(len(community), -1)
    for place, entries in _WIVES_OF.items():
        here = np.flatnonzero(community == place)
        at[here] = SURNAMES.own(draw, _drawn(draw, entries, len(here), 0.3))
    return _words(SURNAMES, at)


def _second(people: People, own: Ints, other: Ints, spanish: npt.NDArray[np.bool_]) -> Ints:
    """Return entries of the surname beside the family's: the partner's own; for a Spanish adult, the mother's."""
    beside = other[people.head]
    partner = people.role == Role.PARTNER
    of_home = np.full(len(people.kind), -1)
    of_home[people.household[partner]] = own[partner]
    beside = np.where(of_home[people.household] >= 0, of_home[people.household], beside)
    return np.where(spanish & (people.role != Role.CHILD), other, beside)


def _by_custom(frame: pl.DataFrame) -> pl.DataFrame:
    """Apply each community's customs to surnames, and say which other form is about."""
    woman, luck, home = pl.col("sex") == 2, pl.col("luck"), pl.col("family_luck")
    surname, none = pl.col("surname"), pl.lit(None, dtype=pl.String)

    def custom(name: str) -> pl.Expr:
        return pl.col("custom") == _CUSTOM_NUMBER[name]

    her_polish = surname.str.replace("([sc]|dz)ki$", "${1}ka")
    her_slovak = surname.str.replace("[aoeý]$", "") + "ová"
    title = pl.when(woman).then(pl.lit("Kaur")).otherwise(pl.lit("Singh"))
    titled = title + " " + surname
    apart = woman & (luck < pl.when(pl.col("role") == Role.CHILD).then(0.25).otherwise(0.7))
    day = pl.lit("")
    for sex, names in _DAY_NAMES.items():
        of_day = pl.col("weekday").replace_strict(list(range(7)), list(names), return_dtype=pl.String)
        day = pl.when(pl.col("sex") == sex).then(of_day).otherwise(day)
    barrelled = custom("english") & (home < 0.045) & (pl.col("role") != Role.LODGER)
    two = pl.concat_str(surname, pl.lit(" "), pl.col("second"))
    child_of_father = custom("patronymic") & pl.col("fathers_forename").is_not_null()
    return frame.with_columns(
        surname=pl.when(custom("polish") & woman).then(her_polish)
        .when(custom("slovak") & woman).then(her_slovak)
        .when(custom("sikh")).then(pl.when(home < 0.45).then(title).when(home < 0.75).then(titled).otherwise(surname))
        .when(custom("mother apart") & apart).then("wives")
        .when(custom("two surnames")).then(two)
        .when(child_of_father).then("fathers_forename")
        .when(barrelled).then(pl.concat_str("second", pl.lit("-"), "surname"))
        .otherwise(surname),
        surname_custom=pl.when(custom("polish") & woman & (her_polish != surname)).then(surname)
        .when(custom("slovak") & woman).then(surname)
        .when(custom("sikh")).then(pl.when(home < 0.45).then(surname).when(home < 0.75).then(title).otherwise(titled))
        .when(custom("mother apart") & apart).then(surname)
        .when(custom("two surnames")).then(pl.when(luck < 0.7).then(surname).otherwise("second"))
        .when(custom("patronymic")).then("surname_other")
        .when(custom("chinese")).then("forename")
        .when(barrelled).then(pl.when(luck < 0.6).then(surname).otherwise("second"))
        .otherwise(none),
        surname_respelt=pl.when(custom("sikh") & (home < 0.75)).then(none)
        .when(child_of_father | barrelled | custom("two surnames") | (custom("mother apart") & apart)).then(none)
        .when((custom("polish") | custom("slovak")) & woman).then(none)
        .otherwise("surname_respelt"),
        forename_custom=pl.when(custom("day name")).then(day)
        .when(custom("chinese")).then(surname)
        .when(custom("mother apart") & pl.col("forename").str.contains("^(Moh|Muh|Md)")).then("middle_names")
        .otherwise(none),
        middle_names=pl.when(custom("day name") & (luck < 0.7)).then(day).otherwise("middle_names"),
    ).select(_NAME_COLUMNS)  # fmt: skip
