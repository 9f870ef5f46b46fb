"""The hard cases by name: a few records each, what must happen to them, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

Record = dict[str, str]

_STREETS: Final = (
    "Larkfield", "Pennyroyal", "Saltpan", "Hawkenbury", "Tolsford", "Gatehouse", "Bluebell", "Cutlers", "Drovers",
    "Eastling",
)  # fmt: skip
_LETTERS: Final = "ABDEFGHJLN"


def home(case: int, name: str) -> Record:
    """Return a place of a case: `home`, `next door` (the same street), `away` and `far` (elsewhere), `hostel`, `care`.

    Each case has streets of its own, so that cases do not meet.
    """
    letters = _LETTERS[case % 10] + _LETTERS[case // 10]
    street, mews, way = (_STREETS[(case + step) % len(_STREETS)] for step in (0, 3, 7))
    return {
        "home": {"postcode": f"ME7 1{letters}", "address": f"14 {street} Rise"},
        "next door": {"postcode": f"ME7 1{letters}", "address": f"16 {street} Rise"},
        "flat": {"postcode": f"ME7 1{letters}", "address": f"Flat 2, 14 {street} Rise"},
        "recoded": {"postcode": f"ME7 9{letters}", "address": f"14 {street} Rise"},
        "away": {"postcode": f"ME10 3{letters}", "address": f"Flat 5, 90 {mews} Mews"},
        "far": {"postcode": f"CT9 5{letters}", "address": f"231 {way} Way"},
        "hostel": {"postcode": f"ME4 5{letters}", "address": f"{street} Hostel, 1 Dock Road"},
        "care": {"postcode": f"ME8 2{letters}", "address": f"{street} Lodge Care Home, 7 Vale Road"},
        "nowhere": {},
    }[name]


def person(
    forename: str | None, surname: str | None, born: str | None, sex: str | None = "1", at: str = "home", **more: str
) -> Record:
    """Return a record; `at` names a place of `home`, and what is None is missing."""
    given = {"forename": forename, "surname": surname, "date_of_birth": born, "sex": sex, "at": at, **more}
    return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class Case:
    """Records of the health and the welfare file; `same` (places of both) must be linked.

    `asked` pairs may be linked or put to review, but not passed over; no other pair may be linked. `why` says why this
    is right, whoever links.
    """

    name: str
    health: tuple[Record, ...]
    welfare: tuple[Record, ...]
    same: tuple[tuple[int, int], ...]
    why: str
    asked: tuple[tuple[int, int], ...] = field(default=())


TWINS: Final = (
    Case(
        "twins of one home, one of them in each file",
        (person("Jasmine", "Trevanion", "2012-10-21", "2"),),
        (person("Bethany", "Trevanion", "2012-10-21", "2"),),
        (),
        "Two forenames that have nothing in common on otherwise equal records are twins, not a mistake.",
    ),
    Case(
        "twins of one home, each in both files",
        (person("Oliver", "Penhallow", "2014-03-09"), person("Harry", "Penhallow", "2014-03-09")),
        (person("Harry", "Penhallow", "2014-03-09"), person("Oliver", "Penhallow", "2014-03-09")),
        ((0, 1), (1, 0)),
        "Each has a partner that agrees on the forename, the one thing that tells twins apart.",
    ),
    Case(
        "twins of different sex, one in each file",
        (person("Rowan", "Skelmersdale", "2013-02-11", "1"),),
        (person("Isolde", "Skelmersdale", "2013-02-11", "2"),),
        (),
        "Forename and sex both disagree.",
    ),
    Case(
        "twins of like names, each in both files",
        (person("Ellie", "Brockhampton", "2015-07-30", "2"), person("Elsie", "Brockhampton", "2015-07-30", "2")),
        (person("Elsie", "Brockhampton", "2015-07-30", "2"), person("Ellie", "Brockhampton", "2015-07-30", "2")),
        ((0, 1), (1, 0)),
        "An equal forename beats a like one, and each twin has one of each.",
    ),
    Case(
        "twins, only one of whom claims",
        (person("Gethin", "Aldersgrove", "2010-01-19"), person("Macsen", "Aldersgrove", "2010-01-19")),
        (person("Macsen", "Aldersgrove", "2010-01-19"),),
        ((1, 0),),
        "The forename names the one of the two.",
    ),
    Case(
        "twins who moved together",
        (person("Ottilie", "Windlesham", "2011-11-27", "2"), person("Cordelia", "Windlesham", "2011-11-27", "2")),
        (
            person("Ottilie", "Windlesham", "2011-11-27", "2", "away"),
            person("Cordelia", "Windlesham", "2011-11-27", "2", "away"),
        ),
        ((0, 0), (1, 1)),
        "Both names and the whole date agree; a home that both have left says nothing about which twin it is.",
    ),
    Case(
        "twins whose forenames are both misspelt",
        (person("Alistair", "Cottesmore", "2009-04-18"), person("Duncan", "Cottesmore", "2009-04-18")),
        (person("Alisatir", "Cottesmore", "2009-04-18"), person("Dunccan", "Cottesmore", "2009-04-18")),
        ((0, 0), (1, 1)),
        "A slip leaves each forename far nearer to its own than to the twin's.",
    ),
    Case(
        "a twin whose forename is missing",
        (person("Felix", "Harbottle", "2012-08-08"), person("Jonas", "Harbottle", "2012-08-08")),
        (person(None, "Harbottle", "2012-08-08"),),
        (),
        "The record fits both twins alike; a guess would be wrong half of the time.",
    ),
    Case(
        "twins by their initials",
        (person("Rosie", "Uppingham", "2011-03-15", "2"), person("Ruby", "Uppingham", "2011-03-15", "2")),
        (person("R", "Uppingham", "2011-03-15", "2"),),
        (),
        "The initial is both twins'.",
    ),
)  # fmt: skip

NAMESAKES: Final = (
    Case(
        "namesakes of one community, next door to each other",
        (person("Gurpreet", "Singh", "1937-10-11"), person("Harjit", "Singh", "1979-05-23")),
        (person("Gurpreet", "Singh", "1988-01-28", at="next door"),),
        (),
        "In some streets one name serves many; a neighbour's address is not one's own, and the dates have nothing in "
        "common.",
    ),
    Case(
        "father and son of one name at one home",
        (person("Gregory", "Ashdownham", "1961-02-17"), person("Gregory", "Ashdownham", "1990-11-03")),
        (person("Gregory", "Ashdownham", "1990-11-03"),),
        ((1, 0),),
        "The whole date of birth says which of the two it is.",
    ),
    Case(
        "father and son of one name, each in both files",
        (person("Ambrose", "Lillingstone", "1955-05-05"), person("Ambrose", "Lillingstone", "1983-12-20")),
        (person("Ambrose", "Lillingstone", "1983-12-20"), person("Ambrose", "Lillingstone", "1955-05-05")),
        ((0, 1), (1, 0)),
        "Each has a partner of his own date of birth.",
    ),
    Case(
        "a father in one file, his namesake son in the other",
        (person("Leopold", "Quenington", "1958-06-30"),),
        (person("Leopold", "Quenington", "1986-01-12"),),
        (),
        "A date of birth that differs in all its parts is another person, however much else agrees.",
    ),
    Case(
        "a namesake without a date of birth",
        (person("Crispin", "Wolstenholme", "1951-09-09"), person("Crispin", "Wolstenholme", "1979-02-02")),
        (person("Crispin", "Wolstenholme", None),),
        (),
        "The record fits father and son alike.",
    ),
    Case(
        "mother and daughter of one name, each in both files",
        (person("Theodora", "Applegarth", "1970-10-10", "2"), person("Theodora", "Applegarth", "2001-03-23", "2")),
        (person("Theodora", "Applegarth", "2001-03-23", "2"), person("Theodora", "Applegarth", "1970-10-10", "2")),
        ((0, 1), (1, 0)),
        "Each has a partner of her own date of birth.",
    ),
    Case(
        "cousins of one name at two homes, each in both files",
        (
            person("Harriet", "Wolvercote", "2009-03-02", "2"),
            person("Harriet", "Wolvercote", "2010-08-19", "2", "away"),
        ),
        (
            person("Harriet", "Wolvercote", "2010-08-19", "2", "away"),
            person("Harriet", "Wolvercote", "2009-03-02", "2"),
        ),
        ((0, 1), (1, 0)),
        "Date and home agree within each cousin and between neither.",
    ),
    Case(
        "cousins of one name, one in each file",
        (person("Bertram", "Swallowcliffe", "2006-05-14"),),
        (person("Bertram", "Swallowcliffe", "2007-12-01", at="away"),),
        (),
        "A family gives its rare names again: without date or home the names alone do not carry a link.",
    ),
    Case(
        "care-home residents of one name, each in both files",
        (
            person("Margaret", "Smith", "1931-04-02", "2", "care"),
            person("Margaret", "Smith", "1938-11-20", "2", "care"),
        ),
        (
            person("Margaret", "Smith", "1938-11-20", "2", "care"),
            person("Margaret", "Smith", "1931-04-02", "2", "care"),
        ),
        ((0, 1), (1, 0)),
        "Many live at the address, so the date of birth decides.",
    ),
    Case(
        "care-home residents of one name, one in each file",
        (person("Dorothy", "Taylor", "1929-01-31", "2", "care"),),
        (person("Dorothy", "Taylor", "1936-07-12", "2", "care"),),
        (),
        "A common name at an address of many, and another date of birth.",
    ),
)  # fmt: skip

FAMILIES: Final = (
    Case(
        "brothers at one home",
        (person("Samuel", "Willowby", "1999-04-04"), person("Edward", "Willowby", "2001-08-19")),
        (person("Edward", "Willowby", "2001-08-19"),),
        ((1, 0),),
        "Forename and date of birth are his and not his brother's.",
    ),
    Case(
        "sisters born one year apart to the day, each in both files",
        (person("Ella", "Northcroft", "2011-05-14", "2"), person("Ellen", "Northcroft", "2012-05-14", "2")),
        (person("Ellen", "Northcroft", "2012-05-14", "2"), person("Ella", "Northcroft", "2011-05-14", "2")),
        ((0, 1), (1, 0)),
        "Like is not equal: each has a partner equal in all.",
    ),
    Case(
        "sisters born one year apart to the day, one in each file",
        (person("Sophia", "Marchbanks", "2011-05-14", "2"),),
        (person("Isabel", "Marchbanks", "2012-05-14", "2"),),
        (),
        "The forename has nothing in common, and the year differs.",
    ),
    Case(
        "partners of one surname, one in each file",
        (person("Roland", "Fothergill", "1980-06-21", "1"),),
        (person("Annette", "Fothergill", "1981-09-02", "2"),),
        (),
        "Only surname and home agree, which is what couples share.",
    ),
    Case(
        "a widower's second wife of the first one's name",
        (person("Susan", "Bickerstaffe", "1959-03-29", "2"),),
        (person("Susan", "Bickerstaffe", "1966-12-15", "2"),),
        (),
        "Names and home agree because of the husband; no part of the date does.",
    ),
    Case(
        "new tenants at a known address",
        (person("Sarah", "Pembridge", "1984-02-06", "2"),),
        (person("Sarah", "Lockhurst", "1990-10-17", "2"),),
        (),
        "The home and a common forename are shared; surname and date are not.",
    ),
    Case(
        "strangers at one hostel",
        (
            person("Stuart", "Pickersgill", "1982-05-05", at="hostel"),
            person("Nigel", "Drabblewood", "1974-03-19", at="hostel"),
        ),
        (
            person("Stewart", "Dunderdale", "1990-08-25", at="hostel"),
            person("Nigel", "Drabblewood", "1974-03-19", at="hostel"),
        ),
        ((1, 1),),
        "An address of many says little; names and date say who is who.",
    ),
    Case(
        "men of one forename at one hostel",
        tuple(
            person("Michael", surname, born, at="hostel")
            for surname, born in (("Tolhurst", "1971-01-08"), ("Vinecombe", "1985-06-13"), ("Eastwell", "1992-09-30"))
        ),
        (person("Michael", "Garsington", "1979-04-22", at="hostel"),),
        (),
        "Forename and a shared address are no identity.",
    ),
)  # fmt: skip

NAMES: Final = (
    Case(
        "a married name",
        (person("Rosalind", "Farthingham", "1987-12-05", "2"),),
        (person("Rosalind", "Okonjoku", "1987-12-05", "2"),),
        ((0, 0),),
        "Forename, date of birth and home agree; women change surnames.",
    ),
    Case(
        "a married name and a move at once, of a rare forename",
        (person("Seraphina", "Dunmallet", "1986-03-28", "2"),),
        (person("Seraphina", "Trewhiddle", "1986-03-28", "2", "away"),),
        (),
        "A rare forename on the very day leaves few strangers to doubt between: linked or asked, not passed over.",
        asked=((0, 0),),
    ),
    Case(
        "a married name and a move at once, of a common forename",
        (person("Emma", "Rathbone", "1988-09-17", "2"),),
        (person("Emma", "Ketteringham", "1991-02-04", "2", "away"),),
        (),
        "A forename that hundreds have, and nothing else.",
    ),
    Case(
        "a married name with a move, and the middle name in both files",
        (person("Philippa", "Garnstone", "1979-05-19", "2", middle_names="Wilhelmina"),),
        (person("Philippa", "Osgathorpe", "1979-05-19", "2", "away", middle_names="Wilhelmina"),),
        ((0, 0),),
        "Two forenames and the whole date of birth: no second such woman is to be expected.",
    ),
    Case(
        "a former surname kept beside the new one",
        (person("Henrietta", "Culverwell", "1990-07-07", "2"),),
        (person("Henrietta", "Culverwell-Adeyinka", "1990-07-07", "2"),),
        ((0, 0),),
        "One surname is part of the other.",
    ),
    Case(
        "a double-barrelled name of which one office keeps the second part, after a move",
        (person("Barnaby", "Thornycroft-Mells", "1994-10-30"),),
        (person("Barnaby", "Mells", "1994-10-30", at="away"),),
        ((0, 0),),
        "Forename, date and one of two surnames agree.",
    ),
    Case(
        "a double-barrelled name with and without its hyphen",
        (person("Lucinda", "Beaufoy-Harte", "1972-11-11", "2"),),
        (person("Lucinda", "Beaufoy Harte", "1972-11-11", "2", "away"),),
        ((0, 0),),
        "A hyphen is no difference.",
    ),
    Case(
        "swapped names",
        (person("Tendai", "Marufuko", "1979-07-28"),),
        (person("Marufuko", "Tendai", "1979-07-28"),),
        ((0, 0),),
        "Each name stands where the other should, which does not happen to strangers.",
    ),
    Case(
        "swapped names and a move",
        (person("Xiuying", "Ouyang", "1983-12-02", "2"),),
        (person("Ouyang", "Xiuying", "1983-12-02", "2", "away"),),
        ((0, 0),),
        "Both names agree crosswise, and the whole date of birth does.",
    ),
    Case(
        "both names in the surname's field",
        (person("Marigold", "Ettinghausen", "1965-01-26", "2"),),
        (person(None, "Marigold Ettinghausen", "1965-01-26", "2"),),
        ((0, 0),),
        "Nothing disagrees: the surname holds more than a surname, date and home agree.",
    ),
    Case(
        "both names in the forename's field",
        (person("Benedict", "Arkwrighton", "1998-08-29"),),
        (person("Benedict Arkwrighton", None, "1998-08-29"),),
        ((0, 0),),
        "Nothing disagrees: the forename holds more than a forename, date and home agree.",
    ),
    Case(
        "an initial for a forename",
        (person("Quentin", "Sidebotham", "1969-04-30"),),
        (person("Q", "Sidebotham", "1969-04-30"),),
        ((0, 0),),
        "An initial is missing evidence; surname, date and home suffice where nobody else fits.",
    ),
    Case(
        "a middle name used as forename",
        (person("Mary", "Hollingbury", "1948-02-19", "2", middle_names="Clementine"),),
        (person("Clementine", "Hollingbury", "1948-02-19", "2"),),
        ((0, 0),),
        "The forename of one file is the middle name of the other, and all else agrees.",
    ),
    Case(
        "a short form",
        (person("Robert", "Chillingworth", "1957-06-16"),),
        (person("Bob", "Chillingworth", "1957-06-16", at="away"),),
        ((0, 0),),
        "Bob is Robert; surname and date agree.",
    ),
    Case(
        "a name transliterated in two ways",
        (person("Yusuf", "Abdelrahmani", "1988-02-26"),),
        (person("Youssef", "Abdulrahmani", "1988-02-26"),),
        ((0, 0),),
        "Two offices wrote down one sound; date and home agree.",
    ),
    Case(
        "a name transliterated in two ways, after a move",
        (person("Mohammed", "Chowdhury", "1991-09-08"),),
        (person("Muhammad", "Choudhury", "1991-09-08", at="away"),),
        (),
        "Common names in other spellings on the same day: likely one man, yet not beyond doubt. Not to be passed over.",
        asked=((0, 0),),
    ),
    Case(
        "a clan name for a religious one",
        (person("Parminder", "Kaur", "1974-03-13", "2"),),
        (person("Parminder", "Dhaliwal", "1974-03-13", "2"),),
        ((0, 0),),
        "Kaur is a title as much as a surname; forename, date and home agree.",
    ),
    Case(
        "the masculine form of a surname",
        (person("Agnieszka", "Wyszomirska", "1985-08-24", "2"),),
        (person("Agnieszka", "Wyszomirski", "1985-08-24", "2", "away"),),
        ((0, 0),),
        "One letter tells wife from husband in a Polish surname, not one person from another.",
    ),
    Case(
        "one of two Spanish surnames, after a move",
        (person("Inmaculada", "Etxeberria Zubizarreta", "1977-12-08", "2"),),
        (person("Inmaculada", "Etxeberria", "1977-12-08", "2", "away"),),
        ((0, 0),),
        "The second surname is left out by custom.",
    ),
    Case(
        "a typing error in each name",
        (person("Frederica", "Thistlethwaite", "1991-06-02", "2"),),
        (person("Fredericka", "Thistlethwait", "1991-06-02", "2"),),
        ((0, 0),),
        "Both names are nearly equal, date and home are.",
    ),
    Case(
        "accents and apostrophes left out",
        (person("Zoë", "O'Shaughnessy", "2003-10-09", "2"),),
        (person("ZOE", "OSHAUGHNESSY", "2003-10-09", "2", "away"),),
        ((0, 0),),
        "Marks are no difference.",
    ),
)  # fmt: skip

DATES: Final = (
    Case(
        "two people born on a 1 January that many are given",
        (person("Tariq", "Khan", "1990-01-01"),),
        (person("Nadeem", "Khan", "1990-01-01", at="away"),),
        (),
        "A common surname and a given birthday are shared by many.",
    ),
    Case(
        "brothers who were given one 1 January, one in each file",
        (person("Zabihullah", "Stanekzai", "1999-01-01"),),
        (person("Hamidullah", "Stanekzai", "1999-01-01"),),
        (),
        "They look like twins: the forenames end alike and are others.",
    ),
    Case(
        "day and month swapped",
        (person("Imogen", "Bellchambers", "1993-04-11", "2"),),
        (person("Imogen", "Bellchambers", "1993-11-04", "2"),),
        ((0, 0),),
        "The same digits in the other order; all else agrees.",
    ),
    Case(
        "day and month swapped, after a move",
        (person("Thaddeus", "Kirkbridge", "1984-02-07"),),
        (person("Thaddeus", "Kirkbridge", "1984-07-02", at="away"),),
        ((0, 0),),
        "Rare names and the same digits.",
    ),
    Case(
        "a wrong year of birth",
        (person("Ermintrude", "Packwood", "1946-08-23", "2"),),
        (person("Ermintrude", "Packwood", "1964-08-23", "2"),),
        ((0, 0),),
        "Day, month, names and home agree, and two digits changed places.",
    ),
    Case(
        "a date of which one office knows the year only",
        (person("Wilfred", "Oakenshaw", "1938-05-27"),),
        (person("Wilfred", "Oakenshaw", "1938-01-01"),),
        (),
        "1 January may stand for an unknown day; but a year alone cannot be compared once pseudonymised, and this "
        "looks like father and son: to be asked, not to be passed over.",
        asked=((0, 0),),
    ),
    Case(
        "a missing date of birth",
        (person("Wilhelmina", "Crankshaw", "1949-01-23", "2"),),
        (person("Wilhelmina", "Crankshaw", None, "2"),),
        ((0, 0),),
        "Names and home agree and nobody else fits.",
    ),
    Case(
        "a missing date of birth, of a common name, after a move",
        (person("David", "Smith", "1975-11-06"),),
        (person("David", "Smith", None, at="away"),),
        (),
        "Hundreds are called so; nothing else is known.",
    ),
    Case(
        "namesakes born on a 1 January that many are given",
        (person("Mohammed", "Khan", "1985-01-01"), person("Mohammed", "Khan", "1985-01-01", at="away")),
        (person("Mohammed", "Khan", "1985-01-01", at="far"),),
        (),
        "The name serves thousands and the date is a clerk's: without a home there is no telling who it is.",
    ),
    Case(
        "a man of a common name and a given birthday, at his home",
        (person("Mohammed", "Ahmed", "1979-01-01"), person("Mohammed", "Ahmed", "1979-01-01", at="away")),
        (person("Mohammed", "Ahmed", "1979-01-01"),),
        ((0, 0),),
        "Home, names and date agree with one of the two, and home disagrees with the other.",
    ),
    Case(
        "brothers who were given one 1 January",
        (person("Karwan", "Barzanji", "1996-01-01"), person("Rebwar", "Barzanji", "1996-01-01")),
        (person("Rebwar", "Barzanji", "1996-01-01"), person("Karwan", "Barzanji", "1996-01-01")),
        ((0, 1), (1, 0)),
        "They look like twins, and as with twins each forename finds its own.",
    ),
)  # fmt: skip

PLACES: Final = (
    Case(
        "a move between the files",
        (person("Cornelius", "Hathersage", "1970-09-14"),),
        (person("Cornelius", "Hathersage", "1970-09-14", at="away"),),
        ((0, 0),),
        "Both names and the whole date agree; people move.",
    ),
    Case(
        "a postcode that was replaced",
        (person("Jemima", "Stallingborough", "2000-02-29", "2"),),
        (person("Jemima", "Stallingborough", "2000-02-29", "2", "recoded"),),
        ((0, 0),),
        "The address is the same, and so is the person in all.",
    ),
    Case(
        "a flat that one office leaves out",
        (person("Desmond", "Ravenscroft-Lee", "1962-12-24", at="flat"),),
        (person("Desmond", "Ravenscroft Lee", "1962-12-24"),),
        ((0, 0),),
        "The house is the same; all else agrees.",
    ),
    Case(
        "no fixed abode",
        (person("Lorcan", "Mulvaney", "1989-03-03", at="nowhere"),),
        (person("Lorcan", "Mulvaney", "1989-03-03", at="hostel"),),
        ((0, 0),),
        "A missing home is no evidence against; rare names and the date agree.",
    ),
)  # fmt: skip

NUMBERS: Final = (
    Case(
        "a dummy NINO shared by two claimants",
        (person("Barnaby", "Icklesham", "1968-08-08"),),
        (
            person("Barnaby", "Icklesham", "1968-08-08", nino="XX999999D"),
            person("Clementine", "Rudgwick", "1995-03-03", "2", "away", nino="XX999999D"),
        ),
        ((0, 0),),
        "A filler is no number: it neither joins the two claimants nor hinders a link.",
    ),
    Case(
        "one NHS number on otherwise different records",
        (person("Araminta", "Postlethwaite", "1990-04-21", "2", nhs_number="9434765919"),),
        (person("Minty", "Vandervelde", "1990-04-21", "2", "away", nhs_number="9434765919"),),
        ((0, 0),),
        "The number was issued to one person, and the date confirms it.",
    ),
    Case(
        "two NHS numbers on otherwise equal records",
        (person("Dominic", "Hesketh-Barr", "1981-06-06", nhs_number="9434765870"),),
        (person("Dominic", "Hesketh-Barr", "1981-06-06", nhs_number="9434765919"),),
        (),
        "Two valid numbers are two people until somebody has looked.",
    ),
    Case(
        "two NINOs on otherwise equal records",
        (person("Leonora", "Cavanagh-Stone", "1973-07-15", "2", nino="QQ128374A"),),
        (person("Leonora", "Cavanagh-Stone", "1973-07-15", "2", nino="QQ640915B"),),
        (),
        "Two valid numbers are two people until somebody has looked.",
    ),
)  # fmt: skip

CLAIMS: Final = (
    Case(
        "father and son of one name in one claim",
        (person("Stephen", "Quarrington", "1960-05-05"), person("Stephen", "Quarrington", "1990-05-05")),
        (
            person("Stephen", "Quarrington", "1960-05-05", claim_reference="C1", claim_role="claimant"),
            person("Stephen", "Quarrington", "1990-05-05", claim_reference="C1", claim_role="non_dependant"),
        ),
        ((0, 0), (1, 1)),
        "Members of one claim are two people, and each has a partner of his own date.",
    ),
    Case(
        "members of one claim with like names, one of whom is registered",
        (person("Joan", "Amberleigh", "1971-10-02", "2"),),
        (
            person("Joan", "Amberleigh", "1971-10-02", "2", claim_reference="C1", claim_role="partner"),
            person("John", "Amberleigh", "1971-02-10", "1", claim_reference="C1", claim_role="claimant"),
        ),
        ((0, 0),),
        "At most one member of a claim is she, and one record is equal in all.",
    ),
    Case(
        "a child who moved from one parent's claim to the other's",
        (person("Peregrine", "Stokesay", "2013-01-17"),),
        (
            person("Peregrine", "Stokesay", "2013-01-17", claim_reference="C1", claim_role="child"),
            person("Peregrine", "Stokesay", "2013-01-17", at="away", claim_reference="C2", claim_role="child"),
        ),
        ((0, 0), (0, 1)),
        "The welfare file may hold a person twice; names and date agree with both records.",
    ),
)  # fmt: skip

SPARSE: Final = (
    Case(
        "a child of whom nothing but home and sex is known, where one person is registered",
        (person("Beatrix", "Ormesby", "2016-11-04", "2"),),
        (person(None, None, None, "2"),),
        (),
        "That nobody else of the home is registered does not make the record hers: it may be a sister's.",
    ),
    Case(
        "a nameless child at its home",
        (person("Florence", "Wetherbourne", "2016-09-27", "2"), person("Ruth", "Wetherbourne", "1989-04-16", "2")),
        (person(None, None, "2016-09-27", "2"),),
        ((0, 0),),
        "Whole date, sex and home agree, and nobody else at the home was born on the day.",
    ),
    Case(
        "a nameless child that could be either twin",
        (person("Arthur", "Nettlefield", "2018-12-13"), person("Albert", "Nettlefield", "2018-12-13")),
        (person(None, None, "2018-12-13"),),
        (),
        "It fits both twins alike.",
    ),
    Case(
        "nameless twins",
        (person("Ivy", "Saxelby", "2017-03-21", "2"), person("Olive", "Saxelby", "2017-03-21", "2")),
        (
            person(None, None, "2017-03-21", "2", claim_reference="C1", claim_role="child"),
            person(None, None, "2017-03-21", "2", claim_reference="C1", claim_role="child"),
        ),
        (),
        "Two records fit two twins both ways; any pairing is a coin's.",
    ),
    Case(
        "a nameless child at a new address, whose day of birth others share",
        (person("Digby", "Hartlebury", "2015-06-18"), person("Rupert", "Snodland-Fry", "2015-06-18", at="far")),
        (person(None, None, "2015-06-18", at="away"),),
        (),
        "Two boys of that day are known elsewhere, and nothing says which has moved.",
    ),
    Case(
        "a child of whom nothing but the home is known",
        (person("Matilda", "Copplestone", "2017-05-31", "2"), person("Hugo", "Copplestone", "2015-02-08")),
        (person(None, None, None, None),),
        (),
        "Anybody lives at a home.",
    ),
    Case(
        "a child of whom nothing is known",
        (person("Winston", "Elphinstone", "2014-08-13"),),
        (person(None, None, None, None, "nowhere"),),
        (),
        "There is nothing to go by.",
    ),
    Case(
        "a record of a common name and nothing else",
        (person("James", "Brown", "1982-10-25"), person("James", "Brown", "1958-03-07", at="far")),
        (person("James", "Brown", None, None, "nowhere"),),
        (),
        "It fits whoever is called so.",
    ),
)  # fmt: skip

CASES: Final = (*TWINS, *NAMESAKES, *FAMILIES, *NAMES, *DATES, *PLACES, *NUMBERS, *CLAIMS, *SPARSE)
