"""A question, spelt so that equal questions have equal text: what the ledger keeps and works out again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from linkage.cohorts import Rows, Selection
from linkage.cohorts.nodes import Constant
from linkage.features import FEATURES
from schemas.features import FeatureDefinition
from services.query.states import State


class Kind(StrEnum):
    """What is asked: one count with its denominator, or counts by dimensions."""

    COUNT = "count"
    TABLE = "table"


@dataclass(frozen=True)
class Question:
    """A count or a table of a selection."""

    kind: Kind
    selection: Selection
    dimensions: tuple[str, ...] = ()
    margins: bool = False
    freeze_id: str = ""
    frozen: Selection | None = None
    """Filters of the frozen cohort that the selection narrows, for the features that they bring into play."""

    @property
    def text(self) -> str:
        """Return the question as canonical JSON; `from_text` reads it."""
        parts = {"kind": self.kind, "dimensions": list(self.dimensions), "margins": self.margins}
        held = {"freeze_id": self.freeze_id, "frozen": self.frozen.canonical} if self.frozen is not None else {}
        return json.dumps({**parts, **held, **self.selection.canonical}, sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Question:
        """Return the question that `text` came from."""
        parts = json.loads(text)
        selection = Selection.from_canonical(parts)
        frozen = Selection.from_canonical(parts["frozen"]) if "frozen" in parts else None
        dimensions = tuple(parts["dimensions"])
        return cls(Kind(parts["kind"]), selection, dimensions, parts["margins"], parts.get("freeze_id", ""), frozen)

    @property
    def features(self) -> tuple[FeatureDefinition, ...]:
        """Return every feature in play, each once: they decide permission and the disclosure rule."""
        own = (*self.selection.features, *(() if self.frozen is None else self.frozen.features))
        found = {f.name: f for f in own} | {name: FEATURES[name] for name in self.dimensions}
        return tuple(found.values())

    def rows(self, state: State) -> Rows:
        """Return who is meant; of a frozen cohort those who are there, narrowed by the selection.

        They are counted among everybody, and what narrows them among them.
        """
        rows = self.selection.rows(state.people)
        if self.frozen is None:
            return rows
        held = state.frozen(self.freeze_id)
        if self.selection.members == Constant(True):
            return Rows(rows.inside, held, rows.unknown)
        return Rows(held & rows.inside, held & rows.members, held & rows.unknown)
