"""Delta tables in local folders, one folder a zone: the embedded default of the lake."""

from __future__ import annotations

import errno
import random
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, TypeVar

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from polars.datatypes import DataTypeClass

from schemas.errors import DefectError, HwlinkError, InputError, Reason, StateError, TransientError
from services.lake import ZoneName
from services.lake.delta_copy import copy_table, tree_bytes
from services.lake.delta_log import application_ids, flush

NO_STATISTICS: Final = {"delta.dataSkippingNumIndexedCols": "0"}
"""Statistics would put least and greatest values, so tokens and references, into the log, which no vacuum reaches."""

COMMIT_ATTEMPTS: Final = 30
_LONGEST_PAUSE_S: Final = 0.2

_DISK_ERRORS: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
_RUST_OS_ERROR: Final = re.compile(r"\(os error (\d+)\)")

_TABLE_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_ZSTD: Final = WriterProperties(compression="ZSTD", compression_level=1)

T = TypeVar("T")


class DeltaZone:
    """One zone of the lake: a folder of Delta tables. Safe for several processes and threads; holds nothing open."""

    def __init__(self, root: Path, name: ZoneName | str) -> None:
        """Use the folder `root/name`, which is made, for its owner alone, when the first table is written."""
        self.name = name
        self._folder = root / name

    def append(self, table: str, frame: pl.DataFrame, offsets: Mapping[str, int]) -> bool:
        """Append the rows above the table's offsets and move those, in one commit; False when all of it is a replay.

        Raises StateError STORE_VERSION when a column changed its type, TransientError BUSY when others kept winning.
        """
        missing = frame.select(_application_id().unique().alias("id")).filter(~pl.col("id").is_in(list(offsets)))
        if missing.height:
            raise DefectError(
                Reason.INTERNAL, f"Rows for table {table} come from a partition without an offset; report this."
            )

        def attempt(handle: DeltaTable | None) -> bool:
            held = {i: -1 if handle is None else _held(handle, i) for i in offsets}
            news = {i: offset for i, offset in offsets.items() if offset > held[i]}
            if not news:
                return False
            above = pl.col("_offset") > _application_id().replace_strict(held, return_dtype=pl.Int64)
            self._write(table, handle, frame.filter(above), news, "append")
            return True

        return self._commit(table, attempt)

    def replace(self, table: str, frame: pl.DataFrame, offsets: Mapping[str, int]) -> int:
        """Replace the whole table, columns too, and set its offsets, in one commit; return the new Delta version."""
        return self._commit(table, lambda handle: self._write(table, handle, frame, offsets, "overwrite"))

    def merge(self, table: str, frame: pl.DataFrame, key: str | Sequence[str], offsets: Mapping[str, int]) -> int:
        """Upsert rows by `key`; a row whose `_deleted` is true removes its key; return the new Delta version.

        New columns are added to the table. Keys are never null, and stand at most once in `frame`.
        """
        keys = [key] if isinstance(key, str) else list(key)
        if frame.select(keys).is_duplicated().any():
            raise DefectError(Reason.INTERNAL, f"A key stands twice in a merge into table {table}; report this.")
        if "_deleted" not in frame.columns:
            frame = frame.with_columns(_deleted=pl.lit(value=False))
        columns = [name for name in frame.columns if name != "_deleted"]

        def attempt(handle: DeltaTable | None) -> int:
            if handle is None:
                return self._write(table, None, frame.filter(~pl.col("_deleted")).select(columns), offsets, "append")
            values = {f"`{name}`": f"source.`{name}`" for name in columns}
            (
                handle.merge(
                    _storable(frame),
                    " AND ".join(f"target.`{name}` = source.`{name}`" for name in keys),
                    source_alias="source",
                    target_alias="target",
                    merge_schema=True,
                    writer_properties=_ZSTD,
                    commit_properties=_transactions(offsets),
                )
                .when_matched_delete("source._deleted")
                .when_matched_update(values)
                .when_not_matched_insert(values, predicate="NOT source._deleted")
                .execute()
            )
            return self._flushed(table, handle.version())

        return self._commit(table, attempt)

    def offsets(self, table: str) -> dict[str, int]:
        """Return the last offset held of each application id; empty when there is no table."""
        handle = self._handle(table)
        if handle is None:
            return {}
        return {i: _held(handle, i) for i in sorted(application_ids(self._path(table)))}

    def version(self, table: str) -> int | None:
        """Return the table's current Delta version, None when there is no table."""
        handle = self._handle(table)
        return None if handle is None else handle.version()

    def scan(self, table: str, version: int | None = None) -> pl.LazyFrame | None:
        """Return a lazy scan of the table (at a version if given), None when there is no table.

        Raises StateError STORE_MISSING when the version is gone or never was. The version is fixed here: what others
        commit before the scan is collected does not show.
        """
        handle = self._handle(table, version)
        return None if handle is None else pl.scan_delta(handle)

    def tables(self) -> list[str]:
        """Return the names of the tables there are."""
        if not self._folder.is_dir():
            return []
        return sorted(p.name for p in self._folder.iterdir() if DeltaTable.is_deltatable(str(p)))

    def compact(self, table: str) -> None:
        """Rewrite many small files as few large ones. Changes no row; writers and readers may go on meanwhile."""

        def attempt(handle: DeltaTable | None) -> None:
            if handle is not None:
                handle.optimize.compact(
                    writer_properties=_ZSTD, commit_properties=CommitProperties(max_commit_retries=0)
                )
                self._flushed(table, handle.version())

        self._commit(table, attempt)

    def vacuum(self, table: str, keep_versions: Sequence[int], older_than_h: int) -> int:
        """Delete every file that neither the current version nor one of `keep_versions` needs; return how many went."""
        handle = self._handle(table)
        if handle is None:
            return 0
        with _our_errors(table):
            gone = handle.vacuum(
                retention_hours=older_than_h,
                dry_run=False,
                enforce_retention_duration=False,
                full=True,
                keep_versions=list(keep_versions),
            )
        return len(gone)

    def expire_log(self, table: str) -> None:
        """Sum the table's log up in a checkpoint, and delete entries past their time (30 days)."""
        handle = self._handle(table)
        if handle is not None:
            with _our_errors(table):
                handle.create_checkpoint()
                handle.cleanup_metadata()

    def size_bytes(self, table: str) -> int:
        """Return the room that the table takes, files of former versions and the log too."""
        return tree_bytes(self._path(table))

    def copy(self, table: str, versions: Sequence[int], into: Path) -> int:
        """Copy the table to the folder `into`, at its current version and those of `versions` that still are."""
        return copy_table(self._path(table), versions, into)

    def put(self, table: str, source: Path) -> None:
        """Put a table here that `copy` has written; InputError OPTION_INVALID where there is one of that name."""
        target = self._path(table)
        if target.exists():
            raise InputError(
                Reason.OPTION_INVALID,
                f"The {self.name} zone holds a table {table} already; restore into an empty folder.",
            )
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copytree(source, target)

    def drop(self, table: str) -> None:
        """Delete a table with all that it holds, for a restore that failed half-way."""
        shutil.rmtree(self._path(table), ignore_errors=True)

    def _path(self, table: str) -> Path:
        if not _TABLE_NAME.fullmatch(table):
            raise DefectError(Reason.INTERNAL, "A lake table needs a lower-case name without signs; report this.")
        return self._folder / table

    def _handle(self, table: str, version: int | None = None) -> DeltaTable | None:
        path = self._path(table)
        try:
            if version is None:
                return DeltaTable(path)
            if not DeltaTable.is_deltatable(str(path)):
                return None
            return DeltaTable(path, version=version)
        except TableNotFoundError:
            return None
        except Exception:
            what = "cannot be read" if version is None else f"has no version {version} any more"
            raise StateError(
                Reason.STORE_MISSING,
                f"Table {table} of the {self.name} zone {what}; choose a newer snapshot, or restore a backup.",
            ) from None

    def _write(
        self,
        table: str,
        handle: DeltaTable | None,
        frame: pl.DataFrame,
        offsets: Mapping[str, int],
        mode: Literal["append", "overwrite"],
    ) -> int:
        """Write one commit from `handle`, or create the table where there is none; return the new version."""
        if handle is None:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_deltalake(
            self._path(table) if handle is None else handle,
            _storable(frame),
            mode="error" if handle is None else mode,
            schema_mode=None if handle is None else "merge" if mode == "append" else "overwrite",
            configuration=NO_STATISTICS if handle is None else None,
            writer_properties=_ZSTD,
            commit_properties=_transactions(offsets),
        )
        return self._flushed(table, 0 if handle is None else handle.version())

    def _flushed(self, table: str, version: int) -> int:
        flush(self._path(table), version)
        return version

    def _commit(self, table: str, attempt: Callable[[DeltaTable | None], T]) -> T:
        """Run `attempt` on a fresh handle until no other writer comes between."""
        for n in range(COMMIT_ATTEMPTS):
            handle = self._handle(table)
            try:
                with _our_errors(table):
                    return attempt(handle)
            except CommitFailedError:
                # Another writer was first: look again at what is held, since it may have written these very rows.
                time.sleep(random.uniform(0, min(_LONGEST_PAUSE_S, 0.005 * 2**n)))
            except HwlinkError:
                if handle is not None or self._handle(table) is None:
                    raise
                # Another writer created the table just now.
        raise TransientError(
            Reason.BUSY, f"Table {table} of the {self.name} zone is written by others without a pause; try again."
        )


