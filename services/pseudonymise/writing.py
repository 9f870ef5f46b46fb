"""The pseudonymised file: Parquet written beside its final name and put there when it is whole; and its list of
faults.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from schemas.columns import columns
from schemas.contracts.records import RECORDS, FileDeclaration
from schemas.errors import InputError, Reason

DECLARATION_KEY: Final = b"hwlink"
FAULT_COLUMNS: Final = ("row", "field", "reason", "row_refused")


_SELDOM_REPEATED = ("key_", "subject_ref", "token_address", "token_uprn", "token_nhs_number", "token_nino")


class PseudonymisedFile:
    """A writer to use as a context: leaving it without an exception puts the file, and a list of faults, at their
    names.

    InputError OPTION_INVALID when the place cannot be written to; whatever fails, nothing half-written is left behind.
    """

    def __init__(self, path: Path, declaration: FileDeclaration) -> None:
        self.path = path
        self.faults_path = path.with_name(path.name + ".rejects.csv")
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._partial_faults = self._partial.with_suffix(".faults")
        self._has_faults = False
        metadata = {DECLARATION_KEY: declaration.model_dump_json(exclude_none=True).encode()}
        self._schema = record_schema(declaration).with_metadata(metadata)
        try:
            # No statistics: they would hold the least and greatest value of each column once more. Checksums: a page
            # damaged on the way is refused by `send` and `link`, not read as other values.
            # Dictionaries only where values repeat: among keys that few share, looking costs more than it saves.
            self._writer = pa_parquet.ParquetWriter(
                self._partial,
                self._schema,
                compression="zstd",
                write_statistics=False,
                write_page_checksum=True,
                use_dictionary=[name for name in self._schema.names if not name.startswith(_SELDOM_REPEATED)],
            )
        except OSError as error:
            raise _unwritable(path, error) from None

    def write(self, table: pa.Table) -> None:
        """Append rows with the columns of the feed's record contract."""
        try:
            self._writer.write_table(table.cast(self._schema))
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def write_faults(self, faults: pl.DataFrame) -> None:
        """Append rows of `FAULT_COLUMNS` to the list of faults."""
        if faults.is_empty():
            return
        try:
            with self._partial_faults.open("ab") as file:
                faults.select(FAULT_COLUMNS).write_csv(file, include_header=not self._has_faults)
        except OSError as error:
            raise _unwritable(self.faults_path, error) from None
        self._has_faults = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._writer.close()
            if kind is None:
                self._put_in_place()
        except OSError as failure:
            if kind is None:
                raise _unwritable(self.path, failure) from None
        finally:
            self._partial.unlink(missing_ok=True)
            self._partial_faults.unlink(missing_ok=True)

    def _put_in_place(self) -> None:
        os.replace(self._partial, self.path)
        if self._has_faults:
            os.replace(self._partial_faults, self.faults_path)
        else:
            # A list that an earlier run left would be read as this one's.
            self.faults_path.unlink(missing_ok=True)


def record_schema(declaration: FileDeclaration) -> pa.Schema:
    """Return the Arrow schema of a feed's records."""
    return pl.DataFrame(schema=columns(RECORDS[declaration.feed])).to_arrow().schema


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        Reason.OPTION_INVALID,
        f"{path.name} cannot be written ({error.strerror or 'no room or no permission'}); "
        "give an output in a folder that exists, has room and may be written to.",
    )
