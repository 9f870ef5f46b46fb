"""Column maps: how the columns of somebody's file become ours, as a TOML file.

record_id = "rec_id"                               # rename
address = ["street_number", "address_1"]           # join what is there with a space
address = { columns = ["a", "b"], separator = ", " }
ignore = ["state"]                                 # known, and not wanted
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import polars as pl

from linkage.encode import CLEAR_COLUMNS, PSEUDONYM
from linkage.encode.derive import IDENTITY_FIELDS
from schemas.contracts.base import Feed
from schemas.errors import InputError, Reason

SHIPPED_MAPS: Final = ("febrl",)


@dataclass(frozen=True)
class Joined:
    """Columns that make one of ours, in order, and what stands between them."""

    columns: tuple[str, ...]
    separator: str = " "


@dataclass(frozen=True)
class ColumnMap:
    """`sources` maps our columns to theirs; `ignore` are columns of theirs that are known and left out."""

    sources: dict[str, Joined] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selection:
    """What is read from one file: our columns from theirs, and which of theirs are left out unasked."""

    sources: dict[str, Joined]
    left_out: tuple[str, ...]

    @property
    def wanted(self) -> tuple[str, ...]:
        """Their columns that must be read, each once."""
        return tuple(dict.fromkeys(name for joined in self.sources.values() for name in joined.columns))

    def apply(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return our columns from a frame of theirs; a joined value skips its blank parts."""
        return frame.select(_ours(name, joined) for name, joined in self.sources.items())


def _ours(name: str, joined: Joined) -> pl.Expr:
    if len(joined.columns) == 1:
        return pl.col(joined.columns[0]).alias(name)
    parts = [pl.col(part).cast(pl.String).str.strip_chars().replace("", None) for part in joined.columns]
    return pl.concat_str(parts, separator=joined.separator, ignore_nulls=True).alias(name)


def read_column_map(name: str) -> ColumnMap:
    """Return a shipped map by name, or the map in a TOML file; InputError FILE_UNREADABLE or COLUMNS_WRONG."""
    try:
        if name in SHIPPED_MAPS:
            text = files("services.pseudonymise").joinpath("maps", f"{name}.toml").read_text("utf-8")
        else:
            text = Path(name).read_text("utf-8")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InputError(
            Reason.FILE_UNREADABLE,
            f"The column map cannot be read ({reason}); give a TOML file, or one of: {', '.join(SHIPPED_MAPS)}.",
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(Reason.COLUMNS_WRONG, f"The column map is not TOML ({error}); mend that line.") from None
    return _column_map(document)


def _column_map(document: dict[str, Any]) -> ColumnMap:
    known = {column for names in CLEAR_COLUMNS.values() for column in names}
    sources = {}
    for column, source in document.items():
        if column == "ignore":
            continue
        if column not in known:
            raise _wrong(f"maps to {column}, which is no column; columns are: {', '.join(sorted(known))}")
        sources[column] = _joined(column, source)
    ignore = document.get("ignore", [])
    if not _names(ignore):
        raise _wrong("needs a list of column names for ignore")
    return ColumnMap(sources, tuple(ignore))


def _joined(column: str, source: Any) -> Joined:
    if isinstance(source, str):
        return Joined((source,))
    if _names(source) and source:
        return Joined(tuple(source))
    if isinstance(source, dict) and set(source) <= {"columns", "separator"} and _names(source.get("columns")):
        separator = source.get("separator", " ")
        if isinstance(separator, str) and source["columns"]:
            return Joined(tuple(source["columns"]), separator)
    raise _wrong(f'must give {column} a name, a list of names, or {{ columns = [...], separator = "..." }}')


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def select_columns(found: tuple[str, ...], column_map: ColumnMap, feed: Feed, *, pseudonyms: bool = False) -> Selection:
    """Return what to read from a file with the `found` columns; InputError COLUMNS_WRONG when that cannot identify
    anyone. A column of `pseudonyms` is read only if the caller knows of which domain they are.

    The message never repeats what was found: where a header is missing, its first row holds a person's values.
    """
    missing = [name for joined in column_map.sources.values() for name in joined.columns if name not in found]
    if missing:
        raise InputError(
            Reason.COLUMNS_WRONG,
            f"The column map names {', '.join(missing)}, which the file does not have; mend the map or the header.",
        )
    ours = [name for name in CLEAR_COLUMNS[feed] if pseudonyms or name != PSEUDONYM]
    sources = dict(column_map.sources)
    taken = {name for joined in sources.values() for name in joined.columns}
    for name in ours:
        if name in found and name not in sources and name not in taken:
            sources[name] = Joined((name,))
    sources = {name: joined for name, joined in sources.items() if name in ours}
    if "record_id" not in sources or not set(sources) & {*IDENTITY_FIELDS, PSEUDONYM}:
        raise InputError(
            Reason.COLUMNS_WRONG,
            "The header must name record_id and at least one of: "
            f"{', '.join(IDENTITY_FIELDS)}. Mend the header, or give a column map (`--columns`).",
        )
    used = {name for joined in sources.values() for name in joined.columns}
    left_out = tuple(name for name in found if name not in used and name not in column_map.ignore)
    return Selection(sources, left_out)


def _wrong(what: str) -> InputError:
    return InputError(Reason.COLUMNS_WRONG, f"The column map {what}.")
