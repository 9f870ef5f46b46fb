"""The way from clear rows to pseudonymised records, one batch at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from linkage.encode import content
from linkage.encode.derive import DROPPED_SCHEMA, FILTER_TEXTS, IDENTITY_FIELDS, derive_parts
from linkage.encode.filters import keyed_filters
from linkage.encode.keys import KeyPurpose, ProjectKeys
from linkage.encode.tokens import PART_SEPARATOR, keyed_references, keyed_tokens
from linkage.normalise import FieldReason, Rules, normalise
from schemas.agreement import Agreement
from schemas.columns import columns, conform
from schemas.contracts.base import Feed, Operation
from schemas.contracts.facts import LISTED_FACTS
from schemas.contracts.records import RECORDS
from schemas.contracts.subject import ClaimRole

_RECORD_COLUMNS: Final = ("record_id", "version", "operation")
_CONTENT_COLUMNS: Final = {
    Feed.HEALTH: (*content.CODED_FIELDS, "date_of_death", *LISTED_FACTS[Feed.HEALTH]),
    Feed.WELFARE: (
        "claim_reference",
        "claim_role",
        *(name for name in content.CODED_FIELDS if name != "practice_code"),
        "date_of_death",
        *LISTED_FACTS[Feed.WELFARE],
    ),
}
PSEUDONYM: Final = "pseudonym"
"""Clear column of a pseudonym of the agreement's hub domain."""

CLEAR_COLUMNS: Final[dict[Feed, tuple[str, ...]]] = {
    feed: (*_RECORD_COLUMNS, *IDENTITY_FIELDS, PSEUDONYM, *own) for feed, own in _CONTENT_COLUMNS.items()
}
"""Every column that a clear file of a feed may have; anything else in it is never read."""

_PURPOSES: Final = {
    "claim_ref": KeyPurpose.CLAIM,
    "account_ref": KeyPurpose.ACCOUNT,
    "case_ref": KeyPurpose.CASE,
}
"""Field of a fact that is keyed -> what its key is for: a claim and a case of one number have nothing in common."""

_OF_CONTROLLER: Final = ("account_ref",)
"""Keyed alike in all sources of a controller: a council's tax accounts are one list. Claims and cases are a source's
own.
"""

FAR: Final = date(2099, 12, 31)
"""The last possible date of a fact: an award ends, and an appointment is, later than the extract."""

HIGHEST_VERSION: Final = 2**53
"""The highest whole number that every reader of JSON holds exactly, and the contract's limit."""


