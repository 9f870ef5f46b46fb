"""The ledger of one snapshot and organisation: what was told, so that the next answer is not too close to it.

Kept as text only: the registry holds each question in canonical form and a digest of who was in which cell. Since a
snapshot never changes and every step is deterministic, a restarted server works the answers out again, in their
order, and checks the digests. No list of people is stored anywhere.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from linkage.disclosure import Release, conflicts
from linkage.disclosure.counts import Mask
from schemas.errors import InputError, PolicyError, Reason, StateError
from services.registry import AuditEvent, QueryRegistry

BUDGET: Final = 500
"""Different answers that an organisation gets from one snapshot: the bound on what combining many can tell."""


@dataclass(frozen=True)
class Proposal:
    """An answer before the ledger: its cells and groups, and which groups disclosure control lets through.

    `meant` is how many people the selection finds, exactly; it is not for telling.

    `essential` marks groups without which there is no answer: if one of them is too close, the question is refused;
    any other is withheld.
    """

    release: Release
    permitted: Mask
    essential: Mask
    meant: int


@dataclass
class _Book:
    """What one organisation was told of one snapshot: the mask of told groups by question, and the releases in
    order.
    """

    told: dict[str, Mask] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    read: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Ledger:
    """All books of this server. Thread-safe; one server at a time keeps the books of a registry."""

    def __init__(self, registry: QueryRegistry, min_difference: int, budget: int = BUDGET) -> None:
        """Keep books in the registry; groups may differ by none or by at least `min_difference` people."""
        self._registry = registry
        self._min_difference = min_difference
        self._budget = budget
        self._books: dict[tuple[str, str], _Book] = {}
        self._lock = threading.Lock()

    def admit(
        self,
        snapshot_id: str,
        organisation: str,
        question: str,
        propose: Callable[[str], Proposal],
        always_told: Release,
        event: AuditEvent,
    ) -> Mask:
        """Return which groups of the answer may be told, and record it with its audit event.

        `propose` works out any question of this ledger's, `always_told` what comes with every answer. A question
        that was answered before is answered alike. Raises PolicyError DISCLOSURE_RISK when an essential group is
        too close to something told, or when the budget is spent.
        """
        with self._lock:
            book = self._books.setdefault((snapshot_id, organisation), _Book())
        with book.lock:
            if not book.releases:
                book.releases.append(always_told)
            self._catch_up(book, snapshot_id, organisation, propose)
            if question in book.told:
                self._registry.audit(event)
                return book.told[question]
            if len(book.told) >= self._budget:
                raise PolicyError(
                    Reason.DISCLOSURE_RISK,
                    f"Your organisation has had {self._budget} different answers from this snapshot; "
                    "repeat one of them, or wait for the next snapshot.",
                )
            release, told = self._decide(book, propose(question))
            self._registry.record_release(snapshot_id, entry(organisation, question), release.digest, event)
            book.read += 1
            self._enter(book, question, release, told)
            return told

    def _decide(self, book: _Book, proposal: Proposal) -> tuple[Release, Mask]:
        places = np.flatnonzero(proposal.permitted)
        close = np.zeros_like(proposal.permitted)
        close[places] = conflicts(proposal.release.told(proposal.permitted), book.releases, self._min_difference)
        if (close & proposal.essential).any():
            raise PolicyError(
                Reason.DISCLOSURE_RISK,
                f"The answer would differ by fewer than {self._min_difference} people from one that was given before; "
                "ask for a clearly different group.",
            )
        told = proposal.permitted & ~close
        return proposal.release.told(told), told

    def _catch_up(self, book: _Book, snapshot_id: str, organisation: str, propose: Callable[[str], Proposal]) -> None:
        """Work out the entries of the registry that this server has not in memory, in their order."""
        entries = list(self._registry.released(snapshot_id))
        for text, digest in entries[book.read :]:
            owner, _, question = text.partition("\n")
            if owner == organisation and question not in book.told:
                try:
                    release, told = self._decide(book, propose(question))
                except (InputError, PolicyError):
                    # A feature, a value or a rule is no longer what it was when this was answered.
                    raise _disagrees() from None
                if release.digest != digest:
                    raise _disagrees()
                self._enter(book, question, release, told)
        book.read = len(entries)

    def _enter(self, book: _Book, question: str, release: Release, told: Mask) -> None:
        book.told[question] = told
        book.releases.append(release)


def _disagrees() -> StateError:
    return StateError(
        Reason.NOT_RECONCILED, "The ledger of this snapshot does not agree with its people; ask a newer snapshot."
    )


def entry(organisation: str, question: str) -> str:
    """Return the registry's text of a question: who asked on the first line, the question on the second."""
    return f"{organisation}\n{question}"
