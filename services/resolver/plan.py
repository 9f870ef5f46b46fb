"""One step of the resolver as a value: from what arrived and what is stored to everything that must be written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from linkage.cluster import resolve
from schemas.columns import columns
from schemas.contracts.persons import MembershipChange
from schemas.decision import DecisionPolicy
from schemas.wire import to_ipc
from services.registry import (
    OVERRIDE_COLUMNS,
    PAIR_COLUMNS,
    SUBJECT_COLUMNS,
    Neighbourhood,
    PublishedTransaction,
    ResolverChange,
    ResolverRegistry,
    ResolverState,
)
from services.resolver.fold import KEY, PAIR, UNSEEN_VERSION, all_shards, fold_pairs, fold_subjects, latest_roster
from services.resolver.persons import assign

_SIDES: Final = ("left", "right")


@dataclass(frozen=True)
class Arrived:
    """What a step takes in.

    `roster` rows with the `shard` that said them, `pairs` (both as the contracts say), the serials of subjects that new
    overrides name, the last override's serial, the position that all of it completes, and how far each shard then is.
    """

    roster: pl.DataFrame
    pairs: pl.DataFrame
    overridden: pl.Series
    overrides_applied: int
    position: Mapping[str, int]
    heard: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Planner:
    """Plans steps. `new_ids` gives so many new person ids: random, so that no id says anything about anybody."""

    registry: ResolverRegistry
    policy: DecisionPolicy
    shards: int
    new_ids: Callable[[int], list[str]]

    def plan(self, state: ResolverState, arrived: Arrived) -> ResolverChange:
        """Return what must be written for what has arrived. Reads the registry, writes nothing."""
        mentioned = mention(self.registry.subjects, state, arrived)
        pairs = with_serials(arrived.pairs, mentioned)
        hood = self._hood(mentioned, pairs, arrived.overridden)
        subjects = _touched(mentioned, hood)
        held = fold_pairs(hood.pairs, pairs, subjects, all_shards(self.shards))
        clustered, decided = cluster(subjects, held, hood.overrides, self.policy)
        assignment = assign(clustered, state.next_person)

        moved = pl.col("person").ne_missing(pl.col("now")) | pl.col("link_probability").ne_missing(
            pl.col("probability")
        )
        settled = assignment.subjects.with_columns(moved=moved)
        ids = self.person_ids(settled.filter("moved"), assignment.events, assignment.added)
        transaction = transaction_of(state.sequence + 1, settled.filter("moved"), assignment.events, ids)
        written = settled.with_columns(person="now", link_probability="probability")
        return ResolverChange(
            before=state,
            after=replace(
                state,
                position=dict(arrived.position),
                sequence=state.sequence + (transaction is not None),
                next_subject=state.next_subject + int(mentioned["added"].sum()),
                next_person=state.next_person + assignment.added.len(),
                overrides_applied=arrived.overrides_applied,
                heard=arrived.heard,
            ),
            subjects_added=written.filter("added").select(SUBJECT_COLUMNS.names()),
            subjects_changed=written.filter(~pl.col("added") & (pl.col("changed") | pl.col("moved"))).select(
                SUBJECT_COLUMNS.names()
            ),
            pairs_removed=hood.pairs.join(held, on=PAIR, how="anti").select(PAIR),
            pairs_written=decided.join(hood.pairs, on=PAIR_COLUMNS.names(), how="anti", nulls_equal=True),
            persons_added=ids.filter(pl.col("serial").is_in(assignment.added.implode())),
            persons_retired=assignment.retired,
            transaction=transaction,
        )

    def _hood(self, mentioned: pl.DataFrame, pairs: pl.DataFrame, overridden: pl.Series) -> Neighbourhood:
        """Return what is stored around subjects that changed or are in a pair that arrived, and around their claims."""
        in_pairs = pl.concat([pairs["left_serial"], pairs["right_serial"].alias("left_serial")])
        touched = mentioned.filter(pl.col("added") | pl.col("changed") | pl.col("serial").is_in(in_pairs.implode()))
        claims = touched["claim_group"].drop_nulls()
        seeds = touched.filter(~pl.col("added"))["serial"]
        seeds = pl.concat([seeds, overridden.cast(pl.Int64).alias("serial")]).unique()
        if seeds.is_empty() and claims.is_empty():
            return Neighbourhood(*(pl.DataFrame(schema=s) for s in (SUBJECT_COLUMNS, PAIR_COLUMNS, OVERRIDE_COLUMNS)))
        return self.registry.neighbourhood(seeds, claims)

    def person_ids(self, moved: pl.DataFrame, events: pl.DataFrame, added: pl.Series) -> pl.DataFrame:
        """Return `serial, person_id` of every person that the step speaks of, with new ids for the `added` ones."""
        spoken_of = [moved["person"], moved["now"], events["person"], events["superseded_by"]]
        serials = pl.concat([s.alias("serial") for s in spoken_of]).drop_nulls().unique()
        new = pl.DataFrame({"serial": added, "person_id": pl.Series(self.new_ids(added.len()), dtype=pl.String)})
        return pl.concat([self.registry.person_ids(serials.filter(~serials.is_in(added.implode()))), new])


def mention(stored_of: Callable[[pl.DataFrame], pl.DataFrame], state: ResolverState, arrived: Arrived) -> pl.DataFrame:
    """Return the subjects that arrived, folded into what is stored of them; `added` ones get their serials.

    `stored_of` gives the stored subjects (SUBJECT_COLUMNS) among some keys.
    """
    latest = latest_roster(arrived.roster)
    named = pl.concat(
        [arrived.pairs.select(source=f"{side}_source", subject_ref=f"{side}_ref") for side in _SIDES]
    ).unique(maintain_order=True)
    stored = stored_of(pl.concat([latest.select(KEY), named]))
    folded = fold_subjects(latest, named, stored)
    added = pl.col("serial").is_null()
    return folded.with_columns(added=added).with_columns(
        serial=pl.coalesce("serial", state.next_subject + pl.col("added").cast(pl.Int64).cum_sum() - 1)
    )


def cluster(
    subjects: pl.DataFrame, held: pl.DataFrame, overrides: pl.DataFrame, policy: DecisionPolicy
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cluster the current subjects: `subjects` with `label` and `probability` (of the link), `held` as decided.

    Only subjects with a pair or an override are clustered; any other is a person of its own.
    """
    current = subjects.filter((pl.col("version") > UNSEEN_VERSION) & ~pl.col("withdrawn"))
    live = _with_keys(held.filter("live").drop("live", "probability", "decision"), current)
    constraints = _with_keys(overrides, current)
    ends = pl.concat([frame[f"{side}_serial"].alias("serial") for frame in (live, constraints) for side in _SIDES])
    linked = current.filter(pl.col("serial").is_in(ends.implode()))
    resolution = resolve(linked.select(*KEY, "one_record_per_person", "claim_group"), live, policy, constraints)
    labels = (
        linked.select("serial", *KEY)
        .join(resolution.labels, on=KEY)
        .select("serial", "label", probability="link_probability")
    )
    alone = current.join(linked, on="serial", how="anti").select(
        "serial", label=-pl.col("serial"), probability=pl.lit(None, dtype=pl.Float64)
    )
    decisions = resolution.links.select(*PAIR, "probability", "decision")
    return (
        subjects.join(pl.concat([labels, alone]), on="serial", how="left", maintain_order="left"),
        held.drop("live", "probability", "decision").join(decisions, on=PAIR, how="left").select(PAIR_COLUMNS.names()),
    )


