"""Encoding: from clear rows to the pseudonymised record of `schemas.contracts.records`, at the controller.

`encode` is the only way from one to the other. It holds the project's keys and is never called on the linkage side.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from linkage.encode import content
from linkage.encode.derive import FILTER_TEXTS, IDENTITY_FIELDS, PARTS, derive
from linkage.encode.filters import filters
from linkage.encode.keys import KeyPurpose, ProjectKeys, key_file_text, secret_from_key_file
from linkage.encode.tokens import PART_SEPARATOR, references, tokens
from linkage.normalise import FieldReason, Rules
from schemas.agreement import Agreement
from schemas.columns import columns, conform
from schemas.contracts.base import Feed, Operation
from schemas.contracts.facts import LISTED_FACTS
from schemas.contracts.records import RECORDS
from schemas.contracts.subject import ClaimRole

__all__ = [
    "CLEAR_COLUMNS",
    "PARTS",
    "EncodedBatch",
    "KeyPurpose",
    "ProjectKeys",
    "encode",
    "key_file_text",
    "secret_from_key_file",
    "subject_refs",
]

_RECORD_COLUMNS: Final = ("record_id", "version", "operation")
_CONTENT_COLUMNS: Final = {
    Feed.HEALTH: (*content.CODED_FIELDS, "date_of_death", *LISTED_FACTS[Feed.HEALTH]),
    Feed.WELFARE: ("claim_reference", "claim_role", "ethnic_category", "lsoa", *LISTED_FACTS[Feed.WELFARE]),
}
CLEAR_COLUMNS: Final[dict[Feed, tuple[str, ...]]] = {
    feed: (*_RECORD_COLUMNS, *IDENTITY_FIELDS, *own) for feed, own in _CONTENT_COLUMNS.items()
}
"""Every column that a clear file of a feed may have; anything else in it is never read."""

HIGHEST_VERSION: Final = 2**53


@dataclass(frozen=True)
class EncodedBatch:
    """The outcome of `encode`.

    `frame` has the columns of `RECORDS[feed]`, one row for each accepted row, in order. `rejects` are refused rows and
    `dropped` the fields that were left out of accepted ones, both as (row Int64, field String, reason String).
    `first_of_january` counts births on 1 January, which are often a guess: kept, and worth knowing.
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame
    dropped: pl.DataFrame
    first_of_january: int


def subject_refs(source: str, record_ids: pl.Series, keys: ProjectKeys) -> pl.Series:
    """Return the keyed reference of each record id of a source: 32 hexadecimal digits (String, null for null)."""
    message = record_ids.to_frame("id").select(pl.concat_str(pl.lit(source), pl.col("id"), separator=PART_SEPARATOR))
    return references(message.to_series().alias("subject_ref"), keys.sub_key("subject", KeyPurpose.REFERENCE))


def encode(
    frame: pl.DataFrame,
    agreement: Agreement,
    keys: ProjectKeys,
    feed: Feed,
    keep_ids: bool = False,
    *,
    source: str,
    default_version: int = 0,
    latest: date = date(2100, 1, 1),
    first_row: int = 1,
    already_seen: pl.Series | None = None,
) -> EncodedBatch:
    """Encode clear rows of one source under an agreement.

    `frame` has any of `CLEAR_COLUMNS[feed]` with `record_id` among them: text columns as String, listed facts as JSON
    text or List(Struct). A row is refused when its record_id is missing or repeats one of the same version
    (`already_seen` marks rows that repeat an earlier batch's), or its version or operation cannot be used; any other
    bad field is dropped. `keep_ids` leaves the clear record_id in `subject_ref` (evaluation only). Rows without a
    version get `default_version`; `latest` is the last possible date; rows are numbered from `first_row`.
    """
    rules = Rules(accept_test_identifiers=agreement.accept_test_identifiers, latest=latest)
    rows = pl.int_range(first_row, first_row + frame.height, dtype=pl.Int64, eager=True).alias("row")
    record = _record_columns(frame, rows, source, keys, keep_ids, default_version, already_seen)
    rejects = record.filter(pl.col("reason").is_not_null()).select("row", "field", "reason")
    accepted = record["reason"].is_null()
    if rejects.height:
        frame, rows, record = frame.filter(accepted), rows.filter(accepted), record.filter(accepted)

    derived = derive(frame, rows, agreement, rules)
    facts, dropped = content.demographics(frame, derived.parts, rows, latest)
    out = [
        record.select("subject_ref", "version", "operation"),
        facts,
        _linkage_variables(derived.parts, agreement, keys),
    ]
    reports = [derived.dropped, dropped]

    def claim_references(values: pl.Series) -> pl.Series:
        return _claim_references(source, values, keys)

    for name, contract in LISTED_FACTS[feed].items():
        if name in frame.columns:
            lists, bad = content.listed_facts(frame[name], contract, rows, latest, claim_references)
            out.append(lists.to_frame())
            reports.append(bad)
    if feed is Feed.WELFARE:
        claim, bad = _claim_columns(frame, rows, source, keys)
        out.append(claim)
        reports.append(bad)
    encoded = _conform(pl.concat(out, how="horizontal"), feed)
    births = derived.parts.filter(pl.col("date_of_birth").str.ends_with("0101")).height
    return EncodedBatch(encoded, rejects, pl.concat(reports).sort("row", maintain_order=True), births)


