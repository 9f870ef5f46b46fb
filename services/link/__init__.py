"""Linking pseudonymised files without any service: the same pure functions as the line's, from files to files."""

from services.link.run import Stage, fit_files, run

__all__ = ["Stage", "fit_files", "run"]
