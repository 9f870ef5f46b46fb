"""Which blocking passes suit the data held, and which of their keys are too common to be searched."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from linkage.block import pass_keys
from linkage.held import HeldSubjects
from linkage.sample import block_sizes, linkable, pairs_per_key
from schemas.model import BlockPass, MatchModel


def planned(held: HeldSubjects, shipped: MatchModel) -> tuple[MatchModel, tuple[str, ...], int]:
    """Return (the model with the passes that suit the data held, notes on them, pairs lost to stop keys).

    A broad pass is taken when it finds few enough pairs; passes that are a narrowing of one taken find nothing more and
    are dropped, crossings of dropped passes too.
    """
    table, alive = held.subjects.table, held.alive
    limit = shipped.broad_pairs_per_subject * int(alive.sum())
    keys = pass_keys(table, shipped.broad_passes).astype(np.uint64)
    keys[~alive] = 0
    taken, notes = [], []
    for position, broad in enumerate(shipped.broad_passes):
        found = sum(pairs_per_key(side, keys[:, position].copy(), len(table)) for side in linkable(held).values())
        if found <= limit:
            taken.append(broad)
        notes.append(f"broad pass {broad.name}: {found} pairs, {'taken' if found <= limit else 'left out'}")
    kept = [p for p in shipped.passes if not any(set(broad.parts) <= set(p.parts) for broad in taken)]
    passes, stopped = with_stop_keys(held, (*kept, *taken), shipped.max_block_pairs)
    notes += [f"pass {name}: {pairs} pairs in oversized blocks left out" for name, pairs in stopped.items()]
    named = {block_pass.name for block_pass in passes}
    crossings = tuple(pair for pair in shipped.crossings if named.issuperset(pair))
    model = shipped.model_copy(update={"passes": passes, "crossings": crossings, "broad_passes": ()})
    return model, tuple(notes), sum(stopped.values())


def with_stop_keys(
    held: HeldSubjects, passes: Sequence[BlockPass], most: int
) -> tuple[tuple[BlockPass, ...], dict[str, int]]:
    """Return the passes with the keys that would find more than `most` pairs stopped, and by pass how many pairs those
    are.

    A stopped pair is lost only if no other pass finds it.
    """
    result: list[BlockPass] = []
    stopped: dict[str, int] = {}
    sides = list(linkable(held).values())
    for block_pass in passes:
        keys = pass_keys(held.subjects.table, [block_pass])[:, 0]
        stop: set[int] = set(block_pass.stop_keys)
        for side in sides:
            values, pairs = block_sizes(side, keys)
            stop.update(values[pairs > most].tolist())
            if (lost := int(pairs[pairs > most].sum())) > 0:
                stopped[block_pass.name] = stopped.get(block_pass.name, 0) + lost
        result.append(block_pass.model_copy(update={"stop_keys": tuple(sorted(stop))}))
    return tuple(result), stopped
