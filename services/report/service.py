"""The report on a running service: what its Quality call tells, which are aggregates that have been released."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.report import charts
from services.report.markup import figure, paragraph, section, table
from services.report.page import page

WITHHELD = "withheld"


@dataclass(frozen=True)
class ToldShare:
    """An estimated share with its 95 % interval; None where it is not estimable, or has no interval."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def text(self) -> str:
        """The share in per cent, with its interval if it has one."""
        if self.value is None:
            return "not estimable"
        between = "" if self.low is None or self.high is None else f" ({self.low:.1%} to {self.high:.1%})"
        return f"{self.value:.1%}{between}"


@dataclass(frozen=True)
class ToldGroup:
    """One group of one feed as it was released; a count is None where it is withheld, and `group` empty for all."""

    feed: str
    group: str
    subjects: int | None
    linked: int | None
    precision: ToldShare
    recall: ToldShare
    unlinkable_rate: float | None = None

    @property
    def name(self) -> str:
        """How the group is called on the page."""
        return f"{self.feed}: {self.group}" if self.group else self.feed


@dataclass(frozen=True)
class ToldThreshold:
    """What the links would be at another threshold; `links_ratio` sets their number against those made."""

    name: str
    link_probability: float
    links_ratio: float | None
    precision: ToldShare
    recall: ToldShare


@dataclass(frozen=True)
class ServiceQuality:
    """What a service told of its linkage, and of which snapshot, by which model and under which policy."""

    groups: Sequence[ToldGroup]
    snapshot_id: str
    model_id: str
    policy_id: str
    reviews_per_10000: float
    thresholds: Sequence[ToldThreshold] = ()


def page_of_service(told: ServiceQuality) -> str:
    """Return the report on a service as one HTML document: aggregates alone, no pair."""
    rows = [
        (
            group.name,
            WITHHELD if group.subjects is None else group.subjects,
            WITHHELD if group.linked is None else group.linked,
            group.precision.text,
            group.recall.text,
            "not known" if group.unlinkable_rate is None else f"{group.unlinkable_rate:.0%}",
        )
        for group in told.groups
    ]
    others = [
        (
            f"{at.link_probability:g}" + (f" ({at.name})" if at.name else ""),
            WITHHELD if at.links_ratio is None else f"{at.links_ratio:.2f}",
            at.precision.text,
            at.recall.text,
        )
        for at in told.thresholds
    ]
    points = [
        {"name": group.name, "of": of, "value": share.value, "low": share.low, "high": share.high}
        for group in told.groups
        for of, share in (("precision", group.precision), ("recall", group.recall))
        if None not in (share.value, share.low, share.high)
    ]
    chart = figure(charts.intervals(points, "share"), "Estimated precision and recall, with 95 % intervals.")
    about = [
        ("Snapshot", told.snapshot_id),
        ("Model", told.model_id or "none"),
        ("Disclosure policy", told.policy_id),
        ("Reviews for each 10,000 subjects", f"{told.reviews_per_10000:,}"),
    ]
    return page(
        "Linkage report",
        paragraph("How well the people of each feed are linked. Made by hwlink report from a service's quality report.")
        + section("The snapshot", table("What was asked", ("", ""), about))
        + section(
            "Quality",
            paragraph("Counts are rounded, and withheld where they are small. Estimates are made without labels."),
            chart if points else "",
            table("By feed", ("", "People", "Linked", "Precision", "Recall", "Unlinkable"), rows),
            table("At other thresholds", ("Linked from", "Links, of those made", "Precision", "Recall"), others)
            if others
            else "",
        ),
    )
