"""Names of eighteen naming communities, gathered from general knowledge and from nowhere in the product.

The texts are in `names`, the commonest name first. `Catherine|Katherine/Kate/Cathy`: spellings of one name between
bars, names it is called by after strokes; `_` is a space. The product's own table of nicknames was not looked at: some
pairs are in it and some are not, as with a real file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "names"


@dataclass(frozen=True)
class Community:
    """A naming community: how many homes, what it is called, and which customs part two records of one person.

    `share` is of homes [assumed, near Kent's and Medway's census, minorities larger]; `ethnic` are NHS ethnic category
    codes with the commonest first; `custom` names the rule of `naming`; `arrived` is the share of adults who came from
    abroad, of whom `new_year` were given 1 January as date of birth; `respelt` multiplies the rate of other spellings;
    `enclave` is how strongly the homes gather; `flat` is the Zipf-Mandelbrot offset of surnames: small where a few
    surnames serve most people.
    """

    name: str
    share: float
    ethnic: str
    custom: str = "english"
    arrived: float = 0.0
    new_year: float = 0.0
    respelt: float = 1.0
    enclave: float = 1.0
    flat: float = 12.0

    def forenames(self, sex: int) -> list[str]:
        """Return the texts of forenames of men (1) or women (2), by generation from the oldest where they differ."""
        kind = "men" if sex == 1 else "women"
        return [path.read_text("utf-8") for path in sorted(_FOLDER.glob(f"{self.name}_{kind}*.txt"))]

    @property
    def surnames(self) -> str:
        """The text of surnames; of the English, some 2,700 surnames as of places follow the common ones."""
        common = (_FOLDER / f"{self.name}_surnames.txt").read_text("utf-8")
        return common + _place_surnames() if self.name == "english" else common

    @property
    def wives(self) -> str:
        """The text of last names that only women bear; empty where there are none."""
        path = _FOLDER / f"{self.name}_wives.txt"
        return path.read_text("utf-8") if path.exists() else ""


def _place_surnames() -> str:
    begins, ends = ((_FOLDER / f"place_{part}.txt").read_text("utf-8").split() for part in ("beginnings", "ends"))
    # The order mixes beginnings, since the first are the commonest.
    return " ".join(
        begin + ends[(place * 7 + turn) % len(ends)] for turn in range(len(ends)) for place, begin in enumerate(begins)
    )


COMMUNITIES: Final = (
    Community("english", 0.695, "AAAAAAAAAAAAAAAAAAAD"),
    Community("welsh", 0.025, "A", respelt=1.5, flat=2.0),
    Community("irish", 0.03, "BA", respelt=1.5, flat=6.0),
    Community("polish", 0.03, "C", custom="polish", arrived=0.8, respelt=2.0, enclave=2.0, flat=8.0),
    Community("romanian", 0.025, "C", arrived=0.9, respelt=2.0, enclave=2.0, flat=5.0),
    Community("slovak", 0.015, "C", custom="slovak", arrived=0.8, respelt=2.0, enclave=8.0, flat=1.5),
    Community("sikh", 0.045, "H", custom="sikh", arrived=0.5, new_year=0.05, respelt=2.5, enclave=6.0, flat=3.0),
    Community("gujarati", 0.012, "HL", arrived=0.5, new_year=0.03, respelt=2.0, enclave=3.0, flat=0.5),
    Community("nepali", 0.012, "L", arrived=0.8, new_year=0.06, respelt=2.0, enclave=5.0, flat=1.0),
    Community(
        "pakistani", 0.02, "J", custom="mother apart", arrived=0.5, new_year=0.12, respelt=3.0, enclave=6.0, flat=0.5
    ),
    Community(
        "bengali", 0.015, "K", custom="mother apart", arrived=0.5, new_year=0.15, respelt=3.0, enclave=6.0, flat=0.8
    ),
    Community(
        "ghanaian", 0.014, "N", custom="day name", arrived=0.6, new_year=0.02, respelt=1.5, enclave=3.0, flat=1.5
    ),
    Community("nigerian", 0.026, "N", arrived=0.6, new_year=0.02, respelt=2.0, enclave=3.0),
    Community("caribbean", 0.01, "MMD", respelt=1.2, enclave=2.0, flat=4.0),
    Community("chinese", 0.006, "R", custom="chinese", arrived=0.6, respelt=2.0, flat=1.0),
    Community("spanish", 0.014, "CS", custom="two surnames", arrived=0.8, respelt=1.5, flat=2.0),
    Community("arab", 0.014, "SCL", arrived=0.9, new_year=0.3, respelt=3.0, enclave=3.0, flat=1.0),
    Community(
        "somali", 0.012, "NPS", custom="patronymic", arrived=0.9, new_year=0.35, respelt=3.0, enclave=4.0, flat=1.0
    ),
)
