"""Linking again with a key hidden: which files then are read, and how the outcome agrees with the key."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from linkage.quality.evidence import Census
from linkage.quality.hidden_key import key_check
from schemas.errors import InputError, Reason
from schemas.quality import KeyCheck
from services.link.files import EncodedFile, column_batches

KEYS: Final = ("nhs_number", "nino")
"""Keys that can be hidden: those that alone say who a person is."""

_STAND_IN: Final = {"nhs_number": "token_pseudonym"}


def check_of_key(key: str) -> None:
    """Refuse what is no key; InputError OPTION_INVALID."""
    if key not in KEYS:
        raise InputError(Reason.OPTION_INVALID, f"--check-key is one of {', '.join(KEYS)}; give one of them.")


def without_key(files: list[EncodedFile], key: str) -> list[EncodedFile]:
    """Return the files as if they had no such key, nor a pseudonym that stands for it."""
    hidden = {f"token_{key}", _STAND_IN.get(key)}
    return [replace(file, columns=tuple(c for c in file.columns if c not in hidden)) for file in files]


def checked_by_key(
    key: str,
    files: list[EncodedFile],
    sources: tuple[str, ...],
    unique: tuple[bool, ...],
    census: Census,
    labels: pl.DataFrame,
) -> KeyCheck:
    """Return how a linkage without the key (its `census` and numbered labels) agrees with the key in the files."""
    word = np.zeros(len(census), dtype=np.uint64)
    for file, source in zip(files, sources, strict=True):
        if f"token_{key}" in file.columns:
            frame = pl.concat(column_batches(file, ("subject_ref", "version", f"token_{key}"))).sort("version")
            place = census.find(pl.repeat(source, frame.height, eager=True), frame["subject_ref"])
            token = frame[f"token_{key}"].bin.head(8).bin.reinterpret(dtype=pl.UInt64, endianness="little")
            word[place[place >= 0]] = token.fill_null(0).to_numpy()[place >= 0]
    label = np.arange(len(census)) + len(census)
    label[labels["number"].to_numpy()] = labels["label"].to_numpy()
    by_source = dict(zip(sources, unique, strict=True))
    return key_check(key, census, label, word, tuple(by_source[name] for name in census.sources))
