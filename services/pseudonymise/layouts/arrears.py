"""`--layout arrears`: debts to councils, landlords and utilities, as `linkage.layouts.arrears` has the columns."""

from __future__ import annotations

from typing import Any

from linkage.layouts import arrears
from services.pseudonymise.layouts.folder import Folder
from services.pseudonymise.layouts.plain import PlainSettings, plain_table
from services.pseudonymise.layouts.settings import checked


def build(settings: dict[str, Any]) -> Folder:
    """Return the layout, set up; InputError OPTION_INVALID where `unit` is not given."""
    return plain_table("arrears", arrears.COLUMNS, checked(PlainSettings, settings), arrears.clear_rows)
