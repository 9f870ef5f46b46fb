"""Files whose people are named by pseudonyms that were there before: which domain these are of, and the bridge to the
hub that the agreement names.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from linkage.encode import PSEUDONYM
from linkage.normalise import Rules, normalise
from linkage.pseudonyms.bridge import COLUMNS, DOMAIN_COLUMNS, Bridge, bridge_of, bridged
from linkage.pseudonyms.schemes import of_nhs_numbers
from schemas.agreement import Agreement, PseudonymRecipe, PseudonymScheme
from schemas.errors import AgreementError, InputError, Reason
from services.pseudonymise.reading import Chunk, ClearFile
from services.pseudonymise.report import Report

_ROWS_AT_ONCE: Final = 500_000
_NHS_NUMBER: Final = "nhs_number"


@dataclass(frozen=True)
class Pseudonyms:
    """What `--domain`, `--bridge`, `--hub` and `--salt` say of a file whose people have pseudonyms already, or are to
    get those of the agreement's domain. Without a domain, those in the file are not used.
    """

    domain: str | None = None
    bridge: Path | None = None
    hub: str | None = None
    salt: Path | None = None


@dataclass(frozen=True)
class Making:
    """How the hub's pseudonyms are made here: the agreement's scheme and the salt, which `repr` does not show."""

    scheme: PseudonymScheme
    normaliser: str
    salt: str = field(repr=False)

    def filled(self, frame: pl.DataFrame, rules: Rules) -> pl.DataFrame:
        """Return the rows with a pseudonym where they have none, but a valid NHS number."""
        if _NHS_NUMBER not in frame.columns:
            return frame
        numbers = normalise(frame[_NHS_NUMBER].cast(pl.String), self.normaliser, rules)["value"]
        made = of_nhs_numbers(numbers, self.scheme, self.salt).alias(PSEUDONYM)
        if PSEUDONYM not in frame.columns:
            return frame.with_columns(made)
        given = pl.col(PSEUDONYM).cast(pl.String)
        missing = (given.str.strip_chars() == "").fill_null(True)
        return frame.with_columns(pl.when(missing).then(made).otherwise(given).alias(PSEUDONYM))


@dataclass(frozen=True)
class Crossing:
    """How a file's pseudonyms become the hub's: over a bridge, or as they are where the file's domain is the hub."""

    rule: str
    rules: Rules
    bridge: Bridge | None = None
    making: Making | None = None

    def apply(self, chunk: Chunk) -> Chunk:
        """Return the chunk with the hub's pseudonyms; a row whose pseudonym leads nowhere is kept without one."""
        crossed = self._crossed(chunk)
        return crossed if self.making is None else replace(crossed, frame=self.making.filled(crossed.frame, self.rules))

    def _crossed(self, chunk: Chunk) -> Chunk:
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


def open_crossing(agreement: Agreement, asked: Pseudonyms, latest: date, report: Report) -> Crossing:
    """Return the crossing that `--domain`, `--bridge`, `--hub` and `--salt` name; what the bridge lacks is counted.

    The bridge is held whole. InputError OPTION_INVALID where the options do not fit together or
    the agreement, COLUMNS_WRONG for a file that is no bridge, and as `ClearFile` raises.
    """
    recipe = agreement.pseudonym
    if recipe is None:
        raise _refused("the agreement names no domain of pseudonyms (`pseudonym`), so that none can be matched on")
    if asked.hub is not None and asked.hub != recipe.domain:
        raise _refused(f"the agreement's domain is {recipe.domain}, and --hub is another; bridge to that one")
    rules = Rules(accept_test_identifiers=agreement.accept_test_identifiers, latest=latest)
    making = None if asked.salt is None else _making(agreement, recipe, asked.salt)
    if asked.domain in (recipe.domain, None):
        if asked.bridge is not None:
            raise _refused("pseudonyms of the agreement's own domain need no bridge; leave --bridge out")
        return Crossing(recipe.normaliser, rules, None, making)
    if asked.bridge is None:
        raise _refused(f"pseudonyms of another domain than {recipe.domain} need a bridge to it; give --bridge")
    bridge = bridge_of(_bridge_rows(asked.bridge), asked.domain, recipe.domain, recipe.normaliser, rules)
    if bridge.table.is_empty():
        raise InputError(
            Reason.FILE_EMPTY,
            f"{asked.bridge.name} leads from no pseudonym of --domain to one of {recipe.domain}; check the domains "
            "that it names, or give another bridge.",
        )
    report.count("pseudonyms that the bridge leads from", bridge.table.height)
    report.count("pseudonyms that it leads to several from: not used", bridge.ambiguous)
    report.count("rows of the bridge that lack a usable pseudonym", bridge.unusable)
    return Crossing(recipe.normaliser, rules, bridge, making)


def _making(agreement: Agreement, recipe: PseudonymRecipe, path: Path) -> Making:
    if recipe.scheme is None:
        raise _refused("the agreement does not say how its pseudonyms are made (`scheme`); leave --salt out")
    try:
        salt = path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise AgreementError(
            Reason.KEY_INVALID,
            "The salt cannot be read; give a file that holds it, as UTF-8 text, and nothing else.",
        ) from None
    if not salt:
        raise AgreementError(Reason.KEY_INVALID, "The file of the salt is empty; give that of the agreement's domain.")
    return Making(recipe.scheme, agreement.normalisers[_NHS_NUMBER], salt)


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
