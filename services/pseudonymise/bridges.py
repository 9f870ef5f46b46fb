"""Files whose people are named by pseudonyms that were there before: which domain these are of, and the bridge to the
hub that the agreement names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from linkage.encode import PSEUDONYM
from linkage.normalise import Rules
from linkage.pseudonyms.bridge import COLUMNS, DOMAIN_COLUMNS, Bridge, bridge_of, bridged
from schemas.agreement import Agreement
from schemas.errors import InputError, Reason
from services.pseudonymise.reading import Chunk, ClearFile
from services.pseudonymise.report import Report

_ROWS_AT_ONCE = 500_000


@dataclass(frozen=True)
class Crossing:
    """How a file's pseudonyms become the hub's: over a bridge, or as they are where the file's domain is the hub."""

    bridge: Bridge | None
    rule: str
    rules: Rules

    def apply(self, chunk: Chunk) -> Chunk:
        """Return the chunk with the hub's pseudonyms; a row whose pseudonym leads nowhere is kept without one."""
        if self.bridge is None or PSEUDONYM not in chunk.frame.columns:
            return chunk
        given = chunk.frame[PSEUDONYM].cast(pl.String)
        values, reason = bridged(given, self.bridge, self.rule, self.rules)
        faults = pl.DataFrame([chunk.rows.alias("row"), reason]).with_columns(field=pl.lit(PSEUDONYM))
        dropped = faults.filter(pl.col("reason").is_not_null()).select("row", "field", "reason")
        return replace(chunk, frame=chunk.frame.with_columns(values), dropped=pl.concat([chunk.dropped, dropped]))


def without_pseudonyms(chunk: Chunk, report: Report) -> Chunk:
    """Return the chunk without its pseudonyms, counted: those of no known domain are not matched on."""
    if PSEUDONYM not in chunk.frame.columns:
        return chunk
    if count := chunk.frame[PSEUDONYM].count():
        report.count("pseudonyms not used, as --domain does not say whose they are", count)
    return replace(chunk, frame=chunk.frame.drop(PSEUDONYM))


def open_crossing(
    agreement: Agreement, domain: str, path: Path | None, hub: str | None, latest: date, report: Report
) -> Crossing:
    """Return the crossing that `--domain`, `--bridge` and `--hub` name; what the bridge lacks is counted in the report.

    The bridge is held whole: some 130 bytes a row. InputError OPTION_INVALID where the options do not fit together or
    the agreement, COLUMNS_WRONG for a file that is no bridge, and as `ClearFile` raises.
    """
    recipe = agreement.pseudonym
    if recipe is None:
        raise _refused("the agreement names no domain of pseudonyms (`pseudonym`), so that none can be matched on")
    if hub is not None and hub != recipe.domain:
        raise _refused(f"the agreement's domain is {recipe.domain}, and --hub is another; bridge to that one")
    rules = Rules(accept_test_identifiers=agreement.accept_test_identifiers, latest=latest)
    if domain == recipe.domain:
        if path is not None:
            raise _refused("pseudonyms of the agreement's own domain need no bridge; leave --bridge out")
        return Crossing(None, recipe.normaliser, rules)
    if path is None:
        raise _refused(f"pseudonyms of another domain than {recipe.domain} need a bridge to it; give --bridge")
    bridge = bridge_of(_bridge_rows(path), domain, recipe.domain, recipe.normaliser, rules)
    if bridge.table.is_empty():
        raise InputError(
            Reason.FILE_EMPTY,
            f"{path.name} leads from no pseudonym of --domain to one of {recipe.domain}; check the domains that it "
            "names, or give another bridge.",
        )
    report.count("pseudonyms that the bridge leads from", bridge.table.height)
    report.count("pseudonyms that it leads to several from: not used", bridge.ambiguous)
    report.count("rows of the bridge that lack a usable pseudonym", bridge.unusable)
    return Crossing(bridge, recipe.normaliser, rules)


def _bridge_rows(path: Path) -> pl.DataFrame:
    file = ClearFile(path)
    missing = [name for name in COLUMNS if name not in file.columns]
    if missing:
        raise InputError(
            Reason.COLUMNS_WRONG,
            f"{path.name} lacks {', '.join(missing)}: a bridge has {', '.join(COLUMNS)} and may have "
            f"{', '.join(DOMAIN_COLUMNS)}. Rename its columns.",
        )
    wanted = (*COLUMNS, *(name for name in DOMAIN_COLUMNS if name in file.columns))
    return pl.concat(chunk.frame.select(pl.col(wanted).cast(pl.String)) for chunk in file.chunks(wanted, _ROWS_AT_ONCE))


def _refused(why: str) -> InputError:
    return InputError(Reason.OPTION_INVALID, f"Not possible: {why}.")
