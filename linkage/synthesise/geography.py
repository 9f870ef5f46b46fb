"""A made-up geography of the shape of Medway and Swale: small areas, wards, deprivation, postcodes, streets,
practices.

It is the same for every seed. Codes lie where no real one does (LSOA E019xxxxx, practices Y9xxxx); the counts of
areas by decile are those of the English Indices of Deprivation 2025 on 2021 LSOAs (Open Government Licence v3.0).
Postcodes have the valid form of the ME area; who lives there, and the streets, are invented.

A dwelling is an integer, `postcode number * 256 + slot`: everything about it follows from that number.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise.chance import Ints, scatter
from linkage.synthesise.names.words import words

DECILES: Final[dict[str, tuple[int, ...]]] = {
    "medway": (15, 22, 33, 13, 15, 13, 18, 16, 14, 6),
    "swale": (13, 11, 8, 13, 14, 9, 7, 4, 2, 2),
}
"""LSOAs by deprivation decile, 1 (most deprived) to 10, in each authority: Indices of Deprivation 2025, Medway 165
and Swale 83 of the areas in the published extract; four more of Medway and seven more of Swale are put at decile
5."""

WARDS: Final = {"medway": 24, "swale": 24}
OUTCODES: Final = {
    "medway": ("ME1", "ME2", "ME3", "ME4", "ME5", "ME7", "ME8"),
    "swale": ("ME9", "ME10", "ME11", "ME12", "ME13"),
}
OUTSIDE_OUTCODES: Final = ("ME14", "ME15", "ME16", "ME20", "DA12", "DA11", "CT1", "CT5", "SE9", "TN24")
POSTCODES_PER_LSOA: Final = 48
SLOTS: Final = 256
HOSTEL_SLOT: Final = 255
OUTSIDE_POSTCODES: Final = 2_000
PRACTICES: Final = {"medway": 38, "swale": 15}
_LETTERS: Final = np.array(list("ABDEFGHJLNPQRSTUWXYZ"))

_WARD_FIRST: Final = words(
    """
    Marsh Harbour Chalk Orchard Quarry Windmill Saltings Dockside Heron Oast Castle Lime Hop Barge Creek Downs
    """
)
_WARD_SECOND = ("Gate", "Hill", "Reach")
_STREET_FIRST: Final = words(
    """
    High Mill Church Station Park Victoria Albert Queen King Albany Alma Arden Ash Aylesford Balmoral Banks Beacon
    Beech Bell Berry Bishop Borough Bridge Broad Brook Brunswick Canterbury Castle Cedar Chalk Chapel Charles Cherry
    Chestnut Clarence Cliffe Copperfield Cornwall Cross Dale Delce Dickens Dock Duncan East Edward Elm Empire
    Fairview Farm Ferry Field Forge Fox Franklin Garden George Glebe Gordon Grange Green Grove Hamilton Harbour
    Hawthorn Hazel Heath Herbert Heron Hill Holly Hope Horsted Jubilee Kent Kestrel Kingfisher Lancaster Larch
    Laurel Lime Linden London Long Luton Magpie Maple Marlborough Marsh Mayfield Meadow Medlar Mulberry Napier
    Nelson New North Nursery Oak Oast Orchard Otter Paget Palmerston Pepys Pine Poplar Quarry Railway Rectory Regent
    Richmond Rose Rowan Saxon School Shakespeare Silver Skylark South Spring Star Sycamore Temple Tern Thistle Union
    Valley Vicarage Vine Walnut Warren Water Waverley Wellington West Wharf White William Willow Windmill Wood York
    """
)
_STREET_SECOND: Final = words(
    """
    Road Street Avenue Close Lane Drive Way Gardens Grove Place Court Crescent Terrace Hill Walk Rise Mews View
    """
)
_BUILDING: Final = words(
    """
    Admiral Anchor Arethusa Bligh Bolton Chatham Cobham Colman Constable Darland Drake Eden Eldon Frobisher Garrick
    Hasted Hawkins Jezreel Keats Mariner Melville Nore Pembroke Quayside Raleigh Ropewalk Sheldon Stirling Swale
    Tiltman Upnor Wainscott Watling Weston Windsor Wyvern
    """
)
_TOWNS: Final = {
    "medway": ("Chatham", "Gillingham", "Rochester", "Strood"),
    "swale": ("Sittingbourne", "Sheerness", "Faversham"),
}


@cache
def _areas() -> pl.DataFrame:
    rows: list[tuple[str, str, str, int]] = []
    number = 0
    for authority, counts in DECILES.items():
        deciles = np.repeat(np.arange(1, 11), counts)
        extra = {"medway": 4, "swale": 7}[authority]
        deciles = np.concatenate([deciles, np.full(extra, 5)])
        # Deprivation clusters: areas in order of a noisy decile fill the wards one after another.
        noisy = deciles + 4.0 * (scatter(np.arange(len(deciles)), 11) % 1000) / 1000
        ordered = deciles[np.argsort(noisy, kind="stable")]
        wards = np.arange(len(ordered)) * WARDS[authority] // len(ordered)
        offset = 0 if authority == "medway" else WARDS["medway"]
        for decile, ward in zip(ordered, wards, strict=True):
            place = int(ward) + offset
            name = f"{_WARD_FIRST[place % 16]} {_WARD_SECOND[place // 16]}"
            rows.append((f"E019{number + 1:05d}", name, authority, int(decile)))
            number += 1
    return pl.DataFrame(
        rows,
        schema={"lsoa": pl.String, "ward": pl.String, "authority": pl.String, "imd_decile": pl.Int64},
        orient="row",
    )


def table(seed: int = 0) -> pl.DataFrame:
    """Return the small areas: `lsoa`, `ward`, `authority` (medway, swale), `imd_decile` (Int64, 1 most deprived).

    259 rows, 169 of Medway and 90 of Swale. The geography is fixed: `seed` changes nothing and is accepted so that
    callers need not know.
    """
    del seed
    return _areas().clone()


def lsoa_count() -> int:
    """Return the number of small areas inside Medway and Swale."""
    return _areas().height


@cache
def postcodes() -> pl.DataFrame:
    """Return every postcode by its number: `postcode`, `lsoa`, `town`, first those inside (48 an LSOA), then those
    outside.
    """
    areas = _areas()
    inside: list[pl.DataFrame] = []
    for authority, outcodes in OUTCODES.items():
        lsoas = areas.filter(pl.col("authority") == authority)["lsoa"]
        count = len(lsoas) * POSTCODES_PER_LSOA
        index = np.arange(count)
        outcode = index * len(outcodes) // count
        within = index - np.ceil(outcode * count / len(outcodes)).astype(np.int64)
        towns = _TOWNS[authority]
        inside.append(
            pl.DataFrame(
                {
                    "postcode": _codes(np.array(outcodes)[outcode], within),
                    "lsoa": lsoas.gather(index // POSTCODES_PER_LSOA),
                    "town": np.array(towns)[outcode * len(towns) // len(outcodes)],
                }
            )
        )
    index = np.arange(OUTSIDE_POSTCODES)
    outside = pl.DataFrame(
        {
            "postcode": _codes(
                np.array(OUTSIDE_OUTCODES)[index % len(OUTSIDE_OUTCODES)], index // len(OUTSIDE_OUTCODES)
            ),
            "lsoa": [f"E0195{i // 40:04d}" for i in index],
            "town": ["Maidstone"] * OUTSIDE_POSTCODES,
        }
    )
    return pl.concat([*inside, outside])


def _codes(outcodes: np.ndarray[tuple[int], np.dtype[np.str_]], within: Ints) -> list[str]:
    # Up to 4,000 inward codes an outcode: neighbours share the sector digit, the two letters run through the valid
    # ones. 7 shares no factor with 400, so the letters of neighbours differ and still no code repeats.
    unit = (within * 7) % 400
    first, second = _LETTERS[unit // 20], _LETTERS[unit % 20]
    return [
        f"{out} {digit}{a}{b}" for out, digit, a, b in zip(outcodes, (within // 400) % 10, first, second, strict=True)
    ]


def dwellings(households_lsoa: Ints, draws: Ints) -> Ints:
    """Return a dwelling of its own for each household, in its LSOA: neighbours fill one postcode before the next.

    `households_lsoa` is the area's row number, `draws` fixed integers that choose which postcodes of the area are in
    use.
    """
    order = np.argsort(households_lsoa, kind="stable")
    counts = np.bincount(households_lsoa, minlength=lsoa_count())
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rank = np.empty(len(households_lsoa), dtype=np.int64)
    rank[order] = np.arange(len(order)) - starts[households_lsoa[order]]
    # 15 dwellings a postcode, as in towns; more only where an area would overflow its postcodes.
    per_postcode = np.maximum(15, -(-counts // (POSTCODES_PER_LSOA - 1)))[households_lsoa]
    postcode = (rank // per_postcode + draws[households_lsoa]) % POSTCODES_PER_LSOA
    return (households_lsoa * POSTCODES_PER_LSOA + postcode) * SLOTS + rank % per_postcode


def address_parts(dwelling: Ints) -> pl.DataFrame:
    """Return the parts of each dwelling's address, null where it has none.

    Columns: `flat` ("Flat 3", "Flat B", "Plot 7"), `letter` (of a flat in a converted house), `building`, `number`,
    `street`, `town`, `postcode`, `lsoa`, `uprn`.
    """
    postcode, slot = dwelling // SLOTS, dwelling % SLOTS
    shape = scatter(postcode, 21) % 40
    hostel = slot == HOSTEL_SLOT
    block = ~hostel & (shape < 5)
    converted = ~hostel & (shape >= 5) & (shape < 9)
    park = ~hostel & (shape == 9)
    # A street runs over two neighbouring postcodes.
    street = scatter(postcode // 2, 22)
    first = pl.Series(_STREET_FIRST).gather(street % len(_STREET_FIRST))
    second = pl.Series(_STREET_SECOND).gather((street // 1009) % len(_STREET_SECOND))
    base = 1 + 40 * (postcode % 2)
    number = np.where(converted, base + 2 * (slot // 3), base + 2 * slot)
    named = hostel | block | park
    name = pl.Series(_BUILDING).gather(scatter(postcode * 4 + hostel, 23) % len(_BUILDING))
    kind = np.where(hostel, "Lodge", np.where(park, "Park", "House"))
    letter = np.array(["A", "B", "C"])[slot % 3]
    flat = np.where(converted, letter, (slot + 1).astype(np.str_))
    word = np.where(park, "Plot ", "Flat ")
    places = postcodes()
    return pl.DataFrame(
        {
            "flat": pl.Series(word) + pl.Series(flat),
            "letter": letter,
            "building": name + " " + pl.Series(kind),
            "number": pl.Series(number).cast(pl.String),
            "street": first + " " + second,
            "town": places["town"].gather(postcode),
            "postcode": places["postcode"].gather(postcode),
            "lsoa": places["lsoa"].gather(postcode),
            "uprn": _uprn(dwelling),
            "_converted": converted,
            "_flat": block | converted | park,
            "_named": named,
        }
    ).select(
        pl.when("_flat").then("flat").alias("flat"),
        pl.when("_converted").then("letter").alias("letter"),
        pl.when("_named").then("building").alias("building"),
        pl.when(~pl.col("_named")).then("number").alias("number"),
        "street",
        "town",
        "postcode",
        "lsoa",
        "uprn",
    )


def _uprn(dwelling: Ints) -> pl.Series:
    # A fixed one-to-one map into 9xxxxxxxxxxx, where no real property number lies: 7,919 shares no factor with
    # 10**11.
    return pl.Series(900_000_000_000 + (dwelling * 7_919 + 104_729) % 10**11).cast(pl.String)


def practices() -> pl.Series:
    """Return the codes of the GP practices: first Medway's 38, then Swale's 15."""
    return pl.Series("practice_code", [f"Y9{i:04d}" for i in range(1, sum(PRACTICES.values()) + 1)])
