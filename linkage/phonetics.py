"""How a name sounds: one code for spellings that are said alike, from jellyfish."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import jellyfish
import polars as pl

PHONETICS: Final[dict[str, Callable[[str], str]]] = {
    "metaphone/1": jellyfish.metaphone,
    "nysiis/1": jellyfish.nysiis,
    "soundex/1": jellyfish.soundex,
    "match_rating/1": jellyfish.match_rating_codex,
}
"""Every rule by the name that an agreement uses. `decisions/0002` compares them and says why `soundex/1` is the
default.
"""


def phonetic(names: pl.Series, rule: str) -> pl.Series:
    """Return the code of each name (String; null where there is none). Meant for distinct values: one call each."""
    code = PHONETICS[rule]
    codes = [None if name is None else _code(code, name) for name in names.to_list()]
    return pl.Series(names.name, codes, dtype=pl.String)


def _code(code: Callable[[str], str], name: str) -> str | None:
    # The rules are made for the letters A-Z; another script has no sound here and gives no code.
    if not (name.isascii() and name.isalpha()):
        return None
    return code(name).replace(" ", "") or None
