"""Lists of words as text, so that a list of a thousand names stays readable."""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text in order, each once."""
    return tuple(dict.fromkeys(text.split()))


def groups(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the groups of a text, which bars or line ends divide, each as its words."""
    return tuple(tuple(group.split()) for line in text.strip().splitlines() for group in line.split("|"))
