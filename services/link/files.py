"""Pseudonymised files as `hwlink link` reads them: the declaration checked first, then linkage variables in batches.

Content is never read. What the libraries say of a file they cannot read may quote it: their text stops here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pa_parquet
from pydantic import ValidationError

from schemas.contracts.records import FileDeclaration
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS
from schemas.errors import AgreementError, InputError, PolicyError, Reason

BATCH_ROWS: Final = 20_000

_READ_AT_ONCE_BYTES: Final = 1 << 16
"""Of each column. Arrow would otherwise fetch whole row groups ahead, some 450 MiB more for 1,900,000 records, in no
less time.
"""

_DECLARATION_KEY: Final = b"hwlink"
_NEEDED: Final = ("subject_ref", "version")
_WIDTHS: Final = {**dict.fromkeys((*TOKEN_COLUMNS, "claim_group"), 16), **dict.fromkeys(FILTER_COLUMNS, 64)}


@dataclass(frozen=True)
class EncodedFile:
    """A pseudonymised Parquet whose declaration and columns are sound."""

    path: Path
    declaration: FileDeclaration
    rows: int
    columns: tuple[str, ...]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the linkage variables, `BATCH_ROWS` rows at a time.

        Raises InputError FILE_UNREADABLE when the file ends too soon, PolicyError CLEAR_IDENTIFIER when a token or
        filter column holds something of another length.
        """
        try:
            with _open(self.path) as parquet:
                for batch in parquet.iter_batches(BATCH_ROWS, columns=list(self.columns), use_threads=False):
                    yield self._fixed(batch)
        except (OSError, pa.ArrowException):
            raise _unreadable(self.path) from None

    def _fixed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch with tokens and filters as binaries of their fixed length."""
        fixed, wrong = [], []
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            try:
                fixed.append(column.cast(pa.binary(_WIDTHS[name])) if name in _WIDTHS else column)
            except pa.ArrowException:
                wrong.append(name)
        if wrong:
            raise PolicyError(
                Reason.CLEAR_IDENTIFIER,
                f"{self.path.name} holds values that are no tokens or filters in: {', '.join(wrong)}. "
                "Make the file again with `hwlink pseudonymise`.",
            )
        return pa.RecordBatch.from_arrays(fixed, names=batch.schema.names)


def open_encoded(path: Path) -> EncodedFile:
    """Look at a file's declaration and columns; InputError FILE_UNREADABLE, FILE_EMPTY or COLUMNS_WRONG."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if not start:
            raise _empty(path)
        schema, rows = pa_parquet.read_schema(path), pa_parquet.read_metadata(path).num_rows
    except (OSError, pa.ArrowException):
        raise _unreadable(path) from None
    declaration = _declaration(path, schema)
    columns = tuple(name for name in (*_NEEDED, "operation", *_WIDTHS) if name in schema.names)
    wrong = [name for name in _NEEDED if name not in columns]
    wrong += [name for name in columns if name in _WIDTHS and not _is_binary(schema.field(name).type)]
    if wrong or len(columns) == len(_NEEDED):
        raise _not_ours(path, f"columns missing or of the wrong type: {', '.join(wrong) or 'tokens'}")
    if not rows:
        raise _empty(path)
    return EncodedFile(path, declaration, rows, columns)


def column_batches(file: EncodedFile, wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield those of the wanted columns that the file has, `BATCH_ROWS` rows at a time; InputError FILE_UNREADABLE.

    `LIST.FIELD` names one field of a list of structs: the others are not read.
    """
    try:
        with _open(file.path) as parquet:
            paths = [parquet.schema.column(number).path for number in range(len(parquet.schema))]
            have = [path for path in paths if _named(path) in wanted]
            for batch in parquet.iter_batches(BATCH_ROWS, columns=have, use_threads=False):
                yield pl.DataFrame(pl.from_arrow(batch))
    except (OSError, pa.ArrowException):
        raise _unreadable(file.path) from None


def _named(path: str) -> str:
    """Return how a Parquet leaf is asked for: there are two levels of Parquet's own between a list and its fields."""
    first, *inner = path.split(".")
    return ".".join([first, *inner[-1:]])


def _open(path: Path) -> pa_parquet.ParquetFile:
    """Open a file to be read in small pieces, each page checked."""
    return pa_parquet.ParquetFile(
        path, page_checksum_verification=True, pre_buffer=False, buffer_size=_READ_AT_ONCE_BYTES
    )


def check_alike(files: list[EncodedFile]) -> None:
    """Refuse files that cannot be compared: AgreementError AGREEMENT_UNKNOWN or KEY_EPOCHS_MIXED."""
    if len({(file.declaration.agreement_id, file.declaration.agreement_hash) for file in files}) > 1:
        raise AgreementError(
            Reason.AGREEMENT_UNKNOWN,
            "The files were made under different agreements, so their tokens cannot be compared; "
            "pseudonymise both with the same one.",
        )
    if len({file.declaration.key_epoch for file in files}) > 1:
        raise AgreementError(
            Reason.KEY_EPOCHS_MIXED,
            "The files were made under different key epochs, so their tokens cannot be compared; "
            "pseudonymise both under the present one.",
        )


def _declaration(path: Path, schema: pa.Schema) -> FileDeclaration:
    text = (schema.metadata or {}).get(_DECLARATION_KEY)
    if text is None:
        raise _not_ours(path, "it carries no hwlink declaration")
    try:
        return FileDeclaration.model_validate_json(text)
    except ValidationError:
        raise _not_ours(path, "its hwlink declaration cannot be read") from None


def _is_binary(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_binary(dtype) or pa.types.is_large_binary(dtype) or pa.types.is_fixed_size_binary(dtype))


def _not_ours(path: Path, why: str) -> InputError:
    return InputError(
        Reason.COLUMNS_WRONG,
        f"{path.name} is not a pseudonymised file ({why}); make it with `hwlink pseudonymise`.",
    )


def _unreadable(path: Path) -> InputError:
    return InputError(
        Reason.FILE_UNREADABLE,
        f"{path.name} cannot be read as a Parquet file: missing, cut short or of another kind. "
        "Name a whole file made with `hwlink pseudonymise`.",
    )


def _empty(path: Path) -> InputError:
    return InputError(Reason.FILE_EMPTY, f"{path.name} holds no records; name a file that holds some.")
