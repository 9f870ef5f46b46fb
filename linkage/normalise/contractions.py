"""Words of addresses and their short forms, part of `address/1`.

Contracted rather than expanded: ST is then saint and street alike, and the house number weighs more in a filter.
"""

from __future__ import annotations

from typing import Final

_SHORT: Final = {
    "APARTMENT": "FLAT", "APPT": "FLAT", "APT": "FLAT", "FLT": "FLAT", "MAISONETTE": "FLAT", "UNIT": "FLAT",
    "AV": "AVE", "AVENUE": "AVE", "BUILDINGS": "BLDGS", "CLOSE": "CL", "COTTAGE": "COTT", "COURT": "CT", "CRT": "CT",
    "CRESCENT": "CRES", "CRS": "CRES", "DRIVE": "DR", "DRV": "DR", "GARDEN": "GDNS", "GARDENS": "GDNS", "GDN": "GDNS",
    "GROVE": "GR", "GRV": "GR", "GREAT": "GT", "HEIGHTS": "HTS", "HOUSE": "HSE", "LANE": "LA", "LN": "LA",
    "LITTLE": "LT", "LOWER": "LWR", "MOUNT": "MT", "PARADE": "PDE", "PARK": "PK", "PLACE": "PL", "PLC": "PL",
    "ROAD": "RD", "SAINT": "ST", "STR": "ST", "STREET": "ST", "SQUARE": "SQ", "TER": "TCE", "TERR": "TCE",
    "TERRACE": "TCE", "UPPER": "UPR", "VILLAGE": "VLGE", "NORTH": "N", "SOUTH": "S", "EAST": "E", "WEST": "W",
}  # fmt: skip
_SILENT: Final = ("AND", "THE", "NO", "NUMBER")

CONTRACTIONS: Final[dict[str, str]] = _SHORT | dict.fromkeys(_SILENT, "")
"""Word -> what stands for it; words that come and go stand for nothing."""
