"""Which blocking passes suit the data held, and which of their keys are too common to be searched."""

from __future__ import annotations

import numpy as np

from linkage.held import HeldSubjects
from linkage.sample import block_sizes, linkable
from linkage.threads import in_threads
from schemas.model import BlockPass, MatchModel


def planned(held: HeldSubjects, shipped: MatchModel) -> tuple[MatchModel, tuple[str, ...], int]:
    """Return (the model with the passes that suit the data held, notes on them, pairs lost to stop keys).

    A broad pass is taken when it finds few enough pairs; passes that are a narrowing of one taken find nothing more and
    are dropped, crossings of dropped passes too. The store is searched by the result from then on, stop keys apart.
    """
    limit = shipped.broad_pairs_per_subject * int(held.alive.sum())
    keys, sides = held.keyed(shipped.broad_passes), linkable(held).values()
    taken, notes = [], []
    for position, broad in enumerate(shipped.broad_passes):
        found = sum(int(block_sizes(side, keys[:, position])[1].sum()) for side in sides)
        if found <= limit:
            taken.append(broad)
        notes.append(f"broad pass {broad.name}: {found} pairs, {'taken' if found <= limit else 'left out'}")
    kept = [p for p in shipped.passes if not any(set(broad.parts) <= set(p.parts) for broad in taken)]
    named = {block_pass.name for block_pass in (*kept, *taken)}
    crossings = tuple(pair for pair in shipped.crossings if named.issuperset(pair))
    model = shipped.model_copy(update={"passes": (*kept, *taken), "crossings": crossings, "broad_passes": ()})
    held.block_by(model)  # what stops a key is then its own index, and most data stop none
    passes, stopped = with_stop_keys(held, shipped.max_block_pairs)
    notes += [f"pass {name}: {pairs} pairs in oversized blocks left out" for name, pairs in stopped.items()]
    return model.model_copy(update={"passes": passes}), tuple(notes), sum(stopped.values())


def with_stop_keys(held: HeldSubjects, most: int) -> tuple[tuple[BlockPass, ...], dict[str, int]]:
    """Return the passes that the store is searched by with the keys that would find more than `most` pairs stopped, and
    by pass how many pairs those are.

    A stopped pair is lost only if no other pass finds it.
    """
    keys, sides = held.keys(np.s_[:]), list(linkable(held).values())

    def too_common(position: int) -> tuple[set[int], int]:
        stop, lost = set(held.passes[position].stop_keys), 0
        for side in sides:
            values, pairs = block_sizes(side, keys[:, position])
            stop.update(values[pairs > most].tolist())
            lost += int(pairs[pairs > most].sum())
        return stop, lost

    found = list(in_threads(too_common, range(len(held.passes))))
    passes = tuple(
        block_pass.model_copy(update={"stop_keys": tuple(sorted(stop))})
        for block_pass, (stop, _) in zip(held.passes, found, strict=True)
    )
    return passes, {p.name: lost for p, (_, lost) in zip(passes, found, strict=True) if lost}
