"""The port of what the matcher keeps: the models in use, and for each of them every shard's epoch and position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from services.registry.adoption import ModelsInUse


@dataclass(frozen=True)
class Shard:
    """A shard's owner epoch and the offset vector (`topic-partition` -> next offset) up to which its links are
    durable. `owner` is empty where nobody has it.
    """

    shard: int
    epoch: int
    position: Mapping[str, int]
    owner: str = ""


class MatcherRegistry(Protocol):
    """What the matcher keeps: the active model and the shards' positions."""

    def active_model(self) -> tuple[str, str] | None:
        """Return the active model's id and JSON document, None before the first."""
        ...

    def in_use(self) -> ModelsInUse:
        """Return which model is in force and which is being adopted."""
        ...

    def document(self, model_id: str) -> str:
        """Return a known model's JSON document; StateError STORE_MISSING for one that is not known."""
        ...

    def adopt_first_model(self, model_id: str, document: str) -> None:
        """Make this the active model if there is none.

        Raises StateError MODEL_MISMATCH when another is active, unless that was adopted in place of this one.
        """
        ...

    def claim_shard(self, model_id: str, shard: int, owner: str) -> Shard:
        """Take a model's shard over: raise its epoch by one and return it; whoever held it can advance it no more.

        Raises StateError MODEL_MISMATCH for a model that is neither in force nor being adopted.
        """
        ...

    def release_shard(self, model_id: str, shard: int, epoch: int) -> None:
        """Let a shard go for another worker to claim; nothing happens when its epoch is another already."""
        ...

    def advance_shard(
        self,
        model_id: str,
        shard: int,
        epoch: int,
        expected: Mapping[str, int],
        position: Mapping[str, int],
        drift: Mapping[str, str] | None = None,
    ) -> None:
        """Move a shard's position by compare-and-set, and write what was counted up to it, by source (`drift`).

        Raises StateError OWNERSHIP_LOST when epoch or position is not as expected.
        """
        ...

    def drift(self, model_id: str | None = None) -> dict[str, str]:
        """Return what was counted of each source by a model (that in force): JSON documents by source."""
        ...

    def shards(self, model_id: str | None = None) -> list[Shard]:
        """Return every shard of a model that was ever claimed, by number; of the active one where none is named."""
        ...

    def settle_shards(self, count: int, subjects_end: Mapping[str, int], links_end: Mapping[str, int]) -> None:
        """Keep the active model to this number of shards, or change to it where nothing is under way.

        The ends are the topics' end offsets (`topic-partition`). Raises StateError SETTING_INVALID when the number is
        another than that of the stored positions while messages are in flight or a model is being adopted.
        """
        ...
