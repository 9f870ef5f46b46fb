"""From counts to findings and one verdict. Counts leave as the disclosure rule of reports has them: reports travel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from linkage.normalise import EXPLAINED, FieldReason
from schemas.contracts.base import Feed
from services.pseudonymise.fitness.profile import NUMBERS, Profile
from services.pseudonymise.fitness.thresholds import Thresholds

_SMALL: Final = 7
_BASE: Final = 5
"""Counts of one to seven are not told, others to the nearest five, nought stays nought: the rule of NHS England's
sub-national publications, which this project releases by as well. Shares are of such counts."""

_DUMMIES: Final = frozenset({FieldReason.PLACEHOLDER, FieldReason.ADMINISTRATIVE, FieldReason.TEST_RANGE})
_HABITS: Final = frozenset({("middle_names", FieldReason.INITIAL_ONLY.value)})
"""What is left out and no fault: sources write initials of middle names on purpose."""
_REFUSING: Final = frozenset({"record_id", "version", "operation", "row"})


class Verdict(StrEnum):
    """May a file be sent?"""

    FIT = "fit"
    WARNINGS = "fit with warnings"
    UNFIT = "unfit"


class Severity(StrEnum):
    """What a finding does to the verdict."""

    UNFIT = "unfit"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One thing found. `share` is of what was looked at; `threshold` names the limit that it reached, and its value."""

    severity: Severity
    check: str
    field: str
    count: str
    share: str
    threshold: str
    meaning: str


def told(count: int) -> str:
    """Return a count as reports may tell it."""
    if count == 0:
        return "0"
    return "<8" if count <= _SMALL else f"{_BASE * round(count / _BASE):,}"


def share_told(count: int, of: int) -> str:
    """Return a share in percent, from counts as they may be told; of a small count only that it is small."""
    if of <= _SMALL:
        return "not told"
    if 0 < count <= _SMALL:
        return "<" + f"{100 * (_SMALL + 1) / of:.1f}%"
    return f"{100 * _BASE * round(count / _BASE) / (_BASE * round(of / _BASE)):.1f}%"


def findings(profile: Profile, limits: Thresholds) -> list[Finding]:
    """Return every finding, worst first."""
    found = [
        *_rows(profile, limits),
        *_linkage(profile, limits),
        *_values(profile, limits),
        *_births(profile, limits),
        *_days(profile, limits),
        *_repeats(profile, limits),
        *_amounts(profile, limits),
    ]
    return sorted(found, key=lambda finding: list(Severity).index(finding.severity))


def verdict(found: list[Finding]) -> Verdict:
    """Return the worst verdict of the findings."""
    if any(finding.severity is Severity.UNFIT for finding in found):
        return Verdict.UNFIT
    return Verdict.WARNINGS if found else Verdict.FIT


def _judged(
    check: str, field: str, count: int, of: int, limits: Thresholds, warn: str, unfit: str | None, meaning: str
) -> Iterator[Finding]:
    """Give a finding where the share of `count` in `of` reaches the threshold `unfit` or `warn`."""
    if count == 0 or of == 0:
        return
    for level, name in ((Severity.UNFIT, unfit), (Severity.WARNING, warn)):
        if name is not None and count / of >= getattr(limits, name):
            limit = f"{name} {getattr(limits, name):g}"
            yield Finding(level, check, field, told(count), share_told(count, of), limit, meaning)
            return


def _rows(profile: Profile, limits: Thresholds) -> Iterator[Finding]:
    for (field, reason), count in sorted(profile.faults.items()):
        if field in _REFUSING:
            yield from _judged(
                "rows refused", field, count, profile.rows, limits, "refused_warn", "refused_unfit",
                EXPLAINED[FieldReason(reason)],
            )  # fmt: skip
    yield from _judged(
        "rows refused", "row", profile.unreadable, profile.rows, limits, "refused_warn", "refused_unfit",
        EXPLAINED[FieldReason.UNREADABLE],
    )  # fmt: skip
    if profile.records == 0:
        yield Finding(
            Severity.UNFIT, "rows refused", "row", told(profile.refused), "100.0%", "none", "no row can be used"
        )


