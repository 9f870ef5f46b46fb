"""A pseudonymised file as its sender sees it: what it declares, and its batches, read with bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pa_parquet
from pydantic import ValidationError

from schemas.agreement import Agreement
from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.records import RECORDS, FileDeclaration
from schemas.errors import InputError, PolicyError, Reason

DECLARATION_KEY: Final = b"hwlink"
_DIGEST_BYTES: Final = 16
_CHUNK_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class Stated:
    """What the sender says on the command line, over what the file declares; None where it says nothing."""

    legal_basis: str | None = None
    purpose: str | None = None
    data_sharing_agreement: str | None = None
    extract_date: date | None = None
    opt_outs_applied_on: date | None = None
    full_extract: bool | None = None
    one_record_per_person: bool | None = None


class FeedFile:
    """A pseudonymised Parquet file, checked as far as can be without reading its rows."""

    def __init__(self, path: Path, feed: Feed) -> None:
        """Open the file.

        Raises InputError FILE_UNREADABLE (not there, cut short, no Parquet), COLUMNS_WRONG (not a file of `hwlink
        pseudonymise`, or of other columns), FILE_EMPTY, FIELD_INVALID (a file of the other feed), and PolicyError
        CLEAR_IDENTIFIER when it was written with --keep-ids.
        """
        self.path = path
        try:
            self._parquet = pa_parquet.ParquetFile(path, page_checksum_verification=True)
        except FileNotFoundError:
            raise InputError(Reason.FILE_UNREADABLE, f"There is no file {path.name}; check the path.") from None
        except (pa.ArrowException, OSError):
            raise _unreadable(path) from None
        self.declaration = self._declared(feed)
        self._check_columns(feed)
        self.rows: int = self._parquet.metadata.num_rows
        if not self.rows:
            raise InputError(Reason.FILE_EMPTY, f"{path.name} holds no record; check what was pseudonymised.")

    def digest(self) -> str:
        """Return a digest of the file's content, 32 hexadecimal digits."""
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        with self.path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def batches(self, batch_rows: int, first: int) -> Iterator[tuple[int, int, pl.DataFrame]]:
        """Yield (number, first row from 0, rows) of the batches from number `first` on.

        The same file and `batch_rows` always give the same batches, which never cross row groups: so whole row groups
        before `first` are skipped unread, and no more than one batch is held. InputError FILE_UNREADABLE when a row
        group is damaged.
        """
        number = row = 0
        for group in range(self._parquet.num_row_groups):
            rows = self._parquet.metadata.row_group(group).num_rows
            count = -(-rows // batch_rows)
            if number + count <= first:
                number, row = number + count, row + rows
                continue
            for frame in self._group(group, batch_rows):
                if number >= first:
                    yield number, row, frame
                number, row = number + 1, row + frame.height

    def count(self, batch_rows: int) -> int:
        """Return how many batches there are."""
        groups = range(self._parquet.num_row_groups)
        return sum(-(-self._parquet.metadata.row_group(group).num_rows // batch_rows) for group in groups)

    def close(self) -> None:
        """Close the file."""
        self._parquet.close()

    def _group(self, group: int, batch_rows: int) -> Iterator[pl.DataFrame]:
        try:
            for batch in self._parquet.iter_batches(batch_rows, row_groups=[group]):
                frame = pl.from_arrow(batch)
                assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a record batch always becomes a frame
                yield frame
        except (pa.ArrowException, OSError):
            raise _unreadable(self.path) from None

    def _declared(self, feed: Feed) -> FileDeclaration:
        text = (self._parquet.schema_arrow.metadata or {}).get(DECLARATION_KEY)
        if text is None:
            raise InputError(
                Reason.COLUMNS_WRONG,
                f"{self.path.name} is no pseudonymised file: it declares nothing. Send what `hwlink pseudonymise` "
                "wrote, never a clear file.",
            )
        try:
            declaration = FileDeclaration.model_validate_json(text)
        except ValidationError:
            raise InputError(
                Reason.FILE_UNREADABLE,
                f"What {self.path.name} declares of itself cannot be read; pseudonymise it again with this version.",
            ) from None
        if declaration.feed is not feed:
            raise InputError(
                Reason.FIELD_INVALID,
                f"{self.path.name} is a {declaration.feed} file; give --feed {declaration.feed}, or the other file.",
            )
        if declaration.ids_kept:
            raise PolicyError(
                Reason.CLEAR_IDENTIFIER,
                f"{self.path.name} was pseudonymised with --keep-ids, for evaluation only: its record ids are clear. "
                "Pseudonymise the source again without it, and send that.",
            )
        return declaration

    def _check_columns(self, feed: Feed) -> None:
        contract = RECORDS[feed]
        have, want = set(self._parquet.schema_arrow.names), set(columns(contract))
        missing = sorted(n for n, f in contract.model_fields.items() if f.is_required() and n not in have)
        if have - want or missing:
            lacking = f"; it lacks {', '.join(missing)}" if missing else ""
            raise InputError(
                Reason.COLUMNS_WRONG,
                f"{self.path.name} has {len(have - want)} columns that no {feed} record has{lacking}. Send the file as "
                "`hwlink pseudonymise` wrote it.",
            )


def lawful(file: FeedFile, agreement: Agreement | None, stated: Stated) -> FileDeclaration:
    """Return the file's declaration with everything stated that an opening must state.

    What the command line states comes first, then the file, then the agreement's own frame for sharing. Files of
    synthetic people (an agreement that accepts test identifiers) count as extracted when they were written. Raises
    InputError FIELD_INVALID that names what is still missing.
    """
    said = {name: value for name, value in vars(stated).items() if value is not None}
    declared = file.declaration.model_copy(update=said)
    if agreement is not None:
        sharing = agreement.sharing.model_dump()
        declared = declared.model_copy(update={n: v for n, v in sharing.items() if getattr(declared, n) is None})
        if agreement.accept_test_identifiers and declared.extract_date is None:
            written = datetime.fromtimestamp(file.path.stat().st_mtime, UTC).date()
            declared = declared.model_copy(update={"extract_date": written})
    wanted = ["legal_basis", "purpose", "data_sharing_agreement", "extract_date"]
    if declared.feed is Feed.HEALTH and not (agreement is not None and agreement.assume_opt_outs_applied):
        wanted.append("opt_outs_applied_on")
    missing = [name for name in wanted if getattr(declared, name) is None]
    if missing:
        raise InputError(
            Reason.FIELD_INVALID,
            f"Neither the file nor the command line states {', '.join(missing)}; see `hwlink send --help` for the "
            "options that do.",
        )
    return declared


def _unreadable(path: Path) -> InputError:
    return InputError(
        Reason.FILE_UNREADABLE,
        f"{path.name} is no whole Parquet file: cut short, damaged or of another kind; copy or pseudonymise it again.",
    )
