"""The same work on several things at once. NumPy gives up the interpreter's lock in most of what matching does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

THREADS: Final = 2
"""Beyond two, waiting for the interpreter's lock and for memory takes most of what further threads would give."""

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_threads(work: Callable[[Given], Made], things: Iterable[Given]) -> Iterator[Made]:
    """Yield what `work` makes of each thing, in their order. What it raises is raised at that thing's place."""
    with ThreadPoolExecutor(THREADS) as threads:
        yield from threads.map(work, things)


def made_ahead(things: Iterator[Made]) -> Iterator[Made]:
    """Yield what an iterator yields, the next one being made in another thread while the last is worked on."""
    nothing = object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, things, nothing)
        while (thing := coming.result()) is not nothing:
            coming = thread.submit(next, things, nothing)
            yield thing  # type: ignore[misc]
