"""`--layout uc`: Universal Credit as DWP shares it, as `linkage.layouts.uc` has the columns: a folder with `uc` and,
where there is one, `deductions`; or the first alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from linkage.layouts import uc
from linkage.layouts.plain import table
from services.pseudonymise.layouts.folder import Folder
from services.pseudonymise.layouts.plain import PlainSettings, plain_tables
from services.pseudonymise.layouts.settings import checked


def build(settings: dict[str, Any]) -> Folder:
    """Return the layout, set up; InputError OPTION_INVALID where `unit` is not given."""
    notices = replace(table("deductions", uc.NOTICES), known=(), optional=True)
    tables = {table("uc", uc.COLUMNS): uc.COLUMNS, notices: uc.NOTICES}
    return plain_tables(tables, checked(PlainSettings, settings), uc.clear_rows)
