"""`--layout fhir`: a file of FHIR resources, one a line; see `linkage.layouts.fhir`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from linkage.layouts import fhir
from linkage.layouts.fhir import Choices
from linkage.layouts.tables import ROW
from schemas.code_lists import code_map
from schemas.contracts.base import Feed
from schemas.errors import InputError, Reason
from services.pseudonymise.layouts.code_maps import read_code_map
from services.pseudonymise.layouts.settings import Settings, checked
from services.pseudonymise.layouts.table import chunks
from services.pseudonymise.reading import Chunk, empty, unreadable, wrong_encoding
from services.pseudonymise.report import Report


class _Settings(Settings):
    """See `linkage.layouts.fhir.Choices`; `code_list` names a file that is read instead of the shipped map."""

    pseudonym_system: str | None = None
    lsoa_extension: str | None = None
    code_list: Path | None = None


class Fhir:
    """Patients and Conditions. The file is read whole."""

    feed = Feed.HEALTH

    def __init__(self, choices: Choices) -> None:
        """Make the layout."""
        self._choices = choices

    def rows(self, path: Path, extracted_on: date, report: Report) -> Iterator[Chunk]:
        """Read one file of resources."""
        mapped, bad = fhir.clear_rows(_lines(path), self._choices)
        if mapped.frame.is_empty() and not bad:
            raise InputError(
                Reason.FILE_EMPTY, f"{path.name} holds no Patient; export Patients and Conditions into one file."
            )
        yield from chunks(mapped, bad, report)


def build(settings: dict[str, Any]) -> Fhir:
    """Return the layout, set up."""
    given = checked(_Settings, settings)
    codes = code_map(fhir.CONDITIONS) if given.code_list is None else read_code_map(given.code_list)
    return Fhir(Choices(codes, given.pseudonym_system, given.lsoa_extension))


def _lines(path: Path) -> pl.DataFrame:
    """Return the lines that are not blank: `ROW` from 1 and `json`."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise unreadable(path, f"cannot be opened ({error.strerror})") from None
    except UnicodeDecodeError:
        raise wrong_encoding(path) from None
    # Only line feeds: JSON allows the other line separators within a string.
    lines = pl.DataFrame({"json": text.split("\n")}).with_row_index(ROW, offset=1)
    found = lines.filter(pl.col("json").str.strip_chars() != "").with_columns(pl.col(ROW).cast(pl.Int64))
    if found.is_empty():
        raise empty(path)
    return found