@dataclass(frozen=True)
class EncodedBatch:
    """The outcome of `encode`.

    `frame` has the columns of `RECORDS[feed]`, one row for each accepted row, in order. `rejects` are refused rows and
    `dropped` the fields left out of accepted ones, both as (row Int64, field String, reason String).
    `first_of_january_births` are often a guess: kept, and worth knowing.
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame
    dropped: pl.DataFrame
    first_of_january_births: int


def subject_refs(source: str, record_ids: pl.Series, keys: ProjectKeys) -> pl.Series:
    """Return the keyed reference of each record id of a source: 32 hexadecimal digits (String, null for null)."""
    key = keys.sub_key("subject", KeyPurpose.REFERENCE)
    return keyed_references(_of_source(source, record_ids), key).alias("subject_ref")


def encode(
    frame: pl.DataFrame,
    agreement: Agreement,
    keys: ProjectKeys,
    feed: Feed,
    keep_ids: bool = False,
    *,
    source: str,
    default_version: int = 0,
    latest: date = FAR,
    rows: pl.Series | None = None,
    repeated: pl.Series | None = None,
) -> EncodedBatch:
    """Encode clear rows of one source under an agreement.

    `frame` has any of `CLEAR_COLUMNS[feed]` with `record_id` among them: text as String, listed facts as JSON text or
    List(Struct). A row is refused when its record_id is missing, or stands in an earlier row with the same version
    (`repeated` marks rows that do so in an earlier batch), or its version or operation cannot be used; any other bad
    field is dropped. A withdrawal carries nothing but its reference.

    `keep_ids` leaves the clear record_id in `subject_ref` (evaluation only). Rows without a version get
    `default_version`. `latest` is the last possible day of birth or death. `rows` numbers the rows in reports
    (Int64), from 1 by default.
    """
    numbers = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True) if rows is None else rows
    record = record_columns(frame, numbers.alias("row"), default_version, repeated)
    rejects = record.filter(pl.col("reason").is_not_null()).select("row", "field", "reason")
    if rejects.height:
        good = record["reason"].is_null()
        frame, record = frame.filter(good), record.filter(good)
    numbers = record["row"]

    rules = Rules(accept_test_identifiers=agreement.accept_test_identifiers, latest=latest)
    derived = derive_parts(frame, numbers, agreement, rules)
    facts, dropped = content.demographics(frame, derived.parts, numbers, latest)
    reference = record["record_id"] if keep_ids else subject_refs(source, record["record_id"], keys)
    pseudonyms, unusable = _pseudonym_token(frame, numbers, agreement, keys, rules)
    tables = [
        record.select("version", "operation"),
        reference.alias("subject_ref").to_frame(),
        facts,
        _property_refs(derived.parts["uprn"], keys).to_frame(),
        _linkage_variables(derived.parts, agreement, keys),
        pseudonyms.to_frame(),
    ]
    reports = [derived.dropped, unusable, dropped]

    def keyed(field: str, values: pl.Series) -> pl.Series:
        scope = source.partition(".")[0] if field in _OF_CONTROLLER else source
        return keyed_references(_of_source(scope, values), keys.sub_key(field, _PURPOSES[field]))

    for name, contract in LISTED_FACTS[feed].items():
        if name in frame.columns:
            lists, bad = content.listed_facts(frame[name], contract, numbers, FAR, keyed)
            tables.append(lists.to_frame())
            reports.append(bad)
    if feed is Feed.WELFARE:
        claim, bad = _claim_columns(frame, numbers, source, keys)
        tables.append(claim)
        reports.append(bad)
    births = derived.parts.select(pl.col("date_of_birth").str.ends_with("0101").sum()).item()
    return EncodedBatch(
        _conform(pl.concat(tables, how="horizontal"), feed),
        rejects,
        pl.concat(reports).sort("row", maintain_order=True),
        births,
    )


def _of_source(source: str, values: pl.Series) -> pl.Series:
    # Ids are unique within a source only: two councils both have a claim 1001.
    table = values.alias("value").to_frame()
    return table.select(pl.concat_str(pl.lit(source), "value", separator=PART_SEPARATOR)).to_series()


def _property_refs(uprn: pl.Series, keys: ProjectKeys) -> pl.Series:
    # Not of one source: two sources' records of one home are to name it alike.
    return keyed_references(uprn, keys.sub_key("property_ref", KeyPurpose.PROPERTY)).alias("property_ref")


def record_columns(
    frame: pl.DataFrame, rows: pl.Series, default_version: int, repeated: pl.Series | None
) -> pl.DataFrame:
    """Return row, record_id, version, operation and, for a row to refuse, field and reason.

    `rows` is named `row`; `repeated` marks rows whose record and version stand in an earlier batch.
    """
    given = pl.DataFrame([rows, *(_text(frame, name) for name in _RECORD_COLUMNS)])
    read = given.with_columns(
        version=pl.when(pl.col("version").is_null())
        .then(default_version)
        .otherwise(pl.col("version").cast(pl.Int64, strict=False)),
        operation=pl.col("operation").str.to_lowercase().fill_null(Operation.UPSERT.value),
    )
    faults = {
        "record_id": (pl.col("record_id").is_null(), FieldReason.MISSING),
        "version": (~pl.col("version").is_between(0, HIGHEST_VERSION).fill_null(False), FieldReason.OUT_OF_RANGE),
        "operation": (~pl.col("operation").is_in([known.value for known in Operation]), FieldReason.UNKNOWN_CODE),
    }
    seen_before = pl.lit(False) if repeated is None else pl.lit(repeated)
    doubled = seen_before | ~pl.struct("record_id", "version").is_first_distinct()
    return read.with_columns(
        field=pl.coalesce(
            *(pl.when(fault).then(pl.lit(name)) for name, (fault, _) in faults.items()),
            pl.when(doubled).then(pl.lit("record_id")),
        ),
        reason=pl.coalesce(
            *(pl.when(fault).then(pl.lit(reason.value)) for fault, reason in faults.values()),
            pl.when(doubled).then(pl.lit(FieldReason.REPEATED.value)),
        ),
    )


def _text(frame: pl.DataFrame, name: str) -> pl.Series:
    if name in frame.columns:
        return content.blank_to_null(frame[name].cast(pl.String))
    return pl.Series(name, dtype=pl.String).extend_constant(None, frame.height)


def _linkage_variables(parts: pl.DataFrame, agreement: Agreement, keys: ProjectKeys) -> pl.DataFrame:
    encoded = []
    for recipe in agreement.tokens:
        joined = parts.select(pl.concat_str(recipe.parts, separator=PART_SEPARATOR).alias(recipe.column)).to_series()
        encoded.append(keyed_tokens(joined, keys.sub_key(recipe.domain, KeyPurpose.TOKEN)))
    for shape in agreement.filters:
        text = parts[FILTER_TEXTS[shape.field]].alias(f"filter_{shape.field}")
        encoded.append(keyed_filters(text, shape, keys.sub_key(shape.field, KeyPurpose.FILTER)))
    return pl.DataFrame(encoded)


def _pseudonym_token(
    frame: pl.DataFrame, rows: pl.Series, agreement: Agreement, keys: ProjectKeys, rules: Rules
) -> tuple[pl.Series, pl.DataFrame]:
    """Return (token_pseudonym, dropped) of the hub's pseudonyms, all null where the agreement names no hub."""
    recipe, column = agreement.pseudonym, "token_pseudonym"
    if recipe is None or PSEUDONYM not in frame.columns:
        nothing = pl.Series(column, dtype=pl.Binary).extend_constant(None, frame.height)
        return nothing, pl.DataFrame(schema=DROPPED_SCHEMA)
    found = normalise(_text(frame, PSEUDONYM), recipe.normaliser, rules)
    token = keyed_tokens(found["value"], keys.sub_key(f"{PSEUDONYM}.{recipe.domain}", KeyPurpose.TOKEN))
    dropped = found.select(rows.alias("row"), pl.lit(PSEUDONYM).alias("field"), "reason")
    return token.alias(column), dropped.filter(pl.col("reason").is_not_null())