def _linkage(profile: Profile, limits: Thresholds) -> Iterator[Finding]:
    yield from _judged(
        "cannot be linked", "record", profile.records - profile.linkable, profile.records, limits, "unlinkable_warn",
        "unlinkable_unfit", "no usable number, nor a date of birth with a surname or a postcode",
    )  # fmt: skip
    yield from _judged(
        "completeness", "date_of_birth", profile.records - profile.usable["date_of_birth"], profile.records, limits,
        "birth_dates_missing_warn", "birth_dates_missing_unfit", "usable dates of birth are missing",
    )  # fmt: skip


def _values(profile: Profile, limits: Thresholds) -> Iterator[Finding]:
    for (field, reason), count in sorted(profile.faults.items()):
        if field in _REFUSING or (field, reason) in _HABITS:
            continue
        name = field.partition(".")[0]
        of = max(profile.facts[name], count) if name in profile.facts else max(profile.given[field], count)
        if reason in _DUMMIES:
            yield from _judged(
                "dummy values", field, count, of, limits, "dummy_values_warn", None, EXPLAINED[FieldReason(reason)]
            )
        else:
            check = "codes outside the list" if reason == FieldReason.UNKNOWN_CODE else "values left out"
            yield from _judged(
                check, field, count, of, limits, "bad_values_warn", "bad_values_unfit", EXPLAINED[FieldReason(reason)]
            )


def _births(profile: Profile, limits: Thresholds) -> Iterator[Finding]:
    born = profile.births.total()
    january = sum(count for day, count in profile.births.items() if day.endswith("0101"))
    yield from _judged(
        "date spikes", "date_of_birth", january, born, limits, "first_of_january_warn", None,
        "births on 1 January, often a guess",
    )  # fmt: skip
    if born >= limits.one_day_least_facts:
        most = max((count for day, count in profile.births.items() if not day.endswith("0101")), default=0)
        yield from _judged(
            "date spikes", "date_of_birth", most, born, limits, "one_birth_date_warn", None,
            "one date of birth stands out: a default of the system?",
        )  # fmt: skip


def _days(profile: Profile, limits: Thresholds) -> Iterator[Finding]:
    for field, counts in sorted(profile.days.items()):
        total = counts.total()
        if total >= limits.one_day_least_facts:
            yield from _judged(
                "date spikes", field, max(counts.values()), total, limits, "one_day_warn", None,
                "one day stands out: the date of a migration or a default?",
            )  # fmt: skip
        yield from _judged(
            "dates out of range", field, profile.ahead[field], total, limits, "dated_ahead_warn", None,
            "what has happened is dated after the extract",
        )  # fmt: skip


def _repeats(profile: Profile, limits: Thresholds) -> Iterator[Finding]:
    total, again, shared = profile.repeated_numbers(limits.shared_number_records)
    number = NUMBERS[profile.feed]
    if shared:
        yield Finding(
            Severity.WARNING, "dummy values", number, told(shared), share_told(shared, total),
            f"shared_number_records {limits.shared_number_records}",
            "as many records bear one number: a filler, however valid it looks",
        )  # fmt: skip
    # People are in two claims; in a health source, one person has one record.
    if profile.feed is Feed.HEALTH:
        yield from _judged(
            "duplicates", number, again, total, limits, "repeated_number_warn", None,
            "records repeat the number of an earlier one",
        )  # fmt: skip
        people, twice = profile.repeated_people()
        yield from _judged(
            "duplicates", "record", twice, people, limits, "repeated_people_warn", None,
            "records repeat an earlier one's names, date of birth and postcode",
        )  # fmt: skip


def _amounts(profile: Profile, limits: Thresholds) -> Iterator[Finding]:
    awards = profile.weekly_awards
    middle = awards.median()
    if awards.len() >= limits.amounts_least and isinstance(middle, float):
        for name, wrong in (
            ("award_median_least_pence", middle < limits.award_median_least_pence),
            ("award_median_most_pence", middle > limits.award_median_most_pence),
        ):
            if wrong:
                yield Finding(
                    Severity.UNFIT, "amounts", "claims.weekly_award_pence", told(awards.len()), "not told",
                    f"{name} {getattr(limits, name):,}", "the middle award is no week's: is the unit right?",
                )  # fmt: skip
