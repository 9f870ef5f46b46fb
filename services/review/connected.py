"""What the registry keeps around a subject: pairs that can be explained, and links by which two are one person."""

from __future__ import annotations

from typing import Any, Final

from linkage.explain import ScoredPair
from linkage.path import links_between
from schemas.decision import ConstraintKind, Decision
from services.registry import Neighbourhood

_KEPT: Final = ("pattern", "weight_bits", "log2_odds", "guard", "model_id", "probability")
_BY_REVIEWER_BITS: Final = float("inf")
"""A link that a reviewer made is as strong as any."""
_CARRIED_OUT: Final = {ConstraintKind.MUST_LINK: Decision.LINK, ConstraintKind.CANNOT_LINK: Decision.APART}


class Connected:
    """The subjects, pairs and overrides that are connected with some subject. Subjects go by serial."""

    def __init__(self, known: Neighbourhood) -> None:
        """Look at what `ResolverRegistry.neighbourhood` gave."""
        self._source = dict(known.subjects.select("serial", "source").rows())
        self._person = dict(known.subjects.select("serial", "person").rows())
        self._override = {
            frozenset((row["left_serial"], row["right_serial"])): ConstraintKind(row["kind"])
            for row in known.overrides.to_dicts()
        }
        self._row = {frozenset((row["left_serial"], row["right_serial"])): row for row in known.pairs.to_dicts()}

    def pair(self, left: int, right: int) -> ScoredPair | None:
        """Return the stored pair of two subjects, if there is one."""
        row = self._row.get(frozenset((left, right)))
        return None if row is None else self.scored(row)

    def scored(self, row: dict[str, Any]) -> ScoredPair:
        """Return a row of PAIR_COLUMNS as a pair that can be explained."""
        ends, decision = (row["left_serial"], row["right_serial"]), Decision(row["decision"])
        override = self._override.get(frozenset(ends))
        # An override that the resolver has yet to take in, or could not carry out, decided nothing.
        done = override is not None and _CARRIED_OUT[override] is decision
        return ScoredPair(
            sources=(self._source[ends[0]], self._source[ends[1]]),
            decision=decision,
            override=override if done else None,
            **{name: row[name] for name in _KEPT},
        )

    def path(self, left: int, right: int) -> list[ScoredPair | None]:
        """Return the links that lead from one subject to another within their person, none where none do.

        None stands for a link that a reviewer made and of which no evidence is kept (any more).
        """
        links = [
            (*_ends(row), row["log2_odds"])
            for row in self._row.values()
            if row["decision"] == Decision.LINK.value and self._one_person(*_ends(row))
        ]
        links += [
            (*sorted(ends), _BY_REVIEWER_BITS)
            for ends, kind in self._override.items()
            if kind is ConstraintKind.MUST_LINK and ends not in self._row and self._one_person(*ends)
        ]
        return [self.pair(*links[place][:2]) for place in links_between((left, right), links) or ()]

    def _one_person(self, left: int, right: int) -> bool:
        person = self._person.get(left)
        return person is not None and person == self._person.get(right)


def _ends(row: dict[str, Any]) -> tuple[int, int]:
    """Return the serials of a row's two subjects."""
    return row["left_serial"], row["right_serial"]
