"""Nicknames: the canonical name of the group that a forename belongs to (`nickname/1`).

The table (`nicknames.csv`, one group a line, canonical name first) holds short forms, spelling variants and common
transliterations of one name. A name stands in one group only, so that its token is one value.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

import polars as pl

NICKNAME_RULES: Final = ("nickname/1",)


@cache
def nickname_groups() -> dict[str, str]:
    """Return name -> canonical name for every name in the table, canonical names included; read once."""
    text = files("linkage").joinpath("nicknames.csv").read_text("utf-8")
    groups = (line.split(",") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: group[0] for group in groups for name in group}


def nickname(words: pl.Expr) -> pl.Expr:
    """Return the canonical name of the first word of a normalised forename; a name without a group stands for
    itself."""
    groups = nickname_groups()
    first = words.str.extract(r"^([^ ]+)", 1)
    canonical = first.replace(list(groups), list(groups.values()))
    # One letter is an initial, which is never sent alone.
    return pl.when(canonical.str.len_chars() > 1).then(canonical)
