"""What a candidate model would make of everybody: for the preview, and for the switch itself.

Everything is decided anew from the candidate's pairs; what follows is a value, like a step of the stream.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from schemas.decision import Decision, DecisionPolicy
from services.registry import PAIR_COLUMNS, SUBJECT_COLUMNS, PublishedTransaction, ResolverState
from services.registry.adoption import MOVE_COLUMNS, CandidateState, ModelSwitch
from services.resolver.fold import PAIR, RANK, UNSEEN_VERSION, all_shards, exceeds, fold_pairs
from services.resolver.persons import Assignment, carry_over
from services.resolver.plan import Planner, cluster, transaction_of

CHANGES_A_MESSAGE: Final = 10_000
"""Moves of one message, but for the last persons that exchange subjects: as many as a step of the stream has."""

_SHOWN: Final = (*RANK, "one_record_per_person", "claim_group", "passed")


@dataclass(frozen=True)
class WouldBe:
    """Everybody by the candidate's pairs.

    `subjects`: SUBJECT_COLUMNS as the candidate's shards have shown them, and `now` (person), `probability`, `changed`
    (whether the roster's row differs otherwise). `pairs` are decided. `decided` are today's decisions.
    """

    subjects: pl.DataFrame
    pairs: pl.DataFrame
    decided: pl.DataFrame
    assignment: Assignment

    def moves(self) -> pl.DataFrame:
        """Return who would be in another person (MOVE_COLUMNS)."""
        moved = self.subjects.filter(pl.col("person").ne_missing(pl.col("now")))
        return moved.select("serial", person=pl.col("now").cast(MOVE_COLUMNS["person"]))

    def preview(self) -> dict[str, int]:
        """Count what would change: persons and subjects, links and reviews, as of now."""
        here = self.subjects.select("person", "now").filter(~pl.all_horizontal(pl.all().is_null()))
        met = here.drop_nulls().group_by("person", "now").len()
        one_to_one = met.filter(
            pl.len().over("person") == 1, pl.len().over("now") == 1, pl.col("person") == pl.col("now")
        )
        whole = one_to_one.join(here["person"].value_counts(name="before"), on="person").join(
            here["now"].value_counts(name="after"), on="now"
        )
        links = {
            name: pairs.filter(decision=Decision.LINK.value).select(PAIR)
            for name, pairs in (("now", self.decided), ("then", self.pairs))
        }
        review = Decision.REVIEW.value
        return {
            "subjects": here.height,
            "subjects_moved": self.moves().height,
            "persons_now": here["person"].drop_nulls().n_unique(),
            "persons_then": here["now"].drop_nulls().n_unique(),
            "persons_unchanged": whole.filter(
                pl.col("before") == pl.col("len"), pl.col("after") == pl.col("len")
            ).height,
            "persons_split": met.group_by("person").len().filter(pl.col("len") > 1).height,
            "persons_merged": met.group_by("now").len().filter(pl.col("len") > 1).height,
            "links_now": links["now"].height,
            "links_then": links["then"].height,
            "links_gained": links["then"].join(links["now"], on=PAIR, how="anti").height,
            "links_lost": links["now"].join(links["then"], on=PAIR, how="anti").height,
            "reviews_now": self.decided.filter(decision=review).height,
            "reviews_then": self.pairs.filter(decision=review).height,
        }


def would_be(stored: CandidateState, policy: DecisionPolicy, shards: int, next_person: int) -> WouldBe:
    """Return everybody as the candidate's pairs and the overrides in force have them. Reads and writes nothing."""
    subjects = _shown(stored.roster, stored.shown)
    nothing = pl.DataFrame(schema=PAIR_COLUMNS)
    held = fold_pairs(stored.pairs, nothing, subjects, all_shards(shards))
    clustered, pairs = cluster(subjects, held, stored.overrides, policy)
    assignment = carry_over(clustered, next_person)
    return WouldBe(assignment.subjects, pairs, stored.decided, assignment)


def switch_of(planner: Planner, state: ResolverState, adoption: int, after: WouldBe) -> ModelSwitch:
    """Return what the switch writes. Reads the ids of persons that move."""
    moved = after.subjects.filter(
        pl.col("person").ne_missing(pl.col("now")) | pl.col("link_probability").ne_missing(pl.col("probability"))
    )
    assignment = after.assignment
    ids = planner.person_ids(moved, assignment.events, assignment.added)
    transactions = _transactions(state.sequence, moved, assignment.events, ids)
    moves = pl.col("serial").is_in(moved["serial"].implode())
    written = after.subjects.filter("changed" | moves).with_columns(person="now", link_probability="probability")
    return ModelSwitch(
        before=state,
        after=replace(
            state,
            sequence=state.sequence + len(transactions),
            next_person=state.next_person + assignment.added.len(),
        ),
        adoption=adoption,
        subjects_changed=written.select(SUBJECT_COLUMNS.names()),
        pairs=after.pairs,
        persons_added=ids.filter(pl.col("serial").is_in(assignment.added.implode())),
        persons_retired=assignment.retired,
        transactions=transactions,
    )


def _shown(roster: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Return the roster as the candidate's shards have shown it, with `changed`.

    A record that they have not shown, because no place holds it any more, stays as it is and waits for them.
    """
    theirs = shown.rename({name: f"_{name}" for name in _SHOWN})
    both = roster.join(theirs, on="serial", how="left", maintain_order="left")
    ahead = exceeds([pl.col(c) for c in RANK], [pl.col(f"_{c}").fill_null(v) for c, v in _nothing_shown().items()])
    kept = {name: pl.when(ahead).then(pl.col(name)).otherwise(pl.col(f"_{name}")) for name in _SHOWN[:-1]}
    passed = pl.when(ahead).then(0).otherwise(pl.col("_passed"))
    now = both.with_columns(**kept, passed=passed.fill_null(0))
    unlike = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"was_{name}")) for name in _SHOWN)
    before = roster.select("serial", *(pl.col(name).alias(f"was_{name}") for name in _SHOWN))
    return (
        now.join(before, on="serial", maintain_order="left")
        .with_columns(changed=unlike)
        .select(*SUBJECT_COLUMNS, "changed")
    )


def _nothing_shown() -> dict[str, int | bool]:
    return dict(zip(RANK, (UNSEEN_VERSION, False, 0), strict=True))


def _transactions(
    sequence: int, moved: pl.DataFrame, events: pl.DataFrame, ids: pl.DataFrame
) -> tuple[PublishedTransaction, ...]:
    """Return the moves as messages of a size that any bus takes.

    Persons that exchange subjects stand in one message with their lineage, so that a consumer who has taken some of
    the messages holds whole persons.
    """
    if moved.is_empty():
        return ()
    parts = moved.with_columns(pl.Series("group", _groups(moved)))
    sizes = parts.group_by("group").agg(pl.len(), first=pl.col("serial").min()).sort("first")
    before = pl.col("len").cum_sum() - pl.col("len")
    parts = parts.join(sizes.select("group", part=before // CHANGES_A_MESSAGE), on="group")
    of_person = pl.concat([parts.select("part", person=name) for name in ("person", "now")]).drop_nulls().unique()
    transactions: list[PublishedTransaction] = []
    for number in parts["part"].unique().sort():
        mine = events.join(of_person.filter(part=number), on="person", how="semi", maintain_order="left")
        made = transaction_of(sequence + len(transactions) + 1, parts.filter(part=number), mine, ids)
        assert made is not None  # noqa: S101 - a part has moves
        transactions.append(made)
    return tuple(transactions)


def _groups(moved: pl.DataFrame) -> np.typing.NDArray[np.int32]:
    """Return a group for each move: moves that have a person in common, directly or by others, are of one."""
    ends = moved.select(a=pl.coalesce("person", "now"), b=pl.coalesce("now", "person"))
    names = pl.concat([ends["a"], ends["b"].alias("a")]).unique().sort()
    a, b = (names.search_sorted(ends[c]).to_numpy() for c in ("a", "b"))
    edges = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(len(names), len(names)))
    _, label = connected_components(edges, directed=False)
    return np.asarray(label[a], dtype=np.int32)
