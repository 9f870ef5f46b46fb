"""What explains a run's pairs: `evidence.parquet` and `model.json`, beside the outputs that `outcome` writes.

Both hold what names values to whoever has a public table of names (exact weights, token prefixes with their
frequencies): they stay in the linkage zone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from linkage.reason import because
from schemas.errors import InputError, Reason
from schemas.model import MatchModel, parse_model

EVIDENCE_SCHEMA: Final = pl.Schema(
    {
        "left_source": pl.String(),
        "left_subject": pl.String(),
        "right_source": pl.String(),
        "right_subject": pl.String(),
        "pattern": pl.Int64(),
        "weight_bits": pl.Float64(),
        "log2_odds": pl.Float64(),
        "rival_bits": pl.Float64(),
        "probability": pl.Float64(),
        "guard": pl.String(),
        "decision": pl.String(),
        "because": pl.String(),
    }
)
"""Columns of `evidence.parquet`: a row for each pair at or above review, pairs within a file too.

Sources are the model's: two files of one source are `SOURCE#1` and `SOURCE#2`. `pattern` numbers the levels
(`schemas.model.RADICES`); `log2_odds` less `weight_bits` is the prior; `rival_bits` is what rivals take from
`log2_odds`; `because` is a `linkage.reason.Because`. With the model, every term of the odds follows
(`linkage.explain`).
"""


@dataclass(frozen=True)
class LinkedRun:
    """A finished run, read again: `summary.json`, `model.json` and `evidence.parquet` (EVIDENCE_SCHEMA)."""

    summary: dict[str, Any]
    model: MatchModel
    evidence: pl.DataFrame


def write_evidence(pairs: pl.DataFrame, model: MatchModel, out: Path) -> None:
    """Write `evidence.parquet` and `model.json` for pairs of a `Resolution`; OSError when that cannot be."""
    frame = pairs.with_columns(override=pl.lit(None, dtype=pl.String)).with_columns(because=because(model.policy))
    frame = frame.rename({"left_ref": "left_subject", "right_ref": "right_subject"})
    frame.select(pl.col(name).cast(dtype) for name, dtype in EVIDENCE_SCHEMA.items()).write_parquet(
        out / "evidence.parquet"
    )
    (out / "model.json").write_text(model.model_dump_json() + "\n", "utf-8")


def read_run(folder: Path) -> LinkedRun:
    """Read the folder that a run wrote; InputError FILE_UNREADABLE where it is none, or one of another version."""
    try:
        summary = json.loads((folder / "summary.json").read_text("utf-8"))
        model = parse_model((folder / "model.json").read_text("utf-8"))
        evidence = pl.read_parquet(folder / "evidence.parquet")
    except (OSError, UnicodeDecodeError, ValueError, pl.exceptions.PolarsError):
        raise _not_a_run(folder) from None
    if evidence.schema != EVIDENCE_SCHEMA or not isinstance(summary, dict):
        raise _not_a_run(folder)
    return LinkedRun(summary, model, evidence)


def _not_a_run(folder: Path) -> InputError:
    return InputError(
        Reason.FILE_UNREADABLE,
        f"{folder.name} does not hold a whole run (summary.json, model.json, evidence.parquet); name a folder that "
        "`hwlink link --out` of this version wrote.",
    )
