"""By which links two subjects are one person, where no link joins them directly."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def links_between(ends: tuple[Node, Node], links: Sequence[tuple[Node, Node, float]]) -> list[int] | None:
    """Return the places in `links` of those that lead from one end to the other, in order; None where none do.

    Of several ways the one of the fewest links is taken, of these the one whose weakest link (log2 odds) is strongest,
    of equals the one that comes first. A person is a handful of subjects, so each link is looked at by itself.
    """
    start, goal = ends
    joined: dict[Node, list[tuple[Node, int]]] = defaultdict(list)
    for place, (left, right, _) in enumerate(links):
        joined[left].append((right, place))
        joined[right].append((left, place))
    waiting: list[tuple[int, float, tuple[int, ...], Node]] = [(0, -float("inf"), (), start)]
    done: set[Node] = set()
    while waiting:
        steps, weakest, path, node = heapq.heappop(waiting)
        if node == goal:
            return list(path)
        if node in done:
            continue
        done.add(node)
        for other, place in joined[node]:
            if other not in done:
                bits = max(weakest, -links[place][2])
                heapq.heappush(waiting, (steps + 1, bits, (*path, place), other))
    return None
