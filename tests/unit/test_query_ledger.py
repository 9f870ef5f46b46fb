"""The ledger: one answer a question, whoever asks when; near misses refused or withheld; worked out again after a
restart.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from linkage.disclosure import Release
from schemas.errors import InputError, PolicyError, Reason, StateError
from services.query.ledger import Ledger, Proposal
from services.registry import AuditEvent, Snapshot

PEOPLE = 1_000
EVENT = AuditEvent("local", "planning", "query.count", "released", {})


class Book:
    """The part of the registry that the ledger uses."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str]] = []
        self.events = 0

    def released(self, snapshot_id: str) -> list[tuple[str, str]]:
        return list(self.entries)

    def record_release(self, snapshot_id: str, query: str, members_digest: str, event: AuditEvent) -> None:
        self.entries.append((query, members_digest))
        self.events += 1

    def audit(self, event: AuditEvent) -> None:
        self.events += 1

    def audit_events(self) -> list[tuple[int, AuditEvent, str]]:
        return []

    def latest_snapshot(self) -> Snapshot | None:
        return None

    def snapshot(self, snapshot_id: str) -> Snapshot | None:
        return None


def _release(size: int) -> Release:
    cells = np.full(PEOPLE, -1, np.int32)
    cells[:size] = 0
    return Release.of_table(cells, (1,))


def _propose(essential: bool = True) -> Callable[[str], Proposal]:
    def propose(question: str) -> Proposal:
        """The question's text is how many people it means; cell and total are the same group."""
        return Proposal(_release(int(question)), np.array([True, True]), np.array([essential, False]), int(question))

    return propose


NOTHING = _release(0).told(np.array([False, False]))


def _ask(ledger: Ledger, question: str, organisation: str = "a", essential: bool = True) -> list[bool]:
    told = ledger.admit("s1", organisation, question, _propose(essential), NOTHING, EVENT)
    return [bool(shown) for shown in told]


def test_a_repeated_question_is_recorded_once_and_audited_each_time() -> None:
    book = Book()
    ledger = Ledger(book, 10)
    assert _ask(ledger, "100") == _ask(ledger, "100") == [True, True]
    assert (len(book.entries), book.events) == (1, 2)


def test_a_near_miss_is_refused_and_not_recorded() -> None:
    book = Book()
    ledger = Ledger(book, 10)
    _ask(ledger, "100")
    with pytest.raises(PolicyError) as caught:
        _ask(ledger, "95")
    assert caught.value.reason is Reason.DISCLOSURE_RISK
    assert len(book.entries) == 1
    assert _ask(ledger, "90") == [True, True]


def test_a_near_miss_that_is_not_essential_is_withheld_each_time() -> None:
    ledger = Ledger(Book(), 10)
    _ask(ledger, "100")
    assert _ask(ledger, "95", essential=False) == _ask(ledger, "95", essential=False) == [False, False]


def test_organisations_have_books_of_their_own_across_purposes() -> None:
    ledger = Ledger(Book(), 10)
    _ask(ledger, "100", "a")
    assert _ask(ledger, "95", "b") == [True, True]
    with pytest.raises(PolicyError):
        _ask(ledger, "95", "a")


def test_a_restarted_server_answers_as_the_one_before() -> None:
    book = Book()
    first = Ledger(book, 10)
    _ask(first, "100", essential=False)
    _ask(first, "95", essential=False)
    again = Ledger(book, 10)
    assert _ask(again, "95", essential=False) == [False, False]
    assert _ask(again, "100", essential=False) == [True, True]
    assert len(book.entries) == 2


def test_a_ledger_that_does_not_agree_with_its_people_stops() -> None:
    book = Book()
    book.entries.append(("a\n100", "0" * 64))
    with pytest.raises(StateError) as caught:
        _ask(Ledger(book, 10), "500")
    assert caught.value.reason is Reason.NOT_RECONCILED


def test_a_ledger_whose_questions_are_no_longer_understood_stops() -> None:
    book = Book()
    book.entries.append(("a\n100", "0" * 64))

    def forgets(question: str) -> Proposal:
        raise InputError(Reason.FEATURE_UNKNOWN, "There is no feature of that name.")

    with pytest.raises(StateError) as caught:
        Ledger(book, 10).admit("s1", "a", "500", forgets, NOTHING, EVENT)
    assert caught.value.reason is Reason.NOT_RECONCILED


def test_the_budget_bounds_how_much_can_be_combined() -> None:
    ledger = Ledger(Book(), 10, budget=2)
    _ask(ledger, "100")
    _ask(ledger, "200")
    with pytest.raises(PolicyError) as caught:
        _ask(ledger, "300")
    assert caught.value.reason is Reason.DISCLOSURE_RISK
    assert _ask(ledger, "200") == [True, True]
