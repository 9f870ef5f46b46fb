"""The candidate's side of the resolver: its pairs are kept apart, previewed once they are complete, and switched to.

Complete means: the candidate's shards have shown everything that those in force have, so that nobody is split only to
be joined again. While an adoption is confirmed, micro-batches of the model in force are held back until that is so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from schemas.decision import DecisionPolicy
from schemas.model import parse_model
from services.registry import PAIR_COLUMNS, SUBJECT_COLUMNS, ResolverState
from services.registry.adoption import (
    CANDIDATE_COLUMNS,
    Adoption,
    AdoptionRegistry,
    CandidateStep,
    ModelsInUse,
    ModelSwitch,
)
from services.resolver.fold import PAIR, UNSEEN_VERSION, all_shards, fold_pairs
from services.resolver.intake import MicroBatch
from services.resolver.plan import Arrived, Planner, mention, with_serials
from services.resolver.switch import switch_of, would_be

Heard = Mapping[str, Mapping[str, int]]


def _names(used: ModelsInUse) -> tuple[str | None, str | None]:
    """Return under which names `ResolverState.heard` keeps the shards of the model in force and of the candidate.

    The candidate's has the adoption in it: what it said for an earlier one, which was abandoned, is not held any more.
    """
    adoption = used.adoption
    return used.active, None if adoption is None else f"{adoption.model_id}@{adoption.serial}"


def since_heard(
    state: ResolverState, used: ModelsInUse, shards: Iterable[int]
) -> dict[tuple[str, int], dict[str, int]]:
    """Return how far these shards of each model in use, by model and number, have been resolved."""
    models = (used.active, used.candidate)
    return {
        (model_id, shard): dict(state.heard.get(f"{name}/{shard}", {}))
        for model_id, name in zip(models, _names(used), strict=True)
        if model_id is not None
        for shard in shards
    }


def heard_after(state: ResolverState, batches: Sequence[MicroBatch], used: ModelsInUse) -> Heard:
    """Return how far each shard of the models in use is once these micro-batches are resolved."""
    names = _names(used)
    heard = {key: dict(at) for key, at in state.heard.items() if key.rpartition("/")[0] in names}
    for batch in batches:
        at = heard.setdefault(f"{names[batch.candidate]}/{batch.shard}", {})
        for name, offset in batch.completes.items():
            at[name] = max(offset, at.get(name, 0))
    return heard


@dataclass(frozen=True)
class Adopting:
    """The open adoption, as the resolver works on it. `shards` is how many each model has."""

    registry: AdoptionRegistry
    used: ModelsInUse
    adoption: Adoption
    shards: int

    def policy(self) -> DecisionPolicy:
        """Return the candidate's thresholds."""
        return parse_model(self.registry.document(self.adoption.model_id)).policy

    def has_caught_up(self, state: ResolverState) -> bool:
        """Return whether every shard of the candidate is as far as the furthest of the model in force."""
        active, candidate = _names(self.used)
        furthest = dict(self.adoption.target)
        for shard in range(self.shards):
            for name, offset in state.heard.get(f"{active}/{shard}", {}).items():
                furthest[name] = max(offset, furthest.get(name, 0))
        return all(
            at is not None and all(at.get(name, 0) >= offset for name, offset in furthest.items())
            for at in (state.heard.get(f"{candidate}/{shard}") for shard in range(self.shards))
        )

    def step(self, state: ResolverState, arrived: Arrived) -> CandidateStep:
        """Return what is written of the candidate's micro-batches. Reads the registry, writes nothing."""
        named = mention(self.registry.subjects, state, arrived)
        pairs = with_serials(arrived.pairs, named)
        stored = self.registry.pairs(pairs["left_serial"]).join(pairs, on=PAIR, how="semi")
        held = fold_pairs(stored, pairs, named, all_shards(self.shards)).select(PAIR_COLUMNS.names())
        unseen = {"version": UNSEEN_VERSION, "withdrawn": False, "content_hash": 0, "passed": 0}
        added = named.filter("added").with_columns(
            **{name: pl.lit(value) for name, value in unseen.items()},
            one_record_per_person=pl.lit(False),
            claim_group=pl.lit(None),
        )
        return CandidateStep(
            before=state,
            after=replace(
                state,
                position=dict(arrived.position),
                next_subject=state.next_subject + added.height,
                heard=arrived.heard,
            ),
            adoption=self.adoption.serial,
            subjects_added=added.select(pl.col(name).cast(dtype) for name, dtype in SUBJECT_COLUMNS.items()),
            shown=named.filter(pl.col("added") | pl.col("changed")).select(CANDIDATE_COLUMNS.names()),
            pairs=held.join(stored, on=PAIR_COLUMNS.names(), how="anti", nulls_equal=True),
        )

    def prepare(self, state: ResolverState) -> None:
        """Find out who would move, and let the operator decide."""
        after = would_be(self.registry.candidate_state(), self.policy(), self.shards, state.next_person)
        self.registry.ready(self.adoption.serial, after.moves(), after.preview())

    def switch(self, planner: Planner, state: ResolverState) -> ModelSwitch:
        """Return what puts the candidate in force."""
        after = would_be(self.registry.candidate_state(), self.policy(), self.shards, state.next_person)
        _, candidate = _names(self.used)
        heard = {
            f"{self.adoption.model_id}/{shard}": state.heard[f"{candidate}/{shard}"] for shard in range(self.shards)
        }
        return switch_of(planner, replace(state, heard=heard), self.adoption.serial, after)
