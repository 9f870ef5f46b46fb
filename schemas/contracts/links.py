"""What the matcher says on `hwlink.links.v1`: which subject versions it has seen, and which pairs may be one person.

A message is one Arrow IPC stream of `Roster` rows or of `PairLink` rows (header `kind`: `roster` or `pairs`).
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from schemas.contracts.base import Contract, Operation, Token, Version


class Roster(Contract):
    """One subject version that the matcher has seen, withdrawals too.

    `content_hash` is ingest's hash of the whole record: of two contents of one version the one with the higher holds.
    """

    source: str
    subject_ref: str
    version: Version
    operation: Operation
    one_record_per_person: bool
    claim_group: Token | None = None
    content_hash: int = 0


class PairLink(Contract):
    """A pair of subject versions whose evidence reaches review. `left` is the lower of the two by (source,
    subject_ref).

    `weight_bits` is the sum of log2(m/u) over the comparisons, `log2_odds` that sum plus the prior's log2 odds: the
    odds of this pair alone, before rivals count. `pattern` numbers the level of each comparison in the model's
    mixed-radix order. `guard` names why the pair may be linked only by review, if it may; `repeat` says
    instead that it is one person whom a source holds twice against its declaration. `left_hash` and `right_hash` are
    content hashes: with the versions they say of which two records the evidence is.
    """

    left_source: str
    left_ref: str
    left_version: Version
    right_source: str
    right_ref: str
    right_version: Version
    pattern: int
    weight_bits: float
    log2_odds: float
    guard: str | None = None
    model_id: str
    shard: Annotated[int, Field(ge=0)]
    left_hash: int = 0
    right_hash: int = 0


LINK_KINDS: Final[dict[str, type[Contract]]] = {"roster": Roster, "pairs": PairLink}
