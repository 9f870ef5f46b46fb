"""Clear files, read in chunks: CSV (UTF-8, with a header) or Parquet, every column as text but listed facts.

What the libraries say of a file they cannot read may quote it: their text stops here.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from linkage.encode.derive import DROPPED_SCHEMA
from schemas.errors import InputError, Reason

PARQUET_MAGIC: Final = b"PAR1"
_CSV_BLOCK_BYTES: Final = 8 << 20
"""Read at once; also the longest row, since a row must fit into a block."""
_DELIMITERS: Final = (",", "\t", ";", "|")


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows. `rows` numbers them in the file from 1, not counting the header; `unreadable` are the numbers
    of rows among and before them that could not be split into columns. `dropped` are fields left out of them already
    (row, field, reason).
    """

    frame: pl.DataFrame
    rows: pl.Series
    unreadable: tuple[int, ...] = ()
    dropped: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DROPPED_SCHEMA))


class ClearFile:
    """A clear file. `columns` are its column names; `chunks` reads the wanted ones."""

    def __init__(self, path: Path, *, repeated_names: bool = False) -> None:
        """Look at the file's beginning; InputError FILE_UNREADABLE, FILE_EMPTY, ENCODING_WRONG or COLUMNS_WRONG.

        Two columns of one name are refused unless the caller tells them apart (`repeated_names`).
        """
        self.path = path
        try:
            with path.open("rb") as file:
                start = file.read(64 << 10)
        except OSError as error:
            raise unreadable(path, f"cannot be opened ({error.strerror})") from None
        if not start.strip():
            raise empty(path)
        self.is_parquet = start.startswith(PARQUET_MAGIC) or path.suffix == ".parquet"
        if self.is_parquet:
            self._parquet = _open_parquet(path)
            self.columns = tuple(self._parquet.schema_arrow.names)
            self.row_count: int | None = self._parquet.metadata.num_rows
            if self.row_count == 0:
                raise empty(path)
            if b"hwlink" in (self._parquet.schema_arrow.metadata or {}):
                raise InputError(
                    Reason.COLUMNS_WRONG,
                    f"{path.name} is pseudonymised already; give the clear file that it was made from.",
                )
        else:
            self.delimiter, self.columns = _csv_header(path, start)
            self.row_count = None
        if not repeated_names and len(set(self.columns)) != len(self.columns):
            raise InputError(
                Reason.COLUMNS_WRONG, f"{path.name} has two columns of one name; rename one of them in the header."
            )

    @property
    def size_bytes(self) -> int:
        """Return how many bytes the file has, a Parquet file's columns counted before compression."""
        if not self.is_parquet:
            return self.path.stat().st_size
        metadata = self._parquet.metadata
        return sum(int(metadata.row_group(group).total_byte_size) for group in range(metadata.num_row_groups))

    def chunks(self, wanted: tuple[str, ...], rows_at_once: int) -> Iterator[Chunk]:
        """Read the wanted columns in chunks of about `rows_at_once` rows; raises as the constructor does."""
        read = self._parquet_chunks if self.is_parquet else self._csv_chunks
        found = False
        for chunk in read(wanted, rows_at_once):
            found = True
            yield chunk
        if not found:
            raise empty(self.path)

    def _parquet_chunks(self, wanted: tuple[str, ...], rows_at_once: int) -> Iterator[Chunk]:
        first = 1
        try:
            for batch in self._parquet.iter_batches(batch_size=rows_at_once, columns=list(wanted)):
                frame = _from_arrow(batch)
                yield Chunk(frame, _numbers(first, frame.height))
                first += frame.height
        except (pa.ArrowException, OSError):
            raise unreadable(self.path, "is a damaged Parquet file") from None

    def _csv_chunks(self, wanted: tuple[str, ...], rows_at_once: int) -> Iterator[Chunk]:
        skipped: list[int] = []

        def note(row: pa_csv.InvalidRow) -> str:
            # The reader counts the header as row 1.
            skipped.append(row.number - 1)
            return "skip"

        pending = pl.DataFrame(schema=dict.fromkeys(wanted, pl.String()))
        following = 1
        try:
            for batch in self._csv_batches(wanted, note):
                pending = pl.concat([pending, _from_arrow(batch)])
                while pending.height >= rows_at_once:
                    chunk = _chunk(pending[:rows_at_once], following, skipped)
                    pending, following = pending[rows_at_once:], chunk.rows[-1] + 1
                    yield chunk
        except pa.ArrowInvalid as error:
            if "Empty CSV" in str(error):
                raise empty(self.path) from None
            if "UTF8" in str(error):
                raise wrong_encoding(self.path) from None
            raise unreadable(self.path, f"cannot be read as CSV after row {following - 1:,}") from None
        except (pa.ArrowException, OSError):
            raise unreadable(self.path, "cannot be read to its end") from None
        if pending.height or skipped:
            yield _chunk(pending, following, skipped, at_end=True)

    def _csv_batches(
        self, wanted: tuple[str, ...], note: Callable[[pa_csv.InvalidRow], str]
    ) -> Iterator[pa.RecordBatch]:
        # One thread: only then rows that cannot be split are numbered. Encoding is what takes the time.
        yield from pa_csv.open_csv(
            self.path,
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=_CSV_BLOCK_BYTES),
            parse_options=pa_csv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()),
                include_columns=list(wanted),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )


