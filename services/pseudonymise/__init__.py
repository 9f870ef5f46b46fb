"""Pseudonymise: the role that runs at a controller. A clear file in, a pseudonymised Parquet file out, nothing else
kept.
"""

from __future__ import annotations

from services.pseudonymise.job import Job, run
from services.pseudonymise.keyfile import new_key_file, read_key_file
from services.pseudonymise.mapping import ColumnMap, read_column_map
from services.pseudonymise.report import Fault, Report

__all__ = ["ColumnMap", "Fault", "Job", "Report", "new_key_file", "read_column_map", "read_key_file", "run"]
