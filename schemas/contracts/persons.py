"""What the resolver says on `hwlink.persons.v1`: who belongs together, and how that changed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.contracts.base import Contract


class MembershipChange(Contract):
    """One subject's move. A null `person_id` says that the subject left (withdrawn); `previous_person_id` where it was.

    `link_probability` is that of the subject's weakest accepted link into its person, null for a person of one subject.
    """

    source: str
    subject_ref: str
    person_id: str | None = None
    previous_person_id: str | None = None
    link_probability: float | None = None


class PersonEventKind(StrEnum):
    """How a person id changed."""

    MERGE = "merge"
    SPLIT = "split"
    RETIRE = "retire"


class PersonEvent(Contract):
    """Lineage of a person id: merged into another, split off from another, or retired."""

    kind: PersonEventKind
    person_id: str
    superseded_by: str | None = None
    sequence: Annotated[int, Field(ge=1)]
