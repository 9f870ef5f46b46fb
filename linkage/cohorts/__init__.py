"""Cohorts: which people a question means. SQL `WHERE` text in, a checked, canonical, three-valued expression out."""

from __future__ import annotations

from linkage.cohorts.parse import parse_filter
from linkage.cohorts.selection import Rows, Selection, select

__all__ = ["Rows", "Selection", "parse_filter", "select"]
