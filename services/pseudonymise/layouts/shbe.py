"""`--layout shbe`: a council's Single Housing Benefit Extract.

Settings: `unit` (`pence` or `pounds`; every file must say which), `passported`, `rent_period_weeks`, `cap_field` and
`supported_field`, as `linkage.layouts.shbe.Terms` has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from linkage.layouts import shbe, shbe_fields
from linkage.layouts.money import Unit
from schemas.codes import Passported
from schemas.contracts.base import Feed
from schemas.errors import InputError, Reason
from services.pseudonymise.layouts.settings import Settings, checked
from services.pseudonymise.layouts.table import RawTable, Read, chunks
from services.pseudonymise.reading import Chunk
from services.pseudonymise.report import Report

FieldNumber = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,2}$")]


class ShbeSettings(Settings):
    """What one council's extracts leave open."""

    unit: Unit
    passported: dict[str, Passported] = Field(default_factory=dict)
    rent_period_weeks: dict[str, Annotated[float, Field(gt=0, le=53)]] = Field(default_factory=dict)
    cap_field: FieldNumber | None = None
    supported_field: FieldNumber | None = None


class Shbe:
    """Claims of Housing Benefit and council-tax reduction, with everybody in them."""

    feed = Feed.WELFARE

    def __init__(self, settings: ShbeSettings) -> None:
        self._terms = shbe.Terms(**{name: getattr(settings, name) for name in type(settings).model_fields})

    def rows(self, path: Path, extracted_on: date, report: Report) -> Iterator[Chunk]:
        """Read one extract whole, since members follow their claims anywhere in it: only the fields that are used."""
        read = records(path, self._terms.fields)
        mapped = shbe.clear_rows(read.frame, self._terms, extracted_on)
        report.count(shbe_fields.variant(read.header), 1)
        if self._terms.rent_period_weeks == {} and read.frame[shbe_fields.CONTRACTUAL_RENT].count():
            report.count(_UNKNOWN_PERIODS, read.frame[shbe_fields.CONTRACTUAL_RENT].count())
        yield from chunks(mapped, read.unreadable, report)


def records(path: Path, more: tuple[str, ...] = ()) -> Read:
    """Return the records of an extract in the fields that are used and `more`; `Read.header` tells which header it had.

    InputError COLUMNS_WRONG for a header that is not SHBE's.
    """
    table = RawTable(path)
    fault = shbe_fields.header_faults(table.columns)
    if fault is not None:
        raise InputError(
            Reason.COLUMNS_WRONG,
            f"{path.name} is no SHBE extract that can be read: {fault}. Ask whoever runs the benefits system for "
            "the extract as it goes to DWP, with the line of field numbers on top.",
        )
    wanted = {*shbe_fields.USED, *shbe_fields.FORBIDDEN, *more}
    return table.read(tuple(name for name in table.columns if name in wanted))


_UNKNOWN_PERIODS = "contractual rents left out: settings give no rent_period_weeks"


def build(settings: dict[str, Any]) -> Shbe:
    """Return the layout, set up; InputError OPTION_INVALID where `unit` is not given."""
    return Shbe(checked(ShbeSettings, settings))
