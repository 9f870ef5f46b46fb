"""Where an area stands beside England (red, orange, green), and the score by which its worst indicators are found.

`score = 3 r + v + t`: r compares the latest value with England (worse 1, similar 0, better -1), v with the area's own
value of 2021, t where the area is going with where England is going. The formula reproduces the seven scores that the
programme printed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from schemas.errors import InputError, Reason
from schemas.indicators import INDICATORS, Comparison, IndicatorRecord

_POINTS: Final = {Comparison.WORSE: 1, Comparison.SIMILAR: 0, Comparison.BETTER: -1}
_ENGLAND_WEIGHT: Final = 3


def compared(lcl: float, ucl: float, england: float, higher_is: Comparison) -> Comparison:
    """Return how an area's 95 % confidence interval stands to England's value.

    Similar where the interval holds it, as OHID's public health profiles compare (general knowledge, not confirmed by
    the programme's paper).
    """
    if lcl <= england <= ucl:
        return Comparison.SIMILAR
    if higher_is is Comparison.BETTER:
        return Comparison.BETTER if lcl > england else Comparison.WORSE
    return Comparison.WORSE if lcl > england else Comparison.BETTER


def trend_points(trend: Comparison | None, england_trend: Comparison | None) -> int:
    """Return t: 1 where the area gets worse and England does not, -1 where it gets better and England gets worse.

    0 where both go the same way or no trend is published. The paper is silent on the other cases (an area that gets
    better while England stays, or stays while England moves); they count 0.
    """
    if trend is None or england_trend is None:
        return 0
    if trend is Comparison.WORSE and england_trend is not Comparison.WORSE:
        return 1
    return -1 if trend is Comparison.BETTER and england_trend is Comparison.WORSE else 0


def score(record: IndicatorRecord) -> int:
    """Return the score, -5 to 5; the higher, the worse."""
    against_england = _POINTS[record.rag_2023]
    own = _POINTS[record.change_since_2021]
    return _ENGLAND_WEIGHT * against_england + own + trend_points(record.trend, record.england_trend)


def ranked(records: Iterable[IndicatorRecord]) -> list[tuple[IndicatorRecord, int]]:
    """Return records with their scores, worst first, of equal ones by indicator and area.

    Raises InputError FIELD_INVALID for an indicator that is not on the list, or that an area has twice: one of the
    programme's tables showed an indicator in two cells, and it cannot be told which of the two was meant.
    """
    held = list(records)
    unknown = sum(record.indicator_id not in INDICATORS for record in held)
    if unknown:
        raise InputError(
            Reason.FIELD_INVALID,
            f"{unknown} records are of indicators that are not on the list; `hwlink indicators list` shows it.",
        )
    keys = Counter((record.indicator_id, record.area) for record in held)
    repeated = sorted({indicator for (indicator, _), times in keys.items() if times > 1})
    if repeated:
        raise InputError(
            Reason.FIELD_INVALID,
            f"An area has more than one record of: {', '.join(repeated)}. Leave one of each.",
        )
    scored = [(record, score(record)) for record in held]
    return sorted(scored, key=lambda pair: (-pair[1], pair[0].indicator_id, pair[0].area))
