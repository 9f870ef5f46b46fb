"""Purposes: why a principal may ask, and therefore what may be answered.

A purpose is named in every request. It permits kinds of output and classes of features; what it does not name it
refuses.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Self

from pydantic import Field, TypeAdapter, model_validator

from schemas.contracts.base import Contract
from schemas.errors import PolicyError, Reason
from schemas.features import Sensitivity


class Output(StrEnum):
    """A kind of answer: counts and tables after disclosure control, or a row for each person."""

    COUNTS = "counts"
    MEMBERS = "members"


class Purpose(Contract):
    """One purpose. `consumer` names the party for whom person ids are re-keyed; rows and feature topics need one.

    `feeds_topic` says that this consumer takes the feature topic, with the features this purpose permits.
    `explains_links` says that single pairs may be explained and reviews decided: levels and weights, never a value.
    """

    purpose_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,47}$")]
    title: str
    description: str
    outputs: tuple[Output, ...]
    sensitivities: tuple[Sensitivity, ...]
    consumer: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$")] | None = None
    feeds_topic: bool = False
    explains_links: bool = False

    @model_validator(mode="after")
    def _rows_have_a_consumer(self) -> Self:
        if self.consumer is None and (Output.MEMBERS in self.outputs or self.feeds_topic):
            raise ValueError("rows and feature topics need a consumer, for whom ids are re-keyed")
        return self

    def permits(self, output: Output) -> None:
        """Raise PolicyError PURPOSE_NOT_PERMITTED unless this purpose permits the output."""
        if output not in self.outputs:
            raise PolicyError(
                Reason.PURPOSE_NOT_PERMITTED,
                f"Purpose {self.purpose_id} does not permit {output}; it permits: {', '.join(self.outputs)}.",
            )

    def permits_evidence(self) -> None:
        """Raise PolicyError PURPOSE_NOT_PERMITTED unless this purpose permits explaining and reviewing pairs."""
        if not self.explains_links:
            raise PolicyError(
                Reason.PURPOSE_NOT_PERMITTED,
                f"Purpose {self.purpose_id} does not permit explaining or reviewing links; ask for the linkage-quality "
                "purpose.",
            )


@cache
def shipped_purposes() -> dict[str, Purpose]:
    """Return the purposes that ship with hwlink, by id."""
    text = files("schemas").joinpath("policies", "purposes.json").read_text("utf-8")
    purposes = TypeAdapter(tuple[Purpose, ...]).validate_json(text)
    return {purpose.purpose_id: purpose for purpose in purposes}


def purpose(purpose_id: str) -> Purpose:
    """Return a purpose by id; raises PolicyError PURPOSE_NOT_PERMITTED where there is none of that id."""
    found = shipped_purposes().get(purpose_id)
    if found is None:
        raise PolicyError(
            Reason.PURPOSE_NOT_PERMITTED,
            f"Name a purpose under which you ask, one of: {', '.join(sorted(shipped_purposes()))}.",
        )
    return found
