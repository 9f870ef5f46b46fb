"""The report on a linkage as one HTML page that needs nothing else: no script, nothing loaded from elsewhere."""

from services.report.page import FinishedRun, page_of_run

__all__ = ["FinishedRun", "page_of_run"]
