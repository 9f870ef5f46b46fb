"""Estimated quality on the report's page: intervals told, what is not estimable said so, small groups not shown."""

from __future__ import annotations

import re

from schemas.disclosure import shipped_policy
from schemas.quality import (
    Accuracy,
    Estimate,
    GradeCount,
    GroupQuality,
    KeyCheck,
    NotEstimable,
    QualityReport,
    ReviewReason,
    SourceQuality,
    Spread,
    ThresholdQuality,
)
from services.report.sections.estimated import estimated_section

SURE = Estimate(value=0.98, low=0.96, high=0.99)
UNKNOWN = Estimate(not_estimable=NotEstimable.TOO_FEW_LINKS)


def group(name: str, subjects: int, linked: int, variable: str = "tenure") -> GroupQuality:
    return GroupQuality(
        source="medway.shbe", variable=variable, group=name, subjects=subjects, linked=linked, unlinkable=0,
        link_rate=SURE, precision=SURE, recall=UNKNOWN, standardised_difference=0.1234, noteworthy=True,
        below_overall=False,
    )  # fmt: skip


def report(*groups: GroupQuality, precision: Estimate = SURE) -> QualityReport:
    return QualityReport(
        model_id="fit-1",
        links=Accuracy(found=900, precision=precision, recall=SURE),
        persons=Accuracy(found=901, precision=precision, recall=SURE),
        spread=Spread(refit_false=0.1, refit_missed=0.1, model_bits=1.0, beyond=0.5),
        sources=(
            SourceQuality(
                source="medway.shbe", subjects=1000, linked=900, unlinkable=3, link_rate=SURE,
                completeness={"token_surname": 0.99, "token_surname_phonetic": 0.99}, differences={"tenure": 0.21},
            ),
        ),
        groups=groups,
        thresholds=(
            ThresholdQuality(
                name="default", link_probability=0.5, links=900, persons_of_two_or_more=890, precision=precision,
                recall=SURE, link_rates={"medway.shbe": 0.9},
            ),
        ),
        grades=(GradeCount(left_source="kmpt.gp", right_source="medway.shbe", grade="certain", links=880),),
        reviews=(ReviewReason(reason="twin", pairs=3, per_10000_subjects=1.0),),
        guards={"twin": 3},
        implausible={"several_birth_values": 4},
        key_check=KeyCheck(key="nino", true_pairs=500, found_pairs=490, precision=SURE, recall=SURE),
        statement="900 links were made.",
    )  # fmt: skip


def cells(html: str) -> list[list[str]]:
    """The rows of every table."""
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def told(*groups: GroupQuality) -> dict[str, list[str]]:
    """What is told of each group, by name."""
    html = estimated_section(report(*groups), shipped_policy())
    return {row[0].removeprefix("tenure: "): row[1:] for row in cells(html) if row[0].startswith("tenure: ")}


def test_estimates_show_with_their_intervals_or_say_why_there_are_none() -> None:
    html = estimated_section(report(precision=UNKNOWN), shipped_policy())
    rows = {row[0]: row[1:] for row in cells(html)}
    assert rows["links"] == ["900", "not estimable: too few links", "98.00% (96.00% to 99.00%)"]
    assert rows["nino"][-1] == "98.00% (96.00% to 99.00%)"
    assert "Subgroups" not in html


def test_counts_of_groups_are_released_by_the_policy() -> None:
    rows = told(group("council", 403, 301), group("owner", 402, 302), group("other", 195, 97))
    assert rows["council"] == [
        "405", "300", "74.1%", "98.0% (96.0% to 99.0%)", "not estimable: too few links", "+0.12", "noteworthy",
    ]  # fmt: skip
    assert {row[0] for row in rows.values()} == {"405", "400", "195"}


def test_small_groups_are_withheld_with_their_rates_and_estimates() -> None:
    rows = told(group("council", 490, 440), group("owner", 497, 453), group("other", 13, 7))
    assert rows["other"][1:] == ["withheld", "–", "withheld", "withheld", "–", "–"]
    few = told(group("council", 491, 440), group("owner", 502, 453), group("other", 7, 7))
    assert few["other"][:2] == ["withheld", "withheld"]


def test_a_handful_of_odd_persons_or_of_unlinkable_subjects_is_withheld() -> None:
    rows = {row[0]: row[1:] for row in cells(estimated_section(report(), shipped_policy()))}
    assert rows["several birth values"] == ["withheld"]
    assert rows["medway.shbe"][:3] == ["1,000", "900", "withheld"]
