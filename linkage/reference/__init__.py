"""Reference data: areas, deprivation, practices, from their publishers' files to the frames that features use.

`KINDS` says which files there are and what their columns are called; `tidy` turns one into our columns and checks it;
`places` puts tables together to one row an area and one row a practice. Pure: frames in, frames out.
"""

from __future__ import annotations

from linkage.reference.kinds import KINDS, Column, Kind
from linkage.reference.places import geography, practices
from linkage.reference.tidy import tidy

__all__ = ["KINDS", "Column", "Kind", "geography", "practices", "tidy"]