def with_serials(pairs: pl.DataFrame, subjects: pl.DataFrame) -> pl.DataFrame:
    """Return pairs as they are stored (PAIR_COLUMNS), not decided yet."""
    for side in _SIDES:
        numbers = subjects.select(
            pl.col("source").alias(f"{side}_source"),
            pl.col("subject_ref").alias(f"{side}_ref"),
            pl.col("serial").alias(f"{side}_serial"),
        )
        pairs = pairs.join(numbers, on=[f"{side}_source", f"{side}_ref"], how="inner", maintain_order="left")
    undecided = pairs.with_columns(pl.lit(None).alias("probability"), pl.lit(None).alias("decision"))
    return undecided.select(pl.col(name).cast(dtype) for name, dtype in PAIR_COLUMNS.items())


def _with_keys(frame: pl.DataFrame, subjects: pl.DataFrame) -> pl.DataFrame:
    """Return the rows whose two ends are among `subjects`, with the ends' keys."""
    for side in _SIDES:
        keys = subjects.select(
            pl.col("serial").alias(f"{side}_serial"),
            pl.col("source").alias(f"{side}_source"),
            pl.col("subject_ref").alias(f"{side}_ref"),
        )
        frame = frame.join(keys, on=f"{side}_serial", how="inner")
    return frame


def _touched(mentioned: pl.DataFrame, hood: Neighbourhood) -> pl.DataFrame:
    """Return the subjects of the touched components: those stored around, as they are now, and the new ones.

    A stored subject that arrived again unchanged is left out: nothing around it was read, so nothing may be concluded.
    """
    around = hood.subjects.select("serial")
    now = mentioned.filter("added" | pl.col("serial").is_in(around["serial"].implode()))
    rest = hood.subjects.join(mentioned, on="serial", how="anti")
    return pl.concat([now, rest.with_columns(changed=pl.lit(False), added=pl.lit(False))])


def transaction_of(
    sequence: int, moved: pl.DataFrame, events: pl.DataFrame, ids: pl.DataFrame
) -> PublishedTransaction | None:
    """Return the step as consumers see it, None where nobody moved."""
    if moved.is_empty():
        return None
    now = ids.rename({"serial": "now", "person_id": "person_id"})
    previous = ids.rename({"serial": "person", "person_id": "previous_person_id"})
    changes = (
        moved.sort("serial")
        .join(now, on="now", how="left", maintain_order="left")
        .join(previous, on="person", how="left", maintain_order="left")
        .with_columns(link_probability="probability")
        .select(columns(MembershipChange).names())
    )
    lineage = (
        events.join(ids.rename({"serial": "person"}), on="person", how="left", maintain_order="left")
        .join(
            ids.rename({"serial": "superseded_by", "person_id": "heir"}),
            on="superseded_by",
            how="left",
            maintain_order="left",
        )
        .select("kind", "person_id", superseded_by="heir")
        .with_columns(sequence=pl.lit(sequence))
    )
    return PublishedTransaction(
        sequence=sequence,
        payload=to_ipc(changes),
        events_json=json.dumps(lineage.to_dicts(), separators=(",", ":")),
        changes=changes.height,
    )