def _claim_columns(
    frame: pl.DataFrame, rows: pl.Series, source: str, keys: ProjectKeys
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (claim_group, claim_role; dropped). The group has a sub-key of its own, so that it equals no claim_ref."""
    role, dropped = claim_roles(frame, rows)
    claims = _of_source(source, _text(frame, "claim_reference"))
    group = keyed_tokens(claims, keys.sub_key("claim_group", KeyPurpose.CLAIM)).alias("claim_group")
    return pl.DataFrame([group, role]), dropped


def claim_roles(frame: pl.DataFrame, rows: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    """Return (claim_role as `ClaimRole` has it, null where it is missing or not on the list; dropped)."""
    role = _text(frame, "claim_role").str.to_lowercase()
    known = role.is_in([known.value for known in ClaimRole])
    unknown = pl.DataFrame({"row": rows}).filter(~known)
    dropped = unknown.with_columns(field=pl.lit("claim_role"), reason=pl.lit(FieldReason.UNKNOWN_CODE.value))
    return role.set(~known, None), dropped


def _conform(frame: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    schema = columns(RECORDS[feed])
    full = conform(frame, RECORDS[feed])
    withdrawn = pl.col("operation") == Operation.WITHDRAW.value
    said = [name for name in schema if name not in ("subject_ref", "version", "operation")]
    if full.select(withdrawn.any()).item():
        full = full.with_columns(pl.when(~withdrawn).then(name).alias(name) for name in said)
    return full.with_columns(pl.col(name).fill_null(pl.Series([[]], dtype=schema[name])) for name in LISTED_FACTS[feed])
