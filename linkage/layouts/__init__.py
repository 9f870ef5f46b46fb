"""Layouts: from a data set's own columns and codes to the clear columns that encoding takes, whole columns at a time.

One module a layout, each a pure function from frames of text to `Mapped`. What a layout does not understand goes
through as it stands: encoding checks every value against its contract, drops what does not fit and reports it by row
and field, so that a code outside its list is never lost in silence and never leaves.
"""

from __future__ import annotations

from linkage.layouts.mapped import Mapped

__all__ = ["Mapped"]
