"""The page put together from its sections."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import polars as pl

from schemas.disclosure import DisclosurePolicy
from schemas.model import MatchModel
from schemas.quality import QualityReport
from services.report.markup import paragraph
from services.report.sections.estimated import estimated_section
from services.report.sections.examples import examples
from services.report.sections.headline import headline
from services.report.sections.model import model_section
from services.report.sections.pairs import pairs_section
from services.report.sections.truth import truth_section


@dataclass(frozen=True)
class FinishedRun:
    """What `hwlink link` left: its summary, the model it used, and its pairs (`evidence.parquet`)."""

    summary: dict[str, Any]
    model: MatchModel
    evidence: pl.DataFrame


def page_of_run(run: FinishedRun, policy: DisclosurePolicy) -> str:
    """Return the report on a run as one HTML document; `policy` protects the counts of subgroups.

    It names sources, levels and numbers: no subject, no token, no value. Frequencies and rivals show in steps, as
    wherever evidence leaves the linkage zone (`linkage.tell`). Takes a second or two, most of it drawing.
    """
    estimated = run.summary.get("estimated")
    sections = (
        paragraph(
            "How two files were linked, how sure that is, and why. Made by hwlink report. Pairs are numbered;",
            "nothing on this page names a person or a value.",
        ),
        headline(run.summary),
        estimated_section(QualityReport.model_validate(estimated), policy) if estimated else "",
        truth_section(run.summary),
        pairs_section(run.evidence, run.summary, run.model.policy),
        examples(run.evidence, run.model),
        model_section(run.model),
    )
    return page("Linkage report", "".join(sections))


def page(title: str, body: str) -> str:
    """Return a whole document around what is HTML already."""
    here = files("services.report")
    template = Template(here.joinpath("page.html").read_text("utf-8"))
    return template.substitute(title=escape(title), style=here.joinpath("page.css").read_text("utf-8"), body=body)
