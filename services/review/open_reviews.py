"""Which pairs wait for a reviewer, the one whose decision would tell most first.

Waiting means: in review by the resolver, scored by the model in force, and not decided yet at these two versions. What
was decided stands in the audit chain, whose events are written in one transaction with the override, so a restarted
server reads there what its predecessor was told; an unsure pair comes back when one of its subjects changes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final

import polars as pl

from schemas.decision import ConstraintKind
from schemas.errors import InputError, Reason
from services.registry import PAIR_COLUMNS, AuditEvent, QueryRegistry, ReviewRegistry

DECIDE: Final = "review.decide"
"""Action of the audit events that hold decisions."""

MOST_READ: Final = 100_000
"""Pairs that are ranked, the oldest first: some 10 MB. Those beyond come into view as these are decided."""

PAIR: Final = ("left_serial", "right_serial", "left_version", "right_version")
"""What names a review: two subjects at two versions."""

_PAGE: Final = 10_000
_KINDS: Final = {"same": ConstraintKind.MUST_LINK, "different": ConstraintKind.CANNOT_LINK, "unsure": None}
_TOLD_MICROBITS: Final = 1_000_000

VERDICTS: Final = tuple(_KINDS)
"""What a reviewer can say."""


class OpenReviews:
    """The queue. Thread-safe; decisions are taken one after another, so that a pair is decided once."""

    def __init__(self, reviews: ReviewRegistry, audit: QueryRegistry) -> None:
        """Read from the audit chain what has been decided so far."""
        self._reviews = reviews
        self._audit = audit
        self._lock = threading.Lock()
        self._decided = _decisions(event for _, event, _ in audit.audit_events())

    def ranked(self, model_id: str) -> pl.DataFrame:
        """Return the open pairs (PAIR_COLUMNS and `microbits`), those whose decision would tell most first.

        How much it would tell is the entropy of the pair's probability, in millionths of a bit; of equals the oldest
        pair comes first.
        """
        p = pl.col("probability").clip(1e-12, 1 - 1e-12)
        entropy = -(p * p.log(2) + (1 - p) * (1 - p).log(2))
        with self._lock:
            decided = pl.DataFrame(list(self._decided), schema=dict.fromkeys(PAIR, pl.Int64), orient="row")
        return (
            self._in_review()
            .filter(pl.col("model_id") == model_id)
            .join(decided, on=PAIR, how="anti")
            .with_columns((entropy * _TOLD_MICROBITS).round().cast(pl.Int64).alias("microbits"))
            .sort("microbits", "left_serial", "right_serial", descending=[True, False, False])
        )

    def decide(self, pair: tuple[int, int, int, int], verdict: str, event: AuditEvent) -> bool:
        """Record what a reviewer says of a pair, with its audit event in the same transaction.

        Saying the same again records nothing and returns False, so that a call whose answer was lost can be repeated.
        Raises InputError NOT_FOUND when the pair is not open any more: decided otherwise, changed, or gone.
        """
        with self._lock:
            if self._decided.get(pair) == verdict:
                return False
            if pair in self._decided or not self._is_in_review(pair):
                raise InputError(
                    Reason.NOT_FOUND,
                    "The review is not open any more: it was decided, or its subjects changed; ask for the next one.",
                )
            kind = _KINDS[verdict]
            if kind is None:
                self._audit.audit(event)
            else:
                self._reviews.override(pair[0], pair[1], kind.value, event)
            self._decided[pair] = verdict
            return True

    def _is_in_review(self, pair: tuple[int, int, int, int]) -> bool:
        found = self._reviews.reviews((pair[0], pair[1] - 1), 1)
        return found.select(PAIR).rows() == [pair]

    def _in_review(self) -> pl.DataFrame:
        pages = [pl.DataFrame(schema=PAIR_COLUMNS)]
        after = (0, 0)
        while sum(page.height for page in pages) < MOST_READ:
            page = self._reviews.reviews(after, _PAGE)
            if page.is_empty():
                break
            pages.append(page)
            after = (page["left_serial"][-1], page["right_serial"][-1])
        return pl.concat(pages)


def after(ranked: pl.DataFrame, place: tuple[int, int, int] | None) -> pl.DataFrame:
    """Return the ranked pairs that come after a place (`microbits`, left_serial, right_serial) in the ranking."""
    if place is None:
        return ranked
    microbits, left, right = place
    same = pl.col("microbits") == microbits
    later = (pl.col("left_serial") > left) | ((pl.col("left_serial") == left) & (pl.col("right_serial") > right))
    return ranked.filter((pl.col("microbits") < microbits) | (same & later))


def decision_detail(pair: tuple[int, int, int, int], verdict: str) -> dict[str, str]:
    """Return an audit event's detail for a decision: registry serials and versions, by which it can be traced."""
    return {**{name: str(number) for name, number in zip(PAIR, pair, strict=True)}, "verdict": verdict}


def _decisions(events: Iterable[AuditEvent]) -> dict[tuple[int, int, int, int], str]:
    found = {}
    for event in events:
        if event.action == DECIDE and event.outcome == "done":
            left, right, left_version, right_version = (int(event.detail[name]) for name in PAIR)
            found[left, right, left_version, right_version] = event.detail["verdict"]
    return found
