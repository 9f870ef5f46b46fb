"""A question, spelt so that equal questions have equal text: what the ledger keeps and works out again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from linkage.cohorts import Selection
from linkage.features import FEATURES
from schemas.features import FeatureDefinition


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

    @property
    def text(self) -> str:
        """Return the question as canonical JSON; `from_text` reads it."""
        parts = {"kind": self.kind, "dimensions": list(self.dimensions), "margins": self.margins}
        return json.dumps({**parts, **self.selection.canonical}, sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Question:
        """Return the question that `text` came from."""
        parts = json.loads(text)
        selection = Selection.from_canonical(parts)
        return cls(Kind(parts["kind"]), selection, tuple(parts["dimensions"]), parts["margins"])

    @property
    def features(self) -> tuple[FeatureDefinition, ...]:
        """Return every feature in play, each once: they decide permission and the disclosure rule."""
        found = {f.name: f for f in self.selection.features} | {name: FEATURES[name] for name in self.dimensions}
        return tuple(found.values())