def _chunk(frame: pl.DataFrame, following: int, skipped: list[int], *, at_end: bool = False) -> Chunk:
    """Number the frame's rows from `following`, around the skipped ones; take those that come before its last row.

    The reader runs ahead, so that `skipped` may hold rows of the next chunk: they stay in it.
    """
    numbers = _numbers(following, frame.height + len(skipped))
    rows = numbers.filter(~numbers.is_in(skipped))[: frame.height]
    mine = [number for number in skipped if at_end or number < rows[-1]]
    skipped[:] = [number for number in skipped if number not in mine]
    return Chunk(frame, rows, tuple(mine))


def _numbers(first: int, count: int) -> pl.Series:
    return pl.int_range(first, first + count, dtype=pl.Int64, eager=True).alias("row")


def _from_arrow(batch: pa.RecordBatch) -> pl.DataFrame:
    frame = pl.from_arrow(batch)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a record batch gives a frame")
    return frame.select(as_text(column) for column in frame.get_columns())


def as_text(column: pl.Series) -> pl.Series:
    """Return a column as String: dates as ISO, whole floats without a fraction; lists, and what has no text,
    unchanged.
    """
    if isinstance(column.dtype, pl.List | pl.String):
        return column
    if column.dtype.is_float():
        whole = column.cast(pl.Int64, strict=False)
        if (whole == column).all():
            return whole.cast(pl.String)
    return column.cast(pl.String, strict=False)


def _csv_header(path: Path, start: bytes) -> tuple[str, tuple[str, ...]]:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in start:
        raise wrong_encoding(path)
    line = start.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").splitlines()[0]
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise wrong_encoding(path) from None
    delimiter = max(_DELIMITERS, key=text.count)
    return delimiter, tuple(next(csv.reader([text], delimiter=delimiter)))


def _open_parquet(path: Path) -> pa_parquet.ParquetFile:
    try:
        return pa_parquet.ParquetFile(path)
    except (pa.ArrowException, OSError):
        raise unreadable(path, "is no whole Parquet file (it may have been cut short on its way)") from None


def empty(path: Path) -> InputError:
    """Return the error for a file without rows."""
    return InputError(Reason.FILE_EMPTY, f"{path.name} holds no rows; check the extract that should have filled it.")


def unreadable(path: Path, what: str) -> InputError:
    """Return the error for a file that cannot be read; `what` is wrong with it."""
    return InputError(Reason.FILE_UNREADABLE, f"{path.name} {what}; fetch or export it again.")


def wrong_encoding(path: Path) -> InputError:
    """Return the error for a file that is not UTF-8."""
    return InputError(
        Reason.ENCODING_WRONG,
        f"{path.name} is not UTF-8; export it as UTF-8, or convert it (`iconv -f windows-1252 -t utf-8`).",
    )