def _record_columns(
    frame: pl.DataFrame,
    rows: pl.Series,
    source: str,
    keys: ProjectKeys,
    keep_ids: bool,
    default_version: int,
    already_seen: pl.Series | None,
) -> pl.DataFrame:
    """Return row, subject_ref, version, operation and, for a row to refuse, field and reason."""
    given = frame.select(
        _stripped(frame, "record_id"), _stripped(frame, "version"), _stripped(frame, "operation").str.to_lowercase()
    )
    seen = pl.lit(False) if already_seen is None else pl.lit(already_seen)
    checked = given.with_columns(
        rows,
        number=pl.when(pl.col("version").is_null())
        .then(default_version)
        .otherwise(pl.col("version").cast(pl.Int64, strict=False)),
        operation=pl.col("operation").fill_null(Operation.UPSERT.value),
    ).with_columns(
        repeated=seen | ~pl.struct("record_id", "number").is_first_distinct(),
        bad_version=~pl.col("number").is_between(0, HIGHEST_VERSION).fill_null(False),
        bad_operation=~pl.col("operation").is_in([operation.value for operation in Operation]),
    )

    def first_fault(record_id: str, repeated: str, version: str, operation: str) -> pl.Expr:
        return (
            pl.when(pl.col("record_id").is_null())
            .then(pl.lit(record_id))
            .when("bad_version")
            .then(pl.lit(version))
            .when("bad_operation")
            .then(pl.lit(operation))
            .when("repeated")
            .then(pl.lit(repeated))
        )

    refs = checked["record_id"] if keep_ids else subject_refs(source, checked["record_id"], keys)
    return checked.select(
        "row",
        refs.alias("subject_ref"),
        pl.col("number").alias("version"),
        "operation",
        first_fault("record_id", "record_id", "version", "operation").alias("field"),
        first_fault(
            FieldReason.MISSING, FieldReason.REPEATED, FieldReason.OUT_OF_RANGE, FieldReason.UNKNOWN_CODE
        ).alias("reason"),
    )


def _stripped(frame: pl.DataFrame, name: str) -> pl.Expr:
    if name not in frame.columns:
        return pl.lit(None, dtype=pl.String).alias(name)
    text = pl.col(name).cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text).alias(name)


def _linkage_variables(parts: pl.DataFrame, agreement: Agreement, keys: ProjectKeys) -> pl.DataFrame:
    out = []
    for recipe in agreement.tokens:
        message = parts.select(pl.concat_str(recipe.parts, separator=PART_SEPARATOR).alias(recipe.column)).to_series()
        out.append(tokens(message, keys.sub_key(recipe.domain, KeyPurpose.TOKEN)))
    for shape in agreement.filters:
        text = parts[FILTER_TEXTS[shape.field]].alias(f"filter_{shape.field}")
        out.append(filters(text, shape, keys.sub_key(shape.field, KeyPurpose.FILTER)))
    return pl.DataFrame(out)


def _claim_references(source: str, values: pl.Series, keys: ProjectKeys) -> pl.Series:
    message = values.to_frame("claim").select(pl.concat_str(pl.lit(source), pl.col("claim"), separator=PART_SEPARATOR))
    return references(message.to_series(), keys.sub_key("claim_ref", KeyPurpose.CLAIM))


def _claim_columns(
    frame: pl.DataFrame, rows: pl.Series, source: str, keys: ProjectKeys
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (claim_group, claim_role; dropped): the group is a token of its own domain, so that it equals no
    reference."""
    given = frame.select(_stripped(frame, "claim_reference"), _stripped(frame, "claim_role").str.to_lowercase())
    known = pl.col("claim_role").is_in([role.value for role in ClaimRole])
    message = given.select(
        pl.concat_str(pl.lit(source), pl.col("claim_reference"), separator=PART_SEPARATOR)
    ).to_series()
    group = tokens(message.alias("claim_group"), keys.sub_key("claim_group", KeyPurpose.CLAIM))
    claim = given.select(group, pl.when(known).then("claim_role").alias("claim_role"))
    bad = given.with_columns(rows).filter(~known & pl.col("claim_role").is_not_null())
    return claim, bad.select("row", field=pl.lit("claim_role"), reason=pl.lit(FieldReason.UNKNOWN_CODE.value))


def _conform(frame: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    out = conform(frame, RECORDS[feed])
    schema = columns(RECORDS[feed])
    return out.with_columns(pl.col(name).fill_null(pl.Series([[]], dtype=schema[name])) for name in LISTED_FACTS[feed])