def _application_id() -> pl.Expr:
    return pl.format("{}-{}", pl.col("_topic"), pl.col("_partition"))


def _held(handle: DeltaTable, application_id: str) -> int:
    version = handle.transaction_version(application_id)
    return -1 if version is None else int(version)


def _transactions(offsets: Mapping[str, int]) -> CommitProperties:
    # No retries within the library: it would rebase the commit without asking again which offsets are held.
    return CommitProperties(app_transactions=[Transaction(i, o) for i, o in offsets.items()], max_commit_retries=0)


_SIGNED: Final[dict[pl.DataType, pl.DataType]] = {
    pl.UInt8(): pl.Int16(),
    pl.UInt16(): pl.Int32(),
    pl.UInt32(): pl.Int64(),
    pl.UInt64(): pl.Int64(),
}


def _storable(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame in types that Delta has: no unsigned integers, no categories."""
    return frame.cast({name: _storable_type(dtype) for name, dtype in frame.schema.items()})


def _storable_type(dtype: pl.DataType) -> pl.DataType:
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return pl.String()
    if isinstance(dtype, pl.List):
        return pl.List(_storable_type(_instance(dtype.inner)))
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: _storable_type(_instance(field.dtype)) for field in dtype.fields})
    return _SIGNED.get(dtype, dtype)


def _instance(dtype: pl.DataType | DataTypeClass) -> pl.DataType:
    """Return a type as an instance: Polars lets `pl.Int64` stand for `pl.Int64()`."""
    return dtype if isinstance(dtype, pl.DataType) else dtype()


def _refused_by_disk(error: Exception) -> bool:
    """Whether the disk had no room, or failed: of a file that is written in pieces the library tells that only in the
    text of its own error, as Rust renders the number.
    """
    number = _RUST_OS_ERROR.search(str(error))
    return number is not None and int(number[1]) in _DISK_ERRORS


@contextmanager
def _our_errors(table: str) -> Iterator[None]:
    """Raise the library's failures as ours, without its text: a cast that fails quotes the value."""
    try:
        yield
    except (CommitFailedError, HwlinkError):
        raise
    except Exception as error:
        if isinstance(error, OSError) or _refused_by_disk(error):
            raise TransientError(
                Reason.UNAVAILABLE, f"Table {table} could not be written; check the lake's disk, then try again."
            ) from None
        raise StateError(
            Reason.STORE_VERSION,
            f"Table {table} did not take these rows: its columns differ from this version's, or its folder cannot be "
            "written. Run `hwlink doctor`.",
        ) from None
